/**
 * A storage on IndexedDB, shared by all tabs of a profile. What is written to the queue asks for strict durability and
 * counts as done when its transaction is over: then it is on disk, as far as the browser can promise. Bases can be
 * fetched again: they are written atomically, and as lazily as the browser likes.
 */
import type { Decided, Entry } from "../core/words.ts";
import { BASES, META, QUEUE, VERDICTS, type BaseRow, type Store, type Table } from "./table.ts";

/** The layout's version. 1 kept a base as one value; 2 keeps its rows apart, and finds mutations by their scope. */
const VERSION = 2;

const asked = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as Error);
  });

/** Opens or makes the database. `lost` is called if the browser takes it away later. Rejects where there is none. */
export async function openStore(factory: IDBFactory, name: string, lost: (error: Error) => void): Promise<Store> {
  const opening = factory.open(name, VERSION);
  opening.onupgradeneeded = ({ oldVersion }) => {
    const db = opening.result;
    const auto = (store: string, keyPath: string): void => {
      db.createObjectStore(store, { keyPath, autoIncrement: true }).createIndex("id", "id", { unique: true });
    };
    if (!oldVersion) {
      db.createObjectStore(META);
      auto(QUEUE, "order");
      auto(VERDICTS, "n");
    }
    const { transaction } = opening;
    transaction!.objectStore(META).delete(prefix("base:"));
    transaction!.objectStore(QUEUE).createIndex("scope", "scope");
    db.createObjectStore(BASES);
  };
  const db = await asked(opening);
  const gone = (): void => {
    db.close();
    lost(new Error("IndexedDB was closed"));
  };
  db.onclose = db.onversionchange = gone;
  return {
    storage: "indexeddb",
    run: (write, work, parts = [META, QUEUE, VERDICTS]) => transact(db, write, work, parts),
    close: () => db.close(),
  };
}

/** One transaction. Resolves when it is over, not when its requests are answered. */
function transact<T>(db: IDBDatabase, write: boolean, work: (table: Table) => Promise<T>, parts: string[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const durability = parts.includes(QUEUE) ? "strict" : "default";
    const tx = db.transaction(parts, write ? "readwrite" : "readonly", { durability });
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

/** All keys that begin so. */
const prefix = (text: string): IDBKeyRange => IDBKeyRange.bound(text, `${text}\uffff`);

function tableOf(store: (name: string) => IDBObjectStore): Table {
  const byId = <T>(name: string, id: string): Promise<T | undefined> => asked<T>(store(name).index("id").get(id));
  return {
    rows: (scope, limit) =>
      asked(scope === undefined ? store(QUEUE).getAll() : store(QUEUE).index("scope").getAll(scope, limit)),
    add: ({ order: _, ...entry }) => asked(store(QUEUE).add(entry)) as Promise<number>,
    put: (entry) => store(QUEUE).put(entry),
    find: (id) => byId<Entry>(QUEUE, id),
    remove: (entry) => store(QUEUE).delete(entry.order),
    get: (key) => asked(store(META).get(key)),
    set: (key, value) => store(META).put(value, key),
    clear: () => {
      store(META).clear();
      store(BASES).clear();
    },
    keep: async (decided, limit) => {
      for (const { id, verdict } of decided) if (!(await byId(VERDICTS, id))) store(VERDICTS).add({ id, verdict });
      const over = (await asked(store(VERDICTS).count())) - limit;
      if (over > 0) for (const n of await asked(store(VERDICTS).getAllKeys(null, over))) store(VERDICTS).delete(n);
    },
    kept: (id) => byId<Decided>(VERDICTS, id),
    base: (scope) => asked<BaseRow[]>(store(BASES).getAll(ofScope(scope))),
    keepBase: (scope, whole, rows) => {
      if (whole) store(BASES).delete(ofScope(scope));
      for (const row of rows) {
        const key = [scope, row[0], row[1]];
        if (row[2] === undefined) store(BASES).delete(key);
        else store(BASES).put(row, key);
      }
    },
  };
}

/** The keys of a scope's rows: an array sorts behind every text. */
const ofScope = (scope: string): IDBKeyRange => IDBKeyRange.bound([scope], [scope, []]);
