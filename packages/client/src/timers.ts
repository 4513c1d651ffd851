/**
 * Timers by name: setting one again replaces it, and closing ends them all. Nothing runs after that.
 */
import type { Env } from "./env.ts";

/** See the file's head. */
export class Timers {
  readonly #env: Env;
  readonly #set = new Map<string, unknown>();
  #closed = false;

  constructor(env: Env) {
    this.#env = env;
  }

  /** Runs it once in so many milliseconds, instead of what stood under this name. */
  in(name: string, ms: number, run: () => unknown): void {
    this.cancel(name);
    if (this.#closed) return;
    const timer = this.#env.setTimeout(() => {
      this.#set.delete(name);
      void run();
    }, ms);
    this.#set.set(name, timer);
  }

  has(name: string): boolean {
    return this.#set.has(name);
  }

  cancel(name: string): void {
    this.#env.clearTimeout(this.#set.get(name));
    this.#set.delete(name);
  }

  close(): void {
    this.#closed = true;
    for (const name of this.#set.keys()) this.cancel(name);
  }
}
