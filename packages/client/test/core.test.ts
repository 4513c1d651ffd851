import { describe, expect, it } from "vitest";
import { Overlay } from "../src/core/collections.ts";
import type { Page, ScopeCore } from "../src/core/contract.ts";
import { makeScopeCore } from "../src/core/scope.ts";
import type { Mutator } from "../src/core/tx.ts";
import type { Change, Entry, Json, Snapshot } from "../src/core/words.ts";

const mutators: Record<string, Mutator> = {
  put: (tx, { id, n }) => tx.put("row", id, { id, n }),
  add: (tx, { id, n }) => tx.update("row", id, (row) => ({ ...row, n: row.n + n })),
  insert: (tx, { id }) => tx.insert("row", id, { id, n: 0 }),
};

const entry = (id: string, type: string, args: Json, over: Partial<Entry> = {}): Entry => ({
  id,
  type,
  args,
  scope: "s",
  seq: null,
  created: 0,
  order: Infinity,
  ...over,
});

const change = (cursor: number, mutation: string, id: string, n: number): Change => ({
  cursor,
  scope: "s",
  time: "",
  mutation,
  data: { op: "put", collection: "row", id, value: { id, n } },
});

const page = (from: number, changes: Change[], over: Partial<Page> = {}): Page => ({
  from,
  cursor: from + changes.length,
  changes,
  ...over,
});

const snapshot = (cursor: number, n: number, over: Partial<Snapshot> = {}): Snapshot => ({
  data: { row: { a: { id: "a", n } } },
  cursor,
  epoch: "e1",
  last_seq: 0,
  ...over,
});

/** A text's UTF-8 bytes, as something that sorts like them. */
const hex = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** A core at cursor 5 with row a = 10, and every value of a it has shown since. */
function core() {
  const shown: unknown[] = [];
  const unknown: Change[] = [];
  const made: ScopeCore = makeScopeCore(mutators, {
    changed: () => shown.push((made.get("row", "a") as { n: number } | undefined)?.n),
    unknown: (one) => unknown.push(one),
  });
  made.reset(snapshot(5, 10));
  shown.length = 0;
  const a = (): number | undefined => (made.get("row", "a") as { n: number } | undefined)?.n;
  return { core: made, shown, unknown, a };
}

