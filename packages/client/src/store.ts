/**
 * Where a session's mutations wait: the queue all tabs share and, once that takes no more or is gone, one in memory that only
 * this page has. What was saved is never given up; where it can't be saved any more the page is told.
 */
import type { Item } from "./core/item.ts";
import type { Entry } from "./core/words.ts";
import type { Env } from "./env.ts";
import { memoryStore } from "./queue/memory.ts";
import { openQueue } from "./queue/open.ts";
import type { Queue, Storage } from "./queue/queue.ts";
import { openTable, takenOver } from "./queue/table.ts";

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
  /** Where mutations wait now; nothing before it is open. */
  queue: Queue | undefined;
  storage: Storage;
  open(): Promise<Queue>;
  /** Puts a mutation among those to be saved. */
  add(entry: Entry): void;
  /** Saves what is new, all that gathered in one transaction. */
  save(): Promise<void>;
  /** Everything without a verdict. */
  all(): Promise<Entry[]>;
  /** The shared queue broke, or takes no more: goes on in memory. */
  fell(error: unknown): Promise<void>;
  close(): void;
}

export function makeStore(parts: StoreParts): Store {
  const unsaved: Entry[] = [];
  let saving: Promise<void> | null = null;
  let falling: Promise<void> | undefined;
  let closed = false;

  /** Says where the queue is now, and why. */
  function failed(error: unknown): void {
    store.storage = "memory";
    parts.tell("storage", { storage: store.storage, error });
  }

  async function fall(error: unknown): Promise<void> {
    const { queue } = store;
    if (closed || queue?.storage !== "indexeddb") return;
    failed(error);
    const memory = await openTable(memoryStore());
    queue.close();
    // Another tab may have what is sent already, or send it yet: by its id alone it has one effect, whoever sends it.
    const waits = parts.pending().filter(({ entry, accepted }) => accepted === null && entry.order < Infinity);
    const saved = await memory.append(waits.map(({ entry }) => ({ ...takenOver(entry), plain: true })));
    store.queue = memory;
    await parts.alone(saved);
  }

  /** Once is enough: memory does not fail. */
  const fell = (error: unknown): Promise<void> => (falling ??= fall(error));

  async function saveAll(): Promise<void> {
    // Not before the caller has noted that this runs.
    await null;
    try {
      while (store.queue && unsaved.length && !closed) {
        const entries = unsaved.splice(0);
        let queue: Queue;
        let saved: Entry[] | void;
        do {
          queue = store.queue;
          saved = await queue.append(entries).catch(fell);
          // What was saved in a queue that went meanwhile would wait there for another page.
          await falling;
        } while (queue !== store.queue);
        if (saved) parts.saved(saved, queue.storage === "indexeddb");
      }
    } finally {
      // In the same breath as the last look: a mutation that comes now starts another round.
      saving = null;
    }
  }

  const store: Store = {
    queue: undefined,
    storage: parts.storage,
    open: async () => (store.queue = await openQueue(parts.env, parts.name, parts.storage, failed, fell)),
    add: (entry) => void unsaved.push(entry),
    save: () => (saving ??= saveAll()),
    fell,
    all: async () => (await store.queue?.load().catch(() => null)) ?? [],
    close: () => {
      closed = true;
      store.queue?.close();
    },
  };
  return store;
}
