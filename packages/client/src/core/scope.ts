/**
 * One scope as a client sees it: a base that only the server's history writes, the pending mutations, and the view,
 * which is always base + pending replayed. It does no I/O and reads no clock; every method tells its listener at most
 * once, after base and pending changed together, so that no one sees a state in between.
 */
import { Overlay, compare, each, equal, inner, placeOf, type Layer } from "./collections.ts";
import { invalid } from "./door.ts";
import { letGo, shown, type Item } from "./item.ts";
import { run, type Mutator } from "./tx.ts";
import type { Applied, Counted, Page, ScopeCore, ScopeEvents, Unkept } from "./contract.ts";
import type { Change, Changes, Decided, Entry, Json, KeptBase, Snapshot } from "./words.ts";

export function makeScopeCore(mutators: Readonly<Record<string, Mutator>>, events: ScopeEvents): ScopeCore {
  let base = new Overlay();
  let view = new Overlay(base);
  const items = new Map<string, Item>();
  let ordered: readonly Item[] | null = null;
  let lastMark = 0;
  /** A watermark read at a head this base has not reached yet. */
  let ahead: { at: number; seq: number } | null = null;
  /** The base came without a watermark: nothing is known of what was sent before it. */
  let doubting = false;
  /** The history itself changed: cursors of old verdicts mean nothing any more. */
  let otherHistory = false;
  /** The history that places count in, where that is known. */
  let countedIn: string | null = null;
  /** Places count in a history this base may not belong to: nothing is judged by watermarks until that is known. */
  let suspicious = false;
  /** Collections as arrays, and the ids whose values are others by now. */
  const lists = new Map<string, { ids: readonly string[]; rows: readonly Json[]; stale: Set<string> }>();
  /** What the page saw of all that is being touched. */
  let seen: Layer = new Map();
  const unkeptIds = new Map<string, Map<string, true>>();
  /** The cursor at which the base was last kept. */
  let keptAt: number | null = null;

  const core: ScopeCore = {
    cursor: 0,
    digest: undefined,
    epoch: null,
    valid: false,
    dropped: false,
    acceptances: 0,
    get(collection: string, id: string): Json | undefined {
      return view.get(collection, id);
    },
    all(collection: string): readonly Json[] {
      let list = lists.get(collection);
      if (!list) {
        const ids = view.ids(collection);
        lists.set(collection, (list = { ids, rows: ids.map((id) => view.get(collection, id)!), stale: new Set() }));
      }
      const { ids, stale } = list;
      if (stale.size) list.rows = [...list.rows];
      for (const id of stale) (list.rows as Json[])[placeOf(id, ids)] = view.get(collection, id)!;
      stale.clear();
      return Object.freeze(list.rows);
    },
    get size(): number {
      return items.size;
    },
    get pending(): readonly Readonly<Item>[] {
      ordered ??= [...items.values()].sort((a, b) => compare(a.entry.order, b.entry.order));
      return ordered;
    },
    mutate(entry: Entry, queued?: () => void): void {
      if (items.has(entry.id)) throw invalid(`${entry.id} is pending already`);
      const written = runOn(entry, view);
      hold(entry, null, false);
      note(written);
      view.absorb(written);
      queued?.();
      tell();
    },
    adopt(entries: readonly Entry[]): void {
      let changed = false;
      for (const entry of entries) {
        if (items.has(entry.id)) continue;
        letGo(hold(entry, null, doubting && entry.seq !== null), knows());
        changed = true;
      }
      if (changed) rebase();
    },
    record(data = true): KeptBase | null {
      if (!core.valid || core.epoch === null || doubting) return null;
      const held = core.pending.filter((item) => item.gone).map((item) => item.entry.id);
      const { cursor, digest, epoch } = core;
      const rows = data && Object.fromEntries([...base.layer].map(([name, all]) => [name, Object.fromEntries(all)]));
      return { data: rows as Json, cursor, digest, epoch, last_seq: lastMark, held };
    },
    unkept(whole = false): Unkept {
      const since = whole ? null : keptAt;
      const rows: Unkept["rows"] = [];
      each<unknown>(since === null ? base.layer : unkeptIds, (collection, id) => {
        const value = base.get(collection, id);
        rows.push(value === undefined ? [collection, id] : [collection, id, value]);
      });
      unkeptIds.clear();
      keptAt = core.cursor;
      return { since, rows };
    },
    head(): Page | null {
      const { cursor, digest } = core;
      const lastSeq = doubting ? undefined : lastMark;
      return core.valid ? { from: cursor, cursor, digest, epoch: core.epoch!, changes: [], lastSeq, lastWord: false } : null;
    },
    restore(kept: KeptBase | undefined, entries: readonly Entry[], counted: string | null = null): void {
      countedIn = counted;
      if (!kept || (core.epoch !== null && (kept.epoch !== core.epoch || kept.cursor < core.cursor))) {
        return core.adopt(entries);
      }
      for (const entry of entries) {
        if (!items.has(entry.id)) hold(entry, kept.held.includes(entry.id) ? "change" : null, false);
      }
      suspicious = isElsewhere(kept.epoch);
      if (core.valid && kept.epoch === core.epoch && kept.cursor <= core.cursor) {
        learn(kept.cursor, kept.last_seq);
        settle(new Set(kept.held), true);
      } else core.reset(kept);
      unkeptIds.clear();
      keptAt = core.cursor;
    },
    place(placed: readonly Pick<Entry, "id" | "order">[]): void {
      const before = core.pending;
      amend(placed, ({ order }) => ({ order }));
      ordered = null;
      const after = core.pending;
      if (before.some((item, i) => item !== after[i])) rebase();
    },
    number(numbered: readonly Pick<Entry, "id" | "seq">[], counted?: Counted): boolean {
      const { epoch = null, lastSeq } = counted ?? {};
      const anew = typeof lastSeq === "number" && core.epoch !== null;
      const behind = anew && (epoch !== core.epoch || lastSeq < lastMark);
      suspicious ||= behind;
      if (counted) countedIn = epoch;
      amend(numbered, ({ seq }) => ({ seq }));
      settle();
      return behind;
    },
    decide(decided: readonly Decided[]): void {
      let removed = false;
      for (const { id, verdict } of decided) {
        const item = items.get(id);
        if (!item || item.accepted !== null) continue;
        if (!verdict.ok) removed = remove(id) || removed;
        else {
          core.acceptances++;
          item.accepted = verdict.cursor;
          item.history = verdict.epoch ?? core.epoch;
        }
      }
      settle(undefined, removed);
    },
    undo(id: string): void {
      if (remove(id)) rebase();
    },
    apply(page: Page): Applied {
      if (!core.valid) return "invalid";
      if (page.epoch !== undefined && page.epoch !== core.epoch) return "foreign";
      // What overlaps with changes that came meanwhile may be of another history than they are.
      if (page.from > core.cursor || (page.from < core.cursor && page.cursor > core.cursor)) return "gap";
      if (page.cursor === core.cursor && page.digest && core.digest && page.digest !== core.digest) return "foreign";
      const fresh = page.changes.filter((change) => change.cursor > core.cursor);
      const follows = fresh.every((change, i) => change.cursor === core.cursor + 1 + i);
      if (!follows || Math.max(page.cursor, core.cursor) !== core.cursor + fresh.length) return "gap";
      const head = page.epoch !== undefined && typeof page.lastSeq === "number" && page.lastWord !== false;
      // Accepted above what is now the head: this history was put back to an earlier state, and goes on under the same name.
      if (head && core.pending.some((item) => item.history === core.epoch && item.accepted! > page.cursor)) return "foreign";
      const strays = head && releaseStrays();
      if (fresh.length === 0) {
        const learned = page.cursor === core.cursor && learn(page.cursor, page.lastSeq);
        settle(undefined, strays || learned);
        return "duplicate";
      }
      core.cursor = page.cursor;
      core.digest = page.digest;
      for (const change of fresh) write(change);
      learn(page.cursor, page.lastSeq);
      settle(new Set(fresh.map((change) => change.mutation)), true);
      return "applied";
    },
    watermark(at: number, lastSeq: number | null | undefined): void {
      settle(undefined, learn(at, lastSeq));
    },
    reset(snapshot: Snapshot & { held?: string[] }, embedded = false): boolean {
      if (core.valid && snapshot.epoch === core.epoch && snapshot.cursor <= core.cursor) {
        core.watermark(snapshot.cursor, snapshot.last_seq);
        return false;
      }
      const same = snapshot.epoch === core.epoch;
      if (otherHistory || (core.epoch !== null && !same)) {
        lastMark = 0;
        for (const [id, item] of items) {
          if (item.accepted === null) item.gone = null;
          // Accepted by the history that begins: its cursor can be waited for.
          else if (same || item.history !== snapshot.epoch) remove(id);
        }
      }
      otherHistory = false;
      if (!snapshot.held) suspicious = false;
      ahead = null;
      clear();
      for (const [collection, values] of records(snapshot.data)) {
        for (const [id, value] of records(values)) base.set(collection, id, value);
      }
      note(base.layer);
      core.cursor = snapshot.cursor;
      core.digest = snapshot.digest;
      core.epoch = snapshot.epoch;
      core.valid = true;
      core.dropped = false;
      doubting = embedded;
      for (const item of items.values()) item.doubt = embedded && item.entry.seq !== null;
      if (!embedded) learn(snapshot.cursor, snapshot.last_seq);
      events.snapshot?.(snapshot.data, snapshot.cursor);
      settle(new Set(snapshot.held), true);
      return true;
    },
    invalidate(other) {
      core.valid = false;
      ahead = null;
      otherHistory ||= other;
    },
    drop(): void {
      core.invalidate(false);
      core.dropped = true;
      clear();
      core.cursor = 0;
      core.digest = undefined;
      rebase();
    },
    renew(): void {
      lastMark = 0;
      ahead = null;
      core.number(
        [...items.keys()].map((id) => ({ id, seq: null })),
        { epoch: null },
      );
    },
  };

  function hold(entry: Entry, gone: Item["gone"], doubt: boolean): Item {
    const item: Item = { entry, accepted: null, history: null, gone, doubt };
    items.set(entry.id, item);
    ordered = null;
    return item;
  }

  function remove(id: string): boolean {
    ordered = null;
    return items.delete(id);
  }

  function amend<T extends { id: string }>(changes: readonly T[], change: (of: T) => Partial<Entry>): void {
    for (const one of changes) {
      const item = items.get(one.id);
      if (item) item.entry = { ...item.entry, ...change(one) };
    }
  }

  /** At the head of the one history there is: what another one accepted is not coming. */
  function releaseStrays(): boolean {
    const strays = core.pending.filter(({ history }) => history !== null && history !== core.epoch);
    for (const { entry } of strays) remove(entry.id);
    return strays.length > 0;
  }

  /** Whether places count in another history than this one. */
  function isElsewhere(epoch: string | null): boolean {
    return countedIn !== null && countedIn !== epoch;
  }

  function knows(named?: ReadonlySet<string>) {
    const lastSeq = otherHistory || suspicious ? null : lastMark;
    return { cursor: core.cursor, epoch: core.epoch, lastSeq, ...(named && { named }) };
  }

  /** Takes a watermark in, and says whether a doubt is over with it. */
  function learn(at: number, lastSeq: number | null | undefined): boolean {
    if (typeof lastSeq === "number" && at >= (ahead?.at ?? 0)) ahead = { at, seq: lastSeq };
    if (!ahead || core.cursor < ahead.at) return false;
    lastMark = Math.max(lastMark, ahead.seq);
    ahead = null;
    // What is known of another history than the one the places count in explains nothing.
    suspicious &&= isElsewhere(core.epoch);
    const doubted = doubting;
    doubting = false;
    for (const item of items.values()) item.doubt = false;
    return doubted;
  }

  function write({ data, ...change }: Change): void {
    const { op, collection, id, value } = (data ?? {}) as Record<string, Json | undefined>;
    const known = value === undefined ? op === "del" : op === "put";
    if (typeof collection === "string" && typeof id === "string" && known) {
      look(collection, id);
      base.set(collection, id, value);
      inner(unkeptIds, collection).set(id, true);
    } else events.unknown?.({ ...change, data });
  }

  /** Takes everything out of the base. */
  function clear(): void {
    note(base.layer);
    note(view.layer);
    base = new Overlay();
    keptAt = null;
  }

  /** Lets go of what the base now holds, and tells once if anything is different. */
  function settle(named?: ReadonlySet<string>, changed = false): void {
    const known = knows(named);
    const { size } = items;
    for (const [id, item] of items) {
      changed = letGo(item, known) || changed;
      if (item.accepted !== null && item.gone) remove(id);
    }
    if (changed) rebase();
    // Nothing of the view is different, but less is pending.
    else if (items.size < size) tell();
  }

  function runOn({ type, id, args }: Entry, on: Overlay): Layer {
    return run(mutators[type], on, id, args);
  }

  /** Replays what is pending on the base. A mutator that throws has no effect in this view and stays pending. */
  function rebase(): void {
    const next = new Overlay(base);
    for (const item of core.pending) {
      if (!shown(item)) continue;
      try {
        next.absorb(runOn(item.entry, next));
      } catch {
        // The server decides; until then this view goes on without it.
      }
    }
    note(view.layer);
    note(next.layer);
    view = next;
    tell();
  }

  /** Remembers what the page sees of these, before they change. */
  function note(layer: Layer): void {
    each(layer, (collection, id) => look(collection, id));
  }

  function look(collection: string, id: string): void {
    const saw = inner(seen, collection);
    if (!saw.has(id)) saw.set(id, view.get(collection, id));
  }

  /** Tells what of the view is different now. What says the same stays the same object. */
  function tell(): void {
    const changes = Object.create(null) as Changes;
    each(seen, (collection, id, was) => {
      const now = view.get(collection, id);
      if (now === was) return;
      if (equal(now, was)) {
        const holder = view.layer.get(collection)?.has(id) ? view : base;
        return holder.set(collection, id, was);
      }
      (changes[collection] ??= { put: [], del: [] })[now === undefined ? "del" : "put"].push(id);
      if (now === undefined || was === undefined) lists.delete(collection);
      else lists.get(collection)?.stale.add(id);
    });
    seen = new Map();
    events.changed(changes);
  }

  return core;
}

/** The entries of a JSON object; none of anything else. */
function records(data: Json): [string, Json][] {
  return typeof data === "object" && data !== null && !Array.isArray(data) ? Object.entries(data) : [];
}