describe("the view", () => {
  it("is base + pending, and a rebase shows no state in between", () => {
    const { core: c, shown, a } = core();
    c.mutate(entry("m1", "add", { id: "a", n: 1 }));
    c.mutate(entry("m2", "add", { id: "a", n: 100 }));
    expect(a()).toBe(111);
    // Somebody else's change and m1's own in one page: 110 (m1 gone, m2 on the old base) or 211 must never show.
    expect(c.apply(page(5, [change(6, "other", "a", 20), change(7, "m1", "a", 21)]))).toBe("applied");
    expect(shown).toEqual([11, 111, 121]);
    // m1 is no longer replayed, but its verdict is still asked for.
    expect(c.pending.map((item) => [item.entry.id, item.gone])).toEqual([
      ["m1", "change"],
      ["m2", null],
    ]);
  });

  it("holds values nobody can change from outside", () => {
    const { core: c } = core();
    expect(Object.isFrozen(c.get("row", "a"))).toBe(true);
    expect(() => ((c.get("row", "a") as { n: number }).n = 1)).toThrow(TypeError);
    c.mutate(entry("m1", "put", { id: "b", n: 1 }));
    expect(Object.isFrozen(c.get("row", "b"))).toBe(true);
  });

  it("lists in the order of UTF-8 bytes and gives the same array until the collection changes", () => {
    const { core: c } = core();
    for (const id of ["\u{1F600}", "\uFF5E", "z", "B"]) c.mutate(entry(id, "put", { id, n: 0 }));
    expect(c.all("row").map((row) => (row as { id: string }).id)).toEqual(["B", "a", "z", "\uFF5E", "\u{1F600}"]);
    const list = c.all("row");
    c.apply(page(5, [{ ...change(6, "x", "y", 0), data: { op: "put", collection: "other", id: "y", value: 1 } }]));
    // Pending mutations replay into rows, so rows are read anew; without them the array stays.
    c.decide(c.pending.map((item) => ({ id: item.entry.id, verdict: { ok: false, code: "rejected", error: "" } })));
    expect(c.all("row")).not.toBe(list);
    const settled = c.all("row");
    c.apply(page(6, [{ ...change(7, "x", "y", 0), data: { op: "del", collection: "other", id: "y" } }]));
    expect(c.all("row")).toBe(settled);
    expect(c.all("other")).toEqual([]);
  });

  it("gives arrays that are what reading each row would give, whatever came, went and changed on whichever layer", () => {
    const notes: string[] = [];
    const c = makeScopeCore(
      { ...mutators, del: (tx, { id }) => void tx.delete("row", id) },
      { changed: ({ row }) => notes.push(...(row?.put ?? []), ...(row?.del ?? [])) },
    );
    c.reset({ ...snapshot(5, 10), data: {} });
    const names = Array.from({ length: 40 }, (_, i) => `${["a", "z", "\uFF5E", "\u{1F600}"][i % 4]}${i}`);
    let state = 7;
    const below = (n: number): number => (state = (state * 48271) % 0x7fffffff) % n;
    const kinds = new Map<string, number>();
    for (let step = 0; step < 600; step++) {
      const before = c.all("row");
      notes.length = 0;
      const id = names[below(40)]!;
      const waits = c.pending;
      const kind = ["put", "del", "server", "gone", "refuse"][below(5)]!;
      if (kind === "put" || kind === "del") c.mutate(entry(`m${step}`, kind, { id, n: below(3) }));
      else if (kind === "server") c.apply(page(c.cursor, [change(c.cursor + 1, "x", id, below(3))]));
      else if (kind === "gone") {
        c.apply(page(c.cursor, [{ ...change(c.cursor + 1, "x", id, 0), data: { op: "del", collection: "row", id } }]));
      } else for (const { entry: { id: mutation } } of waits.filter(() => below(2))) {
        c.decide([{ id: mutation, verdict: { ok: false, code: "rejected", error: "" } }]);
      }
      const all = c.all("row");
      const there = names.map((name) => c.get("row", name)).filter((row) => row !== undefined);
      expect(new Set(all)).toEqual(new Set(there));
      const bytes = all.map((row) => hex((row as { id: string }).id));
      expect(bytes).toEqual([...bytes].sort());
      expect(all === before).toBe(notes.length === 0);
      kinds.set(kind, (kinds.get(kind) ?? 0) + (all === before ? 0 : 1));
    }
    expect([...kinds.values()].every((count) => count > 20)).toBe(true);
  });

  it("is of layers that each follow what changes below", () => {
    const base = new Overlay();
    const layer = new Overlay(base);
    layer.set("row", "b", 1);
    expect(layer.ids("row")).toEqual(["b"]);
    base.set("row", "a", 1);
    base.set("row", "c", 1);
    layer.set("row", "c", undefined);
    expect([layer.ids("row"), base.ids("row")]).toEqual([["a", "b"], ["a", "c"]]);
    base.set("row", "a", undefined);
    expect([layer.ids("row"), base.ids("row")]).toEqual([["b"], ["c"]]);
  });

  it("goes on without a mutation whose replay throws, and keeps it pending until its verdict", () => {
    const { core: c, a } = core();
    c.mutate(entry("m1", "insert", { id: "b" }));
    c.mutate(entry("m2", "add", { id: "a", n: 1 }));
    // Somebody else inserted b first: m1 throws now.
    c.apply(page(5, [change(6, "other", "b", 7)]));
    expect(c.get("row", "b")).toEqual({ id: "b", n: 7 });
    expect(a()).toBe(11);
    expect(c.pending.map((item) => item.entry.id)).toEqual(["m1", "m2"]);
  });

  it("leaves no trace of a mutation whose first run throws", () => {
    const { core: c, shown } = core();
    expect(() => c.mutate(entry("m1", "insert", { id: "a" }))).toThrow("row a exists already");
    expect(c.pending).toEqual([]);
    expect(shown).toEqual([]);
  });

  it("replays mutations of all tabs in the queue's order", () => {
    const { core: c, a } = core();
    c.mutate(entry("mine", "put", { id: "a", n: 1 }));
    c.adopt([entry("theirs", "put", { id: "a", n: 2 }, { order: 3 })]);
    expect(a()).toBe(1);
    c.place([{ id: "mine", order: 2 }]);
    expect(a()).toBe(2);
  });
});

