/**
 * Who is next and with which place: the arithmetic of the queue, apart from any storage. It changes nothing; a storage
 * writes what it returns in the same transaction that read its arguments.
 */
import { byteLength } from "../core/door.ts";
import type { Entry } from "../core/words.ts";
import type { Room } from "./queue.ts";

/** A mutation without what only the queue needs to know. */
export const bare = ({ order: _, plain: __, ...entry }: Entry): Omit<Entry, "order" | "plain"> => entry;

/** A mutation as it travels. */
export function wire(entry: Entry): object {
  const { created: _, seq, ...rest } = bare(entry);
  return seq === null ? rest : { ...rest, seq };
}

/** The first of a scope's mutations, with places after `last` for those that have none. */
export function nextBatch(
  rows: readonly Entry[],
  last: number,
  room: Room,
): { entries: Entry[]; fresh: Entry[]; counter: number } {
  let bytes = 0;
  const entries: Entry[] = [];
  const fresh: Entry[] = [];
  for (const row of rows) {
    const entry = row.plain || row.seq !== null ? row : { ...row, seq: last + 1 };
    bytes += byteLength(JSON.stringify(wire(entry))) + 1;
    // The first one goes whatever its size: alone it gets an answer, behind a limit it would wait for ever.
    if (entries.length && (entries.length >= room.mutations || bytes > room.bytes)) break;
    if (entry !== row) {
      last++;
      fresh.push(entry);
    }
    entries.push(entry);
  }
  return { entries, fresh, counter: last };
}

/** New places for what of a scope was sent: those above `lastSeq` and the forced ones, in queue order. */
export function renumbered(
  rows: readonly Entry[],
  lastSeq: number,
  forced: ReadonlySet<string>,
): { entries: (Entry & { seq: number })[]; counter: number } {
  let counter = lastSeq;
  const entries = rows
    .filter((row) => row.seq !== null && (row.seq > lastSeq || forced.has(row.id)))
    .map((row) => ({ ...row, seq: ++counter }));
  return { entries, counter };
}
