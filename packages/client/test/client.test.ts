import { describe, expect, it } from "vitest";
import { SyncError } from "../src/client.ts";
import { Refused } from "./support/server.ts";
import { Profile, World, clientMutators, peek, shownMarks, views } from "./support/world.ts";

const mark = (m: string | number, over = {}) => ({ list: "l", mark: String(m), ...over });

/** A world with one client in it that is live. */
async function live(options = {}) {
  const world = new World();
  const profile = new Profile();
  const tab = world.tab(profile, options);
  await world.run(1_000);
  return { world, profile, tab, client: tab.client };
}

describe("a mutation", () => {
  it("shows at once, is saved, gets its verdict and leaves the pending ones", async () => {
    const { world, client } = await live();
    const events: string[] = [];
    for (const name of ["saved", "change", "rejected"]) client.addEventListener(name, () => events.push(name));
    const { saved, verdict } = client.mutate("append", mark(1));
    expect(shownMarks(client)).toEqual(["1"]);
    expect(client.pending.map((one) => one.state)).toEqual(["unsaved"]);
    await saved;
    await world.run(100);
    expect(await peek(verdict)).toMatchObject({ ok: true, cursor: 1 });
    expect(client.pending).toEqual([]);
    expect(world.marks()).toEqual(["1"]);
    expect(client.status).toBe("live");
    // The own one, the base that takes it over, and the verdict, with which nothing waits any more.
    expect(events).toEqual(["change", "saved", "change", "change"]);
  });

  it("is refused at the call when its command is unknown, it can't travel, or its own mutator throws", async () => {
    const { client } = await live();
    expect(() => client.mutate("nope", {})).toThrow("there is no mutator nope; there are: append");
    expect(() => client.mutate("constructor", {})).toThrow("there is no mutator");
    expect(() => client.mutate("append", { n: NaN })).toThrow("args.n is NaN");
    expect(() => client.mutate("todo.toggle", { id: "t1" })).toThrow("there is no todo t1");
    expect(client.pending).toEqual([]);
  });

  it("of any command may be sent by a client without mutators", async () => {
    const world = new World();
    const { mutators: _, ...plain } = { mutators: clientMutators };
    const tab = world.tab(new Profile(), { ...plain, mutators: undefined as never });
    await world.run(1_000);
    tab.client.mutate("append", mark(1));
    expect(shownMarks(tab.client)).toEqual([]);
    await world.run(100);
    expect(shownMarks(tab.client)).toEqual(["1"]);
  });

  it("that is refused rolls back, and the page is told why", async () => {
    const { world, client } = await live();
    const told: unknown[] = [];
    client.addEventListener("rejected", (event) => told.push((event as CustomEvent).detail));
    const shown = views(client, () => shownMarks(client));
    const { id, verdict } = client.mutate("append", mark(1, { refuse: true }));
    client.mutate("append", mark(2));
    await world.run(100);
    expect(await peek(verdict)).toEqual({ ok: false, code: "rejected", reason: "refused", error: "not this one" });
    expect(told).toEqual([
      expect.objectContaining({ id, type: "append", code: "rejected", reason: "refused", own: true }),
    ]);
    expect(shown.at(-1)).toEqual(["2"]);
    expect(world.marks()).toEqual(["2"]);
  });

  it("can be taken back until it is sent", async () => {
    const { world, client } = await live();
    world.network.faults.down = true;
    world.network.cut();
    world.server.gate = () => undefined;
    const first = client.mutate("append", mark(1));
    await world.run(200);
    // The first try gave it a place: only what came after can be taken back.
    const second = client.mutate("append", mark(2));
    await world.clock.settle();
    expect(await client.undo(first.id)).toBe(false);
    expect(await client.undo(second.id)).toBe(true);
    expect(await peek(second.verdict)).toMatchObject({ ok: false, code: "undone" });
    expect(shownMarks(client)).toEqual(["1"]);
    world.network.faults.down = false;
    await world.run(60_000);
    expect(world.marks()).toEqual(["1"]);
  });

  it("travels with its schema, scope and place, under the wire's names", async () => {
    const { world, client } = await live({ schema: 3, scope: "list:42" });
    const { id } = client.mutate("append", mark(1));
    await world.run(100);
    expect(world.server.pushes.at(-1)).toMatchObject({
      epoch: "e1",
      client: expect.any(String),
      mutations: [{ id, type: "append", args: mark(1), scope: "list:42", seq: 1, schema: 3 }],
    });
  });
});

