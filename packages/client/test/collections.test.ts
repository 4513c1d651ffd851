import { describe, expect, it } from "vitest";
import { World } from "./support/world.ts";

interface Todo {
  id: string;
  title: string;
  completed: boolean;
}

/** A client with five todos in its base, live. */
async function todos() {
  const world = new World();
  const client = world.client({ storage: "memory" });
  await world.run(1_000);
  for (const n of [1, 2, 3, 4, 5]) client.mutate("todo.create", { id: `t${n}`, title: `Title ${6 - n}` });
  await world.run(1_000);
  return { world, client, all: client.collection("todo") as ReturnType<typeof client.collection<"todo">> };
}

const ids = (rows: readonly Todo[]): string => rows.map(({ id }) => id).join();

describe("a collection", () => {
  it("has all, get, where and sort, over base + pending", async () => {
    const { client, all } = await todos();
    client.mutate("todo.toggle", { id: "t2" });
    expect(ids(all.all())).toBe("t1,t2,t3,t4,t5");
    expect(all.get("t2")).toMatchObject({ completed: true });
    expect(ids(all.where({ completed: true }).all())).toBe("t2");
    expect(ids(all.where((todo: Todo) => todo.id > "t3").sort("title").all())).toBe("t5,t4");
    expect(ids(all.sort((todo: Todo) => todo.title, true).all())).toBe("t1,t2,t3,t4,t5");
    const open = all.where({ completed: false });
    expect(open.all()).toBe(open.all());
  });

  it("tells a subscriber only when what it read is different", async () => {
    const { world, client, all } = await todos();
    const told: string[] = [];
    all.subscribe((rows: readonly Todo[]) => told.push(`all ${rows.length}`));
    all.where({ completed: true }).subscribe((rows: readonly Todo[]) => told.push(`done ${ids(rows)}`));
    all.where({ completed: false }).sort("title").subscribe((rows: readonly Todo[]) => told.push(`open ${ids(rows)}`));
    client.watch(() => client.get("todo", "t5"), (todo: Todo | undefined) => told.push(`t5 ${todo?.completed}`));
    client.watch(() => all.all().length, (count) => told.push(`count ${count}`));
    client.collection("half").subscribe(() => told.push("half"));
    client.mutate("todo.toggle", { id: "t1" });
    expect(told.splice(0)).toEqual(["all 5", "done t1", "open t5,t4,t3,t2"]);
    // The verdict and the base bring the same values: nothing is different.
    await world.run(1_000);
    expect(told).toEqual([]);
    client.mutate("todo.delete", { id: "t5" });
    expect(told.splice(0)).toEqual(["all 4", "open t4,t3,t2", "t5 undefined", "count 4"]);
    client.mutate("append", { list: "l", mark: "x" });
    await world.run(1_000);
    expect(told).toEqual([]);
    client.mutate("pair", { id: "p" });
    expect(told).toEqual(["half"]);
  });

  it("says with each change set what of the view is different, and nothing else", async () => {
    const { world, client } = await todos();
    const told: unknown[] = [];
    client.subscribe((changes) => told.push(structuredClone({ ...changes })));
    client.mutate("todo.toggle", { id: "t1" });
    client.mutate("todo.delete", { id: "t2" });
    expect(told.splice(0)).toEqual([{ todo: { put: ["t1"], del: [] } }, { todo: { put: [], del: ["t2"] } }]);
    const other = world.client({ storage: "memory" });
    await world.run(1_000);
    told.length = 0;
    client.mutate("todo.toggle", { id: "t3" });
    told.length = 0;
    other.mutate("todo.toggle", { id: "t4" });
    await world.run(1_000);
    expect(told.filter((one) => Object.keys(one as object).length)).toEqual([{ todo: { put: ["t4"], del: [] } }]);
  });

  it("is told the difference a new base makes, not the whole of it", async () => {
    const { world, client, all } = await todos();
    const before = all.get("t1");
    const told: unknown[] = [];
    client.subscribe((changes) => told.push({ ...changes }));
    const other = world.client({ storage: "memory" });
    await world.run(1_000);
    world.network.cut();
    other.mutate("todo.delete", { id: "t5" });
    world.server.trim("_default");
    world.network.cut();
    world.server.emit("_default", "x", { any: 1 });
    world.server.trim("_default");
    await world.run(60_000);
    expect(told.filter((one) => Object.keys(one as object).length)).toEqual([{ todo: { put: [], del: ["t5"] } }]);
    expect(all.get("t1")).toBe(before);
  });
});