describe("letting go", () => {
  const ok = (cursor: number) => ({ ok: true as const, cursor });

  it("does not happen on the push's answer alone, but with the base that reaches the verdict's cursor", () => {
    const { core: c, shown, a } = core();
    c.mutate(entry("m1", "add", { id: "a", n: 1 }));
    c.decide([{ id: "m1", verdict: ok(7) }]);
    expect(c.pending.length).toBe(1);
    c.apply(page(5, [change(6, "other", "a", 20)]));
    expect(a()).toBe(21);
    expect(c.pending.length).toBe(1);
    // The change that confirms it does not name it: another writer of the server's did it all in one.
    c.apply(page(6, [change(7, "merged", "a", 21)]));
    expect(shown).toEqual([11, 21, 21]);
    expect(c.pending).toEqual([]);
  });

  it("happens at once for an accepted mutation whose cursor the base has already", () => {
    const { core: c, a, shown } = core();
    c.mutate(entry("m1", "add", { id: "a", n: 1 }));
    c.decide([{ id: "m1", verdict: ok(5) }]);
    expect(a()).toBe(10);
    expect(shown).toEqual([11, 10]);
    expect(c.pending).toEqual([]);
  });

  it("happens at once for a refused mutation", () => {
    const { core: c, a, shown } = core();
    c.mutate(entry("m1", "add", { id: "a", n: 1 }));
    c.mutate(entry("m2", "add", { id: "a", n: 100 }));
    c.decide([{ id: "m1", verdict: { ok: false, code: "rejected", error: "no" } }]);
    expect(a()).toBe(110);
    expect(shown).toEqual([11, 111, 110]);
  });

  it("happens with the change that names it, before any answer; it is still asked for", () => {
    const { core: c, a } = core();
    c.mutate(entry("m1", "add", { id: "a", n: 1 }));
    c.apply(page(5, [change(6, "m1", "a", 11)]));
    expect(a()).toBe(11);
    expect(c.pending.map((item) => item.gone)).toEqual(["change"]);
    c.decide([{ id: "m1", verdict: ok(6) }]);
    expect(c.pending).toEqual([]);
    expect(a()).toBe(11);
  });

  it("happens at a watermark only when the base has reached the head it was read at", () => {
    const { core: c, a } = core();
    c.mutate(entry("m1", "add", { id: "a", n: 1 }));
    c.number([{ id: "m1", seq: 1 }]);
    c.watermark(7, 1);
    expect(a()).toBe(11);
    c.apply(page(5, [change(6, "other", "a", 20)]));
    expect(a()).toBe(21);
    c.apply(page(6, [change(7, "merged", "a", 21)]));
    expect(a()).toBe(21);
    expect(c.pending.map((item) => item.gone)).toEqual(["watermark"]);
  });

  it("is taken back for a mutation whose place belonged to another and was given anew", () => {
    const { core: c, a } = core();
    c.mutate(entry("m1", "add", { id: "a", n: 1 }));
    c.number([{ id: "m1", seq: 2 }]);
    c.watermark(5, 4);
    expect(a()).toBe(10);
    c.number([{ id: "m1", seq: 5 }]);
    expect(a()).toBe(11);
  });

  it("waits for the watermark with what an earlier page sent, when the snapshot came with the page", () => {
    const { core: c, a } = core();
    const embedded = makeScopeCore(mutators, { changed: () => undefined });
    embedded.reset(snapshot(5, 10), true);
    embedded.adopt([
      entry("sent", "add", { id: "a", n: 1 }, { seq: 3, order: 1 }),
      entry("waits", "add", { id: "a", n: 100 }, { order: 2 }),
    ]);
    const n = () => (embedded.get("row", "a") as { n: number }).n;
    expect(n()).toBe(110);
    embedded.watermark(5, 2);
    expect(n()).toBe(111);
    expect(a()).toBe(10);
    expect(c.valid).toBe(true);
  });

  it("waits for it also when the base that was kept is older than the one the page came with", () => {
    const c = makeScopeCore(mutators, { changed: () => undefined });
    c.reset(snapshot(5, 10), true);
    const a = () => (c.get("row", "a") as { n: number }).n;
    const sent = entry("sent", "add", { id: "a", n: 1 }, { seq: 3, order: 1 });
    c.restore({ ...snapshot(4, 9), last_seq: 2, held: [] }, [sent]);
    expect([a(), c.cursor]).toEqual([10, 5]);
    c.watermark(5, 3);
    expect(a()).toBe(10);
  });

  it("is not replayed on a kept base that holds it already, and is on one that does not", () => {
    const { core: c, a } = core();
    c.reset(snapshot(5, 10, { last_seq: 2 }));
    c.adopt([
      entry("there", "add", { id: "a", n: 1 }, { seq: 3, order: 1 }),
      entry("waits", "add", { id: "a", n: 100 }, { seq: 4, order: 2 }),
    ]);
    c.apply(page(5, [change(6, "there", "a", 11)]));
    const kept = structuredClone(c.record()!);
    expect(kept).toMatchObject({ cursor: 6, last_seq: 2, held: ["there"] });
    const next = makeScopeCore(mutators, { changed: () => undefined });
    next.restore(kept, c.pending.map(({ entry: one }) => one));
    expect(next.get("row", "a")).toEqual({ id: "a", n: 111 });
    expect(a()).toBe(111);
  });

  it("leaves no base to keep while it isn't known what of the queue that holds", () => {
    const c = makeScopeCore(mutators, { changed: () => undefined });
    c.reset(snapshot(5, 10), true);
    expect(c.record()).toBe(null);
    c.watermark(5, 0);
    expect(c.record()).toMatchObject({ cursor: 5, last_seq: 0 });
    c.drop();
    expect([c.record(), c.dropped]).toEqual([null, true]);
  });
});

