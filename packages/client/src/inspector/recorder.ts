/**
 * Stands between a client and the network: notes what travels and how mutations end, and cuts the line when told to. It
 * passes on everything as it is; it keeps the last of it, in memory, and never more than its limits say.
 */
import type { SyncClient } from "../client.ts";
import type { Env, SocketLike } from "../env.ts";
import { measured, ofHttp, ofSocket, things, type Frame } from "./frames.ts";

/** Frames kept: some minutes of a busy list. */
const FRAMES = 300;

/** Verdicts kept. */
const VERDICTS = 100;

/** Mutations whose commands are remembered until their verdicts come. */
const COMMANDS = 10_000;

/** How a mutation ended, as it was seen here. */
export interface Seen {
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  /** The command, where it was seen. */
  type: string;
  scope: string;
  /** `accepted`, or a refusal's code; `ended`: it waits no more, and its verdict went by elsewhere. */
  outcome: string;
  /** The cursor it was accepted at, or why it was not. */
  detail: string;
}

/** See the file's head. */
export interface Recorder {
  /** The oldest first. */
  readonly frames: readonly Frame[];
  /** The oldest first. */
  readonly verdicts: readonly Seen[];
  readonly offline: boolean;
  /** Cuts the line, or mends it. */
  force(offline: boolean): void;
  /** Looks at what waits now: what waited before and does not any more has ended. */
  look(pending: readonly { id: string; type: string; scope: string }[]): void;
  /** Calls back after every frame and verdict; returns how to stop that. */
  subscribe(call: () => void): () => void;
}

/** The outcome of a mutation that waits no more, while its verdict is not known here. */
const UNSEEN = "ended";

type Watched = Pick<SyncClient<any, any>, "inspect" | keyof EventTarget>;