describe("the view of a client", () => {
  it("never holds a mutation twice, and never loses its own, from the call to the base", async () => {
    const { world, client } = await live();
    const other = world.client();
    await world.run(1_000);
    const shown = views(client, () => shownMarks(client));
    for (let i = 0; i < 20; i++) {
      client.mutate("append", mark(`a${i}`));
      other.mutate("append", mark(`b${i}`));
      await world.run(3);
    }
    await world.run(1_000);
    expect(shownMarks(client)).toEqual(world.marks());
    expect(shownMarks(other)).toEqual(world.marks());
    for (const view of shown) expect(new Set(view).size).toBe(view.length);
    const own = shown.map((view) => view.filter((one) => one.startsWith("a")).length);
    expect([...own].sort((a, b) => a - b)).toEqual(own);
  });

  it("shows changes of one mutation together", async () => {
    const { world, client } = await live();
    const shown = views(client, () => client.all("half").length);
    const other = world.client();
    await world.run(1_000);
    for (let i = 0; i < 5; i++) other.mutate("pair", { id: `p${i}` });
    await world.run(1_000);
    expect(shown.at(-1)).toBe(10);
    for (const count of shown) expect(count % 2).toBe(0);
  });

  it("starts with the page's snapshot, without a fetch", async () => {
    const world = new World();
    const writer = world.client();
    await world.run(1_000);
    writer.mutate("append", mark(1));
    await world.run(100);
    const { last_seq: _, ...snapshot } = world.server.snapshot({ scope: "_default" });
    world.network.requests.length = 0;
    const client = world.client({ snapshot });
    expect(shownMarks(client)).toEqual(["1"]);
    await world.run(1_000);
    expect(await peek(client.ready.then(() => "ready"))).toBe("ready");
    writer.mutate("append", mark(2));
    await world.run(100);
    expect(shownMarks(client)).toEqual(["1", "2"]);
    expect(world.network.requests).toEqual([]);
  });

  it("tells a subscriber once per change set, also when it mutates inside of a notification", async () => {
    const { world, client, tab } = await live();
    const depth: number[] = [];
    let inside = 0;
    let done = false;
    const stop = client.subscribe(() => {
      depth.push(++inside);
      if (!done) {
        done = true;
        client.mutate("append", mark("inner"));
      }
      inside--;
    });
    client.subscribe(() => {
      throw new Error("the page's own");
    });
    client.mutate("append", mark("outer"));
    expect(depth).toEqual([1, 1]);
    expect(tab.reported).toHaveLength(2);
    await world.run(100);
    stop();
    const before = depth.length;
    client.mutate("append", mark("later"));
    expect(depth.length).toBe(before);
    expect(shownMarks(client)).toEqual(["outer", "inner", "later"]);
  });

  it("hands changes that are no collection's to the application", async () => {
    const seen: unknown[] = [];
    const { world, client } = await live({ onChange: (change: { data: unknown }) => seen.push(change.data) });
    world.server.emit("_default", "app-1", { ball: 3 });
    await world.run(100);
    expect(seen).toEqual([{ ball: 3 }]);
    expect(client.cursor).toBe(1);
  });
});

/** A profile's disk, which takes no more while it is full: what would write to it fails as a whole. */
function diskOf({ indexedDB }: Profile): { full: boolean } {
  const disk = { full: false };
  const factory = indexedDB!;
  const opening = factory.open.bind(factory);
  factory.open = (name, version) => {
    const request = opening(name, version);
    request.addEventListener("success", () => {
      const db = request.result;
      const transaction = db.transaction.bind(db);
      db.transaction = (...args) => {
        const tx = transaction(...args);
        const store = tx.objectStore.bind(tx);
        tx.objectStore = (of) => {
          const made = store(of);
          const put = made.put.bind(made);
          made.put = (value, key) => {
            const request = put(value, key);
            if (disk.full) request.addEventListener("success", () => tx.abort());
            return request;
          };
          return made;
        };
        return tx;
      };
    });
    return request;
  };
  return disk;
}

