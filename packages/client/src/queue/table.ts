/**
 * The queue's rules over any storage that has transactions: who is next, with which place, and what a verdict removes.
 * Every step that reads and then writes is one transaction of the storage, so that two tabs can't interleave in it.
 */
import { VERDICTS_KEPT } from "../core/limits.ts";
import { newId } from "../core/uuid.ts";
import type { Decided, Entry, Json, KeptBase } from "../core/words.ts";
import { nextBatch, renumbered } from "./numbering.ts";
import type { Queue, Storage } from "./queue.ts";

/** Where a value is: values sort by their keys, part by part. */
export type Key = (string | number)[];

/** What a storage offers inside of one transaction. Where a key is meant, all keys that begin with it are meant. */
export interface Table {
  /** The value of exactly this key. */
  get<T>(...key: Key): Promise<T | undefined>;
  all<T>(limit: number | undefined, ...key: Key): Promise<T[]>;
  put(value: unknown, ...key: Key): void;
  delete(...key: Key): void;
}

/** Parts of a storage: a transaction waits only for those of the same part. */
export const QUEUE = "queued";
export const BASES = "kept";
export type Part = typeof QUEUE | typeof BASES;

/** Mutations without a verdict, by scope and place in the queue. */
export const WAITS = "waits";
/** The last place in the queue that was given out. */
export const ORDER = "order";
/** Decided mutations with their verdicts: as many slots as are kept, one after the other. */
const DECIDED = "decided";
/** Whose places these are. */
const CLIENT = "client";
/** By scope: the last place among the client's mutations, and the history these places count in. */
const SEQ = "seq";
const EPOCH = "epoch";

/** Rows of a base in one record: small enough that the page stays smooth while they are made into text. */
const ROWS = 500;

/** Bytes of changes that are kept apart from a base, however small it is, before all of it is written anew. */
const APART_BYTES = 64 * 1024;

/** The first record of a kept base. The others are texts of rows, in the order they were kept. */
interface Head extends KeptBase {
  /** Whose watermark it was read with. */
  client: string;
  /** Records of rows. */
  records: number;
  /** Characters of the base as it was last written whole, and of what was kept since. */
  whole: number;
  since: number;
}

/** A storage. `run` resolves when what was written is as safe as the storage makes it, and rejects with nothing done. */
export interface Store {
  readonly storage: Storage;
  run<T>(part: Part, write: boolean, work: (table: Table) => Promise<T>): Promise<T>;
  close(): void;
}

/** A mutation under another client id: what was sent may be known already, by its id alone. */
export const takenOver = (entry: Entry): Entry => ({ ...entry, seq: null, ...(entry.seq !== null && { plain: true }) });

