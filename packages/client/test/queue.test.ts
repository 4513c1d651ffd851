import { IDBFactory } from "fake-indexeddb";
import { describe, expect, it } from "vitest";
import type { Entry, Verdict } from "../src/core/words.ts";
import { FallbackQueue } from "../src/queue/fallback.ts";
import { openStore } from "../src/queue/indexeddb.ts";
import { MemoryStore } from "../src/queue/memory.ts";
import type { Queue } from "../src/queue/queue.ts";
import { TableQueue } from "../src/queue/table.ts";

const entry = (id: string, scope = "s", args: Entry["args"] = {}): Entry => ({
  id,
  type: "t",
  args,
  scope,
  seq: null,
  created: 1,
  order: Infinity,
});
const room = { mutations: 100, bytes: 1024 * 1024 };
const ok: Verdict = { ok: true, cursor: 1 };
const open = async (factory = new IDBFactory(), name = "q") =>
  TableQueue.open(await openStore(factory, name, () => undefined));

const places = (batch: { entries: { id: string; seq: number }[] } | null) => batch?.entries.map((e) => [e.id, e.seq]);

const queues: [string, () => Promise<Queue>][] = [
  ["in memory", () => TableQueue.open(new MemoryStore())],
  ["on IndexedDB", () => open()],
  ["on IndexedDB with memory below", async () => new FallbackQueue(await open(), () => undefined)],
];

describe.each(queues)("a queue %s", (_, make) => {
  it("gives out places without holes, per scope, and the same ones again until there is a verdict", async () => {
    const queue = await make();
    const saved = await queue.append([entry("a"), entry("b"), entry("x", "other"), entry("c")]);
    expect(saved.map((e) => e.order)).toEqual([...saved.map((e) => e.order)].sort((x, y) => x - y));
    const first = await queue.take(room, true, null);
    expect(first).toMatchObject({ client: queue.client, scope: "s" });
    expect(places(first)).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ]);
    await queue.append([entry("d")]);
    expect(places(await queue.take(room, true, null))).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 3],
      ["d", 4],
    ]);
    await queue.settle(["a", "b", "c", "d"].map((id) => ({ id, verdict: ok })));
    expect(places(await queue.take(room, true, null))).toEqual([["x", 1]]);
    await queue.settle([{ id: "x", verdict: ok }]);
    expect(await queue.take(room, true, null)).toBe(null);
    await queue.append([entry("e")]);
    expect(places(await queue.take(room, true, null))).toEqual([["e", 5]]);
  });

  it("fills a push up to its room, and never leaves a single one behind", async () => {
    const queue = await make();
    const large = "x".repeat(50_000);
    await queue.append(["a", "b", "c"].map((id) => entry(id, "s", large)));
    expect(places(await queue.take({ ...room, mutations: 2 }, true, null))).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    expect(places(await queue.take({ ...room, bytes: 120_000 }, true, null))).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    expect(places(await queue.take({ ...room, bytes: 10 }, true, null))).toEqual([["a", 1]]);
    expect((await queue.load()).map((e) => [e.id, e.seq])).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", null],
    ]);
  });

  it("numbers again what is above the watermark, and what is told to be wrong", async () => {
    const queue = await make();
    await queue.append(["a", "b", "c", "d"].map((id) => entry(id)));
    await queue.take({ ...room, mutations: 3 }, true, null);
    const sender = { client: queue.client, scope: "s" };
    expect(await queue.senders()).toEqual([sender]);
    const numbered = await queue.renumber(sender, 7, new Set(["b"]));
    expect(numbered.map(({ id, seq }) => [id, seq])).toEqual([["b", 8]]);
    // a and c are at or below the watermark: only asked for. d comes behind b.
    expect(places(await queue.take(room, true, null))).toEqual([
      ["a", 1],
      ["b", 8],
      ["c", 3],
      ["d", 9],
    ]);
    await queue.renumber(sender, 0, new Set());
    expect(places(await queue.take(room, true, null))).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 3],
      ["d", 4],
    ]);
  });

  it("takes back only what has no place yet", async () => {
    const queue = await make();
    await queue.append([entry("a"), entry("b")]);
    await queue.take({ ...room, mutations: 1 }, true, null);
    expect([await queue.undo("a"), await queue.undo("b"), await queue.undo("c")]).toEqual([false, true, false]);
    await queue.append([entry("d")]);
    expect(places(await queue.take(room, true, null))).toEqual([
      ["a", 1],
      ["d", 2],
    ]);
  });

  it("keeps verdicts, a bounded number of them", async () => {
    const queue = await make();
    await queue.settle([{ id: "a", verdict: ok }]);
    await queue.settle([
      { id: "a", verdict: ok },
      { id: "b", verdict: { ok: false, code: "rejected", error: "no" } },
    ]);
    expect((await queue.verdicts(["a", "b", "c"])).map((d) => [d.id, d.verdict.ok])).toEqual([
      ["a", true],
      ["b", false],
    ]);
    await queue.settle(Array.from({ length: 1_000 }, (_, i) => ({ id: `n${i}`, verdict: ok })));
    expect((await queue.verdicts(["a", "n0", "n999"])).map((d) => d.id)).toEqual(["n0", "n999"]);
  });

  it("starts anew under another client id, with everything still in it", async () => {
    const queue = await make();
    await queue.append([entry("a"), entry("b")]);
    const { client } = (await queue.take(room, true, null))!;
    await queue.renew(client);
    expect(queue.client).not.toBe(client);
    const again = await queue.take(room, true, null);
    expect([again!.client, places(again)]).toEqual([
      queue.client,
      [
        ["a", 1],
        ["b", 2],
      ],
    ]);
    const current = queue.client;
    await queue.renew(client);
    expect(queue.client).toBe(current);
  });
});