describe("changes", () => {
  it("are applied once, in order and without a gap, whatever comes twice or overlaps", () => {
    const { core: c, a } = core();
    const three = [change(6, "x", "a", 1), change(7, "y", "a", 2), change(8, "z", "a", 3)];
    expect(c.apply(page(6, three.slice(1)))).toBe("gap");
    expect(c.apply(page(5, three.slice(0, 2)))).toBe("applied");
    expect(c.apply(page(5, three.slice(0, 2)))).toBe("duplicate");
    expect(c.apply(page(5, three))).toBe("gap");
    expect(c.apply(page(7, three.slice(2)))).toBe("applied");
    expect([c.cursor, a()]).toEqual([8, 3]);
    expect(c.apply(page(8, [change(10, "w", "a", 9)], { cursor: 10 }))).toBe("gap");
    expect(c.apply(page(8, [change(9, "w", "a", 9)], { cursor: 10 }))).toBe("gap");
    expect([c.cursor, a()]).toEqual([8, 3]);
  });

  it("of another history are not applied", () => {
    const { core: c, a } = core();
    expect(c.apply(page(5, [change(6, "x", "a", 1)], { epoch: "e2" }))).toBe("foreign");
    c.apply(page(5, [change(6, "x", "a", 1)], { digest: "d6" }));
    expect(c.apply(page(6, [], { digest: "other" }))).toBe("foreign");
    expect(a()).toBe(1);
  });

  it("that are no collection's go to the application, with the base at their cursor", () => {
    const { core: c, unknown } = core();
    c.apply(
      page(5, [
        { ...change(6, "x", "a", 0), data: { ball: 3 } },
        { ...change(7, "x", "a", 0), data: "text" },
      ]),
    );
    expect(unknown.map((one) => [one.cursor, one.data])).toEqual([
      [6, { ball: 3 }],
      [7, "text"],
    ]);
    expect(c.cursor).toBe(7);
  });

  it("are ignored while there is no base", () => {
    const { core: c, a } = core();
    c.invalidate(false);
    expect(c.apply(page(5, [change(6, "x", "a", 1)]))).toBe("invalid");
    expect(a()).toBe(10);
  });
});