/** Opens the queue in a storage, with the client id that is kept there or a new one. */
export async function openTable({ run, storage, close }: Store): Promise<Queue> {
  const claim = async (table: Table): Promise<void> => {
    const known = await table.get<string>(CLIENT);
    queue.client = known ?? newId();
    // Not written again: what waits on a disk that is full must be readable all the same.
    if (!known) table.put(queue.client, CLIENT);
  };
  const change = <T>(work: (table: Table) => Promise<T>): Promise<T> => run(QUEUE, true, work);
  const write = (table: Table, entry: Entry): void => table.put(entry, WAITS, entry.scope, entry.order);
  const waiting = async (table: Table): Promise<Entry[]> =>
    (await table.all<Entry>(undefined, WAITS)).sort((a, b) => a.order - b.order);
  const queue: Queue = {
    storage,
    client: "",
    close,
    append: (entries) =>
      change(async (table) => {
        let order = (await table.get<number>(ORDER)) ?? 0;
        const saved = entries.map((entry) => ({ ...entry, order: ++order }));
        for (const entry of saved) write(table, entry);
        table.put(order, ORDER);
        return saved;
      }),
    load: () => run(QUEUE, false, waiting),
    take: (scope, room, epoch) =>
      change(async (table) => {
        // Another tab may have led in between and started anew.
        await claim(table);
        const rows = await table.all<Entry>(room.mutations, WAITS, scope);
        if (!rows.length) return null;
        const known = await table.get<string>(EPOCH, scope);
        const { entries, fresh, counter } = nextBatch(rows, (await table.get<number>(SEQ, scope)) ?? 0, room);
        for (const entry of fresh) write(table, entry);
        if (fresh.length) table.put(counter, SEQ, scope);
        if (known === undefined && epoch !== null) table.put(epoch, EPOCH, scope);
        return { client: queue.client, epoch: known ?? epoch, entries };
      }),
    settle: (decided, entries, epoch) =>
      change(async (table) => {
        const { scope } = entries[0]!;
        if (epoch !== undefined && (await table.get(EPOCH, scope)) === undefined) table.put(epoch, EPOCH, scope);
        const orders = new Map(entries.map(({ id, order }) => [id, order]));
        for (const one of decided) {
          const order = orders.get(one.id)!;
          table.delete(WAITS, scope, order);
          table.put(one, DECIDED, order % VERDICTS_KEPT);
        }
      }),
    renumber: (scope, lastSeq, forced, epoch) =>
      change(async (table) => {
        const { entries, counter } = renumbered(await table.all(undefined, WAITS, scope), lastSeq, forced);
        for (const entry of entries) write(table, entry);
        table.put(counter, SEQ, scope);
        if (epoch !== null) table.put(epoch, EPOCH, scope);
        return entries;
      }),
    epoch: (scope) => run(QUEUE, false, async (table) => (await table.get<string>(EPOCH, scope)) ?? null),
    undo: (id) =>
      change(async (table) => {
        const row = (await waiting(table)).find((one) => one.id === id);
        if (!row || row.plain || row.seq !== null) return false;
        table.delete(WAITS, row.scope, row.order);
        return true;
      }),
    verdicts: async (ids) =>
      (await run(QUEUE, false, (table) => table.all<Decided>(undefined, DECIDED))).filter(({ id }) => ids.includes(id)),
    base: (scope, wanted) =>
      run(BASES, false, async (table) => {
        const head = await table.get<Head>(scope, 0);
        if (head?.client !== queue.client) return undefined;
        if (!wanted(head)) return head;
        const data: Record<string, Record<string, Json>> = Object.create(null);
        for (const text of (await table.all<string>(undefined, scope)).slice(1)) {
          for (const [collection, id, value] of JSON.parse(text) as [string, string, Json?][]) {
            const rows = (data[collection] ??= Object.create(null));
            if (value === undefined) delete rows[id];
            else rows[id] = value;
          }
        }
        return { ...head, data };
      }),
    keep: (scope, base) =>
      run(BASES, true, async (table) => {
        const record = base?.record(false);
        if (!base) table.delete(scope);
        if (!base || !record) return;
        const { client } = queue;
        const old = await table.get<Head>(scope, 0);
        const same = old?.client === client && old.epoch === record.epoch;
        // Reads never go back in time.
        if (same && old.cursor > record.cursor) return;
        let { since, rows } = base.unkept(!same || old.since > old.whole + APART_BYTES);
        if (since !== null && old!.cursor < since) ({ since, rows } = base.unkept(true));
        const head: Head = { ...record, client, records: 0, whole: 0, since: 0, ...(since !== null && old) };
        if (since === null) table.delete(scope);
        for (let i = 0; i < rows.length; i += ROWS) {
          const text = JSON.stringify(rows.slice(i, i + ROWS));
          table.put(text, scope, ++head.records);
          head[since === null ? "whole" : "since"] += text.length;
          // Others get a turn, and the transaction stays open.
          await table.get(scope, 0);
        }
        table.put({ ...head, ...record }, scope, 0);
      }),
    renew: (client) =>
      change(async (table) => {
        if ((await table.get(CLIENT)) === client) {
          for (const row of await waiting(table)) write(table, takenOver(row));
          for (const part of [CLIENT, SEQ, EPOCH]) table.delete(part);
        }
        await claim(table);
      }),
  };
  await change(claim);
  return queue;
}
