/**
 * One scope as a client sees it: a base that only the server's history writes, the pending mutations, and the view,
 * which is always base + pending replayed. It does no I/O and reads no clock; every method tells its listener at most
 * once, after base and pending changed together, so that no one sees a state in between.
 */
import { Overlay, each, equal, inner, type Layer } from "./collections.ts";
import { RefusedError } from "./door.ts";
import { letGo, shown, type Item } from "./item.ts";
import { run, type Mutator } from "./tx.ts";
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
  rows: [collection: string, id: string, value: Json | undefined][];
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
  /** How many mutations were accepted in this life. */
  acceptances = 0;

  #base = new Overlay();
  #view = new Overlay(this.#base);
  #items = new Map<string, Item>();
  #ordered: readonly Item[] | null = null;
  #lastSeq = 0;
  /** A watermark read at a head this base has not reached yet. */
  #ahead: { at: number; seq: number } | null = null;
  /** The base came without a watermark: nothing is known of what was sent before it. */
  #doubt = false;
  /** The history itself changed: cursors of old verdicts mean nothing any more. */
  #otherHistory = false;
  /** The history that places count in, where that is known. */
  #counted: string | null = null;
  /** Places count in a history this base may not belong to: nothing is judged by watermarks until that is known. */
  #suspicious = false;
  #lists = new Map<string, readonly Json[]>();
  /** What the page saw of all that is being touched. */
  #seen: Layer = new Map();
  #unkept = new Map<string, Map<string, true>>();
  #since: number | null = null;
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

  /** A collection's values in id order, frozen; the same array until one of them is another. */
  all(collection: string): readonly Json[] {
    let list = this.#lists.get(collection);
    if (!list) {
      list = Object.freeze(this.#view.ids(collection).map((id) => this.#view.get(collection, id)!));
      this.#lists.set(collection, list);
    }
    return list;
  }

  /** How many mutations are pending. */
  get size(): number {
    return this.#items.size;
  }

  /** Mutations without a verdict or not yet in the base, in queue order. */
  get pending(): readonly Readonly<Item>[] {
    this.#ordered ??= [...this.#items.values()].sort((a, b) => {
      const [x, y] = [a.entry.order, b.entry.order];
      return x < y ? -1 : x > y ? 1 : 0;
    });
    return this.#ordered;
  }

  /**
   * Applies a new local mutation. Throws what its mutator throws; then it is not pending. `queued` is called when it is,
   * before the listener: whoever mutates while being told comes behind.
   */
  mutate(entry: Entry, queued?: () => void): void {
    if (this.#items.has(entry.id)) throw new RefusedError("invalid_mutation", `${entry.id} is pending already`);
    const written = this.#run(entry, this.#view);
    this.#hold(entry, null, false);
    this.#note(written);
    this.#view.absorb(written);
    queued?.();
    this.#tell();
  }

  /** Takes over mutations made elsewhere: an earlier life of the page, or another tab. Known ones are left alone. */
  adopt(entries: readonly Entry[]): void {
    let changed = false;
    for (const entry of entries) {
      if (this.#items.has(entry.id)) continue;
      letGo(this.#hold(entry, null, this.#doubt && entry.seq !== null), this.#knows());
      changed = true;
    }
    if (changed) this.#rebase();
  }

  /**
   * The base as it can be kept over restarts; `null` where there is none, or it isn't known what of the queue it holds.
   * Without `data` where that is kept in rows.
   */
  record(data = true): KeptBase | null {
    if (!this.valid || this.epoch === null || this.#doubt) return null;
    const held = this.pending.filter((item) => item.gone).map((item) => item.entry.id);
    const { cursor, digest, epoch } = this;
    const rows = data && Object.fromEntries([...this.#base.layer].map(([name, all]) => [name, Object.fromEntries(all)]));
    return { data: rows as Json, cursor, digest, epoch, last_seq: this.#lastSeq, held };
  }

  /** What is to be kept beside the record, and from now on is; `whole`: whatever was kept before. */
  unkept(whole = false): Unkept {
    const since = whole ? null : this.#since;
    const rows: Unkept["rows"] = [];
    each<unknown>(since === null ? this.#base.layer : this.#unkept, (collection, id) => {
      rows.push([collection, id, this.#base.get(collection, id)]);
    });
    this.#unkept.clear();
    this.#since = this.cursor;
    return { since, rows };
  }

  /** The base's place and watermark as a page without changes, for a tab that wants to know whether it has the same. */
  head(): Page | null {
    const { cursor, digest } = this;
    const lastSeq = this.#doubt ? undefined : this.#lastSeq;
    return this.valid ? { from: cursor, cursor, digest, epoch: this.epoch!, changes: [], lastSeq, lastWord: false } : null;
  }

  /**
   * Begins with the base an earlier life kept, unless what the page came with is newer, and with what is queued;
   * `counted` is the history its places count in, where that is known.
   */
  restore(kept: KeptBase | undefined, entries: readonly Entry[], counted: string | null = null): void {
    this.#counted = counted;
    if (!kept || (this.epoch !== null && (kept.epoch !== this.epoch || kept.cursor < this.cursor))) {
      return this.adopt(entries);
    }
    for (const entry of entries) {
      if (!this.#items.has(entry.id)) this.#hold(entry, kept.held.includes(entry.id) ? "change" : null, false);
    }
    this.#suspicious = this.#isElsewhere(kept.epoch);
    if (this.valid && kept.epoch === this.epoch && kept.cursor <= this.cursor) {
      this.#learn(kept.cursor, kept.last_seq);
      this.#settle(new Set(kept.held), true);
    } else this.reset(kept);
    this.#unkept.clear();
    this.#since = this.cursor;
  }

  /** The queue's order of mutations that were just saved. */
  place(placed: readonly Pick<Entry, "id" | "order">[]): void {
    const before = this.pending;
    this.#amend(placed, ({ order }) => ({ order }));
    this.#ordered = null;
    const after = this.pending;
    if (before.some((item, i) => item !== after[i])) this.#rebase();
  }

  /**
   * The leader gave out or changed places. Says whether they count in a history that this base seems not to belong to:
   * then nothing is judged by them until that is known.
   */
  number(numbered: readonly Pick<Entry, "id" | "seq">[], counted?: Counted): boolean {
    const { epoch = null, lastSeq } = counted ?? {};
    const anew = typeof lastSeq === "number" && this.epoch !== null;
    const behind = anew && (epoch !== this.epoch || lastSeq < this.#lastSeq);
    this.#suspicious ||= behind;
    if (counted) this.#counted = epoch;
    this.#amend(numbered, ({ seq }) => ({ seq }));
    this.#settle();
    return behind;
  }

  /**
   * Verdicts arrived. A refused mutation leaves at once, an accepted one when the base has reached its cursor. One that
   * is decided already keeps its first verdict.
   */
  decide(decided: readonly Decided[]): void {
    let removed = false;
    for (const { id, verdict } of decided) {
      const item = this.#items.get(id);
      if (!item || item.accepted !== null) continue;
      if (!verdict.ok) removed = this.#remove(id) || removed;
      else {
        this.acceptances++;
        item.accepted = verdict.cursor;
        item.history = verdict.epoch ?? this.epoch;
      }
    }
    this.#settle(undefined, removed);
  }

  /** A mutation was taken back before it was sent. */
  undo(id: string): void {
    if (this.#remove(id)) this.#rebase();
  }

  /** Applies changes in cursor order. Nothing is applied unless all of them follow on the base without a gap. */
  apply(page: Page): Applied {
    if (!this.valid) return "invalid";
    if (page.epoch !== undefined && page.epoch !== this.epoch) return "foreign";
    // What overlaps with changes that came meanwhile may be of another history than they are.
    if (page.from > this.cursor || (page.from < this.cursor && page.cursor > this.cursor)) return "gap";
    if (page.cursor === this.cursor && page.digest && this.digest && page.digest !== this.digest) return "foreign";
    const fresh = page.changes.filter((change) => change.cursor > this.cursor);
    if (fresh.some((change, i) => change.cursor !== this.cursor + 1 + i)) return "gap";
    if (fresh.length ? fresh.at(-1)!.cursor !== page.cursor : page.cursor > this.cursor) return "gap";
    const head = page.epoch !== undefined && typeof page.lastSeq === "number" && page.lastWord !== false;
    // Accepted above what is now the head: this history was put back to an earlier state, and goes on under the same name.
    if (head && this.pending.some((item) => item.history === this.epoch && item.accepted! > page.cursor)) return "foreign";
    const strays = head && this.#releaseStrays();
    if (fresh.length === 0) {
      const learned = page.cursor === this.cursor && this.#learn(page.cursor, page.lastSeq);
      this.#settle(undefined, strays || learned);
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
    this.#settle(undefined, this.#learn(at, lastSeq));
  }

  /**
   * A new base. Pending mutations stay and are replayed on it, but for those it names as held. Returns false where it
   * would go back in time.
   */
  reset(snapshot: Snapshot & { held?: string[] }, embedded = false): boolean {
    if (this.valid && snapshot.epoch === this.epoch && snapshot.cursor <= this.cursor) {
      this.watermark(snapshot.cursor, snapshot.last_seq);
      return false;
    }
    const same = snapshot.epoch === this.epoch;
    if (this.#otherHistory || (this.epoch !== null && !same)) {
      this.#lastSeq = 0;
      for (const [id, item] of this.#items) {
        if (item.accepted === null) item.gone = null;
        // Accepted by the history that begins: its cursor can be waited for.
        else if (same || item.history !== snapshot.epoch) this.#remove(id);
      }
    }
    this.#otherHistory = false;
    if (!snapshot.held) this.#suspicious = false;
    this.#ahead = null;
    this.#clear();
    for (const [collection, values] of records(snapshot.data)) {
      for (const [id, value] of records(values)) this.#base.set(collection, id, value);
    }
    this.#note(this.#base.layer);
    this.cursor = snapshot.cursor;
    this.digest = snapshot.digest;
    this.epoch = snapshot.epoch;
    this.valid = true;
    this.dropped = false;
    this.#doubt = embedded;
    for (const item of this.#items.values()) item.doubt = embedded && item.entry.seq !== null;
    if (!embedded) this.#learn(snapshot.cursor, snapshot.last_seq);
    this.#events.snapshot?.(snapshot.data, snapshot.cursor);
    this.#settle(new Set(snapshot.held), true);
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
    this.#clear();
    this.cursor = 0;
    this.digest = undefined;
    this.#rebase();
  }

  /** A new client id: old places and watermarks belong to the old one. */
  renew(): void {
    this.#lastSeq = 0;
    this.#ahead = null;
    this.number(
      [...this.#items.keys()].map((id) => ({ id, seq: null })),
      { epoch: null },
    );
  }

  #hold(entry: Entry, gone: Item["gone"], doubt: boolean): Item {
    const item: Item = { entry, accepted: null, history: null, gone, doubt };
    this.#items.set(entry.id, item);
    this.#ordered = null;
    return item;
  }

  #remove(id: string): boolean {
    this.#ordered = null;
    return this.#items.delete(id);
  }

  #amend<T extends { id: string }>(changes: readonly T[], change: (of: T) => Partial<Entry>): void {
    for (const one of changes) {
      const item = this.#items.get(one.id);
      if (item) item.entry = { ...item.entry, ...change(one) };
    }
  }

  /** At the head of the one history there is: what another one accepted is not coming. */
  #releaseStrays(): boolean {
    const strays = this.pending.filter(({ history }) => history !== null && history !== this.epoch);
    for (const { entry } of strays) this.#remove(entry.id);
    return strays.length > 0;
  }

  /** Whether places count in another history than this one. */
  #isElsewhere(epoch: string | null): boolean {
    return this.#counted !== null && this.#counted !== epoch;
  }

  #knows(named?: ReadonlySet<string>) {
    const lastSeq = this.#otherHistory || this.#suspicious ? null : this.#lastSeq;
    return { cursor: this.cursor, epoch: this.epoch, lastSeq, ...(named && { named }) };
  }

  /** Takes a watermark in, and says whether a doubt is over with it. */
  #learn(at: number, lastSeq: number | null | undefined): boolean {
    if (typeof lastSeq === "number" && at >= (this.#ahead?.at ?? 0)) this.#ahead = { at, seq: lastSeq };
    if (!this.#ahead || this.cursor < this.#ahead.at) return false;
    this.#lastSeq = Math.max(this.#lastSeq, this.#ahead.seq);
    this.#ahead = null;
    // What is known of another history than the one the places count in explains nothing.
    this.#suspicious &&= this.#isElsewhere(this.epoch);
    const doubted = this.#doubt;
    this.#doubt = false;
    for (const item of this.#items.values()) item.doubt = false;
    return doubted;
  }

  #write({ data, ...change }: Change): void {
    const { op, collection, id, value } = (data ?? {}) as Record<string, Json | undefined>;
    const known = value === undefined ? op === "del" : op === "put";
    if (typeof collection === "string" && typeof id === "string" && known) {
      this.#look(collection, id);
      this.#base.set(collection, id, value);
      inner(this.#unkept, collection).set(id, true);
    } else this.#events.unknown?.({ ...change, data });
  }

  /** Takes everything out of the base. */
  #clear(): void {
    this.#note(this.#base.layer);
    this.#note(this.#view.layer);
    this.#base = new Overlay();
    this.#since = null;
  }

  /** Lets go of what the base now holds, and tells once if anything is different. */
  #settle(named?: ReadonlySet<string>, changed = false): void {
    const knows = this.#knows(named);
    const { size } = this;
    for (const [id, item] of this.#items) {
      changed = letGo(item, knows) || changed;
      if (item.accepted !== null && item.gone) this.#remove(id);
    }
    if (changed) this.#rebase();
    // Nothing of the view is different, but less is pending.
    else if (this.size < size) this.#tell();
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
    this.#note(this.#view.layer);
    this.#note(view.layer);
    this.#view = view;
    this.#tell();
  }

  /** Remembers what the page sees of these, before they change. */
  #note(layer: Layer): void {
    each(layer, (collection, id) => this.#look(collection, id));
  }

  #look(collection: string, id: string): void {
    const seen = inner(this.#seen, collection);
    if (!seen.has(id)) seen.set(id, this.#view.get(collection, id));
  }

  /** Tells what of the view is different now. What says the same stays the same object. */
  #tell(): void {
    const changes = Object.create(null) as Changes;
    each(this.#seen, (collection, id, was) => {
      const now = this.#view.get(collection, id);
      if (now === was) return;
      if (equal(now, was)) {
        const holder = this.#view.layer.get(collection)?.has(id) ? this.#view : this.#base;
        return holder.set(collection, id, was);
      }
      (changes[collection] ??= { put: [], del: [] })[now === undefined ? "del" : "put"].push(id);
      this.#lists.delete(collection);
    });
    this.#seen = new Map();
    this.#events.changed(changes);
  }
}

/** The entries of a JSON object; none of anything else. */
function records(data: Json): [string, Json][] {
  return typeof data === "object" && data !== null && !Array.isArray(data) ? Object.entries(data) : [];
}
