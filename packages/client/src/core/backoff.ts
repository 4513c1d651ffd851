/**
 * How long to wait before trying again: exponential with full jitter, so that clients cut off together don't come back
 * together, and never sooner than the server asked. It reads no clock and takes its randomness from outside.
 */

/** The first try again comes within this many milliseconds: most failures are one lost packet. */
export const BACKOFF_FIRST_MS = 500;

/** No wait is longer, unless the server asks: a page whose server came back should notice within half a minute. */
export const BACKOFF_MAX_MS = 30_000;

/** The longest Retry-After that is believed, one hour: a wrong header must not silence a client for a day. */
export const RETRY_AFTER_MAX_MS = 3_600_000;

/** Counts failures in a row and says how long to wait after each. */
export interface Backoff {
  /** The wait after one more failure, in milliseconds; at least `retryAfter` where the server named one. */
  next(retryAfter?: number): number;
  /** It worked: the next failure is a first one again. */
  calm(): void;
}

/** `random` gives numbers from 0 up to, not including, 1. */
export function makeBackoff(random: () => number): Backoff {
  let failures = 0;
  return {
    next: (retryAfter = 0) => {
      const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures++, 16));
      // Jitter on top of Retry-After too: everybody was told the same number.
      return retryAfter + Math.ceil(random() * ceiling);
    },
    calm: () => void (failures = 0),
  };
}

/** Milliseconds a Retry-After header asks for (seconds, or a date); 0 where there is none or it can't be read. */
export function retryAfterMs(header: string | null, now: number): number {
  if (!header) return 0;
  const seconds = Number(header);
  const ms = isNaN(seconds) ? Date.parse(header) - now : seconds * 1000;
  return ms > 0 ? Math.min(ms, RETRY_AFTER_MAX_MS) : 0;
}
