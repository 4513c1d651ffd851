/**
 * The page's side of riverrun: one client per page and user, with as many scopes as it needs over one queue and one link.
 * A client made for one scope is used as that scope. It checks what goes in and translates what comes out; everything
 * between is the session's.
 */
import { freeze } from "./core/collections.ts";
import { checkArgs, checkScope, checkType, CodedError, invalid } from "./core/door.ts";
import { DEFAULT_SCOPE } from "./core/limits.ts";
import type { Mutator, Value } from "./core/tx.ts";
import { newId } from "./core/uuid.ts";
import type { Change, Changes, Entry, Json, Snapshot } from "./core/words.ts";
import { bare } from "./queue/numbering.ts";
import { browserEnv, type Env } from "./env.ts";
import { collection, type Args, type Collection, type Mutated, type Mutators } from "./face.ts";
import type { PendingMutation, SyncScope } from "./face.ts";
import type { Presence } from "./link/presence.ts";
import type { Status } from "./link/standing.ts";
import type { Storage } from "./queue/queue.ts";
import type { Scope, ScopeOptions } from "./scopes.ts";
import { makeSession, type Session } from "./session.ts";

export type { Mutated, PendingMutation, SyncScope } from "./face.ts";

/** What a client can be told when it is made. */
export interface SyncClientOptions<M extends Mutators = Mutators> {
  /** The server's address, with a path if the app lives below one. Default: where the page came from. */
  url?: string;
  /** The path of the sync routes, below `url`. Default: `/_sync`. */
  prefix?: string;
  /** The path of the WebSocket, below `url`. Default: `/ws`. */
  path?: string;
  /**
   * The scope the client itself stands for: 1 to 255 bytes. Left out, it is `_default`, unless `client.scope()` is called
   * before the script that made the client ends; `null`: none, whatever happens.
   */
  scope?: string | null;
  /** What each command does to the local view. Left out: any command may be sent, none has a local effect. */
  mutators?: M;
  /** The snapshot the page came with, of `scope`: shown at once, and nothing is fetched first. */
  snapshot?: Snapshot;
  /** Who is signed in. Each user of a browser profile has a queue and a client id of their own. */
  user?: string;
  /** Where the queue is kept. Default: `indexeddb`, and memory where there is none. */
  storage?: Storage;
  /** Whether to use a WebSocket. Default: true; without one it polls. */
  live?: boolean;
  /** Gives the token that says who is asking, where cookies don't; asked again for every request. */
  token?: () => string | Promise<string>;
  /** The version of the commands' arguments, sent with each mutation made from now on. */
  schema?: number;
  /** Asks the browser not to evict the queue, once something is in it. Default: true. */
  persist?: boolean;
  /** Receives every change of `scope` that is no collection's, in cursor order, before its change set is told. */
  onChange?: (change: Change) => void;
  /** Receives every new base of `scope`, for applications whose snapshot is not made of collections. */
  onSnapshot?: (data: Json, cursor: number) => void;
  /** Parts of the world around the client, for tests and other runtimes. */
  env?: Partial<Env>;
}

/** What the page can say of a scope it opens. */
export type OpenOptions = Pick<ScopeOptions, "snapshot" | "onChange" | "onSnapshot">;

/** Pushing or pulling did not get through, with a code of the contract, or `network`. What is queued stays queued. */
export class SyncError extends CodedError {
  override name = "SyncError";
}

/**
 * A client. What it offers of a scope (`mutate`, `all`, `get`, `collection`, `subscribe` …) is its own scope's.
 *
 * Events, with what `detail` holds: `change` (`scope`, `changes`); `status` (`status`, `code`, `error`); `rejected` (`id`,
 * `type`, `args`, `scope`, `code`, `reason`, `error`, and `own`: this page made it); `saved` (`id`); `storage` (`storage`,
 * `error`); `client` (`client`: the server had forgotten the old id).
 */
