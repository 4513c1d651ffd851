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

export const invalid = (message: string): RefusedError => new RefusedError("invalid_mutation", message);

/** Checks a name that is a key on the server: 1 to `max` bytes without control characters. */
export function checkName(what: string, name: unknown, max: number): string {
  if (typeof name !== "string" || name === "" || /\p{Cc}/u.test(name) || badText(name) || byteLength(name) > max) {
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

/** A value as plain JSON, detached from the caller's objects; `path` names it in the message. Throws `RefusedError`. */
export const checkJson = (path: string, value: unknown): Json => walk(value, path, [], 0);

/** A mutation's arguments as the JSON that will travel. Throws `RefusedError`. */
export function checkArgs(args: unknown): Json {
  const plain = checkJson("args", args);
  const size = byteLength(JSON.stringify(plain));
  if (size > ARGS_BYTES) {
    throw new RefusedError("too_large", `args are ${size} bytes of at most ${ARGS_BYTES}`);
  }
  return plain;
}

/** Text no reader takes: NUL, or half of a surrogate pair. */
const badText = (text: string): boolean => text.includes("\0") || /[\ud800-\udfff]/u.test(text);

const impossible = (path: string, what: unknown): RefusedError => invalid(`${path} is ${what}, which JSON can't hold`);

function walk(value: unknown, path: string, above: object[], depth: number): Json {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") {
    if (badText(value)) throw invalid(`${path} holds \\u0000 or half a surrogate`);
    return value;
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw impossible(path, value);
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw invalid(`${path} is beyond 2^53-1: send a string`);
    return value;
  }
  // Undefined, a function, a symbol, a bigint.
  if (typeof value !== "object") throw impossible(path, typeof value);
  if (above.includes(value)) throw invalid(`${path} contains itself`);
  const inside = [...above, value];
  if ("toJSON" in value && typeof value.toJSON === "function") return walk(value.toJSON(""), path, inside, depth);
  if (depth >= ARGS_DEPTH) throw invalid(`${path.slice(0, 80)} is nested over ${ARGS_DEPTH} levels`);
  if (Array.isArray(value)) {
    return Array.from(value as unknown[], (item, i) => walk(item, `${path}[${i}]`, inside, depth + 1));
  }
  if (Object.prototype.toString.call(value) !== "[object Object]") throw impossible(path, `a ${value.constructor?.name}`);
  const entries = Object.entries(value)
    // As JSON.stringify does: a property that is undefined is not there.
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => [walk(key, `a key in ${path}`, [], 0), walk(item, `${path}.${key}`, inside, depth + 1)]);
  // Not by assignment: `__proto__` is a key like any other.
  return Object.fromEntries(entries) as Json;
}
