import { describe, expect, it } from "vitest";
import { SyncClient } from "../../src/client.ts";
import { Profile, World } from "../support/world.ts";

/** What the other tests get from a browser that Node only imitates: that they do get it. */
describe("in a browser", () => {
  it("a queue is in the browser's own IndexedDB, with the durability it was asked for", async () => {
    const asked: IDBTransactionDurability[] = [];
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...args) {
      const tx = transaction.apply(this, args);
      if (tx.mode === "readwrite" && [tx.objectStoreNames].flat().length && tx.objectStoreNames.contains("queued")) {
        asked.push(tx.durability);
      }
      return tx;
    };
    const world = new World();
    world.network.faults.down = true;
    const profile = new Profile();
    const { client } = world.tab(profile);
    await world.run(1_000);
    await client.mutate("append", { list: "l", mark: "1" }).saved;
    IDBDatabase.prototype.transaction = transaction;
    expect(new Set(asked)).toEqual(new Set(["strict"]));
    const names = (await indexedDB.databases()).map(({ name }) => name!);
    const [{ name }] = (await profile.indexedDB!.databases()) as [{ name: string }];
    expect(names).toContain(name);
    const db = await new Promise<IDBDatabase>((resolve, reject) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error as Error);
    });
    const rows = db.transaction("queued").objectStore("queued").getAll(IDBKeyRange.bound(["waits"], ["waits", []]));
    await new Promise((resolve) => (rows.onsuccess = resolve));
    db.close();
    expect(rows.result).toMatchObject([{ type: "append", args: { list: "l", mark: "1" }, scope: "_default" }]);
  });

  it("one of two clients leads by a Web Lock, hears the other by a channel, and hands over within a second", async () => {
    const user = crypto.randomUUID();
    const snapshot = { data: {}, cursor: 0, epoch: "e1", last_seq: 0 };
    const pushed: string[] = [];
    const fetch = async (url: string, { body }: RequestInit): Promise<Response> => {
      const { mutations = [] } = JSON.parse(String(body)) as { mutations?: { id: string }[] };
      pushed.push(...mutations.map(({ id }) => id));
      if (url.endsWith("snapshot")) return Response.json(snapshot);
      if (url.endsWith("pull")) return Response.json({ changes: [], has_more: false, next_cursor: 0, epoch: "e1", last_seq: 0 });
      return Response.json({ epoch: "e1", results: mutations.map(({ id }) => ({ id, ok: true, cursor: 0 })) });
    };
    const open = () => new SyncClient({ user, scope: "s", live: false, persist: false, env: { fetch } });
    const clients = [open(), open()];
    const leaders = () => clients.filter((client) => client.inspect().leads);
    await expect.poll(() => leaders().length).toBe(1);
    const [leader] = leaders();
    const follower = clients.find((client) => client !== leader)!;
    const { id, verdict } = follower.mutate("any", {});
    expect(await verdict).toMatchObject({ ok: true });
    expect(pushed).toEqual([id]);
    void leader!.close();
    await expect.poll(() => follower.inspect().leads, { timeout: 1_000 }).toBe(true);
    await follower.close();
  });
});
