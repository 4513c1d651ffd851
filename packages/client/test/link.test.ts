import { describe, expect, it } from "vitest";
import { judge } from "../src/link/judge.ts";
import { Refused } from "./support/server.ts";
import { Profile, World, peek, shownMarks } from "./support/world.ts";

const mark = (m: string | number, over = {}) => ({ list: "l", mark: String(m), ...over });

async function live(options = {}) {
  const world = new World();
  const tab = world.tab(new Profile(), options);
  await world.run(1_000);
  return { world, tab, client: tab.client };
}

/** Statuses as they come. */
function statuses(client: EventTarget): string[] {
  const seen: string[] = [];
  client.addEventListener("status", (event) => {
    const { status, code } = (event as CustomEvent).detail;
    seen.push(code ? `${status} ${code}` : status);
  });
  return seen;
}

describe("a push", () => {
  it("holds at most 100 mutations, and one follows the other", async () => {
    const { world, client } = await live({ storage: "memory" });
    for (let i = 0; i < 250; i++) client.mutate("append", mark(i));
    await world.run(5_000);
    expect(world.marks()).toEqual(Array.from({ length: 250 }, (_, i) => String(i)));
    expect(Math.max(...world.server.pushes.map((push) => push.mutations.length))).toBeLessThanOrEqual(100);
    expect(client.pending).toEqual([]);
  });

  it("goes over the socket up to 60 KiB, by HTTP above, and never above 1 MiB", async () => {
    const { world, client } = await live({ storage: "memory" });
    client.mutate("append", mark("small"));
    await world.run(1_000);
    expect(world.network.requests).toEqual([]);
    for (let i = 0; i < 40; i++) client.mutate("nothing", { pad: "x".repeat(60_000) });
    await world.run(5_000);
    expect(client.pending).toEqual([]);
    expect(world.network.requests.filter((route) => route === "push").length).toBeGreaterThanOrEqual(3);
    for (const push of world.server.pushes) expect(JSON.stringify(push).length).toBeLessThan(1024 * 1024);
  });

  it("refused as a whole is split down to the one at fault, which only takes up its place", async () => {
    const { world, client } = await live({ storage: "memory", live: false });
    const verdicts = Array.from(
      { length: 20 },
      (_, i) => client.mutate("append", mark(i, i === 13 ? { poison: true } : {})).verdict,
    );
    await world.run(60_000);
    expect(world.marks()).toEqual(Array.from({ length: 20 }, (_, i) => String(i)).filter((one) => one !== "13"));
    expect(await peek(verdicts[13]!)).toMatchObject({
      ok: false,
      code: "invalid_mutation",
      error: expect.stringContaining("says the server"),
    });
    const sent = world.server.pushes.flatMap((push) => push.mutations).find((one) => one.type === "_void");
    expect(Object.keys(sent).sort()).toEqual(["id", "scope", "seq", "type"]);
    expect(sent.seq).toBe(14);
    expect(client.pending).toEqual([]);
    expect(shownMarks(client)).toEqual(world.marks());
  });

  it("whose mutation is not now to be decided keeps it, and everything behind it, in order", async () => {
    const { world, client } = await live();
    let busy = 3;
    world.server.busy = (m) => m.args.mark === "1" && busy-- > 0;
    for (let i = 0; i < 4; i++) client.mutate("append", mark(i));
    await world.run(60_000);
    expect(busy).toBeLessThan(0);
    expect(world.marks()).toEqual(["0", "1", "2", "3"]);
  });

  it("with places that belong to other mutations is numbered again from the watermark, ids unchanged", async () => {
    const { world, client } = await live({ live: false });
    client.mutate("append", mark(1));
    await world.run(10_000);
    // The profile was copied, and the copy sent two mutations under the same client id.
    const { client: id } = world.server.pushes[0];
    for (const n of [2, 3]) {
      world.server.push({
        client: id,
        mutations: [{ id: `copy-${n}`, type: "append", args: mark(`copy${n}`), scope: "_default", seq: n }],
      });
    }
    world.server.pushes.length = 0;
    const made = [client.mutate("append", mark("a")), client.mutate("append", mark("b"))];
    await world.run(60_000);
    expect(world.marks()).toEqual(["1", "copy2", "copy3", "a", "b"]);
    expect(shownMarks(client)).toEqual(world.marks());
    expect(client.pending).toEqual([]);
    expect(world.server.pushes[0].mutations.map((m: { seq: number }) => m.seq)).toEqual([2, 3]);
    expect(world.server.pushes.at(-1).mutations).toMatchObject([
      { id: made[0]!.id, seq: 4 },
      { id: made[1]!.id, seq: 5 },
    ]);
  });

  it("from a client the server forgot is shown to its user, and the client starts anew", async () => {
    const { world, client } = await live();
    client.mutate("append", mark(1));
    await world.run(1_000);
    world.server.scope("_default").places.clear();
    const told: unknown[] = [];
    client.addEventListener("rejected", (event) => told.push((event as CustomEvent).detail.code));
    client.mutate("append", mark(2));
    await world.run(1_000);
    client.mutate("append", mark(3));
    await world.run(1_000);
    expect(told).toEqual(["client_unknown"]);
    expect(world.marks()).toEqual(["1", "3"]);
    expect(shownMarks(client)).toEqual(["1", "3"]);
  });

  it("is not let go by the watermark of a client id that is no longer its own", async () => {
    for (const way of ["snapshot", "ack"]) {
      const { world, client } = await live();
      client.mutate("append", mark(1));
      await world.run(1_000);
      const [connection] = world.network.connections;
      const old = world.server.pushes.at(-1).client as string;
      const asked = connection!.heard.find(({ data }) => data["type"] === "subscribe")!.data;
      world.server.scope("_default").places.clear();
      client.mutate("append", mark(2));
      await world.run(1_000);
      // Decided by nobody yet: only a watermark could say that it is.
      world.server.busy = () => true;
      client.mutate("append", mark(3));
      await world.run(1_000);
      expect(world.server.pushes.at(-1)).toMatchObject({ mutations: [{ seq: 1 }] });
      expect(world.server.pushes.at(-1).client).not.toBe(old);
      const { cursor } = client;
      const { epoch } = world.server;
      const { data, digest } = world.server.snapshot({ scope: "_default" });
      const said = { type: way, epoch, data, digest, ref: asked["ref"], last_seq: 5 };
      // What was asked under the old id, answered late.
      connection!.emit("sync:_default", { ...said, cursor: way === "ack" ? cursor : cursor + 1 });
      await world.run(1_000);
      expect([way, shownMarks(client)]).toEqual([way, ["1", "3"]]);
      expect([client.cursor, client.status]).toEqual([cursor, "live"]);
      world.server.busy = () => false;
      await world.run(60_000);
      expect(world.marks()).toEqual(["1", "3"]);
      expect([client.pending, shownMarks(client)]).toEqual([[], ["1", "3"]]);
    }
  });

  it("is not let go by a pull that was asked under a client id that is no longer its own", async () => {
    const { world, client } = await live({ live: false });
    world.network.faults.waits = true;
    client.mutate("append", mark(1));
    await world.run(10_000);
    const old = world.server.pushes.at(-1).client as string;
    const pull = world.server.pull.bind(world.server);
    world.server.pull = (body) => ({ ...pull(body), ...(body.client === old && { last_seq: 5 }) });
    expect(world.network.held).toBe(1);
    world.server.scope("_default").places.clear();
    client.mutate("append", mark(2));
    await world.run(100);
    world.server.busy = () => true;
    client.mutate("append", mark(3));
    await world.run(100);
    expect(world.server.pushes.at(-1)).toMatchObject({ mutations: [{ seq: 1 }] });
    expect(world.server.pushes.at(-1).client).not.toBe(old);
    const { held } = world.network;
    // The one that waits is answered.
    world.server.emit("_default", "elsewhere", { op: "put", collection: "list", id: "x", value: {} });
    await world.run(100);
    expect([held, shownMarks(client)]).toEqual([1, ["1", "3"]]);
    world.server.busy = () => false;
    await world.run(60_000);
    expect(world.marks()).toEqual(["1", "3"]);
    expect([client.pending, shownMarks(client)]).toEqual([[], ["1", "3"]]);
  });

  it("whose very first mutation is put off keeps the ones behind it, though the server knows no client yet", async () => {
    const { world, client } = await live();
    let busy = 2;
    world.server.busy = () => busy-- > 0;
    for (let i = 0; i < 3; i++) client.mutate("append", mark(i));
    await world.run(60_000);
    expect(world.marks()).toEqual(["0", "1", "2"]);
  });

  it("whose outcome is forgotten is told as expired", () => {
    const result = { id: "m", ok: false, code: "expired", error: "long ago", retry: false };
    const entry = { id: "m", type: "t", args: {}, scope: "s", seq: 1, created: 0, order: 1 };
    expect(judge([entry], { results: [result] }, new Map())).toMatchObject({
      decided: [{ id: "m", verdict: { ok: false, code: "expired", error: "long ago" } }],
      open: null,
    });
    expect(judge([entry], { results: [] }, new Map())).toMatchObject({ decided: [], open: { code: "unavailable" } });
  });

  it("that is not authenticated pauses, says so, throws nothing away and goes on by itself", async () => {
    const { world, client } = await live({ live: false });
    const seen = statuses(client);
    world.server.gate = (route) => {
      if (route === "push") throw new Refused(401, "unauthenticated");
    };
    client.mutate("append", mark(1));
    await world.run(20_000);
    expect(client.status).toBe("unauthorized");
    expect(client.pending).toHaveLength(1);
    expect(world.server.pushes.length).toBeLessThan(20);
    world.server.gate = () => undefined;
    await world.run(60_000);
    expect(world.marks()).toEqual(["1"]);
    expect(client.status).toBe("polling");
    expect(seen).toEqual(["unauthorized unauthenticated", "polling"]);
  });

  it.each([429, 503])("is not tried again before Retry-After has passed, after a %i", async (status) => {
    const { world, client } = await live({ live: false });
    const times: number[] = [];
    world.server.gate = (route) => {
      if (route !== "push") return;
      times.push(world.clock.now);
      if (times.length < 3) throw new Refused(status, "rate_limited", "40");
    };
    client.mutate("append", mark(1));
    await world.run(3_000);
    // Neither a new mutation, nor the page coming back, nor sync() goes past what the server asked.
    client.mutate("append", mark(2));
    for (const tab of world.tabs) tab.wake();
    const refused = expect(client.sync()).rejects.toMatchObject({ code: "rate_limited" });
    await world.run(200_000);
    await refused;
    expect(times).toHaveLength(3);
    for (const i of [1, 2]) expect(times[i]! - times[i - 1]!).toBeGreaterThanOrEqual(40_000);
    expect(world.marks()).toEqual(["1", "2"]);
  });
});

