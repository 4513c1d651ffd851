/**
 * The tabs of one profile that share a queue: news between them, and which one leads. A lost message costs time, never
 * a mutation: the queue is the truth. Two tabs never lead at once.
 */
import type { Decided, Entry, Numbered } from "../core/words.ts";
import type { ChannelLike, Env } from "../env.ts";

/** What tabs tell each other. */
export type News =
  | { t: "appended"; entries: Entry[] }
  | { t: "numbered"; numbered: Numbered[] }
  | { t: "decided"; decided: Decided[] }
  | { t: "undone"; id: string }
  | { t: "renewed"; client: string }
  /** To the leader: places can't be trusted. */
  | { t: "distrust" }
  /** To the leader: send now. */
  | { t: "push" }
  /** To the leader: a visible tab would lead instead of a hidden one. */
  | { t: "yield" }
  /** From a new leader. */
  | { t: "leads"; hidden: boolean };

/** What a tab hears. */
export interface TabEvents {
  news(news: News): void;
  /** From now on this tab sends. */
  leads(): void;
  /** It gives up the lead: resolves when nothing of it is on its way any more. */
  resigns(): Promise<void>;
}

/** See the file's head. */
export class Tabs {
  /** This tab sends what all tabs share. */
  leads = false;
  readonly #env: Env;
  readonly #name: string;
  readonly #events: TabEvents;
  readonly #shared: boolean;
  readonly #channel: ChannelLike | undefined;
  readonly #abort = new AbortController();
  #release: (() => void) | undefined;

  /** `shared` is false for a queue that only this page sees. */
  constructor(env: Env, name: string, shared: boolean, events: TabEvents) {
    this.#env = env;
    this.#name = name;
    this.#events = events;
    this.#shared = shared;
    this.#channel = shared ? env.channel?.(name) : undefined;
    if (this.#channel) this.#channel.onmessage = ({ data }) => this.#hear(data as News);
  }

  /** Asks to lead, now or when the leader is gone. Without locks, as in other runtimes, this one is alone. */
  apply(): void {
    if (!this.#shared || !this.#env.locks) return this.#lead();
    const held = this.#env.locks.request(this.#name, { signal: this.#abort.signal }, () => {
      const released = new Promise<void>((resolve) => (this.#release = resolve));
      this.#lead();
      return released;
    });
    held.catch(() => (this.leads = false));
  }

  /** Tells the other tabs. */
  post(news: News): void {
    try {
      this.#channel?.postMessage(news);
    } catch (error) {
      this.#env.report(error);
    }
  }

  /** This page is being looked at: a hidden leader should make way, its timers are slow. */
  prefer(): void {
    if (!this.leads) this.post({ t: "yield" });
  }

  /** Leaves. The lead passes on when nothing is on its way any more. */
  async close(): Promise<void> {
    const { leads } = this;
    this.leads = false;
    this.#abort.abort();
    if (leads) await this.#events.resigns();
    this.#release?.();
    this.#channel?.close();
  }

  #lead(): void {
    if (this.#abort.signal.aborted) return this.#release?.();
    this.leads = true;
    this.post({ t: "leads", hidden: this.#env.hidden() });
    this.#events.leads();
  }

  #hear(news: News): void {
    if (news.t === "yield") {
      if (this.leads && this.#env.hidden() && this.#release) void this.#resign(this.#release);
    } else if (news.t === "leads") {
      if (news.hidden && !this.#env.hidden()) this.prefer();
    } else this.#events.news(news);
  }

  async #resign(release: () => void): Promise<void> {
    this.leads = false;
    this.#release = undefined;
    await this.#events.resigns();
    release();
    this.apply();
  }
}