describe("the queue of a client", () => {
  it("survives the page: the next one sends what was saved", async () => {
    const { world, profile, tab } = await live();
    world.network.faults.down = true;
    world.network.cut();
    for (let i = 0; i < 3; i++) tab.client.mutate("append", mark(i));
    await tab.client.mutate("append", mark(3)).saved;
    await world.run(5_000);
    tab.kill();
    world.network.faults.down = false;
    const next = world.tab(profile).client;
    await world.run(5_000);
    expect(world.marks()).toEqual(["0", "1", "2", "3"]);
    expect(shownMarks(next)).toEqual(["0", "1", "2", "3"]);
    expect(next.pending).toEqual([]);
    const ids = new Set(world.server.pushes.map((push) => push.client));
    expect(ids.size).toBe(1);
  });

  it("is one per user", async () => {
    const { world, profile } = await live({ user: "ada" });
    const second = world.tab(profile, { user: "bob" }).client;
    const first = [...world.tabs][0]!.client;
    await world.run(1_000);
    first.mutate("append", mark(1));
    second.mutate("append", mark(2));
    await world.run(1_000);
    expect(new Set(world.server.pushes.map((push) => push.client)).size).toBe(2);
  });

  it("falls back to memory and says so, where IndexedDB is missing or breaks", async () => {
    const world = new World();
    const profile = new Profile();
    profile.indexedDB = undefined;
    const none = world.tab(profile).client;
    const told: string[] = [];
    none.addEventListener("storage", (event) => told.push(String((event as CustomEvent).detail.error)));
    await world.run(1_000);
    expect(none.storage).toBe("memory");
    expect(told).toEqual(["Error: no IndexedDB"]);
    await none.mutate("append", mark(1)).saved;
    await world.run(100);
    expect(world.marks()).toEqual(["1"]);

    const broken = new Profile();
    const tab = world.tab(broken);
    await world.run(1_000);
    await tab.client.mutate("append", mark(2)).saved;
    // As another page that deletes the database does.
    const name = (await broken.indexedDB!.databases())[0]!.name!;
    broken.indexedDB!.deleteDatabase(name);
    await world.run(100);
    expect(tab.client.storage).toBe("memory");
    await tab.client.mutate("append", mark(3)).saved;
    await world.run(1_000);
    expect(world.marks()).toEqual(["1", "2", "3"]);
    expect(shownMarks(tab.client)).toEqual(["1", "2", "3"]);
    expect(tab.client.pending).toEqual([]);
  });

  it.each(["leads", "follows"])("goes on in memory when the storage takes no more, alone if it %s; nothing is lost or done twice", async (as) => {
    const world = new World();
    const profile = new Profile();
    const disk = diskOf(profile);
    const tabs = [world.tab(profile), world.tab(profile)] as const;
    await world.run(1_000);
    const [tab, other] = as === "leads" ? tabs : [tabs[1], tabs[0]];
    expect([tab.leads, other.leads]).toEqual([as === "leads", as !== "leads"]);
    world.network.faults.down = true;
    world.network.cut();
    await tab.client.mutate("append", mark(1)).saved;
    // Long enough to be given its place, and to be sent into the void.
    await world.run(5_000);
    disk.full = true;
    const { saved, verdict } = tab.client.mutate("append", mark(2));
    await world.run(1_000);
    await saved;
    expect([tab.client.storage, shownMarks(tab.client)]).toEqual(["memory", ["1", "2"]]);
    disk.full = false;
    expect(other.leads).toBe(true);
    const theirs = other.client.mutate("append", mark(3));
    await world.run(100);
    expect([shownMarks(other.client), shownMarks(tab.client)]).toEqual([["1", "3"], ["1", "2"]]);
    world.network.faults.down = false;
    await world.run(60_000);
    for (const one of [theirs.verdict, verdict]) expect(await peek(one)).toMatchObject({ ok: true });
    expect([...world.marks()].sort()).toEqual(["1", "2", "3"]);
    for (const { client } of [tab, other]) expect([client.pending, shownMarks(client)]).toEqual([[], world.marks()]);
    // A page that comes later finds nothing to do twice.
    tab.kill();
    other.kill();
    const { client } = world.tab(profile);
    await world.run(60_000);
    expect([shownMarks(client), [...world.marks()].sort()]).toEqual([world.marks(), ["1", "2", "3"]]);
  });

  it.each([["the first new one", 1], ["the first that is sent", 0]])("is read and sent on a disk that is full, and goes on in memory with %s", async (_, count) => {
    const world = new World();
    const profile = new Profile();
    const disk = diskOf(profile);
    const before = world.tab(profile);
    await world.run(1_000);
    world.network.faults.down = true;
    world.network.cut();
    await before.client.mutate("append", mark(1)).saved;
    before.kill();
    disk.full = true;
    const { client } = world.tab(profile);
    await world.run(1_000);
    expect(shownMarks(client)).toEqual(["1"]);
    const all = ["1", "2"].slice(0, 1 + count);
    if (count) await client.mutate("append", mark(2)).saved;
    expect(shownMarks(client)).toEqual(all);
    await world.run(30_000);
    expect(client.storage).toBe("memory");
    world.network.faults.down = false;
    await world.run(60_000);
    expect([client.pending, shownMarks(client), world.marks()]).toEqual([[], all, all]);
  });

  it("is not sent over and over on a disk that is too full to keep its verdict", async () => {
    const world = new World();
    const profile = new Profile();
    const disk = diskOf(profile);
    const { client } = world.tab(profile, { live: false });
    await world.run(1_000);
    world.network.faults.down = true;
    const { verdict } = client.mutate("append", mark(1));
    await world.run(5_000);
    expect(client.pending).toMatchObject([{ state: "sent" }]);
    disk.full = true;
    world.network.faults.down = false;
    await world.run(60_000);
    expect([await peek(verdict), client.storage]).toMatchObject([{ ok: true }, "memory"]);
    expect([client.pending, shownMarks(client), world.marks()]).toEqual([[], ["1"], ["1"]]);
    expect(world.server.pushes.length).toBeLessThan(4);
  });

  it("is bounded", async () => {
    const world = new World();
    world.network.faults.down = true;
    const client = world.client({ storage: "memory" });
    await world.run(100);
    for (let i = 0; i < 10_000; i++) client.mutate("nothing", {});
    expect(() => client.mutate("nothing", {})).toThrow("10000 mutations are waiting already");
  });
});

