/**
 * A storage on IndexedDB, shared by all tabs of a profile. What is written to the queue asks for strict durability and
 * counts as done when its transaction is over: then it is on disk, as far as the browser can promise. Bases can be
 * fetched again: they are written atomically, and as lazily as the browser likes.
 */
import type { Entry } from "../core/words.ts";
import { BASES, ORDER, QUEUE, WAITS, takenOver, type Key, type Store, type Table } from "./table.ts";

/**
 * The layout's version: one store for the queue and one for bases, with keys of several parts. 1 and 2 had a store for each kind
 * of record, and mutations by their place in the queue.
 */
const VERSION = 3;

const asked = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as Error);
  });

/** Opens or makes the database. `lost` is called if the browser takes it away later. Rejects where there is none. */
export async function openStore(factory: IDBFactory, name: string, lost: (error: Error) => void): Promise<Store> {
  const opening = factory.open(name, VERSION);
  opening.onupgradeneeded = ({ oldVersion }) => {
    const { result: db, transaction } = opening;
    const old = oldVersion ? transaction!.objectStore("queue").getAll() : undefined;
    for (const part of [QUEUE, BASES]) db.createObjectStore(part);
    if (old) {
      old.onsuccess = () => {
        const table = tableOf(transaction!.objectStore(QUEUE));
        for (const entry of old.result as Entry[]) {
          table.put(takenOver(entry), WAITS, entry.scope, entry.order);
          table.put(entry.order, ORDER);
        }
        for (const part of ["queue", "meta", "verdicts", "bases"]) if (db.objectStoreNames.contains(part)) db.deleteObjectStore(part);
      };
    }
  };
  const db = await asked(opening);
  db.onclose = db.onversionchange = () => {
    db.close();
    lost(new Error("IndexedDB was closed"));
  };
  return {
    storage: "indexeddb",
    close: () => db.close(),
    // Resolves when the transaction is over, not when its requests are answered.
    run: (part, write, work) =>
      new Promise((resolve, reject) => {
        const durability = part === QUEUE ? "strict" : "default";
        const tx = db.transaction(part, write ? "readwrite" : "readonly", { durability });
        const result = work(tableOf(tx.objectStore(part)));
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
      }),
  };
}

const tableOf = (store: IDBObjectStore): Table => ({
  get: (...key) => asked(store.get(key)),
  all: (limit, ...key) => asked(store.getAll(under(key), limit)),
  put: (value, ...key) => void store.put(value, key),
  delete: (...key) => void store.delete(under(key)),
});

/** A key and all that begin with it: a list sorts behind every text and number. */
const under = (key: Key): IDBKeyRange => IDBKeyRange.bound(key, [...key, []]);
