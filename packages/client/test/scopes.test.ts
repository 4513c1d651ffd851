import { describe, expect, it } from "vitest";
import { Refused } from "./support/server.ts";
import { Profile, World } from "./support/world.ts";

const mark = (m: string | number, over = {}) => ({ list: "l", mark: String(m), ...over });
const marks = (scope: { get(collection: string, id: string): any }): string[] => scope.get("list", "l")?.marks ?? [];

describe("several scopes of one client", () => {
  it("share one connection, one queue and one client id, whose places count per scope", async () => {
    const world = new World();
    const { client } = world.tab(new Profile());
    const [a, b] = [client.scope("list:a"), client.scope("list:b")];
    await world.run(1_000);
    for (const n of [1, 2]) {
      a.mutate("append", mark(`a${n}`));
      b.mutate("append", mark(`b${n}`));
    }
    await world.run(1_000);
    expect([marks(a), marks(b)]).toEqual([["a1", "a2"], ["b1", "b2"]]);
    expect([world.marks("l", "list:a"), world.marks("l", "list:b")]).toEqual([["a1", "a2"], ["b1", "b2"]]);
    expect(world.network.connections.size).toBe(1);
    expect(new Set(world.server.pushes.map((push) => push.client)).size).toBe(1);
    const places = (of: string) =>
      world.server.pushes.flatMap((push) => push.mutations).filter((m) => m.scope === of).map((m) => m.seq);
    expect([places("list:a"), places("list:b")]).toEqual([[1, 2], [1, 2]]);
    expect([client.status, client.pending]).toEqual(["live", []]);
    // A client of other scopes has none of its own.
    expect(world.server.scopes.has("_default")).toBe(false);
  });

  it("do not wait for each other: one that is asked to wait, or refused, holds no other up", async () => {
    const world = new World();
    const { client } = world.tab(new Profile(), { live: false });
    const [a, b] = [client.scope("a"), client.scope("b")];
    await world.run(5_000);
    world.server.gate = (route, body) => {
      if (route === "push" && body.mutations[0].scope === "a") throw new Refused(429, "rate_limited", "600");
    };
    for (let i = 0; i < 300; i++) a.mutate("append", mark(`a${i}`));
    b.mutate("append", mark("b"));
    await world.run(5_000);
    expect(marks(b)).toEqual(["b"]);
    expect(world.marks("l", "b")).toEqual(["b"]);
    expect(b.pending).toEqual([]);
    expect(a.pending).toHaveLength(300);
    world.server.gate = () => undefined;
    await world.run(700_000);
    expect(a.pending).toEqual([]);
  });

  it("are apart: one that may no longer be read loses its data alone", async () => {
    const world = new World();
    const { client } = world.tab(new Profile());
    const [a, b] = [client.scope("a"), client.scope("b")];
    await world.run(1_000);
    a.mutate("append", mark("a"));
    b.mutate("append", mark("b"));
    await world.run(1_000);
    world.server.gate = (route, body) => {
      if (route !== "push" && body.scope === "a") throw new Refused(403, "forbidden");
    };
    world.network.cut();
    await world.run(30_000);
    expect([marks(a), marks(b)]).toEqual([[], ["b"]]);
    expect([a.status, b.status, client.status]).toEqual(["unauthorized", "live", "live"]);
  });

  it("that nobody has open any more are sent all the same", async () => {
    const world = new World();
    const profile = new Profile();
    const first = world.tab(profile);
    const a = first.client.scope("a");
    await world.run(1_000);
    world.network.faults.down = true;
    world.network.cut();
    await a.mutate("append", mark("offline")).saved;
    await world.run(1_000);
    first.kill();
    world.network.faults.down = false;
    const other = world.tab(profile).client;
    other.scope("b");
    await world.run(60_000);
    expect(world.marks("l", "a")).toEqual(["offline"]);
    expect(await other.exportPending()).toEqual([]);
  });

  it("opened by any tab are followed by the leader, and its other tabs see what it sees", async () => {
    const world = new World();
    const profile = new Profile();
    const a = world.tab(profile);
    a.client.scope("a");
    await world.run(1_000);
    const b = world.tab(profile);
    const opened = b.client.scope("b");
    await world.run(1_000);
    expect([a.leads, b.leads]).toEqual([true, false]);
    expect(world.network.connections.size).toBe(1);
    const [connection] = world.network.connections;
    expect([...connection!.subscriptions.keys()].sort()).toEqual(["a", "b"]);
    const writer = world.client({ scope: "b" });
    await world.run(1_000);
    writer.mutate("append", mark("from elsewhere"));
    await world.run(100);
    expect(marks(opened)).toEqual(["from elsewhere"]);
    expect([opened.status, b.client.status]).toEqual(["live", "live"]);
    b.kill();
    await world.run(60_000);
    expect([...connection!.subscriptions.keys()]).toEqual(["a"]);
  });

  it("closed by the page are left, and opened again go on where they were", async () => {
    const world = new World();
    const { client } = world.tab(new Profile(), { scope: null });
    const a = client.scope("a");
    await world.run(1_000);
    a.mutate("append", mark(1));
    await world.run(1_000);
    a.close();
    await world.run(1_000);
    const [connection] = world.network.connections;
    expect([...connection!.subscriptions.keys()]).toEqual([]);
    world.network.requests.length = 0;
    const again = client.scope("a");
    await world.run(1_000);
    expect(marks(again)).toEqual(["1"]);
    expect(connection!.heard.at(-1)!.data).toMatchObject({ type: "subscribe", cursor: 1 });
  });

  it("closed by the page while something of them waits are followed until it has its verdict", async () => {
    const world = new World();
    const { client } = world.tab(new Profile(), { scope: null });
    const a = client.scope("a");
    await world.run(1_000);
    world.server.busy = () => true;
    const { verdict } = a.mutate("append", mark(1));
    await world.run(1_000);
    a.close();
    const [connection] = world.network.connections;
    await world.run(20_000);
    expect([...connection!.subscriptions.keys()]).toEqual(["a"]);
    world.server.busy = () => false;
    await world.run(60_000);
    expect(world.marks("l", "a")).toEqual(["1"]);
    expect(await verdict).toMatchObject({ ok: true });
    expect([...connection!.subscriptions.keys()]).toEqual([]);
  });

  it("can be none: then what is asked of the client itself says so", () => {
    const client = new World().client({ scope: null, storage: "memory" });
    expect(() => client.mutate("append", mark(1))).toThrow("client.scope(name)");
  });
});

