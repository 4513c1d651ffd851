/** The inspector apart from its panel: what it sees of a client, and that it passes everything on as it is. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { afterEach, expect, it, vi } from "vitest";
import type { Env, SocketLike } from "../src/env.ts";
import { makeRecorder } from "../src/inspector/recorder.ts";

/** Bytes of the built file, gzipped: nobody pays them who does not open it, and it still is there in a moment. */
const BUDGET = 7 * 1024;

afterEach(() => vi.unstubAllGlobals());

/** A client as the recorder knows one: an environment that is looked up at every use, and events. */
function watched(answers: Env["fetch"] = async () => Response.json({ results: [{ id: "m1", ok: true, cursor: 4 }], epoch: "e1" })) {
  const sent: string[] = [];
  const socket = Object.assign(new EventTarget(), {
    send: (text: string) => void sent.push(text),
    close: () => undefined,
    onmessage: null,
    onclose: vi.fn(),
    onerror: null,
  }) as unknown as SocketLike & EventTarget;
  const env = {
    now: () => 1_000,
    fetch: answers,
    socket: () => socket,
  } as unknown as Env;
  const client = Object.assign(new EventTarget(), { inspect: () => ({ env }) });
  vi.stubGlobal("dispatchEvent", () => true);
  vi.stubGlobal("CloseEvent", class extends Event {});
  const recorder = makeRecorder(client as never);
  const receive = (data: object) => socket.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(data) }));
  return { env, client, recorder, socket, sent, receive };
}

const push = (env: Env) =>
  env.fetch("https://example.org/_sync/push", { method: "POST", body: JSON.stringify({ scope: "a", mutations: [{ id: "m1", type: "todo.create", args: {} }] }) });

it("notes a push and its answer, and the verdict with its command; the answer arrives as it was", async () => {
  const { env, recorder } = watched();
  const answer = await push(env);
  expect(await answer.json()).toEqual({ results: [{ id: "m1", ok: true, cursor: 4 }], epoch: "e1" });
  expect(recorder.frames.map(({ way, what, about, scope }) => [way, what, about, scope])).toEqual([
    ["out", "POST push", "1 mutation", "a"],
    ["in", "200 push", "1 result", "a"],
  ]);
  expect(recorder.frames[1]!.bytes).toBe(JSON.stringify({ results: [{ id: "m1", ok: true, cursor: 4 }], epoch: "e1" }).length);
  expect(recorder.verdicts).toMatchObject([{ id: "m1", type: "todo.create", scope: "a", outcome: "accepted", detail: "at 4" }]);
});

it("passes on what a socket sends and receives, and notes both", () => {
  const { env, recorder, sent, receive } = watched();
  const socket = env.socket!("wss://example.org/ws");
  socket.send('{"topic":"sync:a","data":{"type":"subscribe","cursor":12}}');
  receive({ topic: "sync:a", data: { type: "changes", from: 12, cursor: 14, changes: [{}, {}] } });
  expect(sent).toEqual(['{"topic":"sync:a","data":{"type":"subscribe","cursor":12}}']);
  expect(recorder.frames.map(({ way, what, about, scope }) => [way, what, about, scope])).toEqual([
    ["out", "subscribe", "at 12", "a"],
    ["in", "changes", "2 changes, 12 → 14", "a"],
  ]);
});

it("offline nothing gets through, on the socket that is open neither; afterwards all does again", async () => {
  const { env, recorder, socket } = watched();
  env.socket!("wss://example.org/ws");
  recorder.force(true);
  expect(socket.onclose).toHaveBeenCalledOnce();
  await expect(push(env)).rejects.toThrow(/offline/);
  const dead = env.socket!("wss://example.org/ws");
  expect(dead).not.toBe(socket);
  await new Promise<void>((closed) => (dead.onclose = () => closed()));
  recorder.force(false);
  expect((await push(env)).ok).toBe(true);
  expect(env.socket!("wss://example.org/ws")).toBe(socket);
});

it("a question under way when the line is cut fails at once", async () => {
  const { env, recorder } = watched(
    (_url, { signal }) => new Promise((_, no) => signal!.addEventListener("abort", () => no(signal!.reason as Error))),
  );
  const asked = push(env);
  recorder.force(true);
  await expect(asked).rejects.toThrow(/offline/);
  expect(recorder.frames.at(-1)).toMatchObject({ way: "in", what: "no push", about: "failed" });
});

it("a refusal is what the client calls one, and what waits no more without a verdict has ended", () => {
  const { client, recorder, env, receive } = watched();
  env.socket!("wss://example.org/ws");
  recorder.look([
    { id: "m1", type: "todo.create", scope: "a" },
    { id: "m2", type: "todo.delete", scope: "a" },
    { id: "m3", type: "todo.toggle", scope: "a" },
  ]);
  // Not its last word: the client sends it again.
  receive({ topic: "sync:a", data: { type: "results", results: [{ id: "m1", ok: false, code: "out_of_order" }] } });
  expect(recorder.verdicts).toEqual([]);
  client.dispatchEvent(new CustomEvent("rejected", { detail: { id: "m1", type: "todo.create", scope: "a", code: "rejected", error: "too long" } }));
  recorder.look([{ id: "m3", type: "todo.toggle", scope: "a" }]);
  const seen = () => recorder.verdicts.map(({ id, outcome }) => [id, outcome]);
  expect(seen()).toEqual([["m1", "rejected"], ["m2", "ended"]]);
  receive({ topic: "sync:a", data: { type: "results", results: [{ id: "m2", ok: true, cursor: 3 }] } });
  expect(seen()).toEqual([["m1", "rejected"], ["m2", "accepted"]]);
});

it("keeps the last 300 frames, and of a long one its beginning", async () => {
  const { env, recorder, receive } = watched();
  env.socket!("wss://example.org/ws");
  for (let n = 0; n < 400; n++) receive({ topic: "sys", data: { type: "pong", n } });
  receive({ topic: "sync:a", data: { type: "changes", changes: ["x".repeat(10_000)], from: 1, cursor: 2 } });
  expect(recorder.frames.length).toBe(300);
  const last = recorder.frames.at(-1)!;
  expect(last.bytes).toBeGreaterThan(10_000);
  expect(last.text.length).toBeLessThan(2_100);
});

it("what is no JSON is a frame like any other", () => {
  const { env, recorder, socket } = watched();
  env.socket!("wss://example.org/ws");
  for (const data of ["", "{", "null", "[]", '{"topic":7}', '{"topic":"a","data":null}']) socket.dispatchEvent(new MessageEvent("message", { data }));
  expect(recorder.frames.length).toBe(6);
});

it(`the built file is at most ${BUDGET} bytes gzipped, and imports nothing`, () => {
  const built = readFileSync(new URL("../dist/inspector.js", import.meta.url));
  expect(gzipSync(built, { level: 9 }).length).toBeLessThanOrEqual(BUDGET);
  expect(built.toString()).not.toMatch(/\bimport\s*[({"'*]/);
  expect(built.toString()).toMatch(/export\{[^}]*\bas toggle\b/);
});
