/**
 * The queue's rules over any storage that has transactions: who is next, with which place, and what a verdict removes.
 * Every step that reads and then writes is one transaction of the storage, so that two tabs can't interleave in it.
 */
import { VERDICTS_KEPT } from "../core/limits.ts";
import { newId } from "../core/uuid.ts";
import type { Decided, Entry, KeptBase, Numbered } from "../core/words.ts";
import { nextBatch, renumbered } from "./numbering.ts";
import type { Batch, Queue, Room, Sender, Storage } from "./queue.ts";

/** Rows looked at for one push: all of its mutations, if they are of one scope, and as many of others between them. */
const ROWS = 256;

/** What a storage offers inside of one transaction. */
export interface Table {
  /** The first mutations, in order. */
  rows(limit?: number): Promise<Entry[]>;
  /** Adds a mutation behind all others and says where. */
  add(entry: Entry): Promise<number>;
  /** Writes a mutation where its `order` says. */
  put(entry: Entry): void;
  /** The mutation of this id. */
  find(id: string): Promise<Entry | undefined>;
  remove(entry: Entry): void;
  /** A value of one's own by its key. */
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): void;
  keys(): Promise<string[]>;
  clear(): void;
  /** Keeps a verdict, forgetting the oldest ones above `limit`. */
  keep(decided: readonly Decided[], limit: number): Promise<void>;
  kept(id: string): Promise<Decided | undefined>;
}

/** Whose watermark a kept base was read with. */
type Owned = KeptBase & { client: string };

/** A storage. `run` resolves when what was written is as safe as the storage makes it, and rejects with nothing done. */
export interface Store {
  readonly storage: Storage;
  run<T>(write: boolean, work: (table: Table) => Promise<T>): Promise<T>;
  close(): void;
}

/** The queue over a storage. Made by `TableQueue.open`. */
export class TableQueue implements Queue {
  readonly storage: Storage;
  client = "";
  readonly #store: Store;

  private constructor(store: Store) {
    this.#store = store;
    this.storage = store.storage;
  }

  /** Opens the queue in a storage, with the client id that is kept there or a new one. */
  static async open(store: Store): Promise<TableQueue> {
    const queue = new TableQueue(store);
    await store.run(true, async (table) => queue.#claim(table));
    return queue;
  }

  append(entries: readonly Entry[]): Promise<Entry[]> {
    return this.#store.run(true, (table) =>
      Promise.all(entries.map(async (entry) => ({ ...entry, order: await table.add(entry) }))),
    );
  }

  load(): Promise<Entry[]> {
    return this.#store.run(false, (table) => table.rows());
  }

  async take(room: Room, lead: boolean, epoch: string | null): Promise<Batch | null> {
    if (!lead) return null;
    return this.#store.run(true, async (table) => {
      const rows = await table.rows(ROWS);
      const scope = rows[0]?.scope;
      if (scope === undefined) return null;
      // Another tab may have led in between and started anew.
      await this.#claim(table);
      const known = (await table.get("epoch")) as string | undefined;
      const next = nextBatch(rows, scope, ((await table.get(`seq:${scope}`)) as number | undefined) ?? 0, room);
      next.fresh.forEach(table.put);
      if (next.fresh.length) table.set(`seq:${scope}`, next.counter);
      if (known === undefined && epoch !== null) table.set("epoch", epoch);
      return { client: this.client, scope, epoch: known ?? epoch, entries: next.entries };
    });
  }

  trust(epoch: string): Promise<void> {
    return this.#store.run(true, async (table) => table.set("epoch", epoch));
  }

  settle(decided: readonly Decided[]): Promise<void> {
    return this.#store.run(true, async (table) => {
      const rows = await Promise.all(decided.map(({ id }) => table.find(id)));
      for (const row of rows) if (row) table.remove(row);
      await table.keep(decided, VERDICTS_KEPT);
    });
  }

  renumber({ scope }: Sender, lastSeq: number, forced: ReadonlySet<string>): Promise<Numbered[]> {
    return this.#store.run(true, async (table) => {
      const next = renumbered(await table.rows(), scope, lastSeq, forced);
      next.entries.forEach(table.put);
      table.set(`seq:${scope}`, next.counter);
      return next.entries;
    });
  }

  async senders(): Promise<Sender[]> {
    const keys = await this.#store.run(false, (table) => table.keys());
    return keys.flatMap((key) => (key.startsWith("seq:") ? { client: this.client, scope: key.slice(4) } : []));
  }

  undo(id: string): Promise<boolean> {
    return this.#store.run(true, async (table) => {
      const row = await table.find(id);
      if (!row || row.seq !== null) return false;
      table.remove(row);
      return true;
    });
  }

  async verdicts(ids: readonly string[]): Promise<Decided[]> {
    const kept = await this.#store.run(false, (table) => Promise.all(ids.map((id) => table.kept(id))));
    return kept.flatMap((one) => one ?? []);
  }

  async base(scope: string): Promise<KeptBase | undefined> {
    const kept = (await this.#store.run(false, (table) => table.get(`base:${scope}`))) as Owned | null | undefined;
    return kept?.client === this.client ? kept : undefined;
  }

  keep(scope: string, base: KeptBase | null): Promise<void> {
    const { client } = this;
    return this.#store.run(true, async (table) => {
      const key = `base:${scope}`;
      const old = (await table.get(key)) as Owned | null | undefined;
      // Reads never go back in time, and a watermark is of one client.
      const later = old && base && old.client === client && old.epoch === base.epoch && old.cursor > base.cursor;
      if (!later && (await table.get("client")) === client) table.set(key, base && { ...base, client });
    });
  }

  renew(client: string): Promise<void> {
    return this.#store.run(true, async (table) => {
      if ((await table.get("client")) === client) {
        for (const row of await table.rows()) table.put({ ...row, seq: null });
        table.clear();
      }
      await this.#claim(table);
    });
  }

  close(): void {
    this.#store.close();
  }

  async #claim(table: Table): Promise<void> {
    this.client = ((await table.get("client")) as string | undefined) ?? newId();
    table.set("client", this.client);
  }
}
