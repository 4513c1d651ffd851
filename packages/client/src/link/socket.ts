/**
 * One WebSocket connection, from opening to its end: the envelope, the greeting, pings both ways, and questions with
 * their answers. It knows topics but not what sync frames mean, and it never comes back by itself: its owner opens
 * another.
 */
import { byteLength } from "../core/door.ts";
import { LIVE_PUSH_BYTES } from "../core/limits.ts";
import type { Env, SocketLike } from "../env.ts";
import { makeTimers } from "../timers.ts";
import type { Token } from "./http.ts";
import { STATUS, lost, type Answer, type Frame, type Refusal } from "./wire.ts";

/** The greeting must come within this many milliseconds of the attempt, or the network is one that breaks WebSockets. */
const HELLO_MS = 10_000;

/** A question over the socket is lost after this many milliseconds. */
const ANSWER_MS = 30_000;

/** Seconds between pings where the greeting names none. */
const PING_S = 25;

/** The link is dead when nothing was heard for this many ping intervals: two may be lost, and some time to arrive. */
const SILENCE_PINGS = 2.5;

/** After the page came back, a link that stays silent for this many milliseconds is dead. */
const PROBE_MS = 5_000;

/** What a socket tells its owner. */
export interface SocketEvents {
  /** It is open and greeted: questions may be asked. */
  ready(hello: Frame): void;
  /** A frame that answers no question. */
  frame(topic: string, data: Frame): void;
  /** It is over, told once. `code` is the WebSocket's, 4401 when the server does not know who is asking. */
  over(code: number): void;
}

/** See the file's head. */
export interface Socket {
  /** Sends a frame. Into a closed socket it goes nowhere: what needs an answer is asked. */
  say(topic: string, data: Frame): void;
  /** A `ref` no other question of this connection has. */
  nextRef(): string;
  /** Asks and waits for the frame with the same `ref`; nothing where the question is too long for a frame. */
  ask(topic: string, data: Frame): Promise<Answer<Frame>> | undefined;
  /** Finds out soon whether the other side is still there. */
  probe(): void;
  /** Ends it. */
  close(): void;
}

export function makeSocket(env: Env, socket: SocketLike, token: Token, events: SocketEvents): Socket {
  const questions = new Map<string, (answer: Answer<Frame>) => void>();
  const timers = makeTimers(env);
  let closed = false;
  let greeted = false;
  let refs = 0;
  let heard = env.now();

  const write = (text: string): void => {
    try {
      socket.send(text);
    } catch {
      end(1006);
    }
  };
  const say = (topic: string, data: Frame): void => write(JSON.stringify({ topic, data }));
  const sys = (type: string): void => say("sys", { type });
  const close = (): void => end(1000);
  const nextRef = (): string => String(++refs);

  function end(code: number): void {
    if (closed) return;
    closed = true;
    socket.onmessage = socket.onclose = socket.onerror = null;
    timers.close();
    try {
      socket.close();
    } catch {
      // It was never open.
    }
    for (const ref of questions.keys()) answer(ref, lost("disconnected"));
    events.over(code);
  }

  function answer(ref: string, with_: Answer<Frame>): void {
    timers.cancel(ref);
    questions.get(ref)?.(with_);
    questions.delete(ref);
  }

  async function greet(hello: Frame): Promise<void> {
    if (token) {
      try {
        say("sys", { type: "auth", token: await token() });
      } catch {
        return close();
      }
    }
    if (closed || greeted) return;
    greeted = true;
    const ping = hello["ping"];
    watch((typeof ping === "number" && ping > 0 ? ping : PING_S) * 1000);
    events.ready(hello);
  }

  /** Pings, and gives up when nothing was heard for too long. Twice per interval, so that an answer has time to come. */
  function watch(interval: number, odd = false): void {
    const left = heard + SILENCE_PINGS * interval - env.now();
    if (left <= 0) return close();
    if (odd) sys("ping");
    timers.after("ping", Math.min(interval / 2, left), () => watch(interval, !odd));
  }

  socket.onmessage = ({ data: text }) => {
    heard = env.now();
    let topic: unknown;
    let data: Frame | undefined;
    try {
      ({ topic, data } = JSON.parse(String(text)) as { topic: unknown; data?: Frame });
    } catch {
      return;
    }
    if (typeof topic !== "string" || typeof data?.type !== "string" || closed) return;
    const { ref, type } = data;
    if (topic === "sys" && type === "hello") void greet(data);
    else if (topic === "sys" && type === "ping") sys("pong");
    else if (ref !== undefined && questions.has(ref)) {
      answer(ref, type === "error" ? refusal(data) : { ok: true, body: data });
    } else events.frame(topic, data);
  };
  socket.onclose = ({ code }) => end(code);
  // Not every runtime closes what it could not open.
  socket.onerror = () => end(1006);
  timers.after("hello", HELLO_MS, () => greeted || close());

  return {
    say,
    nextRef,
    ask: (topic, data) => {
      const ref = nextRef();
      const text = JSON.stringify({ topic, data: { ...data, ref } });
      if (byteLength(text) > LIVE_PUSH_BYTES) return undefined;
      return new Promise((resolve) => {
        questions.set(ref, resolve);
        timers.after(ref, ANSWER_MS, () => answer(ref, lost("no answer")));
        write(text);
      });
    },
    probe: () => {
      const asked = env.now();
      sys("ping");
      timers.after("probe", PROBE_MS, () => heard < asked && close());
    },
    close,
  };
}

/** An `error` frame as the refusal it is. */
export function refusal({ code = "unavailable", error = code }: Pick<Frame, "code" | "error">): Refusal {
  return { ok: false, status: STATUS[code] ?? 500, code, error, retryAfter: 0 };
}
