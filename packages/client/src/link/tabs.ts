/**
 * The tabs of one profile that share a queue: news between them, and which one leads. A lost message costs time, never
 * a mutation: the queue is the truth. Two tabs never lead at once.
 */
import { guarded } from "../core/calls.ts";
import type { ChannelLike, Env } from "../env.ts";
import type { News } from "./news.ts";

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
  /**
   * Asks to lead, now or when the leader is gone. `shared` is false for a queue that only this page sees: then, and without
   * locks, as in other runtimes, it is alone.
   */
  apply(shared: boolean): void;
  /** Tells the other tabs. */
  post(news: News): void;
  /** This page is being looked at: a hidden leader should make way, its timers are slow. */
  prefer(): void;
  /** Leaves. The lead passes on when nothing is on its way any more. */
  leave(): Promise<void>;
  /** From now on alone: what the others share is gone for this tab. */
  lead(): void;
}

/** A hidden leader that does not make way for this many milliseconds is frozen: the lead is taken from it. */
const FROZEN_MS = 5_000;

export function makeTabs(env: Env, name: string, events: TabEvents): Tabs {
  let channel: ChannelLike | undefined;
  let locks: Env["locks"];
  let abort = new AbortController();
  let leads = false;
  let leaving = false;
  let release: (() => void) | undefined;
  let steal: unknown;

  const post = (news: News): void => guarded(env.report, () => channel?.postMessage(news))();
  const spare = (): void => env.clearTimeout(steal);

  const lead = (): void => {
    leads = true;
    spare();
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
    const held = locks!.request(name, options, () => {
      if (leaving) return undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      lead();
      return released;
    });
    // Taken away, or no longer wanted.
    held.catch(() => resign().then(() => signal.aborted || leaving || line()));
  };
  const line = (): void => request({ signal: abort.signal });

  const prefer = (): void => {
    if (leads || leaving || !locks) return;
    post({ t: "yield" });
    spare();
    steal = env.setTimeout(() => {
      abort.abort();
      abort = new AbortController();
      if (!leads && !leaving) request({ steal: true });
    }, FROZEN_MS);
  };

  const hear = (news: News): void => {
    if (news.t === "yield") {
      if (leads && env.hidden()) void resign().then(line);
      // A leader that is seen, or awake: it need not be robbed.
      else if (leads) post({ t: "leads", hidden: false });
      return;
    }
    if (news.t === "leads") {
      spare();
      if (news.hidden && !env.hidden()) prefer();
    }
    events.news(news);
  };

  return {
    leads: () => leads,
    apply: (shared) => {
      if (shared) {
        locks = env.locks;
        channel = env.channel?.(name);
        if (channel) channel.onmessage = ({ data }) => channel && hear(data as News);
      }
      if (locks) line();
      else lead();
    },
    post,
    prefer,
    leave: async () => {
      leaving = true;
      spare();
      abort.abort();
      // What is answered until then is still told.
      await resign();
      channel?.close();
      channel = undefined;
    },
    lead,
  };
}
