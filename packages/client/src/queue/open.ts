/**
 * Which queue a client works with: the durable one where the browser has it and lets it be used, else memory. It never
 * fails; it says what it got and why.
 */
import type { Env } from "../env.ts";
import { FallbackQueue } from "./fallback.ts";
import { openStore } from "./indexeddb.ts";
import { MemoryStore } from "./memory.ts";
import type { Queue, Storage } from "./queue.ts";
import { TableQueue } from "./table.ts";

/**
 * Opening a database that takes longer than this, in milliseconds, counts as failed: some browsers hang there, and a tab
 * with an older layout may not let go. One that opens after all stands in nobody's way: it closes when it is asked to.
 */
const OPEN_MS = 5_000;

/** Opens the queue of this name. `told` hears why memory is used where IndexedDB was wanted, now or later. */
export async function openQueue(
  env: Env,
  name: string,
  wanted: Storage,
  told: (error: unknown) => void,
): Promise<Queue> {
  const memory = (): Promise<Queue> => TableQueue.open(new MemoryStore());
  if (wanted === "memory") return memory();
  let queue: FallbackQueue | undefined;
  let timer: unknown;
  try {
    if (!env.indexedDB) throw new Error("no IndexedDB");
    const opening = openStore(env.indexedDB, name, () => void queue?.fall(new Error("IndexedDB was closed")));
    const tooLate = new Promise<never>((_, reject) => {
      timer = env.setTimeout(() => reject(new Error("IndexedDB did not open")), OPEN_MS);
    });
    queue = new FallbackQueue(await TableQueue.open(await Promise.race([opening, tooLate])), told);
    return queue;
  } catch (error) {
    told(error);
    return memory();
  } finally {
    env.clearTimeout(timer);
  }
}
