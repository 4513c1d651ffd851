/**
 * The contract's words as types: what travels, what is queued, and how a mutation ends. Types only; nothing here runs.
 */

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One durable effect of a mutation, as the server sends it. */
export interface Change {
  /** Its place in the scope: 1, 2, 3 … */
  cursor: number;
  /** The scope it belongs to. */
  scope: string;
  /** When the server decided it, ISO 8601 in UTC. */
  time: string;
  /** The id of the mutation it is an effect of. */
  mutation: string;
  /** What changed: a collection's change, or any JSON of the application's own. */
  data: Json;
}

/** A scope's whole state at one cursor, as `POST snapshot` and the `snapshot` frame carry it. */
export interface Snapshot {
  /** Collections (`{"todo":{"t1":{…}}}`), or the application's own form. */
  data: Json;
  /** The head it was read at. */
  cursor: number;
  /** The digest of the log at that cursor. */
  digest?: string | undefined;
  /** The history the cursor belongs to. */
  epoch: string;
  /** The watermark of the asking client. */
  last_seq?: number | null | undefined;
}

/** What of a view is different, by collection: ids whose values are new or other ones, and ids that are gone. */
export type Changes = Record<string, { put: string[]; del: string[] }>;

/** A base as it is kept over restarts. */
export interface KeptBase extends Snapshot {
  /** Mutations that wait for their verdict and whose effects are in `data` already. */
  held: string[];
}

/** A mutation as it stands in the queue. */
export interface Entry {
  /** Identity: a UUIDv7. */
  id: string;
  /** The command's name. */
  type: string;
  /** The command's arguments. */
  args: Json;
  /** Where it is ordered and applied. */
  scope: string;
  /** Its place among the client's mutations of the scope; `null` until the leader sends it. */
  seq: number | null;
  /** It may have been sent under another client id: it goes without a place, and is known by its id alone. */
  plain?: true;
  /** The schema its arguments were written under, if the application says. */
  schema?: number | undefined;
  /** When it was made, milliseconds since 1970 by this machine's clock: for people, never for ordering. */
  created: number;
  /** Its place in the queue shared by all tabs; `Infinity` until it is saved. */
  order: number;
}

/** How a mutation ended. Every mutation ends with exactly one. */
export type Verdict =
  | {
      /** Accepted: it has exactly one effect, on disk. */
      ok: true;
      /** The cursor its scope reached with it. */
      cursor: number;
      /** The cursors of other scopes it wrote to. */
      cursors?: Record<string, number> | undefined;
      /** The history the cursors belong to, where the server said. */
      epoch?: string | undefined;
    }
  | {
      /** Refused: it has no effect and never will. */
      ok: false;
      /** A code of the contract; `undone` when it was taken back before it was sent. */
      code: string;
      /** The application's own reason, for programs. */
      reason?: string | undefined;
      /** A sentence for people. */
      error: string;
    };

/** A verdict and the mutation it is about. */
export interface Decided {
  id: string;
  verdict: Verdict;
}

/** A mutation's place, newly given or changed. */
export interface Numbered {
  id: string;
  seq: number | null;
}
