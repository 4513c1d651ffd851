/**
 * One WebSocket connection, from opening to its end: the envelope, the greeting, pings both ways, and questions with their
 * answers. It knows topics but not what sync frames mean, and it never comes back by itself: its owner opens another.
 */
import type { Env, SocketLike } from "../env.ts";
import type { Token } from "./http.ts";
import { STATUS, lost, type Answer, type Frame } from "./wire.ts";

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
  readonly #timers = new Set<unknown>();
  #closed = false;
  #ref = 0;
  #heard: number;

  constructor(env: Env, socket: SocketLike, token: Token, events: SocketEvents) {
    this.#env = env;
    this.#socket = socket;
    this.#token = token;
    this.#events = events;
    this.#heard = env.now();
    socket.onmessage = ({ data }) => this.#read(data);
    socket.onclose = ({ code }) => this.#end(code);
    socket.onerror = () => this.#end(1006);
    this.#later(HELLO_MS, () => this.ready || this.close());
  }

  /** Sends a frame. Into a closed socket it goes nowhere: what needs an answer is asked. */
  send(topic: string, data: Frame): void {
    this.sendText(JSON.stringify({ topic, data }));
  }

  /** Asks and waits for the frame with the same `ref`. */
  ask(topic: string, data: Frame): Promise<Answer<Frame>> {
    const ref = this.nextRef();
    return this.askText(ref, JSON.stringify({ topic, data: { ...data, ref } }));
  }

  /** A `ref` no other question of this connection has. */
  nextRef(): string {
    return String(++this.#ref);
  }

  /** As `ask`, for a frame that is text already. */
  askText(ref: string, text: string): Promise<Answer<Frame>> {
    if (this.#closed) return Promise.resolve(lost("the connection is closed"));
    return new Promise((resolve) => {
      const timer = this.#later(ANSWER_MS, () => {
        this.#questions.delete(ref);
        resolve(lost("no answer came over the connection"));
      });
      this.#questions.set(ref, (answer) => {
        this.#forget(timer);
        resolve(answer);
      });
      this.sendText(text);
    });
  }

  /** Sends a whole envelope. */
  sendText(text: string): void {
    if (this.#closed) return;
    try {
      this.#socket.send(text);
    } catch {
      this.#end(1006);
    }
  }

  /** Finds out soon whether the other side is still there. */
  probe(): void {
    const asked = this.#env.now();
    this.send("sys", { type: "ping" });
    this.#later(PROBE_MS, () => this.#heard < asked && this.close());
  }

  /** Ends it. */
  close(): void {
    this.#end(1000);
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
    const question = data.ref !== undefined && this.#questions.get(data.ref);
    if (topic === "sys" && data.type === "hello") void this.#greeted(data);
    else if (topic === "sys" && data.type === "ping") this.send("sys", { type: "pong" });
    else if (question) {
      this.#questions.delete(data.ref!);
      question(data.type === "error" ? refusal(data) : { ok: true, body: data });
    } else this.#events.frame(topic, data);
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
    this.#later(Math.min(interval / 2, left), () => this.#watch(interval, !odd));
  }

  #end(code: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.ready = false;
    this.#socket.onmessage = this.#socket.onclose = this.#socket.onerror = null;
    for (const timer of this.#timers) this.#env.clearTimeout(timer);
    try {
      this.#socket.close();
    } catch {
      // It was never open.
    }
    for (const answer of this.#questions.values()) answer(lost("the connection broke"));
    this.#questions.clear();
    this.#events.closed(code);
  }

  #later(ms: number, run: () => unknown): unknown {
    const timer = this.#env.setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  #forget(timer: unknown): void {
    this.#timers.delete(timer);
    this.#env.clearTimeout(timer);
  }
}

/** An `error` frame as the refusal it is. */
export function refusal({ code = "unavailable", error = code, retry_after = 0 }: Frame): Answer<never> & { ok: false } {
  return { ok: false, status: STATUS[code] ?? 500, code, error, retryAfter: retry_after * 1000 };
}
