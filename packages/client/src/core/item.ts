/**
 * One pending mutation as the core sees it, and the rule by which it leaves the view. The rule is the contract's "When
 * a client lets go of a pending mutation", in one place. It never looks at a push's answer alone.
 */
import type { Entry } from "./words.ts";

/** Why a mutation is no longer replayed: the base is known to hold its outcome. */
export type LetGo = "cursor" | "watermark" | "change";

/** A mutation that is not yet both decided and let go. */
export interface Item {
  entry: Entry;
  /** The cursor of its accepted verdict in this scope, once known. */
  accepted: number | null;
  /** The history that cursor belongs to, where the verdict said. */
  history: string | null;
  /** It left the view, and why. Without a verdict it is still asked for. */
  gone: LetGo | null;
  /** It was sent by an earlier life of the page, and the base can't say yet whether it holds it: not shown twice. */
  doubt: boolean;
}

/** What the base knows at this moment. */
export interface BaseKnows {
  /** Everything up to here is in it. */
  cursor: number;
  /** The history it is of; `null` before there was any base. */
  epoch: string | null;
  /** The client's watermark that belongs to this base or an earlier one; `null` while places and base may be of two. */
  lastSeq: number | null;
  /** Ids of mutations whose changes were just applied. */
  named?: ReadonlySet<string>;
}

/** Applies the rule and says whether the item's part in the view changed. */
export function letGo(item: Item, base: BaseKnows): boolean {
  const before = shown(item);
  const { seq } = item.entry;
  // A cursor of another history can't be waited for; what comes of it is the next base's to say.
  const known = item.accepted !== null && base.epoch !== null && (item.history ?? base.epoch) === base.epoch;
  if (base.named?.has(item.entry.id)) item.gone = "change";
  else if (known && item.accepted! <= base.cursor) item.gone ??= "cursor";
  else if (base.lastSeq !== null) {
    if (seq !== null && seq <= base.lastSeq) item.gone ??= "watermark";
    // Renumbered above the watermark: the seq that was let go belonged to another mutation.
    else if (item.gone === "watermark") item.gone = null;
  }
  return shown(item) !== before;
}

/** Whether it is replayed on top of the base. */
export const shown = (item: Item): boolean => item.gone === null && !item.doubt;
