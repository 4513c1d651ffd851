/**
 * Stands for `fake-indexeddb` where the tests run in a browser: the browser's own IndexedDB, with names apart for each factory,
 * as profiles have theirs, and with a count of what is under way, which a clock that stands still has to wait for.
 */
export const IDBKeyRange = globalThis.IDBKeyRange;

let factories = 0;
let underWay = 0;

/** Nothing of any database is under way. */
export const isIdle = (): boolean => underWay === 0;

/** Counts it until one of these events, or the end of it that one of these is. */
function count<T extends EventTarget>(target: T, ends: string[]): T {
  underWay++;
  const end = new AbortController();
  const { signal } = end;
  for (const name of ends) {
    target.addEventListener(
      name,
      () => {
        underWay--;
        end.abort();
      },
      { signal },
    );
  }
  return target;
}

const { transaction } = IDBDatabase.prototype;
IDBDatabase.prototype.transaction = function (...args) {
  return count(transaction.apply(this, args), ["complete", "abort"]);
};

/** A profile's databases. */
export class IDBFactory {
  readonly #prefix = `${crypto.randomUUID()} ${++factories} `;

  open(name: string, version?: number): IDBOpenDBRequest {
    return count(indexedDB.open(this.#prefix + name, version), ["success", "error", "blocked"]);
  }

  deleteDatabase(name: string): IDBOpenDBRequest {
    const full = name.startsWith(this.#prefix) ? name : this.#prefix + name;
    return count(indexedDB.deleteDatabase(full), ["success", "error", "blocked"]);
  }

  async databases(): Promise<IDBDatabaseInfo[]> {
    const all = await indexedDB.databases();
    return all.filter(({ name }) => name!.startsWith(this.#prefix));
  }
}

/** One turn of the event loop, behind what is there already. */
function turn(run: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    run();
  };
  port2.postMessage(null);
}

Object.assign(globalThis, { setImmediate: turn, isIdle });
