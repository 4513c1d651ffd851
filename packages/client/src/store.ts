/**
 * Where a session's mutations wait: the queue all tabs share and, once that takes no more, one behind it that only this page
 * has. What was saved is never given up; where it can't be saved any more the page is told.
 */
import type { Item } from "./core/item.ts";
import type { Entry } from "./core/words.ts";
import type { Env } from "./env.ts";
import { memoryStore } from "./queue/memory.ts";
import { openQueue } from "./queue/open.ts";
import type { Queue, Storage } from "./queue/queue.ts";
import { openTable } from "./queue/table.ts";

/** Above every order a database gives out: what waits in memory comes last in every view. */
const BEHIND = 2 ** 52;

/** What a store needs. */
export interface StoreParts {
  env: Env;
  /** The database's name. */
  name: string;
  storage: Storage;
  tell(type: string, detail: object): void;
  /** Mutations were saved and have their order; `shared`: where other tabs see them. */
  saved(entries: readonly Entry[], shared: boolean): void;
  /** What the page shows as pending. */
  pending(): readonly Readonly<Item>[];
  /** What the tabs share is gone for this one: it goes on alone. */
  alone(saved: readonly Entry[]): Promise<void>;
}

/** See the file's head. */
export interface Store {
  /** The shared queue first; behind it what only this page has. */
  queues: Queue[];
  storage: Storage;
  open(): Promise<Queue>;
  /** Puts a mutation among those to be saved. */
  add(entry: Entry): void;
  /** Saves what is new, all that gathered in one transaction. */
  save(): Promise<void>;
  /** Everything without a verdict. */
  all(): Promise<Entry[]>;
  close(): void;
}

export function makeStore(parts: StoreParts): Store {
  const unsaved: Entry[] = [];
  let saving: Promise<void> | null = null;
  let closed = false;

  /** Says where the queue is now, and why. */
  function failed(error: unknown): void {
    store.storage = "memory";
    parts.tell("storage", { storage: store.storage, error });
  }

  /** The storage takes no more; `gone`: nor does it give. What waits goes on in memory, behind what was saved. */
  async function fall(error: unknown, gone = false): Promise<void> {
    const { queues } = store;
    if (closed || queues[0]?.storage !== "indexeddb") return;
    if (queues.length < 2) {
      failed(error);
      queues.push(await openTable(memoryStore(BEHIND)));
    }
    if (!gone) return;
    queues.shift()!.close();
    // Another tab may have what is sent already, or send it yet: by its id alone it has one effect, whoever sends it.
    const waits = parts
      .pending()
      .flatMap(({ entry, accepted }) =>
        accepted === null && entry.order < BEHIND ? { ...entry, seq: null, plain: true as const } : [],
      );
    await parts.alone(await queues[0]!.append(waits));
  }

  async function saveAll(): Promise<void> {
    // Not before the caller has noted that this runs.
    await null;
    const { queues } = store;
    try {
      while (queues.length && unsaved.length && !closed) {
        const entries = unsaved.splice(0);
        const shared = queues.length === 1 && queues[0]!.storage === "indexeddb";
        const append = () => queues.at(-1)!.append(entries);
        const saved = await append().catch((error: unknown) => fall(error).then(append));
        parts.saved(saved, shared && queues.length === 1);
      }
    } finally {
      // In the same breath as the last look: a mutation that comes now starts another round.
      saving = null;
    }
  }

  const store: Store = {
    queues: [],
    storage: parts.storage,
    open: async () => {
      const durable = await openQueue(parts.env, parts.name, parts.storage, failed, (error) => fall(error, true));
      store.queues.push(durable);
      return durable;
    },
    add: (entry) => void unsaved.push(entry),
    save: () => (saving ??= saveAll()),
    all: async () => {
      const all = await Promise.all(
        store.queues.map(async (queue, i) => {
          const rows = await queue.load().catch((): Entry[] => []);
          // Places in the tail are of another client id: they mean nothing beside the watermark readers ask for.
          return i ? rows.map((entry) => ({ ...entry, seq: null })) : rows;
        }),
      );
      return all.flat();
    },
    close: () => {
      closed = true;
      for (const queue of store.queues) queue.close();
    },
  };
  return store;
}
