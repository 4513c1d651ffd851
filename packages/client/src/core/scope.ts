/**
 * One scope as a client sees it: a base that only the server's history writes, the pending mutations, and the view,
 * which is always base + pending replayed. It does no I/O and reads no clock; every method tells its listener at most
 * once, after base and pending changed together, so that no one sees a state in between.
 */
import { Overlay, sorted, type Layer } from "./collections.ts";
import { letGo, shown, type Item } from "./item.ts";
import { run, type Mutator } from "./tx.ts";
import type { Change, Decided, Entry, Json, KeptBase, Snapshot } from "./words.ts";

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
}

/**
 * What became of a page. `gap`: something before it is missing, pull. `foreign`: another history, reset.
 * `invalid`: there is no base to apply it to.
 */
export type Applied = "applied" | "duplicate" | "gap" | "foreign" | "invalid";

/** What a scope tells its owner. */
export interface ScopeEvents {
  /** The view or the pending mutations changed. */
  changed(): void;
  /** A change that is no collection's; its cursor is already part of the base. */
  unknown?(change: Change): void;
  /** A new base; for applications whose snapshot is not made of collections. */
  snapshot?(data: Json, cursor: number): void;
}

/** Base, pending and view of one scope. */
export class ScopeCore {
  /** Everything up to here is in the base. */
  cursor = 0;
  digest: string | undefined;
  epoch: string | null = null;
  /** There is a base that the server's changes may be applied to. */
  valid = false;
  /** What was read may no longer be read. */
  dropped = false;

  #base = new Overlay();
  #view = new Overlay(this.#base);
  #items = new Map<string, Item>();
  #lastSeq = 0;
  /** A watermark read at a head this base has not reached yet. */
  #ahead: { at: number; seq: number } | null = null;
  /** The base came without a watermark: nothing is known of what was sent before it. */
  #doubt = false;
  /** The history itself changed: cursors of old verdicts mean nothing any more. */
  #otherHistory = false;
  #lists = new Map<string, readonly Json[]>();
  readonly #mutators: Readonly<Record<string, Mutator>>;
  readonly #events: ScopeEvents;

  constructor(mutators: Readonly<Record<string, Mutator>>, events: ScopeEvents) {
    this.#mutators = mutators;
    this.#events = events;
  }

  /** The value as the page should show it, frozen; `undefined` where there is none. */
  get(collection: string, id: string): Json | undefined {
    return this.#view.get(collection, id);
  }

