/**
 * The one connection of a profile, held by its leading tab, and what goes over it for all scopes. It opens another one when
 * one is over; what a scope's frames mean is its reader's.
 */
import { makeBackoff } from "../core/backoff.ts";
import type { Env, SocketLike } from "../env.ts";
import { makeTimers } from "../timers.ts";
import type { Scope } from "../scopes.ts";
import type { Token } from "./http.ts";
import { makeSocket, refusal, type Socket } from "./socket.ts";
import type { Board } from "./standing.ts";
import type { Frame } from "./wire.ts";

/** The contract's version this client speaks. */
const PROTOCOL = 1;

/** What a link needs. */
export interface LinkParts {
  env: Env;
  token: Token;
  /** Opens a WebSocket, where there are any. */
  open: (() => SocketLike) | undefined;
  scopes: ReadonlyMap<string, Scope>;
  board: Board;
  /** There is a connection: what waits can be sent. */
  connected(): void;
}

/** See the file's head. */
export interface Link {
  /** The connection, while questions may be asked over it. */
  socket(): Socket | null;
  /** The server speaks another version of the contract. */
  stopped(): boolean;
  start(): void;
  stop(): void;
  /** The page or the network came back. */
  wake(): void;
  unsubscribe(scope: string): void;
}

export function makeLink({ env, token, open, scopes, board, connected }: LinkParts): Link {
  let timers = makeTimers(env);
  const backoff = makeBackoff(env.random);
  let started = false;
  let stopped = false;
  let socket: Socket | null = null;
  let ready = false;

  const every = (visit: (scope: Scope) => unknown): void => void [...scopes.values()].forEach(visit);
  const denied = (frame: Pick<Frame, "code" | "error">): void =>
    every(({ name }) => board.heard(name, "read", refusal(frame)));

  function connect(): void {
    if (!started || socket || !open) return;
    let raw: SocketLike;
    try {
      raw = open();
    } catch {
      // An address no WebSocket can have: polling does it.
      return;
    }
    const mine: Socket = makeSocket(env, raw, token, {
      ready: ({ protocol = PROTOCOL }) => {
        stopped = (protocol as number) > PROTOCOL;
        if (stopped) {
          denied({ code: "protocol", error: "the server is newer than this page: reload it" });
          return mine.close();
        }
        ready = true;
        every(({ reader, entered }) => entered && reader.subscribe());
        connected();
      },
      frame: (topic, data) => {
        if (topic === "sys") return data.code === "unauthenticated" ? denied(data) : undefined;
        const scope = scopes.get(topic.replace("sync:", ""));
        if (data.type !== "presence") scope?.reader.frame(data);
        else scope?.presence.frame(data);
        if (data.type === "ack") {
          backoff.calm();
          scope?.presence.up();
        }
      },
      over: (code) => {
        socket = null;
        ready = false;
        if (code === 4401) denied({ code: "unauthenticated" });
        every(({ reader, presence }) => {
          reader.unsubscribed();
          presence.down();
        });
        if (started) timers.after("connect", backoff.next(), connect);
      },
    });
    socket = mine;
  }

  return {
    socket: () => (ready ? socket : null),
    stopped: () => stopped,
    start: () => {
      started = true;
      connect();
      every(({ reader, entered }) => entered && reader.start());
    },
    stop: () => {
      started = false;
      timers.close();
      timers = makeTimers(env);
      every(({ reader }) => reader.stop());
      socket?.close();
    },
    wake: () => {
      if (!started) return;
      if (socket) socket.probe();
      else connect();
      every(({ reader }) => reader.poke());
    },
    unsubscribe: (scope) => {
      if (ready) socket?.say(`sync:${scope}`, { type: "unsubscribe" });
    },
  };
}
