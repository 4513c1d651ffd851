/**
 * Every limit of the client, by name, each with its reason. Those of the contract are the server's own: a mutation
 * that passes here is never refused at the server's door. Nothing here may be looser than the contract.
 */

/** Bytes of a scope's name: it is a key in every table and part of every live topic. */
export const SCOPE_BYTES = 255;

/** Bytes of a mutation's type: a name such as `todo.create`. */
export const TYPE_BYTES = 128;

/** Bytes of a collection's name or an entity's id: both are keys of one index row on the server. */
export const KEY_BYTES = 255;

/** Bytes of one mutation's arguments as JSON: a hundred small ones, or a few of these, still fit into one push. */
export const ARGS_BYTES = 64 * 1024;

/**
 * Levels of nesting in arguments. The contract's 64 counts a whole frame, and the envelope, the push, its list and the
 * mutation stand around the arguments.
 */
export const ARGS_DEPTH = 64 - 4;

/** Mutations in one push: the contract's limit. */
export const PUSH_MUTATIONS = 100;

/** Bytes of one push over HTTP: the contract's limit. */
export const PUSH_BYTES = 1024 * 1024;

/** Bytes of a push that goes over the WebSocket; a larger one goes by HTTP. */
export const LIVE_PUSH_BYTES = 60 * 1024;

/** Mutations waiting at once: days of work offline, and a queue a browser still reads in a moment. */
export const QUEUE_MUTATIONS = 10_000;

/** Verdicts kept beside the queue, so that a tab that missed the news can look them up. */
export const VERDICTS_KEPT = 1_000;

/** Changes asked for in one pull: large enough that catching up takes few round trips, small enough for one frame. */
export const PULL_CHANGES = 500;

/** Bytes of a presence state: it goes to everybody in a scope at every change. */
export const PRESENCE_BYTES = 1024;

/** The type of a mutation that only takes up its place: sent for one the server refused to read. */
export const VOID = "_void";

/** The scope of a client that names none. */
export const DEFAULT_SCOPE = "_default";
