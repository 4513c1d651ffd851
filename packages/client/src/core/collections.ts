/**
 * Collections of JSON values by id: a base the server's changes are written to, and layers of what pending mutations
 * would write on top. Values are frozen when they enter, so that no reader can change what another one sees.
 */
import type { Json } from "./words.ts";

/** One layer: per collection, per id, a value, or `undefined` for a deletion that hides what lies below. */
export type Layer = Map<string, Map<string, Json | undefined>>;

/** Something values can be read from. */
export interface Readable {
  /** The value, or `undefined` where there is none. */
  get(collection: string, id: string): Json | undefined;
  /** A collection's ids in their order; the same array until one comes or goes. */
  ids(collection: string): readonly string[];
}

/** A layer over something readable. With nothing below it is the base. */
export class Overlay implements Readable {
  readonly layer: Layer = new Map();
  readonly #below: Readable | undefined;
  /** Lists of ids, each good for as long as the one below is the same. */
  readonly #ids = new Map<string, { below: readonly string[]; ids: readonly string[] }>();

  constructor(below?: Readable) {
    this.#below = below;
  }

  get(collection: string, id: string): Json | undefined {
    const own = this.layer.get(collection);
    return own?.has(id) ? own.get(id) : this.#below?.get(collection, id);
  }

  set(collection: string, id: string, value: Json | undefined): void {
    const gone = value === undefined;
    if (gone !== (this.get(collection, id) === undefined)) this.#ids.delete(collection);
    const own = inner(this.layer, collection);
    if (gone && !this.#below) own.delete(id);
    else own.set(id, freeze(value));
  }

  ids(collection: string): readonly string[] {
    const below = this.#below?.ids(collection) ?? NONE;
    const own = this.layer.get(collection);
    if (!own) return below;
    let known = this.#ids.get(collection);
    if (known?.below !== below) {
      const stay = below.filter((id) => !own.has(id) || own.get(id) !== undefined);
      const fresh = [...own.keys()].filter((id) => own.get(id) !== undefined && this.#below?.get(collection, id) === undefined);
      // Two sorted runs are soon one.
      const ids = fresh.length ? [...stay, ...fresh].sort(compareIds) : stay.length < below.length ? stay : below;
      this.#ids.set(collection, (known = { below, ids }));
    }
    return known.ids;
  }

  /** Writes another layer's values into this one. */
  absorb(layer: Layer): void {
    each(layer, (collection, id, value) => this.set(collection, id, value));
  }
}

const NONE: readonly string[] = [];

/** The map under a key, made where there is none. */
export function inner<A, B, C>(map: Map<A, Map<B, C>>, key: A): Map<B, C> {
  let found = map.get(key);
  if (!found) map.set(key, (found = new Map()));
  return found;
}

/** Visits every value of a layer. */
export function each<T>(layer: Map<string, Map<string, T>>, visit: (collection: string, id: string, value: T) => void): void {
  for (const [collection, values] of layer) for (const [id, value] of values) visit(collection, id, value);
}

/** By what `<` says. */
export const compare = <T extends string | number | boolean>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

/** The same value, or an array of the same values. */
export const same = (a: unknown, b: unknown): boolean =>
  Object.is(a, b) ||
  (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((value, i) => Object.is(value, b[i])));

/** By code points, which is the order of UTF-8 bytes and so the server's. */
export function compareIds(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    // A surrogate stands for a code point above every unit that is none.
    if (x !== y) return lift(x) - lift(y);
  }
  return a.length - b.length;
}

/** Where an id stands in a sorted list, or would. */
export function placeOf(id: string, ids: readonly string[]): number {
  let low = 0;
  for (let high = ids.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (compareIds(ids[middle]!, id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

const lift = (unit: number): number => (unit >> 11 === 27 ? unit + 0x10000 : unit);

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Freezes a JSON value all the way down. */
export function freeze<T>(value: T): T {
  if (isObject(value) && !Object.isFrozen(value)) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}

/** Whether two JSON values say the same, in whatever order of keys. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equal((a as Record<string, Json>)[key], (b as Record<string, Json>)[key]))
  );
}
