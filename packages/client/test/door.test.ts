import { describe, expect, it } from "vitest";
import { makeBackoff, retryAfterMs, BACKOFF_MAX_MS } from "../src/core/backoff.ts";
import { checkArgs, checkScope, checkType } from "../src/core/door.ts";
import { ARGS_BYTES, ARGS_DEPTH } from "../src/core/limits.ts";
import { Overlay } from "../src/core/collections.ts";
import { Tx } from "../src/core/tx.ts";
import { newId } from "../src/core/uuid.ts";

const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
const cyclic: Record<string, unknown> = {};
cyclic["self"] = { inside: cyclic };

describe("arguments", () => {
  it("that JSON can hold come through as JSON has them", () => {
    const shared = { x: 1 };
    for (const [value, expected] of [
      [null, null],
      [{ a: undefined, b: [1.5, -0.25, "\u{1F600}", true] }, { b: [1.5, -0.25, "\u{1F600}", true] }],
      [{ when: new Date(0) }, { when: "1970-01-01T00:00:00.000Z" }],
      [
        [shared, shared],
        [{ x: 1 }, { x: 1 }],
      ],
      [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
      [nested(ARGS_DEPTH), nested(ARGS_DEPTH)],
      ["x".repeat(ARGS_BYTES - 2), "x".repeat(ARGS_BYTES - 2)],
    ] as const) {
      expect(checkArgs(value)).toEqual(expected);
    }
    expect(JSON.stringify(checkArgs(JSON.parse('{"__proto__":{"a":1}}')))).toBe('{"__proto__":{"a":1}}');
  });

  it.each([
    [{ a: [NaN] }, "args.a[0] is NaN"],
    [{ a: -Infinity }, "args.a is -Infinity"],
    [undefined, "args is undefined"],
    [[undefined], "args[0] is undefined"],
    [{ f: () => 1 }, "args.f is function"],
    [{ n: 10n }, "args.n is bigint"],
    [cyclic, "args: Converting circular structure to JSON"],
    [{ n: 2 ** 53 }, "beyond 2^53-1"],
    [{ n: -(2 ** 53) }, "beyond 2^53-1"],
    [{ s: "a\0b" }, "\\u0000"],
    [{ "a\0": 1 }, "\\u0000"],
    [{ s: "\ud800" }, "surrogate"],
    [{ m: new Map() }, "args.m is a Map"],
    [nested(ARGS_DEPTH + 1), "nested over"],
    ["x".repeat(ARGS_BYTES - 1), "of at most 65536"],
    ["\u20ac".repeat(ARGS_BYTES / 3), "of at most 65536"],
  ])("that can't travel are refused with a sentence that says where: %#", (value, says) => {
    expect(() => checkArgs(value)).toThrow(says);
  });

  it("that are refused name the server's code", () => {
    expect(() => checkArgs("x".repeat(ARGS_BYTES))).toThrow(expect.objectContaining({ code: "too_large" }));
    expect(() => checkArgs(NaN)).toThrow(expect.objectContaining({ code: "invalid_mutation" }));
  });
});

describe("names", () => {
  it("are checked in bytes, and control characters are refused", () => {
    expect(checkScope("list:42")).toBe("list:42");
    expect(checkScope("\u20ac".repeat(85))).toHaveLength(85);
    for (const bad of ["", "\u20ac".repeat(86), "a\n", "a\u0085", 7, null])
      expect(() => checkScope(bad)).toThrow("1 to 255");
    expect(() => checkType("_void")).toThrow("reserved");
    expect(() => checkType("x".repeat(129))).toThrow("1 to 128");
  });
});

describe("ids", () => {
  it("are UUIDs of version 7 that ascend, also when the clock stands still or steps back", () => {
    const now = Date.now() + 1e9;
    const ids = Array.from({ length: 10_000 }, (_, i) => newId(i < 5_000 ? now : now - 1_000));
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
    for (const id of ids.slice(0, 100)) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
    expect(parseInt(ids[0]!.replaceAll("-", "").slice(0, 12), 16)).toBe(now);
  });
});

describe("a mutator's transaction", () => {
  it("has the server's verbs, reads its own writes and gives out copies", () => {
    const base = new Overlay();
    for (const id of ["b", "a", "ab"]) base.set("row", id, { id, n: 1 });
    const tx = new Tx(base, "m1");
    const copy = tx.get("row", "a");
    copy.n = 99;
    expect(tx.get("row", "a")).toEqual({ id: "a", n: 1 });
    tx.update("row", "a", { n: 2 });
    tx.update("row", "b", (row) => void (row.n = 3));
    expect(tx.delete("row", "ab")).toBe(true);
    expect(tx.delete("row", "ab")).toBe(false);
    tx.insert("row", "c", { id: "c", n: 4 });
    expect(tx.list("row").map((row) => [row.id, row.n])).toEqual([
      ["a", 2],
      ["b", 3],
      ["c", 4],
    ]);
    expect(tx.list("row", "a")).toHaveLength(1);
    expect(() => tx.insert("row", "c", {})).toThrow(expect.objectContaining({ code: "conflict" }));
    expect(() => tx.update("row", "zz", {})).toThrow(expect.objectContaining({ code: "not_found" }));
    expect(() => tx.put("row", "", {})).toThrow("an id must be");
    expect(() => tx.put("row", "x", { n: NaN })).toThrow("NaN");
    expect([tx.newId(), tx.newId()]).toEqual(["m1.1", "m1.2"]);
    expect(base.get("row", "a")).toEqual({ id: "a", n: 1 });
  });
});

describe("backoff", () => {
  it("grows with full jitter up to its ceiling and starts again after a success", () => {
    let random = 1 - Number.EPSILON;
    const backoff = makeBackoff(() => random);
    const waits = Array.from({ length: 8 }, () => backoff.next());
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16000, BACKOFF_MAX_MS, BACKOFF_MAX_MS]);
    random = 0.5;
    expect(backoff.next()).toBe(BACKOFF_MAX_MS / 2);
    expect(backoff.next(10_000)).toBe(10_000 + BACKOFF_MAX_MS / 2);
    backoff.calm();
    expect(backoff.next()).toBe(250);
  });

  it("reads Retry-After as seconds or a date, and believes at most an hour", () => {
    const now = Date.UTC(2026, 10, 22, 10);
    expect(retryAfterMs("7", now)).toBe(7000);
    expect(retryAfterMs(new Date(now + 5000).toUTCString(), now)).toBe(5000);
    expect(retryAfterMs(new Date(now - 5000).toUTCString(), now)).toBe(0);
    expect(retryAfterMs("999999", now)).toBe(3_600_000);
    expect(retryAfterMs("soon", now)).toBe(0);
    expect(retryAfterMs(null, now)).toBe(0);
  });
});
