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
  /** Every id and value of a collection, in no order. */
  entries(collection: string): Map<string, Json>;
}

/** A layer over something readable. With nothing below it is the base. */
export class Overlay implements Readable {
  readonly layer: Layer = new Map();
  readonly #below: Readable | undefined;

  constructor(below?: Readable) {
    this.#below = below;
  }

  get(collection: string, id: string): Json | undefined {
    const own = this.layer.get(collection);
    return own?.has(id) ? own.get(id) : this.#below?.get(collection, id);
  }

  set(collection: string, id: string, value: Json | undefined): void {
    let own = this.layer.get(collection);
    if (!own) this.layer.set(collection, (own = new Map()));
    if (value === undefined && !this.#below) own.delete(id);
    else own.set(id, value === undefined ? value : freeze(value));
  }

  entries(collection: string): Map<string, Json> {
    const all = this.#below ? this.#below.entries(collection) : new Map<string, Json>();
    for (const [id, value] of this.layer.get(collection) ?? []) {
      if (value === undefined) all.delete(id);
      else all.set(id, value);
    }
    return all;
  }

  /** Writes another layer's values into this one. */
  absorb(layer: Layer): void {
    for (const [collection, values] of layer) for (const [id, value] of values) this.set(collection, id, value);
  }
}

/** A collection's values in id order. */
export function sorted(entries: Map<string, Json>): readonly (readonly [string, Json])[] {
  return [...entries].sort(([a], [b]) => compareIds(a, b));
}

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

const lift = (unit: number): number => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit);

/** Freezes a JSON value all the way down. */
export function freeze<T extends Json>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
