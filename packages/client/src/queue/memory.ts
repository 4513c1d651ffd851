/**
 * A storage that lives as long as the page does: for pages where IndexedDB is missing, refused or full, and for other
 * runtimes. It shares nothing with other tabs, and keeps no bases: the page itself has them.
 */
import type { Decided, Entry } from "../core/words.ts";
import type { Store, Table } from "./table.ts";

/** See the file's head. `order` is the place that everything saved here comes behind. */
export function memoryStore(order = 0): Store {
  let last: Promise<unknown> = Promise.resolve();
  const rows = new Map<number, Entry>();
  const meta = new Map<string, unknown>();
  const verdicts = new Map<string, Decided>();
  const table: Table = {
    add: async (entry) => {
      rows.set(++order, { ...entry, order });
      return order;
    },
    rows: async (scope, limit) =>
      [...rows.values()].filter((row) => scope === undefined || row.scope === scope).slice(0, limit),
    put: (entry) => rows.set(entry.order, entry),
    find: async (id) => [...rows.values()].find((row) => row.id === id),
    remove: (entry) => rows.delete(entry.order),
    get: async (key) => meta.get(key),
    set: (key, value) => meta.set(key, value),
    clear: () => meta.clear(),
    keep: async (decided, limit) => {
      for (const one of decided) verdicts.set(one.id, one);
      for (const id of [...verdicts.keys()].slice(0, Math.max(0, verdicts.size - limit))) verdicts.delete(id);
    },
    kept: async (id) => verdicts.get(id),
    base: async () => [],
    keepBase: () => undefined,
  };
  return {
    storage: "memory",
    // One after the other: a step that waits in its middle must not meet another one.
    run: (_write, work) => {
      const done = last.then(() => work(table));
      last = done.catch(() => undefined);
      return done;
    },
    close: () => undefined,
  };
}
