/**
 * A storage that lives as long as the page does: for pages where IndexedDB is missing, refused or full, and for other
 * runtimes. It shares nothing with other tabs.
 */
import type { Decided, Entry } from "../core/words.ts";
import type { Store, Table } from "./table.ts";

/** See the file's head. */
export class MemoryStore implements Store {
  readonly storage = "memory";
  #last: Promise<unknown> = Promise.resolve();
  readonly #table: Table;

  /** `order` is the place that everything saved here comes behind. */
  constructor(order = 0) {
    const rows = new Map<number, Entry>();
    const meta = new Map<string, unknown>();
    const verdicts = new Map<string, Decided>();
    const add = async (entry: Entry): Promise<number> => {
      rows.set(++order, { ...entry, order });
      return order;
    };
    this.#table = {
      add,
      rows: async (limit) => [...rows.values()].slice(0, limit),
      put: (entry) => void rows.set(entry.order, entry),
      find: async (id) => [...rows.values()].find((row) => row.id === id),
      remove: (entry) => void rows.delete(entry.order),
      get: async (key) => meta.get(key),
      set: (key, value) => void meta.set(key, value),
      keys: async () => [...meta.keys()],
      clear: () => meta.clear(),
      keep: async (decided, limit) => {
        for (const one of decided) verdicts.set(one.id, one);
        for (const id of [...verdicts.keys()].slice(0, Math.max(0, verdicts.size - limit))) verdicts.delete(id);
      },
      kept: async (id) => verdicts.get(id),
    };
  }

  /** One after the other: a step that waits in its middle must not meet another one. */
  run<T>(_write: boolean, work: (table: Table) => Promise<T>): Promise<T> {
    const done = this.#last.then(() => work(this.#table));
    this.#last = done.catch(() => undefined);
    return done;
  }

  close(): void {
    // Nothing is held open.
  }
}
