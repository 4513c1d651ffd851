/**
 * The queue's contract: mutations wait here until a verdict takes them out, and nothing else does. What `append`
 * resolved for is there after a crash, as far as the storage can promise. Only the leading tab may call `take`,
 * `trust`, `renumber` and `renew`: they give out places, and a client has one sender.
 */
import type { Decided, Entry, KeptBase, Numbered } from "../core/words.ts";

/** Where mutations are kept: over restarts, or in this page only. */
export type Storage = "indexeddb" | "memory";

/** How much one push may hold. */
export interface Room {
  mutations: number;
  /** Bytes of JSON, all mutations together. */
  bytes: number;
}

/** Whose places are counted where. */
export interface Sender {
  client: string;
  scope: string;
}

/** What to push next: mutations of one scope in order, each with its place, under one client id. */
export interface Batch extends Sender {
  /**
   * The history the places were given in: the one kept with them, which may be older than what the tab knows. The server
   * then says so, before it takes a place for one of another history.
   */
  epoch: string | null;
  entries: (Entry & { seq: number })[];
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
   * The first mutations of the scope whose turn it is, numbered in the same transaction; `null` when there are none.
   * Without `lead` only what no other tab can send. `epoch` is the history the tab knows, if it does.
   */
  take(room: Room, lead: boolean, epoch: string | null): Promise<Batch | null>;
  /** From now on places count in this history. */
  trust(epoch: string): Promise<void>;
  /** Removes decided mutations and keeps their verdicts, in one transaction. */
  settle(decided: readonly Decided[]): Promise<void>;
  /** Numbers what was sent under a client again from `lastSeq` + 1: all above it, and those in `forced`. */
  renumber(of: Sender, lastSeq: number, forced: ReadonlySet<string>): Promise<Numbered[]>;
  /** Where places have been given out. */
  senders(): Promise<Sender[]>;
  /** Takes a mutation back, unless it has a place already. */
  undo(id: string): Promise<boolean>;
  /** The kept verdicts of these ids. */
  verdicts(ids: readonly string[]): Promise<Decided[]>;
  /** The base that was kept for a scope under this client id. */
  base(scope: string): Promise<KeptBase | undefined>;
  /** Keeps a scope's base, with its cursor, unless another tab kept a later one; `null` forgets it. */
  keep(scope: string, base: KeptBase | null): Promise<void>;
  /** Replaces this client id by a new one: its places are forgotten, its mutations stay. */
  renew(client: string): Promise<void>;
  close(): void;
}
