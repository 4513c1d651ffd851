import { describe, expect, it } from "vitest";
import type { Server } from "./support/server.ts";
import { Profile, World, peek, shownMarks, views, type Tab } from "./support/world.ts";

const mark = (m: string | number, over = {}) => ({ list: "l", mark: String(m), ...over });

async function two(options = {}) {
  const world = new World();
  const profile = new Profile();
  const a = world.tab(profile, options);
  await world.run(500);
  const b = world.tab(profile, options);
  await world.run(500);
  return { world, profile, a, b };
}

const clients = (server: Server) => new Set(server.pushes.map((push) => push.client));

describe("two tabs of one profile", () => {
  it("share a queue and a client id, and one of them sends for both", async () => {
    const { world, a, b } = await two();
    const inFlight = watchPushes(world, [a, b]);
    for (let i = 0; i < 10; i++) {
      a.client.mutate("append", mark(`a${i}`));
      b.client.mutate("append", mark(`b${i}`));
      await world.run(2);
    }
    await world.run(2_000);
    expect(clients(world.server).size).toBe(1);
    expect(inFlight.most).toBe(1);
    expect(inFlight.by).toEqual(new Set([a]));
    const seqs = world.server.pushes.flatMap((push) => push.mutations.map((m: { seq: number }) => m.seq));
    expect(Math.max(...seqs)).toBe(20);
    expect(world.marks()).toHaveLength(20);
    expect(new Set(world.marks()).size).toBe(20);
    for (const tab of [a, b]) {
      expect(shownMarks(tab.client)).toEqual(world.marks());
      expect(tab.client.pending).toEqual([]);
    }
  });

  it("show each other's pending mutations, and the verdict reaches the tab that asked", async () => {
    const { world, a, b } = await two();
    world.server.busy = () => true;
    const { verdict, id } = b.client.mutate("append", mark("x", { refuse: true }));
    await world.run(50);
    expect(shownMarks(a.client)).toEqual(["x"]);
    expect(a.client.pending.map((one) => one.id)).toEqual([id]);
    expect(await peek(verdict)).toBe(undefined);
    const told: unknown[] = [];
    for (const tab of [a, b]) {
      tab.client.addEventListener("rejected", (event) => told.push([tab === b, (event as CustomEvent).detail.own]));
    }
    world.server.busy = () => false;
    await world.run(60_000);
    expect(await peek(verdict)).toMatchObject({ ok: false, reason: "refused" });
    expect(told.sort()).toEqual([
      [false, false],
      [true, true],
    ]);
    expect([shownMarks(a.client), shownMarks(b.client)]).toEqual([[], []]);
  });

  it("never show a mutation twice, whichever tab made it", async () => {
    const { world, a, b } = await two();
    const shown = [a, b].map((tab) => views(tab.client, () => shownMarks(tab.client)));
    for (let i = 0; i < 10; i++) {
      (i % 2 ? a : b).client.mutate("append", mark(i));
      await world.run(7);
    }
    await world.run(1_000);
    for (const view of shown.flat()) expect(new Set(view).size).toBe(view.length);
  });

  it("go on when the leader dies: the next takes the lock, reads the queue and sends", async () => {
    const { world, a, b } = await two();
    world.network.faults.down = true;
    world.network.cut();
    a.client.mutate("append", mark("a"));
    await world.run(100);
    const { verdict } = b.client.mutate("append", mark("b"));
    await world.run(3_000);
    expect(world.marks()).toEqual([]);
    a.kill();
    world.network.faults.down = false;
    await world.run(60_000);
    expect(world.marks()).toEqual(["a", "b"]);
    expect(await peek(verdict)).toMatchObject({ ok: true });
    expect(shownMarks(b.client)).toEqual(["a", "b"]);
    expect(b.client.pending).toEqual([]);
    expect(clients(world.server).size).toBe(1);
  });

  it("go on when the leader closes", async () => {
    const { world, a, b } = await two();
    a.client.mutate("append", mark("a"));
    const closed = a.client.close();
    await world.run(100);
    await closed;
    b.client.mutate("append", mark("b"));
    await world.run(5_000);
    expect(world.marks()).toEqual(["a", "b"]);
    expect(b.client.pending).toEqual([]);
  });

  it("pass the lead from a hidden one to a visible one", async () => {
    const { world, a, b } = await two();
    a.hidden = true;
    b.wake();
    await world.run(100);
    const inFlight = watchPushes(world, [a, b]);
    a.client.mutate("append", mark("a"));
    b.client.mutate("append", mark("b"));
    await world.run(2_000);
    expect(inFlight.by).toEqual(new Set([b]));
    expect(world.marks()).toHaveLength(2);
  });

  it("repair what news got lost: the queue is the truth", async () => {
    const { world, a, b } = await two({ env: { channel: () => ({ postMessage() {}, close() {}, onmessage: null }) } });
    const accepted = b.client.mutate("append", mark("b"));
    const refused = b.client.mutate("append", mark("no", { refuse: true }));
    await world.run(100);
    // Nobody told the leader; whatever makes it look next sends what it finds.
    a.client.mutate("append", mark("a"));
    await world.run(30_000);
    expect(world.marks()).toEqual(["b", "a"]);
    expect(await peek(accepted.verdict)).toMatchObject({ ok: true });
    expect(await peek(refused.verdict)).toMatchObject({ ok: false, reason: "refused" });
    expect(b.client.pending).toEqual([]);
    expect(shownMarks(b.client)).toEqual(["b", "a"]);
  });

  it("sync together when either asks", async () => {
    const { world, a, b } = await two({ live: false });
    b.client.mutate("append", mark("b"));
    const done = b.client.sync();
    await world.run(200);
    await done;
    expect(b.client.pending).toEqual([]);
    expect(a.client.status).toBe("polling");
  });

  it("learn of a new client id when the server forgot the old one", async () => {
    const { world, a, b } = await two();
    b.client.mutate("append", mark(1));
    await world.run(1_000);
    world.server.scope("_default").places.clear();
    const told: string[] = [];
    for (const tab of [a, b]) tab.client.addEventListener("client", (e) => told.push((e as CustomEvent).detail.client));
    const unknown = b.client.mutate("append", mark(2));
    await world.run(1_000);
    expect(await peek(unknown.verdict)).toMatchObject({ ok: false, code: "client_unknown" });
    expect(told).toHaveLength(2);
    expect(new Set(told).size).toBe(1);
    const fresh = b.client.mutate("append", mark(3));
    await world.run(1_000);
    expect(await peek(fresh.verdict)).toMatchObject({ ok: true });
    expect(world.server.pushes.at(-1)).toMatchObject({ client: told[0], mutations: [{ seq: 1 }] });
    expect(shownMarks(a.client)).toEqual(["1", "3"]);
  });
});

/** Counts pushes on their way at one time, over HTTP and sockets, and which tab held the lock meanwhile. */
function watchPushes(world: World, tabs: Tab[]) {
  const seen = { most: 0, by: new Set<Tab>() };
  let now = 0;
  const push = world.server.push.bind(world.server);
  world.server.push = (body) => {
    seen.most = Math.max(seen.most, ++now);
    for (const tab of tabs) if (tab.leads) seen.by.add(tab);
    // The answer takes at least this long to get back: a push that comes before was sent before it was answered.
    world.clock.setTimeout(() => now--, world.network.faults.delay);
    return push(body);
  };
  return seen;
}
