import { IDBFactory } from "fake-indexeddb";
import { describe, expect, it } from "vitest";
import type { Entry, Verdict } from "../src/core/words.ts";
import type { ScopeCore } from "../src/core/contract.ts";
import { makeScopeCore } from "../src/core/scope.ts";
import { openStore } from "../src/queue/indexeddb.ts";
import { memoryStore } from "../src/queue/memory.ts";
import type { Queue } from "../src/queue/queue.ts";
import { openTable } from "../src/queue/table.ts";

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
  openTable(await openStore(factory, name, () => undefined));

const places = (batch: { entries: { id: string; seq: number | null }[] } | null) => batch?.entries.map((e) => [e.id, e.seq]);

/** Decides some of what waits in a scope. */
const settle = async (queue: Queue, ids: string[], verdict: Verdict = ok) =>
  queue.settle(
    ids.map((id) => ({ id, verdict })),
    (await queue.load()).filter(({ scope }) => scope === "s"),
  );

const queues: [string, () => Promise<Queue>][] = [
  ["in memory", () => openTable(memoryStore())],
  ["on IndexedDB", () => open()],
];

describe.each(queues)("a queue %s", (_, make) => {
  it("gives out places without holes, per scope, and the same ones again until there is a verdict", async () => {
    const queue = await make();
    const saved = await queue.append([entry("a"), entry("b"), entry("x", "other"), entry("c")]);
    expect(saved.map((e) => e.order)).toEqual([...saved.map((e) => e.order)].sort((x, y) => x - y));
    const first = await queue.take("s", room, null);
    expect(first).toMatchObject({ client: queue.client });
    expect(places(first)).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ]);
    await queue.append([entry("d")]);
    expect(places(await queue.take("s", room, null))).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 3],
      ["d", 4],
    ]);
    await settle(queue, ["a", "b", "c", "d"]);
    expect(places(await queue.take("other", room, null))).toEqual([["x", 1]]);
    expect(await queue.take("s", room, null)).toBe(null);
    await queue.append([entry("e")]);
    expect(places(await queue.take("s", room, null))).toEqual([["e", 5]]);
  });

  it("fills a push up to its room, and never leaves a single one behind", async () => {
    const queue = await make();
    const large = "x".repeat(50_000);
    await queue.append(["a", "b", "c"].map((id) => entry(id, "s", large)));
    expect(places(await queue.take("s", { ...room, mutations: 2 }, null))).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    expect(places(await queue.take("s", { ...room, bytes: 120_000 }, null))).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    expect(places(await queue.take("s", { ...room, bytes: 10 }, null))).toEqual([["a", 1]]);
    expect((await queue.load()).map((e) => [e.id, e.seq])).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", null],
    ]);
  });

  it("numbers again what is above the watermark, and what is told to be wrong", async () => {
    const queue = await make();
    await queue.append(["a", "b", "c", "d"].map((id) => entry(id)));
    await queue.take("s", { ...room, mutations: 3 }, null);
    const numbered = await queue.renumber("s", 7, new Set(["b"]), null);
    expect(numbered.map(({ id, seq }) => [id, seq])).toEqual([["b", 8]]);
    // a and c are at or below the watermark: only asked for. d comes behind b.
    expect(places(await queue.take("s", room, null))).toEqual([
      ["a", 1],
      ["b", 8],
      ["c", 3],
      ["d", 9],
    ]);
    await queue.renumber("s", 0, new Set(), null);
    expect(places(await queue.take("s", room, null))).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 3],
      ["d", 4],
    ]);
  });

  it("takes back only what has no place yet", async () => {
    const queue = await make();
    await queue.append([entry("a"), entry("b")]);
    await queue.take("s", { ...room, mutations: 1 }, null);
    expect([await queue.undo("a"), await queue.undo("b"), await queue.undo("c")]).toEqual([false, true, false]);
    await queue.append([entry("d")]);
    expect(places(await queue.take("s", room, null))).toEqual([
      ["a", 1],
      ["d", 2],
    ]);
  });

  it("keeps verdicts, a bounded number of them", async () => {
    const queue = await make();
    await queue.append([entry("a"), entry("b"), entry("c")]);
    await settle(queue, ["a"]);
    await settle(queue, ["b"], { ok: false, code: "rejected", error: "no" });
    expect((await queue.verdicts(["a", "b", "c"])).map((d) => [d.id, d.verdict.ok])).toEqual([
      ["a", true],
      ["b", false],
    ]);
    const more = Array.from({ length: 1_000 }, (_, i) => `n${i}`);
    await queue.append(more.map((id) => entry(id)));
    await settle(queue, more);
    expect((await queue.verdicts(["a", "n0", "n999"])).map((d) => d.id).sort()).toEqual(["n0", "n999"]);
  });

  it("starts anew under another client id, with everything still in it", async () => {
    const queue = await make();
    await queue.append([entry("sent"), entry("a"), entry("b")]);
    const { client } = (await queue.take("s", { ...room, mutations: 1 }, null))!;
    await queue.renew(client);
    expect(queue.client).not.toBe(client);
    const again = await queue.take("s", room, null);
    // What was sent may be known by its id: a place under the new client would never be consumed.
    expect([again!.client, places(again)]).toEqual([
      queue.client,
      [
        ["sent", null],
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
  it("keeps with the places the history they count in, until they are given anew in another", async () => {
    const queue = await make();
    await queue.append([entry("a")]);
    const epoch = async (known: string | null) => (await queue.take("s", room, known))!.epoch;
    expect([await epoch(null), await epoch("e1"), await epoch("e2"), await epoch(null)]).toEqual([
      null,
      "e1",
      "e1",
      "e1",
    ]);
    expect(await queue.epoch("s")).toBe("e1");
    await queue.renumber("s", 0, new Set(), "e2");
    expect(await epoch("e1")).toBe("e2");
  });
});

describe("a queue on IndexedDB", () => {
  it("is there for the next one that opens it, with its client id and its places", async () => {
    const factory = new IDBFactory();
    const first = await open(factory);
    await first.append([entry("a"), entry("b")]);
    await first.take("s", { ...room, mutations: 1 }, null);
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
    await queue.take("s", room, null);
    await settle(queue, ["a"]);
    await queue.undo("a");
    await queue.renumber("s", 0, new Set(), null);
    expect(modes).toEqual(["strict", "strict", "strict", "strict", "strict"]);
  });

  it("refuses what it could not save", async () => {
    const queue = await open();
    await queue.append([entry("a")]);
    const unclonable = entry("c", "s", (() => undefined) as never);
    await expect(queue.append([entry("b"), unclonable])).rejects.toThrow();
    expect((await queue.load()).map((e) => e.id)).toEqual(["a"]);
  });
});

describe("a base on IndexedDB", () => {
  const change = (cursor: number, id: string, value: unknown) => ({
    cursor,
    scope: "s",
    time: "",
    mutation: `m${cursor}`,
    data: { op: value === undefined ? "del" : "put", collection: "row", id, ...(value !== undefined && { value }) } as never,
  });
  const base = (cursor: number, epoch = "e1"): ScopeCore => {
    const core = makeScopeCore({}, { changed: () => undefined });
    const data = { row: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`r${i}`, { n: i }])) };
    core.reset({ data, cursor, epoch, digest: `d${cursor}`, last_seq: 0 });
    return core;
  };

  it("is kept by its rows: what did not change is not written again, until as much has changed as there is", async () => {
    const factory = new IDBFactory();
    const opening = factory.open.bind(factory);
    let db!: IDBDatabase;
    factory.open = (name, version) => {
      const request = opening(name, version);
      request.addEventListener("success", () => (db = request.result));
      return request;
    };
    const queue = await open(factory);
    const written: unknown[][] = [];
    const transaction = db.transaction.bind(db);
    db.transaction = (stores, mode, options) => {
      const tx = transaction(stores, mode, options);
      if (mode !== "readwrite" || stores !== "kept") return tx;
      const store = tx.objectStore("kept");
      const { put } = store;
      store.put = (value, key) => {
        if (typeof value === "string") written.push((JSON.parse(value) as unknown[][]).map(([, id]) => id));
        return put.call(store, value, key);
      };
      tx.objectStore = () => store;
      return tx;
    };
    const core = base(7);
    await queue.keep("s", core);
    expect(written.map((rows) => rows.length)).toEqual([50]);
    core.apply({ from: 7, cursor: 9, digest: "d9", changes: [change(8, "r3", { n: 33 }), change(9, "r4", undefined)] });
    await queue.keep("s", core);
    expect(written.slice(1)).toEqual([["r3", "r4"]]);
    const kept = (await queue.base("s", () => true))!;
    expect(kept).toMatchObject({ cursor: 9, digest: "d9", epoch: "e1", held: [] });
    const rows = (kept.data as Record<string, Record<string, unknown>>)["row"]!;
    expect([Object.keys(rows).length, rows["r3"], rows["r4"]]).toEqual([49, { n: 33 }, undefined]);
    expect((await queue.base("s", () => false))!.data).toBe(false);
    const long = "x".repeat(30_000);
    for (let cursor = 10; cursor < 16; cursor++) {
      core.apply({ from: cursor - 1, cursor, digest: `d${cursor}`, changes: [change(cursor, "r5", { long })] });
      await queue.keep("s", core);
    }
    expect(written.slice(2).map((rows) => rows.length)).toEqual([1, 1, 1, 49, 1, 1]);
    const last = (await queue.base("s", () => true))!.data as Record<string, Record<string, unknown>>;
    expect([Object.keys(last["row"]!).length, last["row"]!["r5"]]).toEqual([49, { long }]);
  });

  it("is not replaced by an older one, and wholly by one of another history", async () => {
    const queue = await open();
    await queue.keep("s", base(9));
    await queue.keep("s", base(7));
    expect((await queue.base("s", () => true))!.cursor).toBe(9);
    const other = makeScopeCore({}, { changed: () => undefined });
    other.reset({ data: { row: { only: 1 } }, cursor: 2, epoch: "e2", last_seq: 0 });
    await queue.keep("s", other);
    expect(await queue.base("s", () => true)).toMatchObject({ cursor: 2, data: { row: { only: 1 } } });
    expect(Object.keys(((await queue.base("s", () => true))!.data as Record<string, object>)["row"]!)).toEqual(["only"]);
    await queue.keep("s", null);
    expect(await queue.base("s", () => true)).toBe(undefined);
  });

  it("continued by a tab that took over is whole, though another one kept it last", async () => {
    const queue = await open();
    const [leader, follower] = [base(5), makeScopeCore({}, { changed: () => undefined })];
    await queue.keep("s", leader);
    follower.restore(await queue.base("s", () => true), []);
    const pages = [change(6, "r1", { n: -1 }), change(7, "r2", { n: -2 }), change(8, "r3", { n: -3 })].map((one) => ({
      from: one.cursor - 1,
      cursor: one.cursor,
      changes: [one],
    }));
    leader.apply(pages[0]!);
    await queue.keep("s", leader);
    for (const page of pages) follower.apply(page);
    await queue.keep("s", follower);
    const rows = ((await queue.base("s", () => true))!.data as Record<string, Record<string, unknown>>)["row"]!;
    expect([rows["r1"], rows["r2"], rows["r3"], Object.keys(rows).length]).toEqual([{ n: -1 }, { n: -2 }, { n: -3 }, 50]);
  });
});

