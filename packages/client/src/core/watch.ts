/**
 * Who is told when: readers of a scope's view, each with what it read. A change set is told to those it touches, once,
 * after all of it is there; also when a reader changes something while it is told.
 */
import { makeCalls } from "./calls.ts";
import { same } from "./collections.ts";
import type { ScopeCore } from "./contract.ts";
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
  const calls = makeCalls<Changes>(report);
  const waiting: Changes[] = [];
  let reads: Reads | null = null;
  let telling = false;

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
    subscribe: calls.add,
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
      return calls.add((changes) => {
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
      for (let next; (next = waiting.shift()); ) calls.tell(next);
      telling = false;
    },
  };
}

const touches = (changes: Changes, reads: Reads): boolean =>
  [...reads].some(([collection, ids]) => {
    const { put, del } = changes[collection] ?? {};
    return put && (ids === true || put.some((id) => ids.has(id)) || del!.some((id) => ids.has(id)));
  });
