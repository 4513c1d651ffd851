/**
 * What a page imports. The names here are the client's whole promise; everything else may change.
 */
export { SyncClient, SyncError } from "./client.ts";
export type { OpenOptions, SyncClientOptions } from "./client.ts";
export { RefusedError } from "./core/door.ts";
export type { Mutator, Tx, Value } from "./core/tx.ts";
export { newId } from "./core/uuid.ts";
export type { Change, Changes, Json, Snapshot, Verdict } from "./core/words.ts";
export type { Env } from "./env.ts";
export type { Args, Collection, Mutated, Mutators, PendingMutation, Rows, SyncScope } from "./face.ts";
export type { Peer, Presence } from "./link/presence.ts";
export type { Status } from "./link/standing.ts";
export type { Storage } from "./queue/queue.ts";
