/**
 * The page's side of riverrun: mutate and see it at once, read what base + pending say, and hear what became of it. It
 * checks what goes in and translates what comes out; everything between is the session's.
 */
import { checkArgs, checkScope, checkType, RefusedError } from "./core/door.ts";
import { freeze } from "./core/collections.ts";
import { DEFAULT_SCOPE } from "./core/limits.ts";
import type { Mutator, Value } from "./core/tx.ts";
import { newId } from "./core/uuid.ts";
import type { Change, Entry, Json, Snapshot, Verdict } from "./core/words.ts";
import { browserEnv, type Env } from "./env.ts";
import type { Status } from "./link/standing.ts";
import type { Storage } from "./queue/queue.ts";
import { Session } from "./session.ts";

/** What a client can be told when it is made. */
export interface SyncClientOptions {
  /** The server's address, with a path if the app lives below one. Default: where the page came from. */
  url?: string;
  /** The path of the sync routes, below `url`. Default: `/_sync`. */
  prefix?: string;
  /** The path of the WebSocket, below `url`. Default: `/ws`. */
  path?: string;
  /** The partition to be in sync with: 1 to 255 bytes. Default: `_default`. */
  scope?: string;
  /** What each command does to the local view. Left out: any command may be sent, none has a local effect. */
  mutators?: Record<string, Mutator>;
  /** The snapshot the page came with: shown at once, and nothing is fetched first. */
  snapshot?: Snapshot;
  /** Who is signed in. Each user of a browser profile has a queue and a client id of their own. */
  user?: string;
  /** Where the queue is kept. Default: `indexeddb`, and memory where there is none. */
  storage?: Storage;
  /** Whether to use a WebSocket. Default: true; without one it polls. */
  live?: boolean;
  /** Gives the token that says who is asking, where cookies don't; asked again for every request. */
  token?: () => string | Promise<string>;
  /** The version of the commands' arguments, sent with each mutation. */
  schema?: number;
  /** Asks the browser not to evict the queue, once something is in it. Default: true. */
  persist?: boolean;
  /** Receives every change that is no collection's, in cursor order, before the notification of its change set. */
  onChange?: (change: Change) => void;
  /** Receives every new base, for applications whose snapshot is not made of collections. */
  onSnapshot?: (data: Json, cursor: number) => void;
  /** Parts of the world around the client, for tests and other runtimes. */
  env?: Partial<Env>;
}

/** A mutation on its way. Neither promise is ever rejected. */
export interface Mutated {
  id: string;
  /** Resolves when it is in the queue: on disk with `indexeddb`, in this page with `memory`. */
  saved: Promise<void>;
  /** Resolves with its verdict, whenever the server gives it. */
  verdict: Promise<Verdict>;
}

/** A mutation that has no verdict yet, or that the base does not hold yet. */
export interface PendingMutation extends Omit<Entry, "order"> {
  state: "unsaved" | "queued" | "sent" | "accepted";
}

/** Pushing or pulling did not get through. What is queued stays queued. */
export class SyncError extends Error {
  override name = "SyncError";
  /** A code of the contract, or `network`. */
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * One scope, in sync.
 *
 * Events, with what `detail` holds: `change`; `status` (`status`, `code`, `error`); `rejected` (`id`, `type`, `args`,
 * `code`, `reason`, `error`, and `own`: this page made it); `saved` (`id`); `storage` (`storage`, `error`); `client`
 * (`client`: the server had forgotten the old id).
 */
export class SyncClient extends EventTarget {
  /** Resolves when the queue was read and a first base is there. Offline it waits. */
  readonly ready: Promise<void>;
  readonly #session: Session;
  readonly #env: Env;
  readonly #scope: string;
  readonly #mutators: Record<string, Mutator> | null;
  readonly #options: SyncClientOptions;
  readonly #subscribers = new Set<() => void>();
  #notifying = false;
  #notifyAgain = false;
  #persisted = false;

