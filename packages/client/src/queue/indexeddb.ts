/**
 * A storage on IndexedDB, shared by all tabs of a profile. Every write asks for strict durability and counts as done
 * when its transaction is over: then it is on disk, as far as the browser can promise.
 */
import type { Decided, Entry } from "../core/words.ts";
import type { Store, Table } from "./table.ts";

/** The layout's version; a later one upgrades in `onupgradeneeded`. */
const VERSION = 1;

const META = "meta";
const QUEUE = "queue";
const VERDICTS = "verdicts";

const asked = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as Error);
  });

/** Opens or makes the database. `lost` is called if the browser takes it away later. Rejects where there is none. */
export async function openStore(factory: IDBFactory, name: string, lost: () => void): Promise<Store> {
  const opening = factory.open(name, VERSION);
  opening.onupgradeneeded = () => {
    const db = opening.result;
    const auto = (store: string, keyPath: string): void => {
      db.createObjectStore(store, { keyPath, autoIncrement: true }).createIndex("id", "id", { unique: true });
    };
    db.createObjectStore(META);
    auto(QUEUE, "order");
    auto(VERDICTS, "n");
  };
  const db = await asked(opening);
  db.onclose = lost;
  db.onversionchange = () => {
    db.close();
    lost();
  };
  return {
    storage: "indexeddb",
    run: (write, work) => transact(db, write, work),
    close: () => {
      db.onclose = null;
      db.close();
    },
  };
}

/** One transaction. Resolves when it is over, not when its requests are answered. */
function transact<T>(db: IDBDatabase, write: boolean, work: (table: Table) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const tx = db.transaction([META, QUEUE, VERDICTS], write ? "readwrite" : "readonly", { durability: "strict" });
    const result = work(tableOf((name) => tx.objectStore(name)));
    tx.oncomplete = () => resolve(result);
    tx.onabort = () => reject(tx.error ?? new Error("aborted"));
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

function tableOf(store: (name: string) => IDBObjectStore): Table {
  const byId = <T>(name: string, id: string): Promise<T | undefined> => asked<T>(store(name).index("id").get(id));
  return {
    rows: (limit) => asked(store(QUEUE).getAll(null, limit)),
    add: ({ order: _, ...entry }) => asked(store(QUEUE).add(entry)) as Promise<number>,
    put: (entry) => void store(QUEUE).put(entry),
    find: (id) => byId<Entry>(QUEUE, id),
    remove: (entry) => void store(QUEUE).delete(entry.order),
    get: (key) => asked(store(META).get(key)),
    set: (key, value) => void store(META).put(value, key),
    keys: () => asked(store(META).getAllKeys()) as Promise<string[]>,
    clear: () => void store(META).clear(),
    keep: async (decided, limit) => {
      for (const { id, verdict } of decided) if (!(await byId(VERDICTS, id))) store(VERDICTS).add({ id, verdict });
      const over = (await asked(store(VERDICTS).count())) - limit;
      if (over > 0) for (const n of await asked(store(VERDICTS).getAllKeys(null, over))) store(VERDICTS).delete(n);
    },
    kept: (id) => byId<Decided>(VERDICTS, id),
  };
}
