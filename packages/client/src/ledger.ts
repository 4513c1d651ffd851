/**
 * The promises a page holds on its mutations: saved, and decided. It also remembers which mutations ended lately, so
 * that late news can't bring one back. No promise here is ever rejected.
 */
import type { Verdict } from "./core/words.ts";

/** Ended mutations remembered: more than can be in the queues of all tabs at one time would be of no use. */
const ENDED_KEPT = 10_000;

interface Deferred<T> {
  promise: Promise<T>;
  resolve(value: T): void;
}

function defer<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}

/** See the file's head. */
export class Ledger {
  readonly #saved = new Map<string, Deferred<void>>();
  readonly #verdicts = new Map<string, Deferred<Verdict>>();
  readonly #ended = new Set<string>();
  readonly #own = new Set<string>();

  /** A mutation this page makes. */
  open(id: string): { saved: Promise<void>; verdict: Promise<Verdict> } {
    const saved = defer<void>();
    this.#saved.set(id, saved);
    this.#own.add(id);
    return { saved: saved.promise, verdict: this.verdict(id) };
  }

  /** When a mutation is decided, whoever made it. */
  verdict(id: string): Promise<Verdict> {
    let deferred = this.#verdicts.get(id);
    if (!deferred) this.#verdicts.set(id, (deferred = defer()));
    return deferred.promise;
  }

  /** It is in the queue. */
  save(id: string): void {
    this.#saved.get(id)?.resolve();
    this.#saved.delete(id);
  }

  /** It is over. Returns whether this page made it. */
  end(id: string, verdict: Verdict): boolean {
    // What has a verdict was sent, and what was sent was saved.
    this.save(id);
    this.#verdicts.get(id)?.resolve(verdict);
    this.#verdicts.delete(id);
    this.#ended.add(id);
    for (const old of this.#ended) {
      if (this.#ended.size <= ENDED_KEPT) break;
      this.#ended.delete(old);
    }
    return this.#own.delete(id);
  }

  /** It ended lately. */
  hasEnded(id: string): boolean {
    return this.#ended.has(id);
  }
}
