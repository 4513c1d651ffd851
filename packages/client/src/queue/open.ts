/**
 * Which queue a client works with: the durable one where the browser has it and lets it be used, else memory. It never
 * fails; it says what it got and why.
 */
import type { Env } from "../env.ts";
import { FallbackQueue } from "./fallback.ts";
import { IndexedDbQueue } from "./indexeddb.ts";
import { MemoryQueue } from "./memory.ts";
import type { Queue, Storage } from "./queue.ts";

/** Opening a database that takes longer than this, in milliseconds, counts as failed: some browsers hang there. */
const OPEN_MS = 5_000;

/** Opens the queue of this name. `told` hears why memory is used where IndexedDB was wanted, now or later. */
export async function openQueue(
  env: Env,
  name: string,
  wanted: Storage,
  told: (error: unknown) => void,
): Promise<Queue> {
  if (wanted === "memory") return new MemoryQueue();
  let queue: FallbackQueue | undefined;
  let gaveUp = false;
  let timer: unknown;
  try {
    if (!env.indexedDB) throw new Error("this page has no IndexedDB");
    const lost = () => queue?.fall(new Error("the browser closed the queue's database"));
    const opening = IndexedDbQueue.open(env.indexedDB, name, lost);
    // One that opens after all must not stand in another tab's way.
    opening.then(
      (late) => gaveUp && late.close(),
      () => undefined,
    );
    const tooLate = new Promise<never>((_, reject) => {
      timer = env.setTimeout(() => reject(new Error("IndexedDB did not open in time")), OPEN_MS);
    });
    queue = new FallbackQueue(await Promise.race([opening, tooLate]), told);
    return queue;
  } catch (error) {
    gaveUp = true;
    told(error);
    return new MemoryQueue();
  } finally {
    env.clearTimeout(timer);
  }
}
