import { describe, expect, it } from "vitest";
import type { SyncClientOptions } from "../src/client.ts";
import type { Snapshot } from "../src/core/words.ts";
import { Refused } from "./support/server.ts";
import { Profile, World, shownMarks, views } from "./support/world.ts";

const mark = (m: string | number) => ({ list: "l", mark: String(m) });

/** A page that was live, saw two marks, one of them of its own, and is gone. */
async function past(options: SyncClientOptions = {}) {
  const world = new World();
  const profile = new Profile();
  const tab = world.tab(profile, options);
  const other = world.client();
  await world.run(1_000);
  // What this page came with, had the server rendered it now.
  const early: Snapshot = { ...(world.server.snapshot({ scope: "_default" }) as Snapshot), last_seq: undefined };
  tab.client.mutate("append", mark("own"));
  await world.run(100);
  other.mutate("append", mark("other"));
  await world.run(1_000);
  expect(shownMarks(tab.client)).toEqual(["own", "other"]);
  return { world, profile, tab, other, early };
}

function goOffline(world: World): void {
  world.network.faults.down = true;
  world.network.cut();
}

function goOnline(world: World): void {
  world.network.faults.down = false;
}

describe("the base that is kept", () => {
  it("opens a page without a network, with what was done since, in one notification", async () => {
    const { world, profile, tab } = await past();
    goOffline(world);
    tab.client.mutate("append", mark("offline"));
    // Long enough to be numbered and to fail.
    await world.run(5_000);
    tab.kill();
    const { client } = world.tab(profile);
    const shown = views(client, () => shownMarks(client));
    await world.run(1_000);
    expect(shown).toEqual([["own", "other", "offline"]]);
    expect(client.cursor).toBe(2);
    goOnline(world);
    await world.run(60_000);
    expect(shownMarks(client)).toEqual(["own", "other", "offline"]);
    expect(world.marks()).toEqual(["own", "other", "offline"]);
    expect(client.pending).toEqual([]);
  });

  it("wins over an older one that a stored page came with", async () => {
    const { world, profile, tab, early } = await past();
    goOffline(world);
    tab.client.mutate("append", mark("offline"));
    await world.run(5_000);
    tab.kill();
    const { client } = world.tab(profile, { snapshot: early });
    expect(shownMarks(client)).toEqual([]);
    await world.run(1_000);
    expect(shownMarks(client)).toEqual(["own", "other", "offline"]);
  });

  it("loses against a newer one that the server rendered", async () => {
    const { world, profile, tab, other } = await past();
    tab.kill();
    other.mutate("append", mark("later"));
    await world.run(1_000);
    const fresh: Snapshot = { ...(world.server.snapshot({ scope: "_default" }) as Snapshot), last_seq: undefined };
    goOffline(world);
    const { client } = world.tab(profile, { snapshot: fresh });
    const shown = views(client, () => shownMarks(client));
    await world.run(1_000);
    expect(shownMarks(client)).toEqual(["own", "other", "later"]);
    expect(shown.every((marks) => marks.includes("later"))).toBe(true);
  });

  it("does not show a mutation twice whose answer was lost", async () => {
    const { world, profile, tab } = await past();
    // The change comes, the answer does not: the mutation waits in the queue, and the base holds it.
    world.network.faults.loseAnswer = 1;
    tab.client.mutate("append", mark("lost"));
    await world.run(2_000);
    expect(world.marks()).toEqual(["own", "other", "lost"]);
    tab.kill();
    goOffline(world);
    const { client } = world.tab(profile);
    await world.run(1_000);
    expect(shownMarks(client).filter((m) => m === "lost").length).toBeLessThanOrEqual(1);
    world.network.faults.loseAnswer = 0;
    goOnline(world);
    await world.run(60_000);
    expect(shownMarks(client)).toEqual(["own", "other", "lost"]);
  });

  it("is given up where the server has another history", async () => {
    const { world, profile, tab } = await past();
    tab.kill();
    world.server.scopes.clear();
    world.server.epoch = "e2";
    const { client } = world.tab(profile);
    await world.run(10_000);
    expect(shownMarks(client)).toEqual([]);
    client.mutate("append", mark("new"));
    await world.run(1_000);
    expect(world.marks()).toEqual(["new"]);
  });

  it("is forgotten when the scope may no longer be read", async () => {
    const { world, profile, tab } = await past();
    world.server.gate = () => {
      throw new Refused(403, "forbidden");
    };
    world.network.cut();
    await world.run(30_000);
    expect(shownMarks(tab.client)).toEqual([]);
    tab.kill();
    goOffline(world);
    const { client } = world.tab(profile);
    await world.run(1_000);
    expect(shownMarks(client)).toEqual([]);
  });

  it("is not kept for an application whose state is its own", async () => {
    const options = { onSnapshot: () => undefined };
    const { world, profile, tab } = await past(options);
    tab.kill();
    goOffline(world);
    const { client } = world.tab(profile, options);
    await world.run(1_000);
    expect(client.cursor).toBe(0);
  });
});
