/**
 * What the client needs from the world around it, in one object, so that tests and other runtimes can bring their own.
 * Nothing else in the client may reach for a global that does I/O, tells the time or draws a random number.
 */

/** A WebSocket as the browser has it, no more than is used. */
export type SocketLike = Pick<WebSocket, "send" | "close"> & {
  onmessage: ((event: MessageEvent) => unknown) | null;
  onclose: ((event: CloseEvent) => unknown) | null;
  onerror: ((event: Event) => unknown) | null;
};

/** A channel between tabs as the browser has it, no more than is used. */
export type ChannelLike = Pick<BroadcastChannel, "postMessage" | "close"> & {
  onmessage: ((event: MessageEvent) => unknown) | null;
};

/** The world around the client. Every part that may be `undefined` is one a runtime can lack; the client copes. */
export interface Env {
  fetch(url: string, init: RequestInit): Promise<Response>;
  socket: ((url: string) => SocketLike) | undefined;
  indexedDB: IDBFactory | undefined;
  channel: ((name: string) => ChannelLike) | undefined;
  locks: Pick<LockManager, "request"> | undefined;
  /** From 0 up to, not including, 1. */
  random(): number;
  /** Milliseconds since 1970. */
  now(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** The page is not visible: its timers are slow. */
  hidden(): boolean;
  /** Calls back when the network or the page comes back; returns how to stop that. */
  onWake(wake: () => void): () => void;
  /** Asks the browser not to evict what is stored. */
  persist(): void;
  /** Tells about an error thrown by the application's own callbacks, which must not break the client. */
  report(error: unknown): void;
}

/** The browser's own. */
export function browserEnv(): Env {
  const g: Partial<typeof globalThis> = globalThis;
  return {
    fetch: (url, init) => fetch(url, init),
    socket: g.WebSocket && ((url) => new WebSocket(url)),
    indexedDB: readIndexedDb(),
    channel: g.BroadcastChannel && openChannel,
    locks: g.navigator?.locks,
    random: Math.random,
    now: Date.now,
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer as number),
    hidden: () => !!g.document?.hidden,
    onWake,
    persist: () => void g.navigator?.storage?.persist?.().catch(() => false),
    report: (error) => (g.reportError ? reportError(error) : console.error(error)),
  };
}

/** Reading the property alone throws where storage is forbidden. */
function readIndexedDb(): IDBFactory | undefined {
  try {
    return globalThis.indexedDB;
  } catch {
    return undefined;
  }
}

function openChannel(name: string): ChannelLike {
  const channel = new BroadcastChannel(name);
  // Under Node a channel keeps the process alive; a client should not.
  (channel as any).unref?.();
  return channel;
}

function onWake(wake: () => void): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  globalThis.addEventListener?.("online", wake, { signal });
  globalThis.document?.addEventListener("visibilitychange", () => document.hidden || wake(), { signal });
  return () => stop.abort();
}
