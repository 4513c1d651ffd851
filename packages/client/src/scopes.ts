/**
 * One scope in a session: its view, its reader, who watches and who is here, and what the leading tab tells the others
 * about it. The other tabs' views move only by what the leader sends, or by what they catch up with themselves.
 */
import { ScopeCore, type Page } from "./core/scope.ts";
import type { Mutator } from "./core/tx.ts";
import { makeWatchers, type Watchers } from "./core/watch.ts";
import type { Change, Changes, Json, Snapshot } from "./core/words.ts";
import type { Env } from "./env.ts";
import type { Post } from "./link/http.ts";
import type { Link } from "./link/link.ts";
import { makePresence, type PresenceHub } from "./link/presence.ts";
import { makeReader, type Reader } from "./link/reader.ts";
import type { News } from "./link/tabs.ts";
import type { Refusal } from "./link/wire.ts";

/** What a page can say when it opens a scope. */
export interface ScopeOptions {
  /** The snapshot the page came with: shown at once, and nothing is fetched first. */
  snapshot?: Snapshot;
  /** Receives every change that is no collection's, in cursor order, before the notification of its change set. */
  onChange?: (change: Change) => void;
  /** Receives every new base, for applications whose snapshot is not made of collections. */
  onSnapshot?: (data: Json, cursor: number) => void;
  /** Hears of every change set before anybody else. */
  changed?: (scope: string, changes: Changes) => void;
  /** The page opened it, not another tab. */
  mine?: boolean;
}

/** What a scope needs of its session. */
interface Around {
  env: Env;
  tab: string;
  ask: Post;
  link: Link;
  open: unknown;
  mutators: Readonly<Record<string, Mutator>>;
  few(): boolean;
  client(): string;
  leads(): boolean;
  /** Other tabs have it open. */
  others(): boolean;
  post(news: News): void;
  heard(about: "read", refusal: Refusal | null): void;
  live(is: boolean): void;
  distrust(): void;
  /** Asks the leader for what is missing. */
  behind(): void;
  /** The base may be worth keeping. */
  touched(): void;
}

/** See the file's head. */
export interface Scope {
  name: string;
  core: ScopeCore;
  reader: Reader;
  watchers: Watchers;
  presence: PresenceHub;
  ready: Promise<void>;
  readyNow(): void;
  /** The page has it open. */
  mine: boolean;
  /** What was kept of it was read. */
  entered: boolean;
  /** Its state is the application's own: a base can't be kept, nor given to another tab. */
  own: boolean;
  /** Other tabs that have it open, and when they last said so. */
  others: Map<string, number>;
  /** A tab has it open and is this far: sends it what it lacks. */
  follow(tab: string, at: { cursor: number; epoch: string } | null, now: number): void;
  /** A tab is gone. */
  forget(tab: string): void;
  /** What the leading tab tells. */
  hear(news: News): void;
}

export function makeScope(name: string, options: ScopeOptions, around: Around): Scope {
  const { env, leads, post } = around;
  const guarded =
    <A extends unknown[]>(call: ((...args: A) => void) | undefined) =>
    (...args: A): void => {
      try {
        call?.(...args);
      } catch (error) {
        env.report(error);
      }
    };
  let told = false;
  const core: ScopeCore = new ScopeCore(around.mutators, {
    changed: (changes) => {
      if (!told) return;
      if (scope.entered && core.valid) scope.readyNow();
      options.changed?.(name, changes);
      watchers.changed(changes);
      around.touched();
    },
    unknown: guarded(options.onChange),
    snapshot: guarded(options.onSnapshot),
  });
  const watchers = makeWatchers(core, env.report);
  // The page's own snapshot is there at once, and news to nobody.
  if (options.snapshot) core.reset(options.snapshot, true);
  told = true;

  const feed = (news: News): void => {
    if (leads() && around.others()) post(news);
  };
  const reader = makeReader({
    ...around,
    core,
    scope: name,
    socket: around.link.socket,
    sockets: !!around.open,
    stopped: around.link.stopped,
    heard: (refusal) => around.heard("read", refusal),
    otherHistory: around.distrust,
    feed: {
      page: (page: Page) => feed({ t: "page", scope: name, page }),
      base: (base) => feed({ t: "base", scope: name, base }),
      lose: (other) => feed({ t: "lose", scope: name, other }),
      drop: () => feed({ t: "drop", scope: name }),
    },
  });
  const presence = makePresence({
    tab: around.tab,
    say: (data) => leads() && reader.isLive() && around.link.socket()?.say(`sync:${name}`, data),
    here: (state) => leads() || post({ t: "here", tab: around.tab, scope: name, state }),
    feed: (peers, you) => feed({ t: "peers", scope: name, peers, you }),
    report: env.report,
  });
  let readyNow!: () => void;
  const ready = new Promise<void>((resolve) => (readyNow = resolve));

  const scope: Scope = {
    name,
    core,
    reader,
    watchers,
    presence,
    ready,
    readyNow,
    mine: options.mine !== false,
    entered: false,
    own: !!(options.onChange || options.onSnapshot),
    others: new Map(),
    follow: (tab, at, now) => {
      scope.others.set(tab, now);
      presence.tellAll();
      const head = core.head();
      if (!head) return;
      const near = at && (at.cursor < 0 || (at.epoch === core.epoch && at.cursor >= core.cursor));
      const base = near ? null : core.record();
      if (base) post({ t: "base", scope: name, base });
      else post({ t: "page", scope: name, page: head });
    },
    forget: (tab) => {
      scope.others.delete(tab);
      presence.gone(tab);
    },
    hear: (news) => {
      if (news.t === "page") {
        const applied = core.apply(news.page);
        if (applied === "applied" || applied === "duplicate") return;
        if (applied === "foreign") core.invalidate(true);
        if (scope.own) void reader.catchUp();
        else around.behind();
      } else if (news.t === "base") {
        // One the leader made of its own base lacks what only the application knows.
        if (!("held" in news.base && scope.own)) core.reset(news.base);
      } else if (news.t === "lose") core.invalidate(news.other);
      else if (news.t === "drop") core.drop();
      else if (news.t === "peers") presence.adopt(news.peers, news.you);
    },
  };
  return scope;
}
