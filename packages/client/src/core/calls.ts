/**
 * Calls into the application: none of them may break the client by throwing, and whoever is called may subscribe or leave
 * meanwhile.
 */

/** Reports what a call throws, instead of throwing it. */
export const guarded =
  <A extends unknown[]>(report: (error: unknown) => void, call: ((...args: A) => unknown) | undefined) =>
  (...args: A): void => {
    try {
      call?.(...args);
    } catch (error) {
      report(error);
    }
  };

/** Those who want to be told. */
export interface Calls<T> {
  /** Returns how to stop it. */
  add(call: (told: T) => void): () => void;
  tell(told: T): void;
}

export function makeCalls<T>(report: (error: unknown) => void): Calls<T> {
  const calls = new Set<(told: T) => void>();
  return {
    add: (call) => {
      // One of its own for each: the same function may subscribe twice.
      const one = guarded(report, call);
      calls.add(one);
      return () => void calls.delete(one);
    },
    tell: (told) => [...calls].forEach((call) => call(told)),
  };
}
