/**
 * One scope in a session: its view, its reader, who watches and who is here, and what the leading tab tells the others
 * about it. The other tabs' views move only by what the leader sends, or by what they catch up with themselves.
 */
import { guarded } from "./core/calls.ts";
import type { Applied, ScopeCore } from "./core/contract.ts";
import { makeScopeCore } from "./core/scope.ts";
import type { Mutator } from "./core/tx.ts";
import { makeWatchers, type Watchers } from "./core/watch.ts";
import type { Change, Json, Snapshot } from "./core/words.ts";
import type { Env } from "./env.ts";
import type { Post } from "./link/http.ts";
import type { Link } from "./link/link.ts";
import { makePresence, type PresenceHub } from "./link/presence.ts";
import { makePusher, type Pusher } from "./link/pusher.ts";
import { makeReader, type Reader } from "./link/reader.ts";
import type { Board } from "./link/standing.ts";
import type { Move, News } from "./link/news.ts";
import type { Store } from "./store.ts";

/** What a page can say when it opens a scope. */
export interface ScopeOptions {
  /** The snapshot the page came with: shown at once, and nothing is fetched first. */
  snapshot?: Snapshot;
  /** Receives every change that is no collection's, in cursor order, before the notification of its change set. */
  onChange?: (change: Change) => void;
  /** Receives every new base, for applications whose snapshot is not made of collections. */
  onSnapshot?: (data: Json, cursor: number) => void;
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
  /** Where mutations wait; another queue when the one before broke. */
  store: Pick<Store, "queue" | "fell">;
  mutators: Readonly<Record<string, Mutator>>;
  scopes: ReadonlyMap<string, Scope>;
  /** Whose watermark to ask for. */
  client(): string;
  leads(): boolean;
  /** Tells the other tabs. */
  post(news: News): void;
  /** Tells all tabs, this one too. */
  spread(news: News): void;
  /** The base may be worth keeping. */
  touched(scope: Scope): void;
  /** Tells the page. */
  tell(type: string, detail: object): void;
}

/** See the file's head. */
export interface Scope {
  name: string;
  core: ScopeCore;
  reader: Reader;
  pusher: Pusher;
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
  /** A tab has it open: tells it how far this one is. */
  follow(tab: string): void;
  /** A tab is gone. */
  forget(tab: string): void;
  /** Does with what was heard of it what is to be done, in the following tabs too; where that can't be: why. */
  move(move: Move): Applied | undefined;
  /** What the leading tab tells. */
  hear(move: Move): void;
}

export function makeScope(name: string, options: ScopeOptions, around: Around): Scope {
  const { env, leads, post } = around;
  const { report } = env;
  let told = false;
  const core: ScopeCore = makeScopeCore(around.mutators, {
    changed: (changes) => {
      // The page's own snapshot is there at once, and news to nobody.
      if (!told) return;
      if (scope.entered && core.valid) scope.readyNow();
      if (scope.mine) around.tell("change", { scope: name, changes });
      watchers.changed(changes);
      around.touched(scope);
    },
    unknown: guarded(report, options.onChange),
    snapshot: guarded(report, options.onSnapshot),
  });
  const watchers = makeWatchers(core, report);
  if (options.snapshot) core.reset(options.snapshot, true);
  told = true;

  /** Tells the tabs that have it open, from the one that leads. */
  const feed = (move: Move): void => {
    if (leads() && scope.others.size) post({ t: "move", scope: name, ...move });
  };
  const scope = {
    name,
    core,
    watchers,
    mine: options.mine !== false,
    entered: false,
    own: !!(options.onChange || options.onSnapshot),
    others: new Map(),
    follow: (tab) => {
      scope.others.set(tab, env.now());
      feed({ page: core.head(), ...scope.presence.all() });
    },
    forget: (tab) => {
      scope.others.delete(tab);
      scope.presence.gone(tab);
    },
    move: (move) => {
      const { page, base, lost, peers, you } = move;
      if (peers) scope.presence.adopt(peers, you!);
      const applied = page && core.apply(page);
      if (applied && applied !== "applied" && applied !== "duplicate") return applied;
      if (base) core.reset(base);
      if (lost === "forbidden") core.drop();
      else if (lost) core.invalidate(lost === "epoch_changed");
      // Places given under another history can't be trusted.
      if (lost === "epoch_changed") scope.pusher.distrust();
      feed(move);
      return undefined;
    },
    hear: (move) => {
      const { base } = move;
      // One the leader made of its own base lacks what only the application knows.
      if (scope.own && base && "held" in base) return;
      const not = scope.move(move);
      if (!not) return;
      if (not === "foreign") core.invalidate(true);
      if (scope.own) void scope.reader.catchUp();
      else post({ t: "behind", scope: name });
    },
  } as Scope;
  scope.ready = new Promise((resolve) => (scope.readyNow = resolve));
  scope.reader = makeReader(around, scope);
  scope.pusher = makePusher(around, scope);
  scope.presence = makePresence(around, scope);
  return scope;
}
