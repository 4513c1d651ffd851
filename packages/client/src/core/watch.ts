/**
 * Who is told when: readers of a scope's view, each with what it read. A change set is told to those it touches, once,
 * after all of it is there; also when a reader changes something while it is told.
 */
import type { ScopeCore } from "./scope.ts";
import type { Changes, Json } from "./words.ts";

/** What a reader read: ids of a collection, or all of it. */
type Reads = Map<string, Set<string> | true>;

/** See the file's head. */
export interface Watchers {
  /** One value, as part of what is being read. */
  get(collection: string, id: string): Json | undefined;
  /** A collection's values, as part of what is being read. */
  all(collection: string): readonly Json[];
  /** Calls back after every change set. */
  subscribe(call: (changes: Changes) => void): () => void;
  /** Reads now, again after each change set that touches what was read, and calls back when that made a difference. */
  watch<T>(read: () => T, call: (value: T, changes: Changes) => void): () => void;
  /** A change set is there. */
  changed(changes: Changes): void;
}

export function makeWatchers(core: ScopeCore, report: (error: unknown) => void): Watchers {
  const calls = new Set<(changes: Changes) => void>();
  const waiting: Changes[] = [];
  let reads: Reads | null = null;
  let telling = false;

  const subscribe = (call: (changes: Changes) => void): (() => void) => {
    // One of its own for each: the same function may subscribe twice.
    const one = (changes: Changes): void => call(changes);
    calls.add(one);
    return () => void calls.delete(one);
  };

  return {
    get: (collection, id) => {
      if (reads && reads.get(collection) !== true) {
        const ids = (reads.get(collection) as Set<string> | undefined) ?? new Set();
        reads.set(collection, ids.add(id));
      }
      return core.get(collection, id);
    },
    all: (collection) => {
      reads?.set(collection, true);
      return core.all(collection);
    },
    subscribe,
    watch: <T>(read: () => T, call: (value: T, changes: Changes) => void) => {
      let mine: Reads;
      const look = (): T => {
        const outer = reads;
        reads = mine = new Map();
        try {
          return read();
        } finally {
          reads = outer;
        }
      };
      let last = look();
      return subscribe((changes) => {
        if (!touches(changes, mine)) return;
        const next = look();
        if (same(last, next)) return;
        last = next;
        call(next, changes);
      });
    },
    changed: (changes) => {
      waiting.push(changes);
      if (telling) return;
      telling = true;
      for (let next; (next = waiting.shift()); ) {
        for (const call of [...calls]) {
          try {
            call(next);
          } catch (error) {
            report(error);
          }
        }
      }
      telling = false;
    },
  };
}

const touches = (changes: Changes, reads: Reads): boolean =>
  [...reads].some(([collection, ids]) => {
    const { put, del } = changes[collection] ?? {};
    return put && (ids === true || put.some((id) => ids.has(id)) || del!.some((id) => ids.has(id)));
  });

/** The same value, or an array of the same values. */
const same = (a: unknown, b: unknown): boolean =>
  Object.is(a, b) ||
  (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((value, i) => Object.is(value, b[i])));
