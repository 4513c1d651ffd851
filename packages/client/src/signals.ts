/**
 * Scopes as signals of the page's own choice: anything of the shape of `@preact/signals-core`. It brings no signals and
 * keeps no state beside them; a signal is subscribed for as long as it was made for.
 */
import type { SyncClient } from "./client.ts";
import type { Rows, SyncScope } from "./face.ts";
import type { Status } from "./link/standing.ts";

/** A signal that can be written, as every library has it. */
export interface Signal<T> {
  value: T;
}

/** What makes one: `signal` of `@preact/signals-core`, or another of its shape. */
export type MakeSignal = <T>(value: T) => Signal<T>;

/** A signal that follows, and how to stop that. */
export interface Following<T> {
  readonly signal: { readonly value: T };
  stop(): void;
}

/** Rows of a collection. */
export function rowsSignal<T>(signal: MakeSignal, rows: Rows<T>): Following<readonly T[]> {
  const made = signal(rows.all());
  return { signal: made, stop: rows.subscribe((now) => (made.value = now)) };
}

/** Whatever `read` makes of a scope: it runs again when something it read has changed. */
export function readSignal<T>(signal: MakeSignal, scope: Pick<SyncScope, "watch">, read: () => T): Following<T> {
  let made: Signal<T> | undefined;
  const stop = scope.watch(
    () => {
      const value = read();
      made ??= signal(value);
      return value;
    },
    (now) => (made!.value = now),
  );
  return { signal: made!, stop };
}

/** How the client stands. */
export function statusSignal(signal: MakeSignal, client: Pick<SyncClient, "status" | keyof EventTarget>): Following<Status> {
  const made = signal(client.status);
  const look = (): void => void (made.value = client.status);
  client.addEventListener("status", look);
  return { signal: made, stop: () => client.removeEventListener("status", look) };
}

/** How many mutations wait. */
export function pendingSignal(signal: MakeSignal, client: Pick<SyncClient, "pending" | keyof EventTarget>): Following<number> {
  const made = signal(client.pending.length);
  const look = (): void => void (made.value = client.pending.length);
  for (const name of ["change", "saved"]) client.addEventListener(name, look);
  return { signal: made, stop: () => ["change", "saved"].forEach((name) => client.removeEventListener(name, look)) };
}
