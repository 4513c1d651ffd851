/**
 * A storage that lives as long as the page does: for pages where IndexedDB is missing, refused or full, and for other
 * runtimes. It shares nothing with other tabs.
 */
import { ORDER, type Key, type Store, type Table } from "./table.ts";

/** See the file's head. `order` is the place that everything saved here comes behind. */
export function memoryStore(order = 0): Store {
  const values = new Map<string, unknown>();
  let last: Promise<unknown> = Promise.resolve();
  const at = (key: Key): string => JSON.stringify(key);
  /** The keys under this one, in the order they came: nothing here is asked for in another. */
  const under = (key: Key): string[] => {
    const own = at(key);
    return [...values.keys()].filter((one) => one === own || one.startsWith(`${own.slice(0, -1)},`));
  };
  const table: Table = {
    get: async (...key) => values.get(at(key)) as any,
    all: async (limit, ...key) => under(key).slice(0, limit).map((one) => values.get(one) as any),
    put: (value, ...key) => void values.set(at(key), value),
    delete: (...key) => under(key).forEach((one) => values.delete(one)),
  };
  table.put(order, ORDER);
  return {
    storage: "memory",
    // One after the other: a step that waits in its middle must not meet another one.
    run: (_part, _write, work) => {
      const done = last.then(() => work(table));
      last = done.catch(() => undefined);
      return done;
    },
    close: () => undefined,
  };
}
