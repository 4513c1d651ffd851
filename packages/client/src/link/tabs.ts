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
  let waits: AbortController | undefined;
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
    if (!leads) return;
    leads = false;
    await events.resigns();
    release?.();
  };

  /** Gets into the line for the lead, or takes it. */
  const request = (steals?: true): void => {
    const { signal } = (waits = new AbortController());
    const held = locks!.request(name, steals ? { steal: true } : { signal }, () => {
      if (leaving) return undefined;
      lead();
      return new Promise<void>((resolve) => (release = resolve));
    });
    // Taken away, or no longer wanted.
    held.catch(() => resign().then(() => signal.aborted || leaving || request()));
  };

  const prefer = (): void => {
    if (leads || leaving || !locks) return;
    post({ t: "yield" });
    spare();
    steal = env.setTimeout(() => {
      waits!.abort();
      request(true);
    }, FROZEN_MS);
  };

  const hear = (news: News): void => {
    if (news.t === "yield") {
      if (leads && env.hidden()) void resign().then(() => request());
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
        if (channel) channel.onmessage = ({ data }) => hear(data as News);
      }
      if (locks) request();
      else lead();
    },
    post,
    prefer,
    leave: async () => {
      leaving = true;
      spare();
      waits?.abort();
      // What is answered until then is still told.
      await resign();
      channel?.close();
      channel = undefined;
    },
    lead,
  };
}
