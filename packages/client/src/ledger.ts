/**
 * The promises a page holds on its mutations: saved, and decided. It also remembers which mutations ended lately, so
 * that late news can't bring one back. No promise here is ever rejected.
 */
import type { Verdict } from "./core/words.ts";

/** Ended mutations remembered: more than can be in the queues of all tabs at one time would be of no use. */
const ENDED_KEPT = 10_000;

/** The promises on one mutation, and what keeps them. */
export interface Promised {
  saved: Promise<void>;
  verdict: Promise<Verdict>;
  save(): void;
  end(verdict: Verdict): void;
  /** This page made it. */
  own?: boolean;
}

/** See the file's head. */
export interface Ledger {
  /** What is promised on a mutation that goes on, whoever made it. */
  of(id: string): Promised;
  /** It is over. Returns whether this page made it. */
  end(id: string, verdict: Verdict): boolean;
  /** It ended lately. */
  hasEnded(id: string): boolean;
}

export function makeLedger(): Ledger {
  const open = new Map<string, Promised>();
  const ended = new Set<string>();
  return {
    of: (id) => {
      let one = open.get(id);
      if (!one) {
        const made = (one = {} as Promised);
        made.saved = new Promise((resolve) => (made.save = resolve));
        made.verdict = new Promise((resolve) => (made.end = resolve));
        open.set(id, made);
      }
      return one;
    },
    end: (id, verdict) => {
      const one = open.get(id);
      // What has a verdict was sent, and what was sent was saved.
      one?.save();
      one?.end(verdict);
      open.delete(id);
      ended.add(id);
      if (ended.size > ENDED_KEPT) ended.delete(ended.values().next().value!);
      return !!one?.own;
    },
    hasEnded: (id) => ended.has(id),
  };
}