describe("a reset", () => {
  it("keeps what is pending and replays it on the new base, in one notification", () => {
    const { core: c, shown } = core();
    c.mutate(entry("m1", "add", { id: "a", n: 1 }));
    c.invalidate(true);
    c.reset(snapshot(2, 50, { epoch: "e2" }));
    expect(shown).toEqual([11, 51]);
    expect([c.cursor, c.epoch]).toEqual([2, "e2"]);
  });

  it("lets go of what the watermark covers, which is then only asked for", () => {
    const { core: c, a } = core();
    c.mutate(entry("m1", "add", { id: "a", n: 1 }));
    c.mutate(entry("m2", "add", { id: "a", n: 100 }));
    c.number([
      { id: "m1", seq: 8 },
      { id: "m2", seq: 9 },
    ]);
    c.invalidate(false);
    c.reset(snapshot(20, 11, { last_seq: 8 }));
    expect(a()).toBe(111);
    expect(c.pending.map((item) => item.gone)).toEqual(["watermark", null]);
  });

  it("to another history brings back what only the old one had confirmed", () => {
    const { core: c, a } = core();
    c.mutate(entry("m1", "add", { id: "a", n: 1 }, { seq: 8 }));
    c.apply(page(5, [change(6, "m1", "a", 11)]));
    c.invalidate(true);
    c.reset(snapshot(3, 10, { epoch: "e2", last_seq: 5 }));
    expect(a()).toBe(11);
    expect(c.pending.map((item) => item.gone)).toEqual([null]);
  });

  it("never goes back in time within one history", () => {
    const { core: c, a } = core();
    expect(c.reset(snapshot(4, 99))).toBe(false);
    expect([c.cursor, a()]).toEqual([5, 10]);
  });

  it("lets go of what a lost history accepted, and waits for what the next one accepted before it was heard of", () => {
    const late = { ok: true as const, cursor: 90, epoch: "e2" };
    const { core: before } = core();
    before.mutate(entry("m1", "add", { id: "a", n: 1 }));
    before.decide([{ id: "m1", verdict: late }]);
    before.apply(page(5, [change(6, "x", "a", 20)]));
    expect(before.pending.length).toBe(1);
    before.invalidate(true);
    before.reset(snapshot(89, 50, { epoch: "e2" }));
    expect(before.pending.length).toBe(1);
    before.apply(page(89, [change(90, "m1", "a", 51)]));
    expect(before.pending).toEqual([]);

    const { core: after } = core();
    after.mutate(entry("m1", "add", { id: "a", n: 1 }));
    after.decide([{ id: "m1", verdict: { ...late, epoch: "e0" } }]);
    expect(after.pending.length).toBe(1);
    after.apply(page(5, [], { epoch: "e1", lastSeq: 0 }));
    expect(after.pending).toEqual([]);
  });

  it("by a permission taken away drops the data and keeps the pending mutations", () => {
    const { core: c, a } = core();
    c.mutate(entry("m1", "put", { id: "b", n: 1 }));
    c.drop();
    expect(a()).toBe(undefined);
    expect(c.pending.length).toBe(1);
    expect(c.valid).toBe(false);
  });
});