describe("a lost answer", () => {
  it("is asked for again, and the mutation has one effect", async () => {
    const { world, client } = await live({ live: false });
    world.network.faults.loseAnswer = 1;
    const { verdict } = client.mutate("append", mark(1));
    await world.run(50);
    expect(world.marks()).toEqual(["1"]);
    expect(await peek(verdict)).toBe(undefined);
    expect(client.pending).toHaveLength(1);
    world.network.faults.loseAnswer = 0;
    await world.run(40_000);
    expect(await peek(verdict)).toMatchObject({ ok: true, cursor: 1 });
    expect(world.marks()).toEqual(["1"]);
    expect(world.server.pushes.length).toBeGreaterThan(1);
  });

  it("does not show the mutation twice while the base has it and the verdict is unknown", async () => {
    const { world, client } = await live();
    const shown = views(client, () => shownMarks(client));
    const { gate } = world.server;
    // The push is decided, its changes go out live, and then the connection breaks instead of answering.
    let broken = false;
    client.mutate("append", mark(1));
    world.server.gate = (route) => {
      if (route !== "push" || broken) return;
      broken = true;
      setImmediate(() => world.network.cut());
    };
    await world.run(60_000);
    world.server.gate = gate;
    expect(world.marks()).toEqual(["1"]);
    for (const view of shown) expect(view).toEqual(["1"]);
    expect(client.pending).toEqual([]);
  });
});

