/**
 * One scope in a session: its view, its reader, who watches and who is here, and what the leading tab tells the others
 * about it. The other tabs' views move only by what the leader sends, or by what they catch up with themselves.
 */
import { guarded } from "./core/calls.ts";
import { makeScopeCore, type Applied, type ScopeCore } from "./core/scope.ts";
import type { Mutator } from "./core/tx.ts";
import { makeWatchers, type Watchers } from "./core/watch.ts";
import type { Change, Changes, Json, Snapshot } from "./core/words.ts";
import type { Env } from "./env.ts";
import type { Post } from "./link/http.ts";
import type { Link } from "./link/link.ts";
import { makePresence, type PresenceHub } from "./link/presence.ts";
import { makeReader, type Reader } from "./link/reader.ts";
import type { Board } from "./link/standing.ts";
import type { Moves, News } from "./link/news.ts";

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

/** What the scopes of a session, and their readers and pushers, have in common. */
export interface Around {
  env: Env;
  tab: string;
  ask: Post;
  link: Link;
  board: Board;
  mutators: Readonly<Record<string, Mutator>>;
  scopes: ReadonlyMap<string, Scope>;
  /** Whose watermark to ask for. */
  client(): string;
  leads(): boolean;
  /** Tells the other tabs. */
  post(news: News): void;
  /** Tells all tabs, this one too. */
  spread(news: News): void;
  /** Asks the leader for what is missing. */
  announce(): void;
  /** The base may be worth keeping. */
  touched(scope: Scope): void;
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
  follow(tab: string, at: { cursor: number; epoch: string } | null): void;
  /** A tab is gone. */
  forget(tab: string): void;
  /** What the leading tab tells. */
  hear(news: News): void;
}

export function makeScope(name: string, options: ScopeOptions, around: Around): Scope {
  const { env, leads, post } = around;
  const { report } = env;
  let told = false;
  const core: ScopeCore = makeScopeCore(around.mutators, {
    changed: (changes) => {
      if (!told) return;
      if (scope.entered && core.valid) scope.readyNow();
      options.changed?.(name, changes);
      watchers.changed(changes);
      around.touched(scope);
    },
    unknown: guarded(report, options.onChange),
    snapshot: guarded(report, options.onSnapshot),
  });
  const watchers = makeWatchers(core, report);
  // The page's own snapshot is there at once, and news to nobody.
  if (options.snapshot) core.reset(options.snapshot, true);
  told = true;

  const feed = (news: News): void => {
    if (leads() && scope.others.size) post(news);
  };
  const move = (news: Moves): Applied | void => {
    if (news.t === "page") return core.apply(news.page);
    if (news.t === "base") core.reset(news.base);
    else if (news.code === "forbidden") core.drop();
    else core.invalidate(news.code === "epoch_changed");
  };
  const reader = makeReader(around, name, core, (news) => {
    const applied = move(news);
    if (news.t === "lose") around.spread(news);
    else if (!applied || applied === "applied" || applied === "duplicate") feed(news);
    return applied;
  });
  let readyNow!: () => void;
  const ready = new Promise<void>((resolve) => (readyNow = resolve));

  const scope: Scope = {
    name,
    core,
    reader,
    watchers,
    presence: makePresence(around, name, reader.isLive, feed),
    ready,
    readyNow,
    mine: options.mine !== false,
    entered: false,
    own: !!(options.onChange || options.onSnapshot),
    others: new Map(),
    follow: (tab, at) => {
      scope.others.set(tab, env.now());
      scope.presence.tellAll();
      const page = core.head();
      if (!page) return;
      const near = at && (at.cursor < 0 || (at.epoch === core.epoch && at.cursor >= core.cursor));
      const base = near ? null : core.record();
      post(base ? { t: "base", scope: name, base } : { t: "page", scope: name, page });
    },
    forget: (tab) => {
      scope.others.delete(tab);
      scope.presence.gone(tab);
    },
    hear: (news) => {
      if (news.t === "peers") return scope.presence.adopt(news.peers, news.you);
      // One the leader made of its own base lacks what only the application knows.
      if (news.t === "base" && "held" in news.base && scope.own) return;
      const applied = move(news as Moves);
      if (!applied || applied === "applied" || applied === "duplicate") return;
      if (applied === "foreign") core.invalidate(true);
      if (scope.own) void reader.catchUp();
      else around.announce();
    },
  };
  return scope;
}
