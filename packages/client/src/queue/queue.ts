/**
 * The queue's contract: mutations wait here until a verdict takes them out, and nothing else does. What `append`
 * resolved for is there after a crash, as far as the storage can promise. Only the leading tab may call `take`,
 * `renumber` and `renew`: they give out places, and a client has one sender.
 */
import type { Unkept } from "../core/contract.ts";
import type { Decided, Entry, KeptBase, Numbered } from "../core/words.ts";

/** Where mutations are kept: over restarts, or in this page only. */
export type Storage = "indexeddb" | "memory";

/** How much one push may hold. */
export interface Room {
  mutations: number;
  /** Bytes of JSON, all mutations together. */
  bytes: number;
}

/** What to push next: mutations of one scope in order, under one client id, each with its place if it has one. */
export interface Batch {
  client: string;
  /**
   * The history the places were given in: the one kept with them, which may be older than what the tab knows. The server
   * then says so, before it takes a place for one of another history.
   */
  epoch: string | null;
  entries: Entry[];
}

/** A base that can be kept; asked in one breath, so that record and rows are of one cursor. */
export interface Keepable {
  record(data: boolean): KeptBase | null;
  unkept(whole: boolean): Unkept;
}

/** See the file's head. */
export interface Queue {
  readonly storage: Storage;
  /** The client id whose watermark readers should ask for. Set when another tab replaced it. */
  client: string;
  /** Saves mutations in this order and says where they stand. Rejects if the storage did not take them. */
  append(entries: readonly Entry[]): Promise<Entry[]>;
  /** Everything without a verdict, in order. */
  load(): Promise<Entry[]>;
  /**
   * The first mutations of a scope, numbered in the same transaction; `null` when there are none. `epoch` is the history
   * the tab knows, if it does.
   */
  take(scope: string, room: Room, epoch: string | null): Promise<Batch | null>;
  /**
   * Removes decided mutations, which are among these entries of one scope, and keeps their verdicts, and the history the
   * scope's places count in where that was not known.
   */
  settle(decided: readonly Decided[], entries: readonly Entry[], epoch?: string): Promise<void>;
  /** Numbers what was sent again from `lastSeq` + 1, all above it and those in `forced`, as places of this history. */
  renumber(scope: string, lastSeq: number, forced: ReadonlySet<string>, epoch: string | null): Promise<Numbered[]>;
  /** The history a scope's places count in, where that is known. */
  epoch(scope: string): Promise<string | null>;
  /** Takes a mutation back, unless it has a place already. */
  undo(id: string): Promise<boolean>;
  /** The kept verdicts of these ids. */
  verdicts(ids: readonly string[]): Promise<Decided[]>;
  /** The base that was kept for a scope under this client id; with its data only if `wanted` says so of the rest. */
  base(scope: string, wanted: (base: KeptBase) => boolean): Promise<KeptBase | undefined>;
  /** Keeps what is new in a scope's base, with its cursor, unless another tab kept a later one; `null` forgets it. */
  keep(scope: string, base: Keepable | null): Promise<void>;
  /** Replaces this client id by a new one: its places are forgotten, its mutations stay. */
  renew(client: string): Promise<void>;
  close(): void;
}