export class SyncClient<M extends Mutators = Mutators, C = Record<string, Value>>
  extends EventTarget
  implements Omit<SyncScope<M, C>, "presence" | "scope" | "close">
{
  readonly #session: Session;
  readonly #env: Env;
  readonly #options: SyncClientOptions<M>;
  readonly #mutators: Readonly<Record<string, Mutator>>;
  readonly #faces = new Map<string, SyncScope<M, C>>();
  #persisted = false;

  /** Throws `RefusedError` for a scope that can't be one, `TypeError` for an address that can't be one. */
  constructor(options: SyncClientOptions<M> = {}) {
    super();
    this.#options = options;
    const env = (this.#env = { ...browserEnv(), ...options.env });
    const root = new URL(options.url || "/", globalThis.location?.href).href.replace(/\/$/, "");
    // Without a prototype: no command is called `constructor` by accident.
    this.#mutators = Object.assign(Object.create(null) as Record<string, Mutator>, options.mutators);
    this.#session = makeSession({
      env,
      name: `riverrun|${root}|${options.user ?? ""}`,
      base: root + (options.prefix ?? "/_sync"),
      open:
        options.live !== false && env.socket
          ? () => env.socket!(root.replace(/^http/, "ws") + (options.path ?? "/ws"))
          : undefined,
      token: options.token,
      storage: options.storage ?? "indexeddb",
      mutators: this.#mutators,
      tell: (type, detail) => this.dispatchEvent(new CustomEvent(type, { detail })),
    });
    if (options.scope || options.snapshot) this.#own();
    else if (options.scope !== null) queueMicrotask(() => this.#faces.size || this.#own());
  }

  /** A scope of this client, opened if it is not. What the page says of it counts when it is opened. */
  scope(name: string, options: OpenOptions = {}): SyncScope<M, C> {
    let face = this.#faces.get(checkScope(name));
    if (!face) {
      face = this.#face(this.#session.open(name, options));
      this.#faces.set(name, face);
    }
    return face;
  }

  get ready(): Promise<void> {
    return this.#own().ready;
  }

  mutate<K extends keyof M & string>(type: K, args: Args<M, K>): Mutated {
    return this.#own().mutate(type, args);
  }

  collection<K extends keyof C & string>(name: K): Collection<C[K]> {
    return this.#own().collection(name);
  }

  all<K extends keyof C & string>(name: K): readonly C[K][] {
    return this.#own().all(name);
  }

  get<K extends keyof C & string>(name: K, id: string): C[K] | undefined {
    return this.#own().get(name, id);
  }

  subscribe(call: (changes: Changes) => void): () => void {
    return this.#own().subscribe(call);
  }

  watch<T>(read: () => T, call: (value: T, changes: Changes) => void): () => void {
    return this.#own().watch(read, call);
  }

  get cursor(): number {
    return this.#own().cursor;
  }

  /** Who is in a scope, the client's own if none is named. */
  presence(scope?: string): Presence {
    return (scope === undefined ? this.#own() : this.scope(scope)).presence;
  }

  /** Takes a mutation back, if it was not sent yet; says whether it was. Its verdict is then `undone`. */
  undo(id: string): Promise<boolean> {
    return this.#session.undo(id);
  }

  /** Pushes what is queued and pulls to the head, in all open scopes, now. Rejects with `SyncError` where that fails. */
  sync(): Promise<void> {
    const done = Promise.all([...this.#faces.values()].map((face) => face.sync())).then(() => undefined);
    // Whoever does not wait for it hears of it through the status.
    done.catch(() => undefined);
    return done;
  }

  /** Mutations of the open scopes without a verdict or not yet in the base, in order. */
  get pending(): PendingMutation[] {
    return [...this.#faces.values()].flatMap((face) => face.pending);
  }

  /** All that waits for a verdict, of every scope and tab, as plain JSON: for a file to keep, or to send by other means. */
  async exportPending(): Promise<Omit<Entry, "order">[]> {
    return (await this.#session.queued()).map(bare);
  }

  /** How the link stands, from what happened: as in the worst of the open scopes, but for those that may not be read. */
  get status(): Status {
    return this.#session.board.over([...this.#faces.keys()]).status;
  }

  /** When what is shown was last known to be the server's newest, milliseconds since 1970; `null`: not in this page's life. */
  get lastSynced(): number | null {
    return this.status === "live" ? this.#env.now() : this.#session.board.state.synced;
  }

  /** Where the queue is kept now. */
  get storage(): Storage {
    return this.#session.storage();
  }

  /** What a tool can show and do: not for programs, its form may change. `env` is looked up at every use. */
  inspect() {
    const { tab, client, leads, scopes, board } = this.#session;
    return {
      tab,
      client: client(),
      leads: leads(),
      env: this.#env,
      storage: this.storage,
      status: this.status,
      lastSynced: this.lastSynced,
      scopes: [...scopes.values()].map(({ name, core, reader, mine, presence }) => ({
        scope: name,
        mine,
        cursor: core.cursor,
        digest: core.digest,
        epoch: core.epoch,
        status: board.of(name).status,
        pending: pendingOf(core.pending),
        peers: presence.peers,
        resync: reader.resync,
      })),
    };
  }

  /** Ends it and passes the lead to another tab. What is queued stays queued. */
  close(): Promise<void> {
    return this.#session.close();
  }

  #own(): SyncScope<M, C> {
    const { scope } = this.#options;
    if (scope === null) throw invalid("this client has no scope: use client.scope(name)");
    return this.scope(scope ?? DEFAULT_SCOPE, this.#options);
  }

  #mutate(scope: string, type: string, args: unknown): Mutated {
    checkType(type);
    const { schema, mutators, persist } = this.#options;
    if (mutators && !this.#mutators[type]) {
      throw invalid(`there is no mutator ${type}; there are: ${Object.keys(this.#mutators).join(", ")}`);
    }
    const created = this.#env.now();
    const id = newId(created);
    const entry: Entry = {
      ...{ id, type, args: freeze(checkArgs(args)), scope, seq: null, created, order: Infinity },
      ...(schema !== undefined && { schema }),
    };
    const promises = this.#session.mutate(entry);
    if (!this.#persisted && this.storage === "indexeddb" && persist !== false) {
      this.#persisted = true;
      this.#env.persist();
    }
    return { id, ...promises };
  }

  #face({ name, core, watchers, ready, presence }: Scope): SyncScope<M, C> {
    const { board, sync, leave } = this.#session;
    return {
      scope: name,
      ready,
      presence,
      mutate: (type, args) => this.#mutate(name, type, args),
      collection: (of) => collection(watchers, of),
      all: watchers.all as SyncScope<M, C>["all"],
      get: watchers.get as SyncScope<M, C>["get"],
      subscribe: watchers.subscribe,
      watch: watchers.watch,
      get pending() {
        return pendingOf(core.pending);
      },
      get status() {
        return board.of(name).status;
      },
      get cursor() {
        return core.cursor;
      },
      sync: () => {
        const done = sync(name).then((refusal) => {
          if (refusal) throw new SyncError(refusal.code, refusal.error);
        });
        done.catch(() => undefined);
        return done;
      },
      close: () => {
        this.#faces.delete(name);
        leave(name);
      },
    };
  }
}

const pendingOf = (items: Scope["core"]["pending"]): PendingMutation[] =>
  items.map(({ entry, accepted }) => {
    const waits = entry.order === Infinity ? "unsaved" : entry.seq === null ? "queued" : "sent";
    return { ...bare(entry), state: accepted === null ? waits : "accepted" };
  });
