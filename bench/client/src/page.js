// The measurements, run in the page: each starts from a client in a known state, takes one time, and checks that what it
// timed is there. Times are milliseconds.
import { ROWS, rowId } from "./data.js";

const peer = new URL(location.href).searchParams.get("peer");
const { open, prepare } = await import(`./${peer}.js`);

/** The client with all rows in it, and how long that took. */
async function opened(options) {
  const server = prepare();
  const start = performance.now();
  const client = await open(server, options);
  await new Promise((done) => {
    const look = (count) => count === ROWS && done();
    client.onRows(look);
    look(client.rows());
  });
  return { client, ms: performance.now() - start };
}

/** One frame of the browser: everything that was to be told has been. */
const calm = () => new Promise((done) => setTimeout(done, 50));

const must = (holds, what) => {
  if (!holds) throw new Error(`${peer}: ${what}`);
};

const measures = {
  /** From nothing to 10,000 rows a subscriber has been given. */
  async load() {
    const { client, ms } = await opened();
    await client.settled();
    await client.close();
    return ms;
  },

  /** From what the load left on disk, without a network. */
  async start() {
    const { client, ms } = await opened({ down: true });
    await client.close();
    return ms;
  },

  /** 1,000 mutations, one after the other, each seen by a reader of the list of its row; the last one seen. */
  async mutations() {
    const { client } = await opened();
    let seen = 0;
    client.onRange(0, 100, (rows) => (seen = Math.max(seen, ...rows.map((value) => value?.rev ?? 0))));
    await calm();
    const start = performance.now();
    for (let rev = 1; rev <= 1000; rev++) await client.mutate(rev % 100, rev);
    while (seen < 1000) await new Promise((done) => setTimeout(done));
    const ms = performance.now() - start;
    must((await client.get(0)).rev === 1000, "the last mutation is not in the view");
    await client.close();
    return ms;
  },

  /** 1,000 changes of others arrive under 1,000 mutations that are still pending. */
  async rebase() {
    const { client } = await opened();
    for (let rev = 1; rev <= 1000; rev++) await client.mutate(rev, rev);
    await calm();
    const others = Array.from({ length: 1000 }, (_, i) => 5000 + i);
    const start = performance.now();
    const seen = new Promise((done) => {
      client.onRange(5000, 1000, (rows) => rows[999]?.rev === 7 && done());
    });
    await client.pull(others, 7);
    await seen;
    const ms = performance.now() - start;
    must((await client.get(1000)).rev === 1000, "a pending mutation is gone from the view");
    must((await client.get(5000)).rev === 7, "a change of another is not in the view");
    await client.close();
    return ms;
  },

  /** 100 readers of 100 rows each; five mutations, each in another reader's rows, until all five are told. */
  async subscribers() {
    const { client } = await opened();
    const told = new Array(100).fill(0);
    for (let at = 0; at < 100; at++) client.onRange(at * 100, 100, () => told[at]++);
    await calm();
    let ms = 0;
    for (let round = 1; round <= 20; round++) {
      const before = [...told];
      const start = performance.now();
      for (let at = 0; at < 5; at++) await client.mutate(at * 2000 + round, round);
      while ([0, 20, 40, 60, 80].some((at) => told[at] === before[at])) await new Promise((done) => setTimeout(done));
      ms += performance.now() - start;
      must(told.every((count, at) => at % 20 === 0 || count === before[at]), "a reader was told of what it does not read");
    }
    await client.close();
    return ms / 20;
  },
};

globalThis.measure = (name) => measures[name]();
globalThis.isReady = rowId(1) === "r000001";
