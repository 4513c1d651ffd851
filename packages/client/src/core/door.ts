/**
 * The door: what may be queued at all. It refuses at the call, with a sentence that says where, whatever the server
 * would refuse later or JSON would silently bend. It never repairs a value.
 */
import { ARGS_BYTES, ARGS_DEPTH, KEY_BYTES, SCOPE_BYTES, TYPE_BYTES, VOID } from "./limits.ts";
import type { Json } from "./words.ts";

/** An error with a code for programs beside its words for people. */
export class CodedError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A value or name that can't travel, with the code the server would have answered. Nothing was queued. */
export class RefusedError extends CodedError {
  override name = "RefusedError";
}

const encoder = new TextEncoder();

/** Bytes of a text as it travels. */
export const byteLength = (text: string): number => encoder.encode(text).length;

/** Whether a text has more bytes than this; a short one is not measured: no unit has more than three. */
export const isOver = (text: string, max: number): boolean => text.length * 3 > max && byteLength(text) > max;

export const invalid = (message: string): RefusedError => new RefusedError("invalid_mutation", message);

/** Checks a name that is a key on the server: 1 to `max` bytes without control characters. */
export function checkName(what: string, name: unknown, max: number): string {
  if (typeof name !== "string" || name === "" || /\p{Cc}/u.test(name) || badText(name) || isOver(name, max)) {
    throw invalid(`${what} must be text of 1 to ${max} bytes without control characters`);
  }
  return name;
}

/** Checks a scope's name. */
export const checkScope = (scope: unknown): string => checkName("a scope", scope, SCOPE_BYTES);

/** Checks a mutation's type. */
export function checkType(type: unknown): string {
  const name = checkName("a mutation's type", type, TYPE_BYTES);
  if (name === VOID) throw invalid(`${VOID} is reserved`);
  return name;
}

/** Checks a collection's name or an entity's id. */
export const checkKey = (what: string, key: unknown): string => checkName(what, key, KEY_BYTES);

/** A mutation's arguments as the JSON that will travel. Throws `RefusedError`. */
export const checkArgs = (args: unknown): Json => checkJson("args", args, ARGS_BYTES);

/**
 * A value as plain JSON of at most `max` bytes, detached from the caller's objects; `name` is what messages call it. Throws
 * `RefusedError`.
 */
export function checkJson(name: string, value: unknown, max = Infinity): Json {
  const places = new Map<unknown, { path: string; depth: number }>();
  let text: string;
  try {
    text = JSON.stringify(value, function (this: unknown, key: string, item: unknown) {
      const above = places.get(this);
      const path = above ? above.path + (Array.isArray(this) ? `[${key}]` : `.${key}`) : name;
      const depth = above ? above.depth + 1 : 0;
      if (badText(key) || (typeof item === "string" && badText(item))) {
        throw invalid(`${path} holds \\u0000 or half a surrogate`);
      }
      if (typeof item === "number") {
        if (!Number.isFinite(item)) throw impossible(path, item);
        if (Number.isInteger(item) && !Number.isSafeInteger(item)) throw invalid(`${path} is beyond 2^53-1: send a string`);
      } else if (item && typeof item === "object") {
        if (depth >= ARGS_DEPTH) throw invalid(`${path.slice(0, 80)} is nested over ${ARGS_DEPTH} levels`);
        const plain = Array.isArray(item) || Object.prototype.toString.call(item) === "[object Object]";
        if (!plain) throw impossible(path, `a ${item.constructor.name}`);
        places.set(item, { path, depth });
        // A property that is undefined is not there; an element would become null.
      } else if (item === undefined ? !above || Array.isArray(this) : !["string", "boolean", "object"].includes(typeof item)) {
        throw impossible(path, typeof item);
      }
      return item;
    });
  } catch (error) {
    // An object that holds itself.
    throw error instanceof CodedError ? error : invalid(`${name}: ${(error as Error).message}`);
  }
  if (isOver(text, max)) throw new RefusedError("too_large", `${name} are ${byteLength(text)} bytes of at most ${max}`);
  return JSON.parse(text) as Json;
}

/** Text no reader takes: NUL, or half of a surrogate pair. */
const badText = (text: string): boolean => text.includes("\0") || /[\ud800-\udfff]/u.test(text);

const impossible = (path: string, what: unknown): RefusedError => invalid(`${path} is ${what}, which JSON can't hold`);
