/**
 * A clock that stands still until a test moves it. Between two timers it lets everything that is already under way
 * finish, so that a run with the same seed is the same run.
 */

interface Timer {
  at: number;
  n: number;
  run: () => void;
}

/**
 * Turns of the event loop after which nothing is under way any more: fake-indexeddb takes one or two per request. A browser's
 * own says what is under way, and these follow it.
 */
const TURNS = 40;

const { isIdle = () => true } = globalThis as { isIdle?: () => boolean };

export class Clock {
  now = Date.UTC(2026, 10, 22);
  #timers = new Map<number, Timer>();
  #n = 0;

  setTimeout = (run: () => void, ms: number): unknown => {
    const n = ++this.#n;
    this.#timers.set(n, { at: this.now + Math.max(0, ms), n, run });
    return n;
  };

  clearTimeout = (timer: unknown): void => {
    this.#timers.delete(timer as number);
  };

  /** Lets what is under way finish, without moving the clock. */
  async settle(): Promise<void> {
    for (let calm = 0; calm < TURNS; calm = isIdle() ? calm + 1 : 0) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Moves the clock, timer by timer. */
  async run(ms: number): Promise<void> {
    const end = this.now + ms;
    await this.settle();
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers.values()) {
        if (timer.at <= end && (!next || timer.at < next.at || (timer.at === next.at && timer.n < next.n)))
          next = timer;
      }
      if (!next) break;
      this.#timers.delete(next.n);
      this.now = Math.max(this.now, next.at);
      next.run();
      await this.settle();
    }
    this.now = end;
  }
}

/** A small generator of numbers from 0 to 1: the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