export function makeRecorder(client: Watched): Recorder {
  const { env } = client.inspect();
  const frames: Frame[] = [];
  const verdicts: Seen[] = [];
  const commands = new Map<string, { type: string; scope: string }>();
  const ended = new Map<string, Seen>();
  const calls = new Set<() => void>();
  const sockets = new Set<SocketLike>();
  let waited = new Map<string, { type: string; scope: string }>();
  let line = new AbortController();
  let count = 0;

  const told = (): void => calls.forEach((call) => call());

  function note(frame: Omit<Frame, "n" | "at">): void {
    frames.push({ n: ++count, at: env.now(), ...frame });
    if (frames.length > FRAMES) frames.shift();
    told();
  }

  function end(id: string, outcome: string, detail: string, known = commands.get(id) ?? waited.get(id)): void {
    const before = ended.get(id);
    if (before && before.outcome !== UNSEEN) return;
    const seen = before ?? { id, at: env.now(), type: known?.type ?? "", scope: known?.scope ?? "", outcome, detail };
    Object.assign(seen, { outcome, detail });
    commands.delete(id);
    if (!before) {
      ended.set(id, seen);
      verdicts.push(seen);
      if (verdicts.length > VERDICTS) verdicts.shift();
      if (ended.size > COMMANDS) ended.delete(ended.keys().next().value!);
    }
    told();
  }

  /** Which commands go out, and which were accepted; a refusal is the client's to judge, which tells it by an event. */
  function read({ mutations, results, changes }: Record<string, unknown>, scope: string): void {
    for (const { id, type, scope: of = scope } of things(mutations)) {
      commands.set(String(id), { type: String(type), scope: String(of) });
    }
    while (commands.size > COMMANDS) commands.delete(commands.keys().next().value!);
    for (const { id, ok, cursor } of things(results)) if (ok) end(String(id), "accepted", `at ${cursor}`);
    for (const { mutation, cursor } of things(changes)) {
      if (commands.has(String(mutation))) end(String(mutation), "accepted", `at ${cursor}`);
    }
  }

  function onSocket(way: "in" | "out", text: string): void {
    const { data, ...said } = ofSocket(text);
    note({ way, via: "socket", ...said, ...measured(text) });
    read(data, said.scope);
  }

  /** From now on what goes through a socket is seen. */
  function tap(socket: SocketLike, send = socket.send): SocketLike {
    sockets.add(socket);
    socket.send = (data) => {
      onSocket("out", String(data));
      send.call(socket, data);
    };
    const events = socket as Partial<EventTarget>;
    events.addEventListener?.("message", (event) => onSocket("in", String((event as MessageEvent).data)));
    events.addEventListener?.("close", () => sockets.delete(socket));
    return socket;
  }

  /**
   * Finds the socket that was there before. Woken as after a sleep, a client says at once whether its line still stands;
   * whoever sends now is it.
   */
  function catchSocket(): void {
    const sockets = globalThis.WebSocket?.prototype;
    if (!sockets) return;
    const { send } = sockets;
    sockets.send = function (data) {
      if (String(data).includes('"topic"')) tap(this, send).send(data);
      else send.call(this, data);
    };
    try {
      wake();
    } finally {
      sockets.send = send;
    }
  }

  const wake = (): unknown => globalThis.dispatchEvent(new Event("online"));

  const cut = (socket: SocketLike): unknown => socket.onclose?.(new CloseEvent("close", { code: 1006 }));

  /** A socket that does not get through. */
  function dead(): SocketLike {
    const socket: SocketLike = { send: () => undefined, close: () => undefined, onmessage: null, onclose: null, onerror: null };
    setTimeout(() => cut(socket));
    return socket;
  }

  const passing: Pick<Env, "fetch" | "socket"> = { fetch: env.fetch, socket: env.socket };
  env.fetch = async (url, init) => {
    const route = new URL(url, globalThis.location?.href).pathname.split("/").pop()!;
    const asked = String(init.body ?? "");
    const { data, ...said } = ofHttp(asked);
    const { signal } = line;
    signal.throwIfAborted();
    note({ way: "out", via: "http", what: `${init.method ?? "GET"} ${route}`, ...said, ...measured(asked) });
    read(data, said.scope);
    try {
      const signals = init.signal ? [init.signal, signal] : [signal];
      const response = await passing.fetch(url, { ...init, signal: AbortSignal.any(signals) });
      const text = await response.clone().text();
      const { data, about } = ofHttp(text);
      note({ way: "in", via: "http", what: `${response.status} ${route}`, about, scope: said.scope, ...measured(text) });
      read(data, said.scope);
      return response;
    } catch (error) {
      note({ way: "in", via: "http", what: `no ${route}`, about: "failed", scope: said.scope, bytes: 0, text: String(error) });
      throw error;
    }
  };
  if (passing.socket) env.socket = (url) => (line.signal.aborted ? dead() : tap(passing.socket!(url)));
  catchSocket();

  client.addEventListener("rejected", (event) => {
    const { id, type, scope, code, reason, error } = (event as CustomEvent<Record<string, string>>).detail;
    end(id!, code!, [reason, error].filter(Boolean).join(": "), { type: type!, scope: scope! });
  });

  return {
    frames,
    verdicts,
    get offline() {
      return line.signal.aborted;
    },
    force: (offline) => {
      if (offline === line.signal.aborted) return;
      note({ way: "note", via: "", what: offline ? "forced offline" : "back online", about: "", scope: "", bytes: 0, text: "" });
      if (offline) {
        line.abort(new TypeError("the inspector forces this client offline"));
        for (const socket of [...sockets]) {
          sockets.delete(socket);
          cut(socket);
        }
      } else {
        line = new AbortController();
        wake();
      }
    },
    look: (pending) => {
      const waits = new Map(pending.map(({ id, type, scope }) => [id, { type, scope }]));
      for (const id of waited.keys()) if (!waits.has(id)) end(id, UNSEEN, "its verdict was not seen here");
      waited = waits;
    },
    subscribe: (call) => {
      calls.add(call);
      return () => calls.delete(call);
    },
  };
}
