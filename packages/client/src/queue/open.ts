/**
 * Which queue a client works with: the durable one where the browser has it and lets it be used, else memory. It never
 * fails; it says what it got and why.
 */
import type { Env } from "../env.ts";
import { openStore } from "./indexeddb.ts";
import { memoryStore } from "./memory.ts";
import type { Queue, Storage } from "./queue.ts";
import { openTable } from "./table.ts";

/**
 * Opening a database that takes longer than this, in milliseconds, counts as failed: some browsers hang there, and a tab
 * with an older layout may not let go. One that opens after all stands in nobody's way: it closes when it is asked to.
 */
const OPEN_MS = 5_000;

/** Opens the queue of this name. `told` hears why memory is used where IndexedDB was wanted; `lost`, that it is gone. */
export async function openQueue(
  env: Env,
  name: string,
  wanted: Storage,
  told: (error: unknown) => void,
  lost: (error: unknown) => void,
): Promise<Queue> {
  let timer: unknown;
  try {
    if (wanted === "indexeddb") {
      if (!env.indexedDB) throw new Error("no IndexedDB");
      const tooLate = new Promise<never>((_, reject) => {
        timer = env.setTimeout(() => reject(new Error("IndexedDB did not open")), OPEN_MS);
      });
      return await Promise.race([openStore(env.indexedDB, name, lost).then(openTable), tooLate]);
    }
  } catch (error) {
    told(error);
  } finally {
    env.clearTimeout(timer);
  }
  return openTable(memoryStore());
}
