/**
 * The tabs of one profile that share a queue: news between them, and which one leads. A lost message costs time, never
 * a mutation: the queue is the truth. Two tabs never lead at once.
 */
import type { Counted, Page } from "../core/scope.ts";
import type { Decided, Entry, Json, KeptBase, Numbered, Snapshot } from "../core/words.ts";
import type { Env } from "../env.ts";
import type { Peer } from "./presence.ts";
import type { LinkState } from "./standing.ts";

/** What tabs tell each other. */
export type News =
  | { t: "appended"; entries: Entry[] }
  | { t: "numbered"; scope: string; numbered: Numbered[]; counted?: Counted | undefined }
  | { t: "decided"; decided: Decided[] }
  | { t: "undone"; id: string }
  | { t: "renewed"; client: string }
  /** To the leader: places of a scope can't be trusted. */
  | { t: "distrust"; scope: string }
  /** To the leader: send now. */
  | { t: "push" }
  /** To the leader: a visible tab would lead instead of a hidden one. */
  | { t: "yield" }
  /** From a new leader. */
  | { t: "leads"; hidden: boolean }
  /** To the leader: this tab has these scopes open, this far (nothing where it has no base). */
  | { t: "open"; tab: string; scopes: Record<string, { cursor: number; epoch: string } | null> }
  /** To the leader: this tab is gone. */
  | { t: "gone"; tab: string }
  /** To the leader: what a tab shows of itself; nothing where it only looks. */
  | { t: "here"; tab: string; scope: string; state: Json | undefined }
  /** From the leader, now and then and whenever it changes; `ask`: who is there, and with what open? */
  | { t: "state"; state: LinkState; ask: boolean }
  /** From the leader: what moved the base of a scope. */
  | { t: "page"; scope: string; page: Page }
  | { t: "base"; scope: string; base: Snapshot | KeptBase }
  | { t: "lose"; scope: string; other: boolean }
  | { t: "drop"; scope: string }
  /** From the leader: who is in a scope, and as whom each tab is. */
  | { t: "peers"; scope: string; peers: Peer[]; you: Record<string, string> };

/** What a tab hears. */
export interface TabEvents {
  news(news: News): void;
  /** From now on this tab holds the link. */
  leads(): void;
  /** It gives up the lead: resolves when nothing of it is on its way any more. */
  resigns(): Promise<unknown>;
}

/** See the file's head. */
export interface Tabs {
  /** This tab holds the link for all. */
  leads(): boolean;
  /** Asks to lead, now or when the leader is gone. Without locks, as in other runtimes, this one is alone. */
  apply(): void;
  /** Tells the other tabs. */
  post(news: News): void;
  /** This page is being looked at: a hidden leader should make way, its timers are slow. */
  prefer(): void;
  /** From now on alone: what the others share is gone for this tab. */
  leave(): Promise<void>;
  /** Leaves. The lead passes on when nothing is on its way any more. */
  close(): Promise<void>;
}

/** A hidden leader that does not make way for this many milliseconds is frozen: the lead is taken from it. */
const FROZEN_MS = 5_000;

/** `shared` is false for a queue that only this page sees. */
export function makeTabs(env: Env, name: string, shared: boolean, events: TabEvents): Tabs {
  const channel = shared ? env.channel?.(name) : undefined;
  let abort = new AbortController();
  let leads = false;
  let leaving = false;
  let closed = false;
  let release: (() => void) | undefined;
  let steal: unknown;

  const post = (news: News): void => {
    try {
      if (!closed) channel?.postMessage(news);
    } catch (error) {
      env.report(error);
    }
  };

  const lead = (): void => {
    leads = true;
    env.clearTimeout(steal);
    post({ t: "leads", hidden: env.hidden() });
    events.leads();
  };

  const resign = async (): Promise<void> => {
    const let_go = release;
    release = undefined;
    if (!leads) return;
    leads = false;
    await events.resigns();
    let_go?.();
  };

  const request = (options: LockOptions): void => {
    const { signal } = abort;
    const held = env.locks!.request(name, options, () => {
      if (leaving) return undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      lead();
      return released;
    });
    // Taken away, or no longer wanted.
    held.catch(() => resign().then(() => signal.aborted || leaving || apply()));
  };

  const apply = (): void => {
    if (shared && env.locks) request({ signal: abort.signal });
    else lead();
  };

  const prefer = (): void => {
    if (leads || leaving) return;
    post({ t: "yield" });
    if (!shared || !env.locks) return;
    env.clearTimeout(steal);
    steal = env.setTimeout(() => {
      abort.abort();
      abort = new AbortController();
      if (!leads && !leaving) request({ steal: true });
    }, FROZEN_MS);
  };

  const leave = async (): Promise<void> => {
    leaving = true;
    env.clearTimeout(steal);
    abort.abort();
    // What is answered until then is still told.
    await resign();
    closed = true;
    channel?.close();
  };

  if (channel) {
    channel.onmessage = ({ data }) => {
      const news = data as News;
      if (closed) return;
      if (news.t === "yield") {
        if (leads && env.hidden()) void resign().then(apply);
        // A leader that is seen, or awake: it need not be robbed.
        else if (leads) post({ t: "leads", hidden: false });
        return;
      }
      if (news.t === "leads") {
        env.clearTimeout(steal);
        if (news.hidden && !env.hidden()) prefer();
      }
      events.news(news);
    };
  }

  return {
    leads: () => leads,
    apply,
    post,
    prefer,
    leave: () => leave().then(lead),
    close: leave,
  };
}
