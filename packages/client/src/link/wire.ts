/**
 * The contract's messages as types, and the one shape every question ends in: an answer, or a refusal with its code.
 * Nothing here decides what a refusal means.
 */
import type { Change, Snapshot } from "../core/words.ts";
import type { Peer } from "./presence.ts";

/** A question as a whole was not answered. `status` 0: nothing came back at all. */
export interface Refusal {
  ok: false;
  status: number;
  code: string;
  error: string;
  /** Milliseconds the server asks to be left alone; 0 where it doesn't. */
  retryAfter: number;
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
export const lost = (error: string): Refusal => ({ ok: false, status: 0, code: "network", error, retryAfter: 0 });

/** The HTTP status of the codes that are told apart by it, for refusals that came over the socket. */
const STATUS: Readonly<Record<string, number>> = {
  invalid_mutation: 400,
  unauthenticated: 401,
  forbidden: 403,
  too_large: 413,
};

/** An `error` frame as the refusal it is. */
export const refusal = ({ code = "unavailable", error = code }: Pick<Frame, "code" | "error">): Refusal => ({
  ...lost(error),
  status: STATUS[code] ?? 500,
  code,
});
