/**
 * The promises a page holds on its mutations: saved, and decided. It also remembers which mutations ended lately, so
 * that late news can't bring one back. No promise here is ever rejected.
 */
import type { Verdict } from "./core/words.ts";

/** Ended mutations remembered: more than can be in the queues of all tabs at one time would be of no use. */
const ENDED_KEPT = 10_000;

/** See the file's head. */
export interface Ledger {
  /** A mutation this page makes. */
  open(id: string): { saved: Promise<void>; verdict: Promise<Verdict> };
  /** When a mutation is decided, whoever made it. */
  verdict(id: string): Promise<Verdict>;
  /** It is in the queue. */
  save(id: string): void;
  /** It is over. Returns whether this page made it. */
  end(id: string, verdict: Verdict): boolean;
  /** It ended lately. */
  hasEnded(id: string): boolean;
}

/** The promises on one mutation, and what keeps them. */
interface Promised {
  saved: Promise<void>;
  verdict: Promise<Verdict>;
  save(): void;
  end(verdict: Verdict): void;
  /** This page made it. */
  own?: boolean;
}

function promise(): Promised {
  const one = {} as Promised;
  one.saved = new Promise((resolve) => (one.save = resolve));
  one.verdict = new Promise((resolve) => (one.end = resolve));
  return one;
}

export function makeLedger(): Ledger {
  const open = new Map<string, Promised>();
  const ended = new Set<string>();
  const of = (id: string): Promised => {
    const one = open.get(id) ?? promise();
    open.set(id, one);
    return one;
  };
  return {
    open: (id) => {
      const one = of(id);
      one.own = true;
      return { saved: one.saved, verdict: one.verdict };
    },
    verdict: (id) => of(id).verdict,
    save: (id) => open.get(id)?.save(),
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