describe("a reset", () => {
  it("to a restored server keeps what is pending, numbers it again and sends it", async () => {
    const { world, client } = await live();
    for (let i = 1; i <= 3; i++) client.mutate("append", mark(i));
    await world.run(100);
    world.server.backup();
    for (let i = 4; i <= 6; i++) client.mutate("append", mark(i));
    await world.run(100);
    world.network.faults.down = true;
    world.network.cut();
    const { id, verdict } = client.mutate("append", mark(7));
    await world.run(3_000);
    // 4 to 6 were accepted and are gone with the commits the restore lost; 7 had place 7 and now gets place 4.
    world.server.restore("e2");
    world.network.faults.down = false;
    world.server.pushes.length = 0;
    await world.run(60_000);
    expect(world.marks()).toEqual(["1", "2", "3", "7"]);
    expect(shownMarks(client)).toEqual(["1", "2", "3", "7"]);
    expect(await peek(verdict)).toMatchObject({ ok: true });
    expect(world.server.pushes.at(-1)!.mutations).toMatchObject([{ id, seq: 4 }]);
  });

  it("that happened while no page was open numbers again what the last one sent", async () => {
    const { world, profile, tab } = await live();
    world.server.backup();
    tab.client.mutate("append", mark(1));
    await world.run(100);
    world.network.faults.down = true;
    world.network.cut();
    tab.client.mutate("append", mark(2));
    await world.run(3_000);
    tab.kill();
    // The backup is older than this client: its mutation has place 2 where the server knows of none.
    world.server.restore("e2");
    world.network.faults.down = false;
    const next = world.tab(profile).client;
    await world.run(60_000);
    expect(world.marks()).toEqual(["2"]);
    expect(shownMarks(next)).toEqual(["2"]);
    expect(next.pending).toEqual([]);
  });

  it("after a file was copied back is found by the digest, without any announcement", async () => {
    const { world, client } = await live();
    const writer = world.client();
    await world.run(1_000);
    client.mutate("append", mark("a1"));
    await world.run(100);
    world.server.backup();
    client.mutate("append", mark("a2"));
    await world.run(100);
    world.network.cut();
    world.server.restore();
    writer.mutate("append", mark("b1"));
    await world.run(60_000);
    expect(world.marks()).toEqual(["a1", "b1"]);
    expect(shownMarks(client)).toEqual(["a1", "b1"]);
    client.mutate("append", mark("a3"));
    await world.run(60_000);
    expect(world.marks()).toEqual(["a1", "b1", "a3"]);
    expect(client.pending).toEqual([]);
  });

  it("after the log was trimmed takes a snapshot and asks for the verdicts of what it covers", async () => {
    const { world, client } = await live();
    const writer = world.client();
    await world.run(1_000);
    world.network.faults.loseAnswer = 1;
    const { verdict } = client.mutate("append", mark("a"));
    await world.run(100);
    world.network.faults.down = true;
    world.network.cut();
    await world.run(1_000);
    world.network.faults = { ...world.network.faults, down: false, loseAnswer: 0 };
    expect(world.marks()).toEqual(["a"]);
    world.server.emit("_default", "somebody", { x: 1 });
    world.server.trim("_default");
    const shown = views(client, () => shownMarks(client));
    await world.run(60_000);
    expect(await peek(verdict)).toMatchObject({ ok: true });
    expect(shownMarks(client)).toEqual(["a"]);
    for (const view of shown) expect(view).toEqual(["a"]);
    expect(client.pending).toEqual([]);
    expect(writer.pending).toEqual([]);
  });
});

describe("sync()", () => {
  it("pushes what is queued and pulls to the head", async () => {
    const { world, client } = await live({ live: false });
    const other = world.client();
    await world.run(1_000);
    other.mutate("append", mark("b"));
    client.mutate("append", mark("a"));
    const done = client.sync();
    await world.run(100);
    await done;
    expect(client.pending).toEqual([]);
    expect([...shownMarks(client)].sort()).toEqual(["a", "b"]);
  });

  it("rejects with what stood in the way, and nothing breaks where nobody waits for it", async () => {
    const { world, client } = await live({ live: false });
    world.server.gate = () => {
      throw new Refused(503, "unavailable");
    };
    client.mutate("append", mark(1));
    void client.sync();
    const failed = client.sync().catch((error: unknown) => error);
    await world.run(1_000);
    expect(await failed).toBeInstanceOf(SyncError);
    expect(await failed).toMatchObject({ code: "unavailable" });
    expect(client.pending).toHaveLength(1);
  });
});

describe("what a tool sees of a client", () => {
  it("goes by the same names in the built file", async () => {
    const { client } = await live();
    const { scopes, ...about } = client.inspect();
    expect(Object.keys(about).sort()).toEqual(["client", "env", "lastSynced", "leads", "status", "storage", "tab"]);
    expect(about).toMatchObject({ leads: true, status: "live", storage: "indexeddb" });
    expect(scopes.map((one) => Object.keys(one).sort())).toEqual([
      ["cursor", "digest", "epoch", "mine", "peers", "pending", "resync", "scope", "status"],
    ]);
  });
});
