/**
 * The queue without a storage: for pages where IndexedDB is missing, refused or full, and for other runtimes. It lives as
 * long as the page does, under a client id of its own, and shares nothing with other tabs.
 */
import { VERDICTS_KEPT } from "../core/limits.ts";
import { newId } from "../core/uuid.ts";
import type { Decided, Entry, Numbered } from "../core/words.ts";
import { nextBatch, renumbered } from "./numbering.ts";
import type { Batch, Queue, Room, Sender } from "./queue.ts";

/** See the file's head. */
export class MemoryQueue implements Queue {
  readonly storage = "memory";
  client = newId();
  #epoch: string | null = null;
  #order = 0;
  #rows: Entry[] = [];
  #counters = new Map<string, number>();
  #verdicts = new Map<string, Decided>();

  /** `after` is the place in order that everything saved here comes behind. */
  constructor(after = 0) {
    this.#order = after;
  }

  append(entries: readonly Entry[]): Promise<Entry[]> {
    const saved = entries.map((entry) => ({ ...entry, order: ++this.#order }));
    this.#rows.push(...saved);
    return Promise.resolve(saved);
  }

  load(): Promise<Entry[]> {
    return Promise.resolve([...this.#rows]);
  }

  take(room: Room, _lead: boolean, epoch: string | null): Promise<Batch | null> {
    const next = nextBatch(this.#rows, (scope) => this.#counters.get(scope) ?? 0, room);
    if (!next) return Promise.resolve(null);
    this.#write(next.fresh, next.scope, next.counter);
    this.#epoch ??= epoch;
    return Promise.resolve({ client: this.client, epoch: this.#epoch, scope: next.scope, entries: next.entries });
  }

  trust(epoch: string | null): Promise<void> {
    this.#epoch = epoch;
    return Promise.resolve();
  }

  settle(decided: readonly Decided[]): Promise<void> {
    const ids = new Set(decided.map(({ id }) => id));
    this.#rows = this.#rows.filter((row) => !ids.has(row.id));
    for (const one of decided) this.#verdicts.set(one.id, one);
    for (const id of this.#verdicts.keys()) {
      if (this.#verdicts.size <= VERDICTS_KEPT) break;
      this.#verdicts.delete(id);
    }
    return Promise.resolve();
  }

  renumber({ scope }: Sender, lastSeq: number, forced: ReadonlySet<string>): Promise<Numbered[]> {
    const next = renumbered(this.#rows, scope, lastSeq, forced);
    this.#write(next.entries, scope, next.counter);
    return Promise.resolve(next.entries);
  }

  senders(): Promise<Sender[]> {
    return Promise.resolve([...this.#counters.keys()].map((scope) => ({ client: this.client, scope })));
  }

  undo(id: string): Promise<boolean> {
    const before = this.#rows.length;
    this.#rows = this.#rows.filter((row) => row.id !== id || row.seq !== null);
    return Promise.resolve(this.#rows.length < before);
  }

  verdicts(ids: readonly string[]): Promise<Decided[]> {
    return Promise.resolve(ids.flatMap((id) => this.#verdicts.get(id) ?? []));
  }

  renew(client: string): Promise<void> {
    if (client === this.client) {
      this.client = newId();
      this.#counters.clear();
      this.#rows = this.#rows.map((row) => ({ ...row, seq: null }));
    }
    return Promise.resolve();
  }

  close(): void {
    // Nothing is held open.
  }

  #write(entries: readonly Entry[], scope: string, counter: number): void {
    const byId = new Map(entries.map((entry) => [entry.id, entry]));
    this.#rows = this.#rows.map((row) => byId.get(row.id) ?? row);
    this.#counters.set(scope, counter);
  }
}
