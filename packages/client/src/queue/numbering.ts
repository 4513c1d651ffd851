/**
 * Who is next and with which place: the arithmetic of the queue, apart from any storage. It changes nothing; a storage
 * writes what it returns in the same transaction that read its arguments.
 */
import { byteLength } from "../core/door.ts";
import type { Entry } from "../core/words.ts";
import type { Room } from "./queue.ts";

/** A mutation as it travels. */
export function wire({ created: _, order: __, ...entry }: Entry): object {
  return entry;
}

/** The first mutations of a scope, with places after `last` for those that have none. */
export function nextBatch(
  rows: readonly Entry[],
  scope: string,
  last: number,
  room: Room,
): { entries: (Entry & { seq: number })[]; fresh: Entry[]; counter: number } {
  let bytes = 0;
  const entries: (Entry & { seq: number })[] = [];
  const fresh: Entry[] = [];
  for (const row of rows) {
    if (row.scope !== scope) continue;
    const seq = row.seq ?? last + 1;
    const entry = { ...row, seq };
    bytes += byteLength(JSON.stringify(wire(entry))) + 1;
    // The first one goes whatever its size: alone it gets an answer, behind a limit it would wait for ever.
    if (entries.length && (entries.length >= room.mutations || bytes > room.bytes)) break;
    if (row.seq === null) {
      last = seq;
      fresh.push(entry);
    }
    entries.push(entry);
  }
  return { entries, fresh, counter: last };
}

/** New places for what was sent in a scope: those above `lastSeq` and the forced ones, in queue order. */
export function renumbered(
  rows: readonly Entry[],
  scope: string,
  lastSeq: number,
  forced: ReadonlySet<string>,
): { entries: (Entry & { seq: number })[]; counter: number } {
  let seq = lastSeq;
  const entries = rows
    .filter((row) => row.scope === scope && row.seq !== null && (row.seq > lastSeq || forced.has(row.id)))
    .map((row) => ({ ...row, seq: ++seq }));
  return { entries, counter: seq };
}