describe("a database of the first layout", () => {
  it("is taken over with all that waits in it; what was sent is known by its id alone", async () => {
    const factory = new IDBFactory();
    await new Promise<void>((resolve, reject) => {
      const opening = factory.open("q", 1);
      opening.onerror = () => reject(opening.error as Error);
      opening.onupgradeneeded = () => {
        const db = opening.result;
        const auto = (store: string, keyPath: string): void =>
          void db.createObjectStore(store, { keyPath, autoIncrement: true }).createIndex("id", "id", { unique: true });
        db.createObjectStore("meta");
        auto("queue", "order");
        auto("verdicts", "n");
      };
      opening.onsuccess = () => {
        const db = opening.result;
        const tx = db.transaction(["meta", "queue"], "readwrite");
        tx.objectStore("meta").put("old-client", "client");
        tx.objectStore("meta").put(4, "seq:s");
        tx.objectStore("meta").put({ data: { row: {} }, cursor: 3, epoch: "e1", held: [], client: "old-client" }, "base:s");
        const { order: _, ...sent } = entry("sent");
        const { order: __, ...waits } = entry("waits");
        tx.objectStore("queue").add({ ...sent, seq: 4, schema: 1 });
        tx.objectStore("queue").add({ ...waits, schema: 1 });
        tx.oncomplete = () => {
          db.close();
          resolve();
        };
      };
    });
    const queue = await open(factory);
    expect(queue.client).not.toBe("old-client");
    expect(await queue.base("s", () => true)).toBe(undefined);
    const batch = await queue.take("s", room, null);
    expect(batch!.entries).toMatchObject([
      { id: "sent", seq: null, plain: true, schema: 1 },
      { id: "waits", seq: 1, schema: 1 },
    ]);
    const [{ order }] = (await queue.append([entry("next")])) as [Entry];
    expect(order).toBe(3);
  });
});
