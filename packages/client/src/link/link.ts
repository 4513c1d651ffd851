/**
 * The one connection of a profile, held by its leading tab, and what goes over it for all scopes: the envelope, the greeting,
 * pings both ways, and questions with their answers. It opens another one when one is over; what a scope's frames mean is its
 * reader's.
 */
import { makeBackoff } from "../core/backoff.ts";
import { guarded } from "../core/calls.ts";
import { isOver } from "../core/door.ts";
import { LIVE_PUSH_BYTES } from "../core/limits.ts";
import type { Env, SocketLike } from "../env.ts";
import type { Scope } from "../scopes.ts";
import { makeTimers } from "../timers.ts";
import type { Token } from "./http.ts";
import type { Board } from "./standing.ts";
import { lost, refusal, type Answer, type Frame, type PushAnswer } from "./wire.ts";

/** The contract's version this client speaks. */
const PROTOCOL = 1;

/** The greeting must come within this many milliseconds of the attempt, or the network is one that breaks WebSockets. */
const HELLO_MS = 10_000;

/** A push over the socket is lost after this many milliseconds. */
const ANSWER_MS = 30_000;

/** Seconds between pings where the greeting names none. */
const PING_S = 25;

/** The link is dead when nothing was heard for this many ping intervals: two may be lost, and some time to arrive. */
const SILENCE_PINGS = 2.5;

/** After the page came back, a link that stays silent for this many milliseconds is dead. */
const PROBE_MS = 5_000;

/** The WebSocket's code where the server does not know who is asking. */
const UNAUTHENTICATED = 4401;

/** What a link needs. */
export interface LinkParts {
  env: Env;
  token: Token;
  /** Opens a WebSocket, where there are any. */
  open: (() => SocketLike) | undefined;
  scopes: ReadonlyMap<string, Scope>;
  every(visit: (scope: Scope) => unknown): void;
  board: Board;
  /** There is a connection: what waits can be sent. */
  connected(): void;
}

/** See the file's head. */
export interface Link {
  /** There are connections at all. */
  possible: boolean;
  /** There is a connection that can be asked. */
  ready: boolean;
  /** The server speaks another version of the contract. */
  stopped: boolean;
  start(): void;
  stop(): void;
  /** The page or the network came back. */
  wake(): void;
  /** Sends a frame of a scope. Without a connection it goes nowhere. */
  say(scope: string, data: Frame): void;
  /** A `ref` no other question of this connection has. */
  nextRef(): string;
  /** Pushes and waits for the results; nothing without a connection, or where it is too long for a frame. */
  push(scope: string, push: object): Promise<Answer<PushAnswer>> | undefined;
  /** Ends the connection. */
  hangUp(): void;
}

export function makeLink({ env, token, open, scopes, every, board, connected }: LinkParts): Link {
  const timers = makeTimers(env);
  const backoff = makeBackoff(env.random);
  const questions = new Map<string, (answer: Answer<PushAnswer>) => void>();
  let started = false;
  let socket: SocketLike | null = null;
  let heard = 0;
  let refs = 0;

  const denied = (frame: Pick<Frame, "code" | "error">): void =>
    every(({ name }) => board.heard(name, "read", refusal(frame)));
  const nextRef = (): string => String(++refs);
  const write = (topic: string, data: Frame): void => {
    try {
      if (link.ready) socket!.send(JSON.stringify({ topic, data }));
    } catch {
      end();
    }
  };

  function connect(): void {
    if (!started || socket || !open) return;
    try {
      socket = open();
    } catch {
      // An address no WebSocket can have: polling does it.
      return;
    }
    socket.onmessage = guarded(env.report, ({ data }) => {
      heard = env.now();
      hear(JSON.parse(String(data)) as { topic: string; data: Frame });
    });
    socket.onclose = ({ code }) => end(code);
    // Not every runtime closes what it could not open.
    socket.onerror = hangUp;
    // Pings take its place once it is greeted.
    timers.after("ping", HELLO_MS, hangUp);
  }

  function end(code?: number): void {
    const over = socket;
    if (over) socket = over.onmessage = over.onclose = over.onerror = null;
    link.ready = false;
    timers.clear();
    try {
      over?.close();
    } catch {
      // It was never open.
    }
    for (const ref of questions.keys()) answer(ref, lost("disconnected"));
    if (code === UNAUTHENTICATED) denied({ code: "unauthenticated" });
    every(({ reader, presence }) => {
      reader.down();
      presence.down();
    });
    if (started) timers.after("connect", backoff.next(), connect);
  }
  const hangUp = (): void => end();

  function answer(ref: string, with_: Answer<PushAnswer>): void {
    questions.get(ref)?.(with_);
    questions.delete(ref);
  }

  async function greet({ protocol = PROTOCOL, ping }: Frame): Promise<void> {
    const mine = socket;
    const auth = await (async () => token?.())().catch(() => null);
    if (socket !== mine || link.ready) return;
    if (auth === null) return end();
    link.stopped = (protocol as number) > PROTOCOL;
    if (link.stopped) {
      denied({ code: "protocol", error: "the server is newer than this page: reload it" });
      return end();
    }
    link.ready = true;
    if (token) write("sys", { type: "auth", token: auth });
    watch(((ping as number) > 0 ? (ping as number) : PING_S) * 1000);
    every(({ reader }) => reader.poke());
    connected();
  }

  /** Pings, and gives up when nothing was heard for too long. Twice per interval, so that an answer has time to come. */
  function watch(interval: number, odd = false): void {
    const left = heard + SILENCE_PINGS * interval - env.now();
    if (left <= 0) return end();
    if (odd) write("sys", { type: "ping" });
    timers.after("ping", Math.min(interval / 2, left), () => watch(interval, !odd));
  }

  function hear({ topic, data }: { topic: string; data: Frame }): void {
    const { ref, type, code } = data;
    if (ref !== undefined && questions.has(ref)) {
      return answer(ref, type === "error" ? refusal(data) : { ok: true, body: data as unknown as PushAnswer });
    }
    if (topic === "sys") {
      if (type === "hello") void greet(data);
      if (type === "ping") write(topic, { type: "pong" });
      if (code === "unauthenticated") denied(data);
      return;
    }
    const scope = scopes.get(topic.replace("sync:", ""));
    if (type !== "presence") scope?.reader.frame(data);
    else scope?.presence.frame(data);
    if (type === "ack") {
      backoff.calm();
      scope?.presence.up();
    }
  }

  const say = (scope: string, data: Frame): void => write(`sync:${scope}`, data);

  const link: Link = {
    possible: !!open,
    ready: false,
    stopped: false,
    nextRef,
    hangUp,
    say,
    push: (scope, push) => {
      const ref = nextRef();
      const question = { ...push, type: "push", ref };
      // What stands around it is short.
      if (!link.ready || isOver(JSON.stringify(question), LIVE_PUSH_BYTES)) return undefined;
      return new Promise((resolve) => {
        questions.set(ref, resolve);
        timers.after(ref, ANSWER_MS, () => answer(ref, lost("no answer")));
        say(scope, question);
      });
    },
    start: () => {
      started = true;
      connect();
      every(({ reader }) => reader.start());
    },
    stop: () => {
      started = false;
      end();
    },
    wake: () => {
      if (link.ready) {
        const asked = env.now();
        write("sys", { type: "ping" });
        timers.after("probe", PROBE_MS, () => heard < asked && end());
      } else connect();
      every(({ reader }) => reader.poke());
    },
  };
  return link;
}
