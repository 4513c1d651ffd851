/**
 * The queue's rules over any storage that has transactions: who is next, with which place, and what a verdict removes.
 * Every step that reads and then writes is one transaction of the storage, so that two tabs can't interleave in it.
 */
import { VERDICTS_KEPT } from "../core/limits.ts";
import { newId } from "../core/uuid.ts";
import type { Decided, Entry, Json, KeptBase } from "../core/words.ts";
import { nextBatch, renumbered } from "./numbering.ts";
import type { Queue, Storage } from "./queue.ts";

/** What a storage offers inside of one transaction. */
export interface Table {
  /** The first mutations, in order: of one scope, or of all. */
  rows(scope?: string, limit?: number): Promise<Entry[]>;
  /** Adds a mutation behind all others and says where. */
  add(entry: Entry): Promise<number>;
  /** Writes a mutation where its `order` says. */
  put(entry: Entry): unknown;
  /** The mutation of this id. */
  find(id: string): Promise<Entry | undefined>;
  remove(entry: Entry): unknown;
  /** A value of one's own by its key. */
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): unknown;
  /** Forgets all values of one's own, and all bases. */
  clear(): void;
  /** Keeps a verdict, forgetting the oldest ones above `limit`. */
  keep(decided: readonly Decided[], limit: number): Promise<void>;
  kept(id: string): Promise<Decided | undefined>;
  /** The rows of a scope's base. */
  base(scope: string): Promise<BaseRow[]>;
  /** Writes rows of a base; `value` undefined takes one out. `whole`: nothing else stays. */
  keepBase(scope: string, whole: boolean, rows: readonly BaseRow[]): void;
}

/** One value of a base. */
export type BaseRow = readonly [collection: string, id: string, value: Json | undefined];

/** Parts of a storage: a transaction waits only for those that share a part with it. */
export const QUEUE = "queue";
export const META = "meta";
export const VERDICTS = "verdicts";
export const BASES = "bases";

/** Whose watermark a kept base was read with. */
type Owned = KeptBase & { client: string };

/** A storage. `run` resolves when what was written is as safe as the storage makes it, and rejects with nothing done. */
export interface Store {
  readonly storage: Storage;
  run<T>(write: boolean, work: (table: Table) => Promise<T>, parts?: string[]): Promise<T>;
  close(): void;
}

/** Opens the queue in a storage, with the client id that is kept there or a new one. */
export async function openTable(store: Store): Promise<Queue> {
  const { run, storage, close } = store;
  const claim = async (table: Table): Promise<void> => {
    queue.client = ((await table.get("client")) as string | undefined) ?? newId();
    table.set("client", queue.client);
  };
  const queue: Queue = {
    storage,
    client: "",
    close,
    append: (entries) =>
      run(
        true,
        (table) => Promise.all(entries.map(async (entry) => ({ ...entry, order: await table.add(entry) }))),
        [QUEUE],
      ),
    load: () => run(false, (table) => table.rows(), [QUEUE]),
    take: (scope, room, epoch) =>
      run(true, async (table) => {
        // Another tab may have led in between and started anew.
        await claim(table);
        const rows = await table.rows(scope, room.mutations);
        if (!rows.length) return null;
        const last = ((await table.get(`seq:${scope}`)) as number | undefined) ?? 0;
        const known = (await table.get(`epoch:${scope}`)) as string | undefined;
        const next = nextBatch(rows, last, room);
        next.fresh.forEach(table.put);
        if (next.fresh.length) table.set(`seq:${scope}`, next.counter);
        if (known === undefined && epoch !== null) table.set(`epoch:${scope}`, epoch);
        return { client: queue.client, epoch: known ?? epoch, entries: next.entries };
      }),
    settle: (decided, scope, epoch) =>
      run(true, async (table) => {
        const key = `epoch:${scope}`;
        if (epoch !== undefined && (await table.get(key)) === undefined) table.set(key, epoch);
        for (const row of await Promise.all(decided.map(({ id }) => table.find(id)))) if (row) table.remove(row);
        await table.keep(decided, VERDICTS_KEPT);
      }),
    renumber: (scope, lastSeq, forced, epoch) =>
      run(true, async (table) => {
        const next = renumbered(await table.rows(scope), lastSeq, forced);
        next.entries.forEach(table.put);
        table.set(`seq:${scope}`, next.counter);
        if (epoch !== null) table.set(`epoch:${scope}`, epoch);
        return next.entries;
      }),
    epoch: (scope) => run(false, async (table) => ((await table.get(`epoch:${scope}`)) as string | undefined) ?? null, [META]),
    undo: (id) =>
      run(true, async (table) => {
        const row = await table.find(id);
        if (!row || row.plain || row.seq !== null) return false;
        table.remove(row);
        return true;
      }),
    verdicts: async (ids) =>
      (await run(false, (table) => Promise.all(ids.map(table.kept)))).flatMap((one) => one ?? []),
    base: (scope, wanted) =>
      run(
        false,
        async (table) => {
          const kept = (await table.get(`base:${scope}`)) as Owned | null | undefined;
          if (kept?.client !== queue.client) return undefined;
          if (!wanted(kept)) return kept;
          const data = new Map<string, Record<string, Json>>();
          for (const [collection, id, value] of await table.base(scope)) {
            let rows = data.get(collection);
            if (!rows) data.set(collection, (rows = Object.create(null) as Record<string, Json>));
            rows[id] = value!;
          }
          return { ...kept, data: Object.fromEntries(data) };
        },
        [META, BASES],
      ),
    keep: (scope, base) =>
      run(
        true,
        async (table) => {
          const key = `base:${scope}`;
          const old = (await table.get(key)) as Owned | null | undefined;
          const { client } = queue;
          // A watermark is of one client.
          if ((await table.get("client")) !== client) return;
          const record = base && base.record(false);
          if (base && record) {
            const same = old && old.client === client && old.epoch === record.epoch;
            // Reads never go back in time.
            if (same && old.cursor > record.cursor) return;
            let { since, rows } = base.unkept(!same);
            if (since !== null && old!.cursor < since) ({ since, rows } = base.unkept(true));
            table.keepBase(scope, since === null, rows);
          } else if (base) return;
          else table.keepBase(scope, true, []);
          table.set(key, record && { ...record, client });
        },
        [META, BASES],
      ),
    renew: (client) =>
      run(
        true,
        async (table) => {
          if ((await table.get("client")) === client) {
            for (const row of await table.rows()) {
              // What was sent may be known already, by its id alone.
              table.put({ ...row, seq: null, ...(row.seq !== null && { plain: true }) });
            }
            table.clear();
          }
          await claim(table);
        },
        [META, QUEUE, BASES],
      ),
  };
  await run(true, claim, [META]);
  return queue;
}
