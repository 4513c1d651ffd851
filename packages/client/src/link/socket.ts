/**
 * One WebSocket connection, from opening to its end: the envelope, the greeting, pings both ways, and questions with
 * their answers. It knows topics but not what sync frames mean, and it never comes back by itself: its owner opens
 * another.
 */
import type { Env, SocketLike } from "../env.ts";
import { Timers } from "../timers.ts";
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
  ready(): void;
  /** A frame that answers no question. */
  frame(topic: string, data: Frame): void;
  /** It is over, told once. `code` is the WebSocket's, 4401 when the server does not know who is asking. */
  closed(code: number): void;
}

/** See the file's head. */
export class Socket {
  /** Greeted and not closed. */
  ready = false;
  readonly #env: Env;
  readonly #socket: SocketLike;
  readonly #events: SocketEvents;
  readonly #token: Token;
  readonly #questions = new Map<string, (answer: Answer<Frame>) => void>();
  readonly #timers: Timers;
  #closed = false;
  #ref = 0;
  #heard: number;

  constructor(env: Env, socket: SocketLike, token: Token, events: SocketEvents) {
    this.#env = env;
    this.#timers = new Timers(env);
    this.#socket = socket;
    this.#token = token;
    this.#events = events;
    this.#heard = env.now();
    socket.onmessage = ({ data }) => this.#read(data);
    socket.onclose = ({ code }) => this.#end(code);
    // Not every runtime closes what it could not open.
    socket.onerror = () => this.#end(1006);
    this.#timers.in("hello", HELLO_MS, () => this.ready || this.close());
  }

  /** Sends a frame. Into a closed socket it goes nowhere: what needs an answer is asked. */
  send(topic: string, data: Frame): void {
    this.#write(JSON.stringify({ topic, data }));
  }

  /** A `ref` no other question of this connection has. */
  nextRef(): string {
    return String(++this.#ref);
  }

  /** Asks, with an envelope that is text already, and waits for the frame with the same `ref`. */
  ask(ref: string, text: string): Promise<Answer<Frame>> {
    return new Promise((resolve) => {
      this.#questions.set(ref, resolve);
      this.#timers.in(ref, ANSWER_MS, () => this.#answer(ref, lost("no answer")));
      this.#write(text);
    });
  }

  /** Finds out soon whether the other side is still there. */
  probe(): void {
    const asked = this.#env.now();
    this.send("sys", { type: "ping" });
    this.#timers.in("probe", PROBE_MS, () => this.#heard < asked && this.close());
  }

  /** Ends it. */
  close(): void {
    this.#end(1000);
  }

  #write(text: string): void {
    try {
      this.#socket.send(text);
    } catch {
      this.#end(1006);
    }
  }

  #read(text: unknown): void {
    this.#heard = this.#env.now();
    let topic: unknown;
    let data: Frame | undefined;
    try {
      ({ topic, data } = JSON.parse(String(text)) as { topic: unknown; data?: Frame });
    } catch {
      return;
    }
    if (typeof topic !== "string" || typeof data?.type !== "string" || this.#closed) return;
    const { ref } = data;
    if (topic === "sys" && data.type === "hello") void this.#greeted(data);
    else if (topic === "sys" && data.type === "ping") this.send("sys", { type: "pong" });
    else if (ref !== undefined && this.#questions.has(ref)) {
      this.#answer(ref, data.type === "error" ? refusal(data) : { ok: true, body: data });
    } else this.#events.frame(topic, data);
  }

  #answer(ref: string, answer: Answer<Frame>): void {
    this.#timers.cancel(ref);
    this.#questions.get(ref)?.(answer);
    this.#questions.delete(ref);
  }

  async #greeted(hello: Frame): Promise<void> {
    if (this.#token) {
      try {
        this.send("sys", { type: "auth", token: await this.#token() });
      } catch {
        return this.close();
      }
    }
    if (this.#closed || this.ready) return;
    this.ready = true;
    const ping = hello["ping"];
    this.#watch((typeof ping === "number" && ping > 0 ? ping : PING_S) * 1000);
    this.#events.ready();
  }

  /** Pings, and gives up when nothing was heard for too long. Twice per interval, so that an answer has time to come. */
  #watch(interval: number, odd = false): void {
    const left = this.#heard + SILENCE_PINGS * interval - this.#env.now();
    if (left <= 0) return this.close();
    if (odd) this.send("sys", { type: "ping" });
    this.#timers.in("ping", Math.min(interval / 2, left), () => this.#watch(interval, !odd));
  }

  #end(code: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.ready = false;
    this.#socket.onmessage = this.#socket.onclose = this.#socket.onerror = null;
    this.#timers.close();
    try {
      this.#socket.close();
    } catch {
      // It was never open.
    }
    for (const ref of this.#questions.keys()) this.#answer(ref, lost("disconnected"));
    this.#events.closed(code);
  }
}

/** An `error` frame as the refusal it is. */
export function refusal({ code = "unavailable", error = code }: Pick<Frame, "code" | "error">): Refusal {
  return { ok: false, status: STATUS[code] ?? 500, code, error, retryAfter: 0 };
}
