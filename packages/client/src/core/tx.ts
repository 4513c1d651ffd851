/**
 * What a mutator works on: the same verbs as the server's transaction, over the client's own view. A mutator that
 * throws leaves no trace. It must be deterministic: the same view and arguments give the same writes, however often it
 * runs.
 */
import { Overlay, type Layer, type Readable } from "./collections.ts";
import { RefusedError, checkJson, checkKey } from "./door.ts";
import type { Json } from "./words.ts";

/** An entity: a JSON object of the application's own shape. */
export type Value = any;

/** A mutator's transaction on one scope. Reads see its own writes. */
export class Tx {
  readonly #view: Overlay;
  readonly #mutation: string;
  #ids = 0;

  /** Made by the core, one per run of a mutator. */
  constructor(view: Readable, mutation: string) {
    this.#view = new Overlay(view);
    this.#mutation = mutation;
  }

  /** A copy of the value with this id, free to be changed and put back; `undefined` where there is none. */
  get(collection: string, id: string): Value {
    const value = this.#view.get(collection, id);
    return structuredClone(value);
  }

  /** Writes a value, whether or not one with its id is there. */
  put(collection: string, id: string, value: Value): void {
    checkKey("a collection's name", collection);
    checkKey("an id", id);
    this.#view.set(collection, id, checkJson("value", value));
  }

  /** Adds a value. Throws `conflict` when its id is there already. */
  insert(collection: string, id: string, value: Value): void {
    if (this.#view.get(collection, id) !== undefined) {
      throw new RefusedError("conflict", `${collection} ${id} exists already`);
    }
    this.put(collection, id, value);
  }

  /** Changes a value: fields to merge, or a function that edits a copy or returns another. Throws `not_found`. */
  update(collection: string, id: string, change: object | ((value: Value) => Value)): void {
    const value = this.get(collection, id);
    if (value === undefined) throw new RefusedError("not_found", `there is no ${collection} ${id}`);
    this.put(collection, id, typeof change === "function" ? (change(value) ?? value) : { ...value, ...change });
  }

  /** Removes a value and says whether there was one. */
  delete(collection: string, id: string): boolean {
    const there = this.#view.get(collection, id) !== undefined;
    if (there) this.#view.set(collection, id, undefined);
    return there;
  }

  /** Copies of up to `limit` values whose id starts with `prefix`, in id order. */
  list(collection: string, prefix = "", limit = Infinity): Value[] {
    return this.#view
      .ids(collection)
      .filter((id) => id.startsWith(prefix))
      .slice(0, limit)
      .map((id) => this.get(collection, id));
  }

  /** A new id, the same whenever this mutation runs again, here or on the server. */
  newId(): string {
    return `${this.#mutation}.${++this.#ids}`;
  }

  /** What it wrote so far. */
  get written(): Layer {
    return this.#view.layer;
  }
}

/** A named command's local effect. Throwing means: no effect here. */
export type Mutator = (tx: Tx, args: Value) => void;

/** Runs a mutator over a view and returns what it wrote; throws what it throws. */
export function run(mutator: Mutator | undefined, view: Readable, id: string, args: Json): Layer {
  const tx = new Tx(view, id);
  // A copy: a mutator that changes its arguments must not change what is sent.
  mutator?.(tx, structuredClone(args));
  return tx.written;
}