  /** A collection's values in id order, frozen; the same array until something in the collection may have changed. */
  all(collection: string): readonly Json[] {
    let list = this.#lists.get(collection);
    if (!list) {
      list = Object.freeze(sorted(this.#view.entries(collection)).map(([, value]) => value));
      this.#lists.set(collection, list);
    }
    return list;
  }

  /** Mutations without a verdict or not yet in the base, in queue order. */
  get pending(): readonly Readonly<Item>[] {
    return [...this.#items.values()].sort((a, b) =>
      a.entry.order < b.entry.order ? -1 : a.entry.order > b.entry.order ? 1 : 0,
    );
  }

  /**
   * Applies a new local mutation. Throws what its mutator throws; then it is not pending. `queued` is called when it is,
   * before the listener: whoever mutates while being told comes behind.
   */
  mutate(entry: Entry, queued?: () => void): void {
    const written = this.#run(entry, this.#view);
    this.#items.set(entry.id, { entry, accepted: null, gone: null, doubt: false });
    this.#view.absorb(written);
    for (const collection of written.keys()) this.#lists.delete(collection);
    queued?.();
    this.#events.changed();
  }

  /** Takes over mutations made elsewhere: an earlier life of the page, or another tab. Known ones are left alone. */
  adopt(entries: readonly Entry[]): void {
    let changed = false;
    for (const entry of entries) {
      if (this.#items.has(entry.id)) continue;
      const item: Item = { entry, accepted: null, gone: null, doubt: this.#doubt && entry.seq !== null };
      this.#items.set(entry.id, item);
      letGo(item, this.#knows());
      changed = true;
    }
    if (changed) this.#rebase();
  }

  /** The base as it can be kept over restarts; `null` where there is none, or it isn't known what of the queue it holds. */
  record(): KeptBase | null {
    if (!this.valid || this.epoch === null || this.#doubt) return null;
    const data = Object.fromEntries([...this.#base.layer].map(([name, all]) => [name, Object.fromEntries(all)]));
    const held = [...this.#items.values()].filter((item) => item.gone).map((item) => item.entry.id);
    const { cursor, digest, epoch } = this;
    return { data: data as Json, cursor, digest, epoch, last_seq: this.#lastSeq, held };
  }

  /** Begins with the base an earlier life kept, unless what the page came with is newer, and with what is queued. */
  restore(kept: KeptBase | undefined, entries: readonly Entry[]): void {
    if (!kept || (this.epoch !== null && (kept.epoch !== this.epoch || kept.cursor < this.cursor))) {
      return this.adopt(entries);
    }
    for (const entry of entries) {
      if (this.#items.has(entry.id)) continue;
      const gone = kept.held.includes(entry.id) ? "change" : null;
      this.#items.set(entry.id, { entry, accepted: null, gone, doubt: false });
    }
    if (!this.reset(kept)) this.#rebase();
  }

  /** The queue's order of mutations that were just saved. */
  place(placed: readonly Pick<Entry, "id" | "order">[]): void {
    const before = this.pending;
    this.#amend(placed, ({ order }) => ({ order }));
    const after = this.pending;
    if (before.some((item, i) => item !== after[i])) this.#rebase();
  }

  /** The leader gave out or changed places. */
  number(numbered: readonly Pick<Entry, "id" | "seq">[]): void {
    this.#amend(numbered, ({ seq }) => ({ seq }));
    this.#settle();
  }

  /** Verdicts arrived. A refused mutation leaves at once, an accepted one when the base has reached its cursor. */
  decide(decided: readonly Decided[]): void {
    let removed = false;
    for (const { id, verdict } of decided) {
      const item = this.#items.get(id);
      if (!item) continue;
      if (!verdict.ok) removed = this.#items.delete(id) || removed;
      else item.accepted = this.#isForeign(verdict.epoch) ? Infinity : verdict.cursor;
    }
    this.#settle(undefined, removed);
  }

  /** A mutation was taken back before it was sent. */
  undo(id: string): void {
    if (this.#items.delete(id)) this.#rebase();
  }

  /** Applies changes in cursor order. Nothing is applied unless all of them follow on the base without a gap. */
  apply(page: Page): Applied {
    if (!this.valid) return "invalid";
    if (page.epoch !== undefined && page.epoch !== this.epoch) return "foreign";
    if (page.from > this.cursor) return "gap";
    if (page.cursor === this.cursor && page.digest && this.digest && page.digest !== this.digest) return "foreign";
    const fresh = page.changes.filter((change) => change.cursor > this.cursor);
    if (fresh.some((change, i) => change.cursor !== this.cursor + 1 + i)) return "gap";
    if (page.cursor > this.cursor && fresh.at(-1)?.cursor !== page.cursor) return "gap";
    // The head of the one history there is: what another one accepted is not coming.
    const strays = page.epoch !== undefined && typeof page.lastSeq === "number" && this.#releaseStrays();
    if (fresh.length === 0) {
      if (page.cursor === this.cursor) this.watermark(page.cursor, page.lastSeq);
      if (strays) this.#settle();
      return "duplicate";
    }
    this.cursor = page.cursor;
    this.digest = page.digest;
    for (const change of fresh) this.#write(change);
    this.#learn(page.cursor, page.lastSeq);
    this.#settle(new Set(fresh.map((change) => change.mutation)), true);
    return "applied";
  }

  /** The client's watermark as of a head. It counts once the base has reached that head. */
  watermark(at: number, lastSeq: number | null | undefined): void {
    const doubted = this.#doubt;
    this.#learn(at, lastSeq);
    this.#settle(undefined, doubted && !this.#doubt);
  }

  /** A new base. Pending mutations stay and are replayed on it. Returns false where it would go back in time. */
  reset(snapshot: Snapshot, embedded = false): boolean {
    if (this.valid && snapshot.epoch === this.epoch && snapshot.cursor <= this.cursor) {
      this.watermark(snapshot.cursor, snapshot.last_seq);
      return false;
    }
    if (this.epoch !== null && snapshot.epoch !== this.epoch) this.#otherHistory = true;
    if (this.#otherHistory) {
      this.#lastSeq = 0;
      for (const [id, item] of this.#items) {
        if (item.accepted !== null) this.#items.delete(id);
        else item.gone = null;
      }
    }
    this.#otherHistory = false;
    this.#ahead = null;
    this.#base = new Overlay();
    for (const [collection, values] of records(snapshot.data)) {
      for (const [id, value] of records(values)) this.#base.set(collection, id, value);
    }
    this.cursor = snapshot.cursor;
    this.digest = snapshot.digest;
    this.epoch = snapshot.epoch;
    this.valid = true;
    this.dropped = false;
    this.#doubt = embedded;
    if (!embedded) this.#learn(snapshot.cursor, snapshot.last_seq);
    this.#events.snapshot?.(snapshot.data, snapshot.cursor);
    this.#lists.clear();
    this.#settle(undefined, true);
    return true;
  }

  /** The base can't be continued; it stays visible until the next one. `otherHistory`: its cursors mean nothing now. */
  invalidate(otherHistory: boolean): void {
    this.valid = false;
    this.#ahead = null;
    this.#otherHistory ||= otherHistory;
  }

  /** The scope may no longer be read: its data goes, the pending mutations stay for their verdicts. */
  drop(): void {
    this.invalidate(false);
    this.dropped = true;
    this.#base = new Overlay();
    this.cursor = 0;
    this.digest = undefined;
    this.#lists.clear();
    this.#rebase();
  }

  /** A new client id: old places and watermarks belong to the old one. */
  renew(): void {
    this.#lastSeq = 0;
    this.#ahead = null;
    this.number([...this.#items.keys()].map((id) => ({ id, seq: null })));
  }

  #amend<T extends { id: string }>(changes: readonly T[], change: (of: T) => Partial<Entry>): void {
    for (const one of changes) {
      const item = this.#items.get(one.id);
      if (item) item.entry = { ...item.entry, ...change(one) };
    }
  }

  /**
   * A cursor of another history can't be waited for. Either this base is the old one, and the reset to come lets go of
   * the mutation; or the verdict is, and the next answer from the head does.
   */
  #isForeign(epoch: string | undefined): boolean {
    return epoch !== undefined && this.epoch !== null && epoch !== this.epoch;
  }

  #releaseStrays(): boolean {
    const strays = [...this.#items.values()].filter((item) => item.accepted === Infinity);
    for (const item of strays) item.accepted = 0;
    return strays.length > 0;
  }

  #knows(named?: ReadonlySet<string>) {
    return { cursor: this.cursor, lastSeq: this.#lastSeq, ...(named && { named }) };
  }

  #learn(at: number, lastSeq: number | null | undefined): void {
    if (typeof lastSeq === "number" && at >= (this.#ahead?.at ?? 0)) this.#ahead = { at, seq: lastSeq };
    if (!this.#ahead || this.cursor < this.#ahead.at) return;
    this.#lastSeq = Math.max(this.#lastSeq, this.#ahead.seq);
    this.#ahead = null;
    this.#doubt = false;
    for (const item of this.#items.values()) item.doubt = false;
  }

  #write({ data, ...change }: Change): void {
    const { op, collection, id, value } = (data ?? {}) as Record<string, Json | undefined>;
    const key = typeof collection === "string" && typeof id === "string";
    if (key && op === "put") this.#set(collection, id, value ?? null);
    else if (key && op === "del") this.#set(collection, id, undefined);
    else this.#events.unknown?.({ ...change, data });
  }

  #set(collection: string, id: string, value: Json | undefined): void {
    this.#base.set(collection, id, value);
    this.#lists.delete(collection);
  }

  /** Lets go of what the base now holds, and tells once if anything is different. */
  #settle(named?: ReadonlySet<string>, changed = false): void {
    const knows = this.#knows(named);
    for (const [id, item] of this.#items) {
      changed = letGo(item, knows) || changed;
      if (item.accepted !== null && item.gone) this.#items.delete(id);
    }
    if (changed) this.#rebase();
  }

  #run({ type, id, args }: Entry, view: Overlay): Layer {
    return run(this.#mutators[type], view, id, args);
  }

  /** Replays what is pending on the base. A mutator that throws has no effect in this view and stays pending. */
  #rebase(): void {
    const view = new Overlay(this.#base);
    for (const item of this.pending) {
      if (!shown(item)) continue;
      try {
        view.absorb(this.#run(item.entry, view));
      } catch {
        // The server decides; until then this view goes on without it.
      }
    }
    for (const layer of [this.#view.layer, view.layer]) for (const name of layer.keys()) this.#lists.delete(name);
    this.#view = view;
    this.#events.changed();
  }
}

/** The entries of a JSON object; none of anything else. */
function records(data: Json): [string, Json][] {
  return typeof data === "object" && data !== null && !Array.isArray(data) ? Object.entries(data) : [];
}