  /** Throws `RefusedError` for a scope that can't be one, `TypeError` for an address that can't be one. */
  constructor(options: SyncClientOptions = {}) {
    super();
    this.#options = options;
    this.#env = { ...browserEnv(), ...options.env };
    this.#scope = checkScope(options.scope ?? DEFAULT_SCOPE);
    // Without a prototype: no command is called `constructor` by accident.
    const mutators = Object.assign(Object.create(null) as Record<string, Mutator>, options.mutators);
    this.#mutators = options.mutators ? mutators : null;
    const root = new URL(options.url || "/", globalThis.location?.href).href.replace(/\/$/, "");
    const socket = this.#env.socket;
    const live = options.live !== false && socket;
    this.#session = new Session({
      ...options,
      env: this.#env,
      scope: this.#scope,
      name: `riverrun|${root}|${options.user ?? ""}`,
      base: root + (options.prefix ?? "/_sync"),
      open: live ? () => socket(root.replace(/^http/, "ws") + (options.path ?? "/ws")) : undefined,
      storage: options.storage ?? "indexeddb",
      mutators,
      changed: () => this.#notify(),
      tell: (type, detail) => this.#tell(type, detail),
    });
    this.ready = this.#session.ready;
  }

  /**
   * Does a command: its local effect is there when this returns, the rest follows. Throws `RefusedError`, with nothing
   * done, for an unknown command or arguments that can't be sent, and whatever the command's own mutator throws.
   */
  mutate(type: string, args: unknown): Mutated {
    checkType(type);
    if (this.#mutators && !this.#mutators[type]) {
      const known = Object.keys(this.#mutators).join(", ");
      throw new RefusedError("invalid_mutation", `there is no mutator ${type}; there are: ${known}`);
    }
    const now = this.#env.now();
    const { schema } = this.#options;
    const entry = {
      id: newId(now),
      type,
      args: freeze(checkArgs(args)),
      scope: this.#scope,
      seq: null,
      created: now,
      order: Infinity,
      ...(schema !== undefined && { schema }),
    };
    const promises = this.#session.mutate(entry);
    if (!this.#persisted && this.#session.storage === "indexeddb" && this.#options.persist !== false) {
      this.#persisted = true;
      this.#env.persist();
    }
    return { id: entry.id, ...promises };
  }

  /** Takes a mutation back, if it was not sent yet; says whether it was. Its verdict is then `undone`. */
  undo(id: string): Promise<boolean> {
    return this.#session.undo(id);
  }

  /** A collection's values in id order, as base + pending say. Frozen; the same array while nothing in it changed. */
  all(collection: string): readonly Value[] {
    return this.#session.core.all(collection);
  }

  /** One value, frozen; `undefined` where there is none. */
  get(collection: string, id: string): Value {
    return this.#session.core.get(collection, id);
  }

  /** Calls back once per change set; returns how to stop that. */
  subscribe(call: (client: SyncClient) => void): () => void {
    // One of its own for each call: the same function may subscribe twice.
    const own = (): void => call(this);
    this.#subscribers.add(own);
    return () => void this.#subscribers.delete(own);
  }

  /** Pushes what is queued and pulls to the head, now. Rejects with `SyncError` where something stands in the way. */
  sync(): Promise<void> {
    const done = this.#session.sync().then((refusal) => {
      if (refusal) throw new SyncError(refusal.code, refusal.error);
    });
    // Whoever does not wait for it hears of it through the status.
    done.catch(() => undefined);
    return done;
  }

  /** Mutations without a verdict or not yet in the base, in order. They are plain JSON: export them as they are. */
  get pending(): PendingMutation[] {
    return this.#session.core.pending.map(({ entry: { order, ...entry }, accepted }) => {
      const waits = order === Infinity ? "unsaved" : entry.seq === null ? "queued" : "sent";
      return { ...entry, state: accepted === null ? waits : "accepted" };
    });
  }

  /** How the link stands, from what happened. */
  get status(): Status {
    return this.#session.standing.now.status;
  }

  /** The place in the server's order that the base has reached. */
  get cursor(): number {
    return this.#session.core.cursor;
  }

  /** Where the queue is kept now. */
  get storage(): Storage {
    return this.#session.storage;
  }

  /** Ends it and passes the lead to another tab. What is queued stays queued. */
  close(): Promise<void> {
    return this.#session.close();
  }

  #tell(type: string, detail: object): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** One notification per change set, also when a subscriber mutates inside of one. */
  #notify(): void {
    this.#notifyAgain = true;
    if (this.#notifying) return;
    this.#notifying = true;
    while (this.#notifyAgain) {
      this.#notifyAgain = false;
      this.#tell("change", { cursor: this.cursor });
      for (const call of [...this.#subscribers]) {
        try {
          call();
        } catch (error) {
          this.#env.report(error);
        }
      }
    }
    this.#notifying = false;
  }
}