describe.each(queues)("a queue %s", (_, make) => {
  it("keeps with the places the history they count in, until it is told to trust another", async () => {
    const queue = await make();
    await queue.append([entry("a")]);
    const epoch = async (known: string | null) => (await queue.take(room, true, known))!.epoch;
    expect([await epoch(null), await epoch("e1"), await epoch("e2"), await epoch(null)]).toEqual([
      null,
      "e1",
      "e1",
      "e1",
    ]);
    await queue.trust("e2");
    expect(await epoch("e2")).toBe("e2");
  });
});

describe("a queue on IndexedDB", () => {
  it("is there for the next one that opens it, with its client id and its places", async () => {
    const factory = new IDBFactory();
    const first = await open(factory);
    await first.append([entry("a"), entry("b")]);
    await first.take({ ...room, mutations: 1 }, true, null);
    first.close();
    const second = await open(factory);
    expect(second.client).toBe(first.client);
    expect((await second.load()).map((e) => [e.id, e.seq])).toEqual([
      ["a", 1],
      ["b", null],
    ]);
    expect((await open(factory, "another")).client).not.toBe(first.client);
  });

  it("asks for strict durability in every transaction that writes, and counts as saved when that is over", async () => {
    const factory = new IDBFactory();
    const opening = factory.open.bind(factory);
    let db!: IDBDatabase;
    factory.open = (name, version) => {
      const request = opening(name, version);
      request.addEventListener("success", () => (db = request.result));
      return request;
    };
    const queue = await open(factory);
    const modes: unknown[] = [];
    const transaction = db.transaction.bind(db);
    let committed = false;
    db.transaction = (stores, mode, options) => {
      if (mode === "readwrite") modes.push(options?.durability);
      const tx = transaction(stores, mode, options);
      tx.addEventListener("complete", () => (committed = true));
      return tx;
    };
    await queue.append([entry("a")]);
    expect(committed).toBe(true);
    await queue.take(room, true, null);
    await queue.settle([{ id: "a", verdict: ok }]);
    await queue.undo("a");
    await queue.renumber({ client: queue.client, scope: "s" }, 0, new Set());
    expect(modes).toEqual(["strict", "strict", "strict", "strict", "strict"]);
  });

  it("gives no places to a tab that does not lead", async () => {
    const queue = await open();
    await queue.append([entry("a")]);
    expect(await queue.take(room, false, null)).toBe(null);
    expect((await queue.load())[0]!.seq).toBe(null);
  });

  it("refuses what it could not save", async () => {
    const queue = await open();
    await queue.append([entry("a")]);
    await expect(queue.append([entry("b"), entry("a")])).rejects.toThrow();
    expect((await queue.load()).map((e) => e.id)).toEqual(["a"]);
  });
});

describe("the net below a storage that breaks", () => {
  it("takes what comes after, keeps what was before, and says so once", async () => {
    const durable = await open();
    const told: unknown[] = [];
    const queue = new FallbackQueue(durable, (error) => told.push(error));
    await queue.append([entry("a")]);
    // A full disk: reads and deletions still work.
    durable.append = () => Promise.reject(new Error("QuotaExceededError"));
    await queue.append([entry("b")]);
    await queue.append([entry("c")]);
    expect([queue.storage, told.length]).toEqual(["memory", 1]);
    expect((await queue.load()).map((e) => e.id)).toEqual(["a", "b", "c"]);
    const first = await queue.take(room, true, null);
    expect([first!.client, places(first)]).toEqual([durable.client, [["a", 1]]]);
    await queue.settle([{ id: "a", verdict: ok }]);
    const second = await queue.take(room, true, null);
    expect(places(second)).toEqual([
      ["b", 1],
      ["c", 2],
    ]);
    expect(second!.client).not.toBe(durable.client);
    expect(await queue.undo("b")).toBe(false);
    await queue.renumber(second!, 4, new Set(["b", "c"]));
    expect(places(await queue.take(room, false, null))).toEqual([
      ["b", 5],
      ["c", 6],
    ]);
  });
});
