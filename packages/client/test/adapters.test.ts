/**
 * The hooks and the signals against the libraries they are for.
 */
import { effect, signal } from "@preact/signals-core";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { useCollection, useEntity, usePending, useStatus } from "../src/react.ts";
import { pendingSignal, readSignal, rowsSignal, statusSignal } from "../src/signals.ts";
import { World } from "./support/world.ts";

async function todos() {
  const world = new World();
  const client = world.client({ storage: "memory" });
  await world.run(1_000);
  client.mutate("todo.create", { id: "t1", title: "Milk" });
  await world.run(1_000);
  return { world, client };
}

describe("signals", () => {
  it("follow rows, anything that is read, the status and what waits, until they are stopped", async () => {
    const { world, client } = await todos();
    const rows = rowsSignal(signal, client.collection("todo").where({ completed: true }));
    const title = readSignal(signal, client.scope("_default"), () => client.get("todo", "t1")?.title);
    const status = statusSignal(signal, client);
    const pending = pendingSignal(signal, client);
    const seen: unknown[] = [];
    effect(() => void seen.push([rows.signal.value.length, title.signal.value, pending.signal.value]));
    client.mutate("todo.toggle", { id: "t1" });
    expect(seen.at(-1)).toEqual([1, "Milk", 1]);
    await world.run(1_000);
    expect(seen.at(-1)).toEqual([1, "Milk", 0]);
    expect(status.signal.value).toBe("live");
    world.network.faults.down = true;
    world.network.cut();
    await world.run(20_000);
    expect(status.signal.value).toBe("offline");
    for (const one of [rows, title, status, pending]) one.stop();
    const count = seen.length;
    client.mutate("todo.delete", { id: "t1" });
    expect(seen.length).toBe(count);
  });
});

describe("hooks", () => {
  it("read the same on the server as in the first render", async () => {
    const { client } = await todos();
    const collection = client.collection("todo");
    function Page() {
      const all = useCollection<any>(collection, (rows) => rows.sort("title"));
      const one = useEntity<any>(client, collection, "t1");
      return createElement("p", null, `${all.length} ${one.title} ${useStatus(client)} ${usePending(client).length}`);
    }
    expect(renderToString(createElement(Page))).toBe("<p>1 Milk live 0</p>");
  });
});