describe("the tabs of a profile", () => {
  it("have one connection; the others' views move with the leader's, and nothing is fetched for them", async () => {
    const world = new World();
    const profile = new Profile();
    const writer = world.client();
    const tabs = [world.tab(profile), world.tab(profile), world.tab(profile)];
    await world.run(2_000);
    expect(world.network.connections.size).toBe(2);
    world.network.requests.length = 0;
    for (let i = 0; i < 5; i++) {
      writer.mutate("append", mark(i));
      await world.run(50);
    }
    await world.run(500);
    for (const tab of tabs) expect([marks(tab.client), tab.client.status]).toEqual([["0", "1", "2", "3", "4"], "live"]);
    expect(world.network.requests).toEqual([]);
  });

  it("get the base from the leader where they missed what moved it", async () => {
    const world = new World();
    const profile = new Profile();
    const writer = world.client();
    const a = world.tab(profile);
    await world.run(1_000);
    const b = world.tab(profile);
    await world.run(1_000);
    expect([a.leads, b.leads]).toEqual([true, false]);
    world.network.requests.length = 0;
    b.frozen = true;
    writer.mutate("append", mark(1));
    await world.run(500);
    b.frozen = false;
    writer.mutate("append", mark(2));
    await world.run(500);
    expect(marks(b.client)).toEqual(["1", "2"]);
    expect(world.network.requests).toEqual([]);
  });

  it("show offline in one what was done offline in the other", async () => {
    const world = new World();
    const profile = new Profile();
    const a = world.tab(profile);
    await world.run(500);
    const b = world.tab(profile);
    await world.run(500);
    world.network.faults.down = true;
    world.network.cut();
    b.client.mutate("append", mark("b"));
    await world.run(50);
    expect(marks(a.client)).toEqual(["b"]);
    const c = world.tab(profile);
    await world.run(500);
    expect(marks(c.client)).toEqual(["b"]);
    await world.run(20_000);
    expect([a, b, c].map((tab) => tab.client.status)).toEqual(["offline", "offline", "offline"]);
  });

  it("hand the link over within a second when the one that holds it dies", async () => {
    const world = new World();
    const profile = new Profile();
    const a = world.tab(profile);
    await world.run(500);
    const b = world.tab(profile);
    const writer = world.client();
    await world.run(1_000);
    a.kill();
    writer.mutate("append", mark("late"));
    await world.run(1_000);
    expect(marks(b.client)).toEqual(["late"]);
    expect(b.client.status).toBe("live");
  });

  it("take the lead from a frozen one that is hidden", async () => {
    const world = new World();
    const profile = new Profile();
    const a = world.tab(profile);
    await world.run(500);
    const b = world.tab(profile);
    await world.run(500);
    // It keeps its lock and hears nothing.
    a.hidden = true;
    a.frozen = true;
    b.client.mutate("append", mark("b"));
    b.wake();
    await world.run(10_000);
    expect(world.marks()).toEqual(["b"]);
    expect(b.client.pending).toEqual([]);
    a.frozen = false;
    await world.run(20_000);
    a.client.mutate("append", mark("a"));
    await world.run(20_000);
    expect(world.marks()).toEqual(["b", "a"]);
    expect(marks(a.client)).toEqual(["b", "a"]);
  });

  it("each get the state of their own that only an application understands", async () => {
    const world = new World();
    const profile = new Profile();
    const seen: unknown[][] = [[], []];
    for (const at of [0, 1]) world.tab(profile, { onChange: (change) => seen[at]!.push(change.data) });
    await world.run(2_000);
    world.server.emit("_default", "app-1", { ball: 3 });
    await world.run(500);
    expect(seen).toEqual([[{ ball: 3 }], [{ ball: 3 }]]);
  });
});

describe("what waits", () => {
  it("can be exported, of all scopes and tabs, with the version it was written under", async () => {
    const world = new World();
    const profile = new Profile();
    const old = world.tab(profile, { schema: 1, scope: "a" });
    await world.run(500);
    world.network.faults.down = true;
    world.network.cut();
    await old.client.mutate("append", mark("old")).saved;
    old.kill();
    const { client } = world.tab(profile, { schema: 2, scope: "b" });
    client.mutate("append", mark("new"));
    await world.run(500);
    const exported = await client.exportPending();
    expect(exported).toMatchObject([
      { scope: "a", type: "append", args: mark("old"), schema: 1 },
      { scope: "b", type: "append", args: mark("new"), schema: 2 },
    ]);
    expect(JSON.parse(JSON.stringify(exported))).toEqual(exported);
    world.network.faults.down = false;
    await world.run(60_000);
    const sent = world.server.pushes.flatMap((push) => push.mutations).map((m) => [m.args.mark, m.schema]);
    expect(sent.filter(([m]) => m === "old").at(-1)).toEqual(["old", 1]);
    expect([world.marks("l", "a"), world.marks("l", "b")]).toEqual([["old"], ["new"]]);
  });
});
