/**
 * The contract's messages as types, and the one shape every question ends in: an answer, or a refusal with its code.
 * Nothing here decides what a refusal means.
 */
import type { Change, Snapshot } from "../core/words.ts";
import type { Peer } from "./presence.ts";

/** A question as a whole was not answered. */
export interface Refusal {
  ok: false;
  /** A code of the contract; `network` where nothing came back at all. */
  code: string;
  error: string;
  /** Milliseconds the server asks to be left alone. */
  retryAfter?: number;
}

/** How a question ends. */
export type Answer<T> = { ok: true; body: T } | Refusal;

/** What became of one mutation. */
export interface PushResult {
  id: string;
  ok: boolean;
  cursor?: number;
  cursors?: Record<string, number>;
  duplicate?: boolean;
  code?: string;
  reason?: string;
  error?: string;
  retry?: boolean;
}

/** The answer to a push. */
export interface PushAnswer {
  epoch?: string;
  results: PushResult[];
}

/** The answer to a pull. */
export interface PullAnswer {
  changes: Change[];
  has_more: boolean;
  next_cursor: number;
  digest?: string;
  epoch: string;
  last_seq?: number | null;
}

/** `data` of a live frame. */
export interface Frame {
  type: string;
  ref?: string;
  code?: string;
  error?: string;
  [field: string]: unknown;
}

/** Frames of a subscription, by their `type`. */
export interface AckFrame extends Frame {
  cursor: number;
  epoch: string;
  last_seq?: number | null;
}
export interface ChangesFrame extends Frame {
  from: number;
  cursor: number;
  digest?: string;
  changes: Change[];
}
export type SnapshotFrame = Frame & Snapshot;
/** Who is here: the first one holds all, later ones what is different. */
export interface PresenceFrame extends Frame {
  peers?: Peer[];
  join?: Peer[];
  set?: Peer[];
  leave?: string[];
  you?: Record<string, string>;
}

/** Nothing came back: the network's fault, or the server's. */
export const lost = (error: unknown): Refusal => ({ ok: false, code: "network", error: String(error) });

/** What came instead of an answer as the refusal it is. */
export const refusal = ({ code = "unavailable", error = code }: { code?: string | undefined; error?: string | undefined }): Refusal => ({ ok: false, code, error });
