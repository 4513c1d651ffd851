/**
 * The queue on IndexedDB, shared by all tabs of a profile. Every write asks for strict durability, so that what counts as
 * saved is on disk; every step that reads and then writes is one transaction, so that two tabs can't interleave in it.
 */
import { VERDICTS_KEPT } from "../core/limits.ts";
import { newId } from "../core/uuid.ts";
import type { Decided, Entry, Numbered } from "../core/words.ts";
import { nextBatch, renumbered } from "./numbering.ts";
import type { Batch, Queue, Room, Sender } from "./queue.ts";

/** The layout's version; a later one upgrades in `onupgradeneeded`. */
const VERSION = 1;

/** Rows looked at for one push: all of its mutations, if they are of one scope, and as many of others between them. */
const ROWS = 256;

const META = "meta";
const QUEUE = "queue";
const VERDICTS = "verdicts";

const asked = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as Error);
  });

/** See the file's head. Made by `IndexedDbQueue.open`. */
export class IndexedDbQueue implements Queue {
  readonly storage = "indexeddb";
  client = "";
  readonly #db: IDBDatabase;

  private constructor(db: IDBDatabase) {
    this.#db = db;
  }

  /** Opens or makes the database. `lost` is called if the browser takes it away later. Rejects where there is none. */
  static async open(factory: IDBFactory, name: string, lost: () => void): Promise<IndexedDbQueue> {
    const opening = factory.open(name, VERSION);
    opening.onupgradeneeded = () => {
      const db = opening.result;
      db.createObjectStore(META);
      db.createObjectStore(QUEUE, { keyPath: "order", autoIncrement: true }).createIndex("id", "id", { unique: true });
      db.createObjectStore(VERDICTS, { keyPath: "n", autoIncrement: true }).createIndex("id", "id", { unique: true });
    };
    const db = await new Promise<IDBDatabase>((resolve, reject) => {
      // Another tab with an older layout does not let go: better to work in memory than not at all.
      opening.onblocked = () => reject(new Error("another tab holds an older version of the queue's database"));
      opening.onerror = () => reject(opening.error as Error);
      opening.onsuccess = () => resolve(opening.result);
    });
    db.onclose = lost;
    db.onversionchange = () => {
      db.close();
      lost();
    };
    const queue = new IndexedDbQueue(db);
    queue.client = await queue.#write([META], async (store) => {
      const known = await asked<string | undefined>(store(META).get("client"));
      if (known) return known;
      const made = newId();
      store(META).put(made, "client");
      return made;
    });
    return queue;
  }

  append(entries: readonly Entry[]): Promise<Entry[]> {
    return this.#write([QUEUE], async (store) => {
      const orders = await Promise.all(
        entries.map(({ order: _, ...entry }) => asked<IDBValidKey>(store(QUEUE).add(entry))),
      );
      return entries.map((entry, i) => ({ ...entry, order: orders[i] as number }));
    });
  }

  load(): Promise<Entry[]> {
    return asked<Entry[]>(this.#db.transaction(QUEUE).objectStore(QUEUE).getAll());
  }

  take(room: Room, lead: boolean, epoch: string | null): Promise<Batch | null> {
    if (!lead) return Promise.resolve(null);
    return this.#write([QUEUE, META], async (store) => {
      const rows = await asked<Entry[]>(store(QUEUE).getAll(null, ROWS));
      // Another tab may have led in between and started anew.
      const client = (await asked<string | undefined>(store(META).get("client"))) ?? this.client;
      this.client = client;
      const given = rows[0] && (await asked<number | undefined>(store(META).get(`seq:${rows[0].scope}`)));
      const next = nextBatch(rows, () => given ?? 0, room);
      if (!next) return null;
      for (const entry of next.fresh) store(QUEUE).put(entry);
      if (next.fresh.length) store(META).put(next.counter, `seq:${next.scope}`);
      const known = await asked<string | undefined>(store(META).get("epoch"));
      if (known === undefined && epoch !== null) store(META).put(epoch, "epoch");
      return { client, epoch: known ?? epoch, scope: next.scope, entries: next.entries };
    });
  }

  trust(epoch: string | null): Promise<void> {
    return this.#write([META], async (store) => {
      await (epoch === null ? asked(store(META).delete("epoch")) : asked(store(META).put(epoch, "epoch")));
    });
  }

  settle(decided: readonly Decided[]): Promise<void> {
    return this.#write([QUEUE, VERDICTS], async (store) => {
      const orders = await Promise.all(decided.map(({ id }) => asked(store(QUEUE).index("id").getKey(id))));
      for (const order of orders) if (order !== undefined) store(QUEUE).delete(order);
      const known = await Promise.all(decided.map(({ id }) => asked(store(VERDICTS).index("id").getKey(id))));
      decided.forEach((one, i) => known[i] === undefined && store(VERDICTS).add({ id: one.id, verdict: one.verdict }));
      const over = (await asked(store(VERDICTS).count())) - VERDICTS_KEPT;
      if (over > 0) for (const n of await asked(store(VERDICTS).getAllKeys(null, over))) store(VERDICTS).delete(n);
    });
  }

  renumber({ scope }: Sender, lastSeq: number, forced: ReadonlySet<string>): Promise<Numbered[]> {
    return this.#write([QUEUE, META], async (store) => {
      const next = renumbered(await asked<Entry[]>(store(QUEUE).getAll()), scope, lastSeq, forced);
      for (const entry of next.entries) store(QUEUE).put(entry);
      store(META).put(next.counter, `seq:${scope}`);
      return next.entries;
    });
  }

  async senders(): Promise<Sender[]> {
    const keys = await asked(this.#db.transaction(META).objectStore(META).getAllKeys());
    return keys.flatMap((key) =>
      String(key).startsWith("seq:") ? { client: this.client, scope: String(key).slice(4) } : [],
    );
  }

  undo(id: string): Promise<boolean> {
    return this.#write([QUEUE], async (store) => {
      const row = await asked<Entry | undefined>(store(QUEUE).index("id").get(id));
      if (!row || row.seq !== null) return false;
      store(QUEUE).delete(row.order);
      return true;
    });
  }

  async verdicts(ids: readonly string[]): Promise<Decided[]> {
    const index = this.#db.transaction(VERDICTS).objectStore(VERDICTS).index("id");
    const found = await Promise.all(ids.map((id) => asked<Decided | undefined>(index.get(id))));
    return found.flatMap((one) => one ?? []);
  }

  async renew(client: string): Promise<void> {
    this.client = await this.#write([QUEUE, META], async (store) => {
      const current = await asked<string | undefined>(store(META).get("client"));
      if (current !== undefined && current !== client) return current;
      const rows = await asked<Entry[]>(store(QUEUE).getAll());
      for (const row of rows) if (row.seq !== null) store(QUEUE).put({ ...row, seq: null });
      const made = newId();
      store(META).clear();
      store(META).put(made, "client");
      return made;
    });
  }

  close(): void {
    this.#db.onclose = null;
    this.#db.close();
  }

  /** One strict transaction: resolves when it is on disk, not when its requests are answered. */
  #write<T>(stores: string[], work: (store: (name: string) => IDBObjectStore) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const tx = this.#db.transaction(stores, "readwrite", { durability: "strict" });
      const result = work((name) => tx.objectStore(name));
      tx.oncomplete = () => resolve(result);
      tx.onabort = () => reject(tx.error ?? new Error("the transaction was aborted"));
      result.catch((error: unknown) => {
        reject(error as Error);
        try {
          tx.abort();
        } catch {
          // It was over already.
        }
      });
    });
  }
}
