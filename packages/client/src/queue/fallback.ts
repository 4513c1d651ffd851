/**
 * The durable queue with a net below it: when the storage stops taking mutations (full, evicted, closed), the ones
 * after that wait in memory, behind those that were saved, and the owner is told. Nothing that was saved is given up.
 */
import type { Decided, Entry, KeptBase, Numbered } from "../core/words.ts";
import { MemoryStore } from "./memory.ts";
import type { Batch, Queue, Room, Sender, Storage } from "./queue.ts";
import { TableQueue } from "./table.ts";

/** See the file's head. */
export class FallbackQueue implements Queue {
  readonly #durable: Queue;
  readonly #told: (error: unknown) => void;
  #falling: Promise<Queue> | null = null;
  #tail: Queue | null = null;

  /** `told` hears once why the storage is left. */
  constructor(durable: Queue, told: (error: unknown) => void) {
    this.#durable = durable;
    this.#told = told;
  }

  get storage(): Storage {
    return this.#falling ? "memory" : this.#durable.storage;
  }

  get client(): string {
    return this.#durable.client;
  }

  set client(client: string) {
    this.#durable.client = client;
  }

  /** From now on in memory. */
  fall(error: unknown): Promise<Queue> {
    if (!this.#falling) {
      // Above every order a database gives out: the tail comes last in every view.
      this.#falling = TableQueue.open(new MemoryStore(Number.MAX_SAFE_INTEGER / 2));
      this.#told(error);
    }
    return this.#falling.then((tail) => (this.#tail = tail));
  }

  async append(entries: readonly Entry[]): Promise<Entry[]> {
    let why: unknown;
    if (!this.#falling) {
      try {
        return await this.#durable.append(entries);
      } catch (error) {
        why = error;
      }
    }
    return (await this.fall(why)).append(entries);
  }

  async load(): Promise<Entry[]> {
    const tail = (await this.#tail?.load()) ?? [];
    // Places in the tail are of another client id: they mean nothing beside the watermark readers ask for.
    return [...(await this.#durable.load()), ...tail.map((entry) => ({ ...entry, seq: null }))];
  }

  async take(room: Room, lead: boolean, epoch: string | null): Promise<Batch | null> {
    const tail = this.#tail;
    const first = this.#durable.take(room, lead, epoch);
    // No other tab can send what is in this one's memory.
    return tail ? ((await first.catch(() => null)) ?? tail.take(room, true, epoch)) : first;
  }

  async trust(epoch: string): Promise<void> {
    await this.#tail?.trust(epoch);
    await this.#durable.trust(epoch);
  }

  async settle(decided: readonly Decided[]): Promise<void> {
    await this.#tail?.settle(decided);
    await this.#durable.settle(decided);
  }

  renumber(of: Sender, lastSeq: number, forced: ReadonlySet<string>): Promise<Numbered[]> {
    return this.#holder(of.client).renumber(of, lastSeq, forced);
  }

  async senders(): Promise<Sender[]> {
    const durable = await this.#durable.senders().catch(() => []);
    return [...durable, ...((await this.#tail?.senders()) ?? [])];
  }

  async undo(id: string): Promise<boolean> {
    return (await this.#tail?.undo(id)) || this.#durable.undo(id);
  }

  verdicts(ids: readonly string[]): Promise<Decided[]> {
    return this.#durable.verdicts(ids);
  }

  base(scope: string): Promise<KeptBase | undefined> {
    return this.#durable.base(scope);
  }

  async keep(scope: string, base: KeptBase | null): Promise<void> {
    if (!this.#falling) await this.#durable.keep(scope, base);
  }

  renew(client: string): Promise<void> {
    return this.#holder(client).renew(client);
  }

  close(): void {
    this.#durable.close();
  }

  #holder(client: string): Queue {
    return this.#tail?.client === client ? this.#tail : this.#durable;
  }
}
