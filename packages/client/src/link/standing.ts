/**
 * How the link stands, told from what happened: never from what the browser believes about the network. It decides
 * nothing and retries nothing.
 */
import type { Refusal } from "./wire.ts";

/**
 * `live`: changes arrive by themselves. `polling`: the server answers, no WebSocket. `offline`: it doesn't answer.
 * `unauthorized`: it answers that this reader or writer may not (see the event's `code`). `incompatible`: page and server
 * are of versions that don't go together; a reload helps.
 */
export type Status = "live" | "polling" | "offline" | "unauthorized" | "incompatible";

/** A status and, where the server said no, its words. */
export interface Standing {
  status: Status;
  code?: string;
  error?: string;
}

/** What happened lately, as the leading tab tells it to the others. */
export interface LinkState {
  /** The last question was answered. */
  answers: boolean;
  /** When a base was last known to be at the server's head: milliseconds since 1970. */
  synced: number | null;
  scopes: Map<string, ScopeState>;
}

/** Whether a scope's subscription is live, and what was refused. */
export interface ScopeState {
  live?: boolean;
  read?: Refusal | null;
  push?: Refusal | null;
}

/** How bad a status is, from hopeless to fine; the worst of a client's scopes is the client's. */
const WORST: readonly Status[] = ["unauthorized", "incompatible", "offline", "polling", "live"];

/** The refusals that the status tells, by their code. What else fails is tried again, and at most nobody answers. */
const TOLD: Readonly<Record<string, Status>> = {
  unauthenticated: "unauthorized",
  forbidden: "unauthorized",
  protocol: "incompatible",
  schema_mismatch: "incompatible",
};

/** See the file's head. */
export interface Board {
  state: LinkState;
  /** The subscription of a scope is live, or no longer. */
  live(scope: string, is: boolean): void;
  /** A question ended; `null` where it was answered. */
  heard(scope: string, about: "read" | "push", refusal: Refusal | null): void;
  /** Takes over what the leading tab says. */
  adopt(state: LinkState): void;
  /** How a scope stands. */
  of(scope: string): Standing;
  /** How the client stands with these scopes open. */
  over(scopes: readonly string[]): Standing;
}

export function makeBoard(now: () => number, told: () => void): Board {
  const note = (scope: string, what: ScopeState): void => {
    const { scopes } = board.state;
    scopes.set(scope, { ...scopes.get(scope), ...what });
    told();
  };
  const board: Board = {
    state: { answers: false, synced: null, scopes: new Map() },
    live: (scope, is) => {
      if (board.state.scopes.get(scope)?.live) board.state.synced = now();
      note(scope, { live: is });
      if (is) board.heard(scope, "read", null);
    },
    heard: (scope, what, refusal) => {
      const { state } = board;
      // A push that fails says little about reading; one that works says the server is there.
      if (what === "read" || !refusal) state.answers = !refusal;
      if (what === "read" && !refusal) state.synced = now();
      note(scope, !refusal || TOLD[refusal.code] ? { [what]: refusal } : {});
    },
    adopt: (state) => {
      board.state = state;
      told();
    },
    of: (scope) => {
      const { live, read, push } = board.state.scopes.get(scope) ?? {};
      const no = read ?? push;
      if (!no) return { status: live ? "live" : board.state.answers ? "polling" : "offline" };
      return { status: TOLD[no.code]!, code: no.code, error: no.error };
    },
    over: (scopes) => {
      const all = scopes.map(board.of);
      // One scope that may not be read says nothing about the others.
      const free = all.filter(({ code }) => code !== "forbidden");
      const [worst] = WORST.flatMap((bad) => (free.length ? free : all).filter(({ status }) => status === bad));
      // Of none at all it is what holds for one nothing is known of.
      return worst ?? board.of("");
    },
  };
  return board;
}
