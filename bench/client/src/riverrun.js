// riverrun's client over a server that is a function: the contract's answers as texts, read like any other.
import { SyncClient } from "/client.js";
import { ROWS, allRows, row, rowId } from "./data.js";

const EPOCH = "e1";
/** An answer whose text is there: reading it is all that is left to do, as for the other peers. */
const answer = (text, status = 200) => ({ ok: status < 300, status, headers: new Headers(), json: async () => JSON.parse(text) });
const json = (body, status) => answer(JSON.stringify(body), status);
const change = (cursor, value) => ({
  cursor,
  scope: "bench",
  time: "2026-01-01T00:00:00.000Z",
  mutation: `server-${cursor}`,
  data: { op: "put", collection: "row", id: value.id, value },
});

/** A server with all rows; what it is asked is answered at once. Pushes wait for as long as `holds`. */
class Server {
  holds = true;
  down = false;
  asked = 0;
  log = [];
  #snapshot;

  constructor(snapshot) {
    this.#snapshot = snapshot;
  }

  fetch = async (url, { body }) => {
    this.asked++;
    if (this.down) throw new TypeError("no network");
    const route = url.slice(url.lastIndexOf("/") + 1);
    if (route === "snapshot") return answer(this.#snapshot);
    if (route === "push") return json({ code: "unavailable", error: "not now" }, 503);
    const { cursor, limit = 1000 } = JSON.parse(body);
    const page = this.log.filter((one) => one.cursor > cursor).slice(0, limit);
    const head = ROWS + this.log.length;
    const next = page.at(-1)?.cursor ?? cursor;
    // Like the server's, it is the same for the same cursor.
    const digest = next.toString(16).padStart(16, "0").replace(/^0+2710$/, "0000000000000001");
    return json({ changes: page, has_more: next < head, next_cursor: next, digest, epoch: EPOCH, last_seq: 0 });
  };

  /** What others did meanwhile. */
  commit(values) {
    for (const value of values) this.log.push(change(ROWS + this.log.length + 1, value));
  }
}

/** What the server has, as it would send it. */
export const prepare = () =>
  JSON.stringify({
    data: { row: Object.fromEntries(allRows().map((value) => [value.id, value])) },
    cursor: ROWS,
    digest: "0000000000000001",
    epoch: EPOCH,
    last_seq: 0,
  });

/** See `page.js` for what each verb means. */
export async function open(snapshot, { down = false } = {}) {
  const server = new Server(snapshot);
  server.down = down;
  const client = new SyncClient({
    scope: "bench",
    live: false,
    persist: false,
    mutators: {
      touch: (tx, { id, rev }) => tx.update("row", id, (value) => ({ ...value, rev })),
    },
    env: { fetch: server.fetch },
  });
  const rows = () => client.all("row");
  return {
    rows: () => rows().length,
    get: (i) => client.get("row", rowId(i)),
    /** Calls back with the number of rows whenever the list has changed. */
    onRows: (tell) => client.subscribe(() => tell(rows().length)),
    onRange: (from, count, tell) => watchRange(client, from, count, tell),
    mutate: (i, rev) => void client.mutate("touch", { id: rowId(i), rev }),
    pull: async (indices, rev) => {
      server.commit(indices.map((i) => row(i, rev)));
      await client.sync().catch(() => {});
    },
    // It writes to its storage by itself, some time after.
    settled: () => new Promise((done) => setTimeout(done, 8000)),
    close: () => client.close(),
  };
}

/** A reader of some rows in a line, told when one of them is another. */
const watchRange = (client, from, count, tell) =>
  client.watch(() => Array.from({ length: count }, (_, i) => client.get("row", rowId(from + i))), tell);