/** Ends a subscription every so often, on the world's own clock. */
function setEnds(world: World, end: () => void): { stop: boolean } {
  const ends = { stop: false };
  const again = (): void => {
    if (ends.stop) return;
    end();
    world.clock.setTimeout(again, 100);
  };
  again();
  return ends;
}

describe("the live link", () => {
  it("is found dead when nothing was heard for two and a half pings, and another one is opened", async () => {
    const { world, client } = await live();
    const [first] = world.network.connections;
    world.network.cut(true);
    const writer = world.client({ live: false });
    await world.run(10_000);
    writer.mutate("append", mark(1));
    await world.run(35_000);
    expect(client.status).toBe("live");
    expect(shownMarks(client)).toEqual([]);
    await world.run(25_000);
    expect(shownMarks(client)).toEqual(["1"]);
    expect(client.status).toBe("live");
    expect(world.network.connections.has(first!)).toBe(false);
  });

  it("answers pings and sends its own", async () => {
    const { world } = await live();
    const [connection] = world.network.connections;
    connection!.emit("sys", { type: "ping" });
    await world.run(60_000);
    const said = connection!.heard.filter(({ topic }) => topic === "sys").map(({ data }) => data["type"]);
    expect(said[0]).toBe("pong");
    expect(said.filter((type) => type === "ping").length).toBe(2);
    expect(world.network.connections.has(connection!)).toBe(true);
  });

  it("that died while the page slept is found soon after it wakes", async () => {
    const { world, tab, client } = await live();
    world.network.cut(true);
    const writer = world.client({ live: false });
    await world.run(1_000);
    writer.mutate("append", mark(1));
    await world.run(3_000);
    tab.wake();
    await world.run(7_000);
    expect(shownMarks(client)).toEqual(["1"]);
  });

  it("subscribes with what it has, so that nothing is sent twice", async () => {
    const { world, client } = await live();
    client.mutate("append", mark(1));
    await world.run(100);
    world.network.cut();
    await world.run(10_000);
    const [connection] = world.network.connections;
    const { digests } = world.server.scope("_default");
    expect(connection!.heard[0]).toMatchObject({
      topic: "sync:_default",
      data: { type: "subscribe", cursor: 1, epoch: "e1", digest: digests[1], client: expect.any(String) },
    });
  });

  it("that lagged or has a gap goes on from its own cursor", async () => {
    const { world, client } = await live();
    const writer = world.client({ live: false });
    await world.run(1_000);
    const [connection] = world.network.connections;
    connection!.subscriptions.clear();
    writer.mutate("append", mark(1));
    await world.run(3_500);
    connection!.emit("sync:_default", { type: "lagged", cursor: 1 });
    await world.run(2_000);
    expect(shownMarks(client)).toEqual(["1"]);
    // A frame that does not follow on: what is between is pulled.
    connection!.subscriptions.set("_default", 2);
    writer.mutate("append", mark(2));
    await world.run(3_500);
    expect(shownMarks(client)).toEqual(["1"]);
    writer.mutate("append", mark(3));
    await world.run(3_500);
    expect(shownMarks(client)).toEqual(["1", "2", "3"]);
    expect(client.status).toBe("live");
  });

  it("that is ended again and again is asked for ever more rarely", async () => {
    const { world } = await live();
    const [connection] = world.network.connections;
    const asked = () => connection!.heard.filter(({ data }) => data["type"] === "subscribe").length;
    const ends = setEnds(world, () => connection!.emit("sync:_default", { type: "lagged", cursor: 0 }));
    await world.run(50_000);
    ends.stop = true;
    expect(asked()).toBeGreaterThan(3);
    expect(asked()).toBeLessThan(20);
  });

  it("that swallows the changes of an accepted mutation is helped out by a pull", async () => {
    const { world, client } = await live();
    const [connection] = world.network.connections;
    connection!.subscriptions.clear();
    client.mutate("append", mark(1));
    await world.run(2_000);
    expect(client.pending.map((one) => one.state)).toEqual(["accepted"]);
    await world.run(5_000);
    expect(client.pending).toEqual([]);
    expect(shownMarks(client)).toEqual(["1"]);
    expect(client.status).toBe("live");
  });

  it("takes a state too large for a frame by HTTP and is live from there", async () => {
    const world = new World();
    const writer = world.client({ storage: "memory" });
    await world.run(1_000);
    for (let i = 0; i < 6; i++) writer.mutate("todo.create", { id: `t${i}`, title: "x".repeat(60_000) });
    await world.run(5_000);
    world.network.requests.length = 0;
    const reader = world.client();
    await world.run(5_000);
    expect(reader.all("todo")).toHaveLength(6);
    expect(reader.status).toBe("live");
    expect(world.network.requests).toContain("snapshot");
    writer.mutate("todo.delete", { id: "t0" });
    await world.run(100);
    expect(reader.all("todo")).toHaveLength(5);
  });

  it("tells who is asking by a token, before anything else and on every request", async () => {
    const asked: unknown[] = [];
    const world = new World();
    let n = 0;
    const client = world.client({ token: async () => `t${++n}` });
    world.server.gate = (route, body) => asked.push([route, body.who]);
    await world.run(1_000);
    const [connection] = world.network.connections;
    expect(connection!.heard.map(({ data }) => data["type"])).toEqual(["auth", "subscribe"]);
    expect(connection!.heard[0]!.data["token"]).toBe("t1");
    void client.sync();
    await world.run(100);
    expect(asked.at(-1)).toEqual(["pull", "Bearer t2"]);
  });

  it("that is only ever told to begin anew shows what HTTP gives, and asks ever more rarely", async () => {
    const world = new World();
    const asked: number[] = [];
    world.server.gate = (route) => {
      if (route === "snapshot") asked.push(world.clock.now);
      if (route === "subscribe") throw new Refused(410, "epoch_changed");
    };
    world.client({ storage: "memory" }).mutate("append", mark(1));
    const client = world.client();
    await world.run(60_000);
    expect(shownMarks(client)).toEqual(["1"]);
    const [before] = [asked.length];
    await world.run(600_000);
    expect((asked.length - before) / 10).toBeLessThan(before / 2);
  });

  it("whose token ran out asks for another one, says so meanwhile, and goes on with it", async () => {
    const world = new World();
    let token = "old";
    const asked: string[] = [];
    const client = world.client({ live: false, token: () => (asked.push(token), token) });
    await world.run(1_000);
    world.server.gate = (_, body) => {
      if (body.who !== "Bearer new") throw new Refused(401, "unauthenticated");
    };
    const { verdict } = client.mutate("append", mark(1));
    await world.run(5_000);
    expect([client.status, client.pending.length, world.marks()]).toEqual(["unauthorized", 1, []]);
    token = "new";
    await world.run(60_000);
    expect(asked).toContain("new");
    expect(await peek(verdict)).toMatchObject({ ok: true });
    expect([client.status, client.pending.length, world.marks()]).toEqual(["polling", 0, ["1"]]);
  });

  it("is not told a token that was asked for by the connection before it", async () => {
    const world = new World();
    const give: ((token: string) => void)[] = [];
    // Over HTTP the same callback is asked: those that wait are of no matter here.
    const client = world.client({ token: () => new Promise<string>((resolve) => give.push(resolve)) });
    await world.run(100);
    expect(give).toHaveLength(1);
    world.network.cut();
    await world.run(1_000);
    const [connection] = world.network.connections;
    give[0]!("old");
    await world.run(100);
    expect([connection!.heard, client.status]).toEqual([[], "offline"]);
    give.slice(1).forEach((answer) => answer("new"));
    await world.run(10_000);
    expect(connection!.heard[0]!.data).toMatchObject({ type: "auth", token: "new" });
    expect(client.status).toBe("live");
  });

  it("refused for its identity says so and tries again", async () => {
    const { world, client } = await live();
    const seen = statuses(client);
    world.server.gate = (route) => {
      if (route !== "push") throw new Refused(401, "unauthenticated");
    };
    for (const connection of [...world.network.connections]) connection.cut(false, 4401);
    await world.run(10_000);
    expect(client.status).toBe("unauthorized");
    world.server.gate = () => undefined;
    await world.run(60_000);
    expect(client.status).toBe("live");
    expect(seen[0]).toMatch("unauthorized unauthenticated");
  });

  it.each([true, false])("that loses the permission to read drops what it has (live: %s)", async (socket) => {
    const { world, client } = await live({ live: socket });
    client.mutate("append", mark(1));
    await world.run(5_000);
    expect(shownMarks(client)).toEqual(["1"]);
    world.server.gate = (route) => {
      if (route !== "push") throw new Refused(403, "forbidden");
    };
    for (const connection of world.network.connections) {
      connection.emit("sync:_default", { type: "error", code: "forbidden", error: "no longer" });
    }
    await world.run(5_000);
    expect(shownMarks(client)).toEqual([]);
    expect(client.status).toBe("unauthorized");
    world.server.gate = () => undefined;
    await world.run(60_000);
    expect(shownMarks(client)).toEqual(["1"]);
  });
});

