/**
 * Timers by name: setting one again replaces it, and closing ends them all. Nothing runs after that.
 */
import type { Env } from "./env.ts";

/** See the file's head. */
export interface Timers {
  /** Runs it once in so many milliseconds, instead of what stood under this name. */
  after(name: string, ms: number, run: () => unknown): void;
  has(name: string): boolean;
  /** Cancels all of them. */
  clear(): void;
  close(): void;
  closed: boolean;
}

export function makeTimers(env: Env): Timers {
  const timers = new Map<string, unknown>();
  const cancel = (name: string): void => {
    env.clearTimeout(timers.get(name));
    timers.delete(name);
  };
  const clear = (): void => [...timers.keys()].forEach(cancel);
  const all: Timers = {
    closed: false,
    after: (name, ms, run) => {
      cancel(name);
      if (all.closed) return;
      const timer = env.setTimeout(() => {
        timers.delete(name);
        run();
      }, ms);
      timers.set(name, timer);
    },
    has: (name) => timers.has(name),
    clear,
    close: () => {
      all.closed = true;
      clear();
    },
  };
  return all;
}
