/**
 * What one scope's core offers to the session around it, and what it tells. Types only; nothing here runs.
 */
import type { Item } from "./item.ts";
import type { Change, Changes, Decided, Entry, Json, KeptBase, Snapshot } from "./words.ts";

/** Changes that follow each other, from a page of a pull or a live frame. */
export interface Page {
  /** The cursor they follow on. */
  from: number;
  /** The cursor after them. */
  cursor: number;
  digest?: string | undefined;
  /** The history they belong to, where the answer says. */
  epoch?: string | undefined;
  changes: Change[];
  /** The watermark read with them; only where the page reached the head of its transaction. */
  lastSeq?: number | null | undefined;
  /** False where a verdict came after it was asked for: what another history accepted need not be in it. */
  lastWord?: boolean;
}

/** Where places count. */
export interface Counted {
  /** The history they count in, where that is known. */
  epoch: string | null;
  /** The client's watermark in that history, where places were given anew from it. */
  lastSeq?: number | null;
}

/**
 * What became of a page. `gap`: something before it is missing, pull. `foreign`: another history, reset.
 * `invalid`: there is no base to apply it to.
 */
export type Applied = "applied" | "duplicate" | "gap" | "foreign" | "invalid";

/** What a scope tells its owner. */
export interface ScopeEvents {
  /** The view or the pending mutations changed; `changes` says what of the view, which may be nothing. */
  changed(changes: Changes): void;
  /** A change that is no collection's; its cursor is already part of the base. */
  unknown?(change: Change): void;
  /** A new base; for applications whose snapshot is not made of collections. */
  snapshot?(data: Json, cursor: number): void;
}

/** Rows of the base that changed since it was last kept. */
export interface Unkept {
  /** The cursor of the base they are to be added to; `null`: the whole base is in `rows`. */
  since: number | null;
  /** Without a value where there is none any more. */
  rows: [collection: string, id: string, value?: Json][];
}

/** Base, pending and view of one scope. */
export interface ScopeCore {
  /** Everything up to here is in the base. */
  cursor: number;
  digest: string | undefined;
  epoch: string | null;
  /** There is a base that the server's changes may be applied to. */
  valid: boolean;
  /** What was read may no longer be read. */
  dropped: boolean;
  /** How many mutations were accepted in this life. */
  acceptances: number;
  /** The value as the page should show it, frozen; `undefined` where there is none. */
  get(collection: string, id: string): Json | undefined;
  /** A collection's values in id order, frozen; the same array until one of them is another. */
  all(collection: string): readonly Json[];
  /** How many mutations are pending. */
  readonly size: number;
  /** Mutations without a verdict or not yet in the base, in queue order. */
  readonly pending: readonly Readonly<Item>[];
  /**
   * Applies a new local mutation. Throws what its mutator throws; then it is not pending. `queued` is called when it is,
   * before the listener: whoever mutates while being told comes behind.
   */
  mutate(entry: Entry, queued?: () => void): void;
  /** Takes over mutations made elsewhere: an earlier life of the page, or another tab. Known ones are left alone. */
  adopt(entries: readonly Entry[]): void;
  /**
   * The base as it can be kept over restarts; `null` where there is none, or it isn't known what of the queue it holds.
   * Without `data` where that is kept in rows.
   */
  record(data?: boolean): KeptBase | null;
  /** What is to be kept beside the record, and from now on is; `whole`: whatever was kept before. */
  unkept(whole?: boolean): Unkept;
  /** The base's place and watermark as a page without changes, for a tab that wants to know whether it has the same. */
  head(): Page | null;
  /**
   * Begins with the base an earlier life kept, unless what the page came with is newer, and with what is queued;
   * `counted` is the history its places count in, where that is known.
   */
  restore(kept: KeptBase | undefined, entries: readonly Entry[], counted?: string | null): void;
  /** The queue's order of mutations that were just saved. */
  place(placed: readonly Pick<Entry, "id" | "order">[]): void;
  /**
   * The leader gave out or changed places. Says whether they count in a history that this base seems not to belong to:
   * then nothing is judged by them until that is known.
   */
  number(numbered: readonly Pick<Entry, "id" | "seq">[], counted?: Counted): boolean;
  /**
   * Verdicts arrived. A refused mutation leaves at once, an accepted one when the base has reached its cursor. One that
   * is decided already keeps its first verdict.
   */
  decide(decided: readonly Decided[]): void;
  /** A mutation was taken back before it was sent. */
  undo(id: string): void;
  /** Applies changes in cursor order. Nothing is applied unless all of them follow on the base without a gap. */
  apply(page: Page): Applied;
  /** The client's watermark as of a head. It counts once the base has reached that head. */
  watermark(at: number, lastSeq: number | null | undefined): void;
  /**
   * A new base. Pending mutations stay and are replayed on it, but for those it names as held. Returns false where it
   * would go back in time.
   */
  reset(snapshot: Snapshot & { held?: string[] }, embedded?: boolean): boolean;
  /** The base can't be continued; it stays visible until the next one. `otherHistory`: its cursors mean nothing now. */
  invalidate(otherHistory: boolean): void;
  /** The scope may no longer be read: its data goes, the pending mutations stay for their verdicts. */
  drop(): void;
  /** A new client id: old places and watermarks belong to the old one. */
  renew(): void;
}