describe("versions that don't go together", () => {
  it("of the contract stop the client until the server is one it knows", async () => {
    const world = new World();
    world.network.protocol = 2;
    const { client } = world.tab(new Profile());
    await world.run(1_000);
    client.mutate("append", mark(1));
    await world.run(10_000);
    expect([client.status, world.marks(), client.pending.length]).toEqual(["incompatible", [], 1]);
    world.network.protocol = 1;
    await world.run(60_000);
    expect([client.status, world.marks()]).toEqual(["live", ["1"]]);
  });

  it.each([true, false])("of the arguments are told; what was put off is kept (for good: %s)", async (final) => {
    const { world, client } = await live({ schema: 3 });
    const seen = statuses(client);
    let refuses = true;
    const { push } = world.server;
    world.server.push = (body) => {
      if (!refuses) return push.call(world.server, body);
      const no = (m: { id: string }) => ({ id: m.id, ok: false, code: "schema_mismatch", error: "old", retry: !final });
      return { epoch: "e1", results: body.mutations.map(no) };
    };
    const { verdict } = client.mutate("append", mark(1));
    await world.run(3_000);
    expect([client.status, client.pending.length]).toEqual(["incompatible", final ? 0 : 1]);
    refuses = false;
    await world.run(60_000);
    if (final) expect(await peek(verdict)).toMatchObject({ ok: false, code: "schema_mismatch" });
    else expect([world.marks(), client.status, seen[0]]).toEqual([["1"], "live", "incompatible schema_mismatch"]);
  });
});

