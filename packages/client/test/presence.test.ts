import { describe, expect, it } from "vitest";
import { Profile, World } from "./support/world.ts";

const names = (presence: { peers: readonly { state: { name: string }; self?: boolean }[] }): string[] =>
  presence.peers.map(({ state, self }) => state.name + (self ? "*" : "")).sort();

describe("presence", () => {
  it("shows who is here to everybody who looks, each tab as one, and itself marked", async () => {
    const world = new World();
    const profile = new Profile();
    const [a, b] = [world.tab(profile).client.presence(), world.tab(profile).client.presence()];
    const other = world.client().presence();
    await world.run(1_000);
    a.set({ name: "Ada" });
    b.set({ name: "Bob" });
    const seen: number[] = [];
    other.subscribe((peers) => seen.push(peers.length));
    await world.run(500);
    expect([names(a), names(b), names(other)]).toEqual([["Ada*", "Bob"], ["Ada", "Bob*"], ["Ada", "Bob"]]);
    expect(seen.at(-1)).toBe(2);
    b.set(null);
    await world.run(500);
    expect(names(other)).toEqual(["Ada"]);
  });

  it("follows those who join, change and leave, told one by one", async () => {
    const world = new World();
    const presence = world.client().presence();
    const seen: string[][] = [];
    presence.subscribe(() => seen.push(names(presence)));
    await world.run(1_000);
    const [connection] = world.network.connections;
    const peer = (id: string, name: string) => ({ id, state: { name } });
    for (const frame of [
      { peers: [peer("p1", "Ada")], you: {} },
      { join: [peer("p2", "Bob")], leave: [] },
      { set: [peer("p1", "Eve")] },
      { leave: ["p1"] },
    ]) {
      connection!.emit("sync:_default", { type: "presence", ...frame });
      await world.run(100);
    }
    expect(seen.slice(-4)).toEqual([["Ada"], ["Ada", "Bob"], ["Bob", "Eve"], ["Bob"]]);
  });

  it("is gone with the connection, and said again on the next one", async () => {
    const world = new World();
    const a = world.client().presence();
    const other = world.client().presence();
    other.subscribe(() => undefined);
    await world.run(1_000);
    a.set({ name: "Ada" });
    await world.run(500);
    world.network.faults.noSockets = true;
    world.network.cut();
    await world.run(500);
    expect([names(a), names(other)]).toEqual([[], []]);
    world.network.faults.noSockets = false;
    await world.run(60_000);
    expect([names(a), names(other)]).toEqual([["Ada*"], ["Ada"]]);
  });

  it("outlives the leader of a profile, and a tab that is gone is gone from it", async () => {
    const world = new World();
    const profile = new Profile();
    const tabs = [world.tab(profile), world.tab(profile), world.tab(profile)];
    const other = world.client().presence();
    other.subscribe(() => undefined);
    await world.run(1_000);
    tabs.forEach((tab, i) => tab.client.presence().set({ name: `tab${i}` }));
    await world.run(1_000);
    expect(names(other)).toEqual(["tab0", "tab1", "tab2"]);
    tabs[0]!.kill();
    await world.run(2_000);
    expect(names(other)).toEqual(["tab1", "tab2"]);
    void tabs[1]!.client.close();
    await world.run(2_000);
    expect(names(other)).toEqual(["tab2"]);
  });

  it("says nothing until it is asked to, and refuses what is too much", async () => {
    const world = new World();
    const presence = world.client().presence();
    await world.run(1_000);
    const [connection] = world.network.connections;
    expect(connection!.heard.filter(({ data }) => data["type"] === "presence")).toEqual([]);
    expect(() => presence.set({ name: "x".repeat(1024) })).toThrow("of at most 1024");
    expect(() => presence.set({ name: NaN })).toThrow("state.name is NaN");
  });
});
