/**
 * Scopes as React hooks, on `useSyncExternalStore`. They read what the client has and subscribe to nothing more than what
 * they read; on the server they read the same, so that a rendered page and its first render are one.
 */
import { useCallback, useMemo, useRef, useSyncExternalStore } from "react";
import type { SyncClient } from "./client.ts";
import type { Collection, PendingMutation, Rows, SyncScope } from "./face.ts";
import type { Peer } from "./link/presence.ts";
import type { Status } from "./link/standing.ts";

type Reads = Pick<SyncScope<any, any>, "watch">;
type Events = Pick<SyncClient<any, any>, keyof EventTarget>;

/** Rows of a collection: all, or what `narrow` makes of them. It is made anew when one of `deps` changes. */
export function useCollection<T>(
  collection: Collection<T>,
  narrow?: (rows: Rows<T>) => Rows<T>,
  deps: readonly unknown[] = [],
): readonly T[] {
  const rows = useMemo(() => (narrow ? narrow(collection) : collection), [collection, ...deps]);
  const subscribe = useCallback((told: () => void) => rows.subscribe(told), [rows]);
  return useSyncExternalStore(subscribe, rows.all, rows.all);
}

/** One row; `undefined` where there is none. */
export function useEntity<T>(scope: Reads, collection: Collection<T>, id: string): T | undefined {
  const read = useCallback(() => collection.get(id), [collection, id]);
  const subscribe = useCallback((told: () => void) => scope.watch(read, told), [scope, read]);
  return useSyncExternalStore(subscribe, read, read);
}

function useEvents<T>(target: Events, names: readonly string[], read: () => T): T {
  const key = names.join();
  const subscribe = useCallback(
    (told: () => void) => {
      for (const name of key.split(",")) target.addEventListener(name, told);
      return () => key.split(",").forEach((name) => target.removeEventListener(name, told));
    },
    [target, key],
  );
  return useSyncExternalStore(subscribe, read, read);
}

/** How the client stands. */
export function useStatus(client: Events & { readonly status: Status }): Status {
  return useEvents(client, ["status"], () => client.status);
}

/** The mutations that wait, the same array while they do. */
export function usePending(client: Events & { readonly pending: PendingMutation[] }): readonly PendingMutation[] {
  const last = useRef<readonly PendingMutation[]>([]);
  return useEvents(client, ["change", "saved"], () => {
    const now = client.pending;
    const same = now.length === last.current.length && now.every((one, i) => one.id === last.current[i]!.id && one.state === last.current[i]!.state);
    if (!same) last.current = now;
    return last.current;
  });
}

/** Who is here. */
export function usePeers(presence: { readonly peers: readonly Peer[]; subscribe(call: () => void): () => void }): readonly Peer[] {
  const subscribe = useCallback((told: () => void) => presence.subscribe(told), [presence]);
  const read = (): readonly Peer[] => presence.peers;
  return useSyncExternalStore(subscribe, read, read);
}