describe("without a WebSocket", () => {
  it("a client converges by polling, and says so", async () => {
    const world = new World();
    world.network.faults.noSockets = true;
    const a = world.client();
    const b = world.client();
    await world.run(5_000);
    a.mutate("append", mark("a"));
    b.mutate("append", mark("b"));
    await world.run(10_000);
    expect([...shownMarks(a)].sort()).toEqual(["a", "b"]);
    expect(shownMarks(b)).toEqual(shownMarks(a));
    expect([a.status, a.pending.length]).toEqual(["polling", 0]);
    world.network.faults.noSockets = false;
    await world.run(60_000);
    expect(a.status).toBe("live");
  });

  it("a client keeps a poll waiting at the server, and hears at once of what happens", async () => {
    const world = new World();
    world.network.faults = { ...world.network.faults, noSockets: true, waits: true };
    const tab = world.tab(new Profile());
    const writer = world.client({ live: false });
    await world.run(10_000);
    expect(world.network.held).toBeGreaterThan(0);
    world.network.requests.length = 0;
    writer.mutate("append", mark(1));
    await world.run(100);
    expect([shownMarks(tab.client), tab.client.status]).toEqual([["1"], "polling"]);
    await world.run(60_000);
    // Three waits a minute each, and little else.
    expect(world.network.requests.filter((route) => route === "pull").length).toBeLessThan(20);
    // Nobody looks: it asks rarely, and holds nothing.
    tab.hidden = true;
    await world.run(60_000);
    world.network.requests.length = 0;
    void writer.close();
    await world.run(60_000);
    expect(world.network.requests.filter((route) => route === "pull").length).toBeLessThan(6);
  });

  it("a client that was live goes on by polling", async () => {
    const { world, client } = await live();
    const writer = world.client({ live: false });
    await world.run(1_000);
    world.network.faults.noSockets = true;
    world.network.cut();
    writer.mutate("append", mark(1));
    await world.run(10_000);
    expect(shownMarks(client)).toEqual(["1"]);
    expect(client.status).toBe("polling");
  });

  it("a client keeps its own mutation in view while it catches up with a page that says it is decided", async () => {
    const world = new World();
    const writer = world.client({ storage: "memory" });
    const client = world.client({ live: false });
    await world.run(5_000);
    const closed = new Set(["pull"]);
    world.server.gate = (route) => {
      if (closed.has(route)) throw new Refused(503, "unavailable");
    };
    for (let i = 0; i < 700; i++) writer.mutate("pair", { id: `p${i}` });
    await world.run(3_000);
    // Decided at the very end of the log; the answer is lost, and no other push gets through.
    world.network.faults.loseAnswer = 1;
    client.mutate("append", mark("own"));
    await world.run(20);
    expect(world.marks()).toEqual(["own"]);
    world.network.faults.loseAnswer = 0;
    closed.add("push").delete("pull");
    const shown = new Set<string>();
    client.subscribe(() => shown.add(shownMarks(client).join()));
    await world.run(60_000);
    expect(client.all("half")).toHaveLength(1400);
    expect([...shown]).toEqual(["own"]);
    expect(client.pending.map((one) => one.state)).toEqual(["sent"]);
    closed.clear();
    await world.run(60_000);
    expect(client.pending).toEqual([]);
  });

  it("a client that reaches nobody is offline, and comes back when it can", async () => {
    const { world, client } = await live();
    const seen = statuses(client);
    world.network.faults.down = true;
    world.network.cut();
    await world.run(20_000);
    expect(client.status).toBe("offline");
    world.network.faults.down = false;
    for (const tab of world.tabs) tab.wake();
    await world.run(1_000);
    expect(client.status).toBe("live");
    expect(seen.at(-1)).toBe("live");
  });

  it("a client catches up page by page without showing half of a mutation", async () => {
    const world = new World();
    const writer = world.client({ storage: "memory" });
    await world.run(1_000);
    const reader = world.client({ live: false });
    await world.run(1_000);
    for (let i = 0; i < 700; i++) writer.mutate("pair", { id: `p${i}` });
    const counts: number[] = [];
    reader.subscribe(() => counts.push(reader.all("half").length));
    await world.run(10_000);
    expect(reader.all("half")).toHaveLength(1400);
    for (const count of counts) expect(count % 2).toBe(0);
  });
});
