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

/** A promise, made when it is first asked for, and kept by this key. */
interface Promised<T> {
  promise: Promise<T>;
  resolve(value: T): void;
}

function promised<T>(all: Map<string, Promised<T>>, id: string): Promise<T> {
  let one = all.get(id);
  if (!one) {
    let resolve!: (value: T) => void;
    const promise = new Promise<T>((done) => (resolve = done));
    all.set(id, (one = { promise, resolve }));
  }
  return one.promise;
}

/** Keeps a promise, and says whether there was one. */
function keep<T>(all: Map<string, Promised<T>>, id: string, value: T): boolean {
  all.get(id)?.resolve(value);
  return all.delete(id);
}

export function makeLedger(): Ledger {
  const saved = new Map<string, Promised<void>>();
  const verdicts = new Map<string, Promised<Verdict>>();
  const own = new Set<string>();
  const ended = new Set<string>();
  return {
    open: (id) => {
      own.add(id);
      return { saved: promised(saved, id), verdict: promised(verdicts, id) };
    },
    verdict: (id) => promised(verdicts, id),
    save: (id) => void keep(saved, id, undefined),
    end: (id, verdict) => {
      // What has a verdict was sent, and what was sent was saved.
      keep(saved, id, undefined);
      keep(verdicts, id, verdict);
      ended.add(id);
      if (ended.size > ENDED_KEPT) ended.delete(ended.values().next().value!);
      return own.delete(id);
    },
    hasEnded: (id) => ended.has(id),
  };
}
