// No client at all: a Map of rows, what is pending as a list, and everything redone by hand. It keeps nothing and sends
// nothing; what it costs is what the data itself costs.
import { ROWS, allRows, row, rowId } from "./data.js";

/** What the server has, as it would send it. */
export const prepare = () => JSON.stringify(allRows());

/** See `page.js` for what each verb means. */
export async function open(text) {
  let base = new Map();
  let view = base;
  const pending = [];
  const tellers = new Set();
  const told = () => tellers.forEach((tell) => tell());
  const replay = () => {
    view = new Map(base);
    for (const { i, rev } of pending) view.set(rowId(i), { ...view.get(rowId(i)), rev });
  };
  queueMicrotask(() => {
    base = new Map(JSON.parse(text).map((value) => [value.id, value]));
    replay();
    told();
  });
  const on = (tell) => {
    tellers.add(tell);
    return () => tellers.delete(tell);
  };
  return {
    rows: () => view.size,
    get: (i) => view.get(rowId(i)),
    onRows: (tell) => on(() => tell([...view.values()].length)),
    onRange: (from, count, tell) => {
      const read = () => Array.from({ length: count }, (_, i) => view.get(rowId(from + i)));
      let before = read();
      return on(() => {
        const now = read();
        if (now.some((value, i) => value !== before[i])) tell(now);
        before = now;
      });
    },
    mutate: (i, rev) => {
      pending.push({ i, rev });
      view.set(rowId(i), { ...view.get(rowId(i)), rev });
      told();
    },
    pull: async (indices, rev) => {
      for (const value of JSON.parse(JSON.stringify(indices.map((i) => row(i, rev))))) base.set(value.id, value);
      replay();
      told();
    },
    settled: async () => {},
    close: async () => {},
  };
}

export { ROWS };
