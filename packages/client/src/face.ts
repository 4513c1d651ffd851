/**
 * What a page holds of one scope: commands, reads and who is here. It checks what goes in and freezes what comes out; what
 * happens between is the session's.
 */
import { compare, same } from "./core/collections.ts";
import type { Watchers } from "./core/watch.ts";
import type { Mutator, Tx, Value } from "./core/tx.ts";
import type { Changes, Entry, Verdict } from "./core/words.ts";
import type { Presence } from "./link/presence.ts";
import type { Status } from "./link/standing.ts";

/** Commands by name, each with what it does to the local view. */
export type Mutators = Record<string, Mutator>;

/** The arguments of a command. */
export type Args<M, K extends keyof M> = M[K] extends (tx: Tx, args: infer A) => void ? A : never;

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

/** Rows of a collection: all of them, or those a filter lets through, in an order. Never changed, only made anew. */
export interface Rows<T> {
  /** The rows, frozen; the same array while nothing in it is different. */
  all(): readonly T[];
  /** Only rows for which this holds: a function, or fields and the values they must have. */
  where(filter: ((row: T) => unknown) | Partial<T>): Rows<T>;
  /** In the order of a field or of what a function makes of a row; turned round with `desc`. Ties stay in id order. */
  sort(by: (keyof T & string) | ((row: T) => string | number | boolean), desc?: boolean): Rows<T>;
  /** Calls back when a row comes, goes, changes or changes its place; returns how to stop that. */
  subscribe(call: (rows: readonly T[], changes: Changes) => void): () => void;
}

/** A collection of a scope. */
export interface Collection<T> extends Rows<T> {
  /** One row, frozen; `undefined` where there is none. */
  get(id: string): T | undefined;
}

/** One scope of a client. `M` are its commands, `C` its collections' rows by name. */
export interface SyncScope<M = Mutators, C = Record<string, Value>> {
  readonly scope: string;
  /** Resolves when the queue was read and a first base is there. Offline it waits. */
  readonly ready: Promise<void>;
  /**
   * Does a command: its local effect is there when this returns, the rest follows. Throws `RefusedError`, with nothing
   * done, for an unknown command or arguments that can't be sent, and whatever the command's own mutator throws.
   */
  mutate<K extends keyof M & string>(type: K, args: Args<M, K>): Mutated;
  collection<K extends keyof C & string>(name: K): Collection<C[K]>;
  /** A collection's values in id order, as base + pending say. Frozen; the same array while nothing in it is different. */
  all<K extends keyof C & string>(collection: K): readonly C[K][];
  /** One value, frozen; `undefined` where there is none. */
  get<K extends keyof C & string>(collection: K, id: string): C[K] | undefined;
  /** Calls back once per change set, with what of the view changed; returns how to stop that. */
  subscribe(call: (changes: Changes) => void): () => void;
  /**
   * Runs `read` now and whenever something it read has changed, and calls back when it then returns something else: another
   * value, or an array with other values in it. Returns how to stop that.
   */
  watch<T>(read: () => T, call: (value: T, changes: Changes) => void): () => void;
  /** Mutations without a verdict or not yet in the base, in order. */
  readonly pending: PendingMutation[];
  /** How the link stands for this scope, from what happened. */
  readonly status: Status;
  /** The place in the server's order that the base has reached. */
  readonly cursor: number;
  /** Who is here. */
  readonly presence: Presence;
  /** Pushes what is queued and pulls to the head, now. Rejects with `SyncError` where something stands in the way. */
  sync(): Promise<void>;
  /** The page needs it no more. What is queued is sent all the same. */
  close(): void;
}

/** Rows of a collection as something to read on. */
export function collection<T>(watchers: Watchers, name: string): Collection<T> {
  const rows = (read: () => readonly T[]): Rows<T> => ({
    all: read,
    where: (filter) => {
      const fields = Object.entries(filter as object);
      const fits = typeof filter === "function" ? filter : (row: T) => fields.every(([key, is]) => row[key as keyof T] === is);
      return rows(kept(read, (all) => all.filter(fits)));
    },
    sort: (by, desc) => {
      const key = typeof by === "function" ? by : (row: T) => row[by] as string;
      const sign = desc ? -1 : 1;
      return rows(kept(read, (all) => [...all].sort((a, b) => sign * compare(key(a), key(b)))));
    },
    subscribe: (call) => watchers.watch(read, call),
  });
  return {
    ...rows(() => watchers.all(name) as readonly T[]),
    get: (id) => watchers.get(name, id) as T | undefined,
  };
}

/** Makes something of rows once, until they are others; the same array while it holds the same. */
function kept<T>(read: () => readonly T[], make: (rows: readonly T[]) => T[]): () => readonly T[] {
  let from: readonly T[] | undefined;
  let made: readonly T[] = [];
  return () => {
    const rows = read();
    if (rows !== from) {
      const next = make((from = rows));
      if (!same(made, next)) made = Object.freeze(next);
    }
    return made;
  };
}
