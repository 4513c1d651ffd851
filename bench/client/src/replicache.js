// Replicache over a server that is a function: a text that is read, like its own puller reads an answer.
import { Replicache } from "replicache";
import { ROWS, allRows, row, rowId } from "./data.js";

const ok = { httpStatusCode: 200, errorMessage: "" };
const key = (i) => `row/${rowId(i)}`;

/** What the server has, as it would send it. */
export const prepare = () => JSON.stringify(allRows());

/** See `page.js` for what each verb means. */
export async function open(all, { down = false } = {}) {
  const log = [];
  const rep = new Replicache({
    name: "bench",
    logLevel: "error",
    pushDelay: 0,
    mutators: {
      touch: async (tx, { i, rev }) => {
        const value = await tx.get(key(i));
        if (value !== undefined) await tx.set(key(i), { ...value, rev });
      },
    },
    // What is queued stays queued.
    pusher: async () => ({ httpRequestInfo: { httpStatusCode: 503, errorMessage: "not now" } }),
    puller: async ({ cookie }) => {
      if (down) throw new Error("no network");
      const next = ROWS + log.length;
      if (cookie === null) {
        const patch = [{ op: "clear" }, ...JSON.parse(all).map((value) => ({ op: "put", key: `row/${value.id}`, value }))];
        return { httpRequestInfo: ok, response: { cookie: next, lastMutationIDChanges: {}, patch } };
      }
      const text = JSON.stringify(log.slice(cookie - ROWS));
      const patch = JSON.parse(text).map((value) => ({ op: "put", key: `row/${value.id}`, value }));
      return { httpRequestInfo: ok, response: { cookie: next, lastMutationIDChanges: {}, patch } };
    },
  });
  const rows = async (tx) => (await tx.scan({ prefix: "row/" }).values().toArray()).length;
  let count = 0;
  return {
    rows: () => count,
    get: (i) => rep.query((tx) => tx.get(key(i))),
    onRows: (tell) =>
      rep.subscribe(rows, (found) => {
        count = found;
        tell(found);
      }),
    onRange: (from, n, tell) =>
      rep.subscribe(
        (tx) => tx.scan({ start: { key: key(from) }, prefix: "row/", limit: n }).values().toArray(),
        (values) => tell(values),
      ),
    mutate: (i, rev) => rep.mutate.touch({ i, rev }),
    pull: (indices, rev) => {
      log.push(...indices.map((i) => row(i, rev)));
      return rep.pull({ now: true });
    },
    // It writes to its storage by itself, some time after.
    settled: () => new Promise((done) => setTimeout(done, 8000)),
    close: () => rep.close(),
  };
}
