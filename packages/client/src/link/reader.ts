/**
 * Keeps one scope's base at the server's head: live over a WebSocket, by polling where there is none, and by both in
 * turn when the network can't decide. It writes to the base only through the core, which refuses what does not follow
 * on.
 */
import { Backoff } from "../core/backoff.ts";
import { PULL_CHANGES } from "../core/limits.ts";
import type { ScopeCore } from "../core/scope.ts";
import type { Snapshot } from "../core/words.ts";
import type { Env, SocketLike } from "../env.ts";
import { Timers } from "../timers.ts";
import type { Http, Token } from "./http.ts";
import { Socket, refusal } from "./socket.ts";
import type { StandingBoard } from "./standing.ts";
import { lost, type AckFrame, type Answer, type ChangesFrame, type Frame } from "./wire.ts";
import type { PullAnswer, Refusal, SnapshotFrame } from "./wire.ts";

/** Milliseconds between polls: slow enough for a thousand pages on one small server, fast enough to feel alive. */
export const POLL_MS = 3_000;

/** Polling starts this many milliseconds after the first try of a WebSocket, if that is not live by then. */
const GRACE_MS = 1_500;

/** A subscription not answered in this many milliseconds means the connection is of no use. */
const SUBSCRIBE_MS = 15_000;

/** Live changes an accepted mutation waits for come within this many milliseconds, or they are pulled. */
const EXPECT_MS = 5_000;

/** Resets further apart than this, in milliseconds, don't count as a loop. */
const CALM_MS = 60_000;

/** Snapshots one catch-up takes before it waits: two histories may follow each other, a third is a loop. */
const CATCH_UP_RESETS = 3;

/** What a reader needs. */
export interface ReaderParts {
  env: Env;
  http: Http;
  core: ScopeCore;
  scope: string;
  token?: Token;
  standing: StandingBoard;
  /** Opens a WebSocket, where there are any. */
  open: (() => SocketLike) | undefined;
  /** Whose watermark to ask for. */
  client(): string;
  /** Questions may be asked over the socket. */
  connected(): void;
  /** Another history was found: places given under the old one can't be trusted. */
  otherHistory(): void;
}

/** See the file's head. */
export class Reader {
  readonly #parts: ReaderParts;
  readonly #topic: string;
  readonly #reconnects: Backoff;
  readonly #polls: Backoff;
  readonly #resets: Backoff;
  #socket: Socket | null = null;
  #subscription: "none" | "asked" | "live" = "none";
  #ref = "";
  #catching: Promise<Answer<null>> | null = null;
  #again = false;
  #lastReset = -Infinity;
  #closed = false;
  readonly #timers: Timers;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#topic = `sync:${parts.scope}`;
    this.#timers = new Timers(parts.env);
    this.#reconnects = new Backoff(parts.env.random);
    this.#polls = new Backoff(parts.env.random);
    this.#resets = new Backoff(parts.env.random);
  }

  /** The connection, while questions may be asked over it. */
  get socket(): Socket | null {
    return this.#socket?.ready ? this.#socket : null;
  }

  start(): void {
    this.#connect();
    this.#timers.in("poll", this.#socket ? GRACE_MS : 0, () => this.#poll());
  }

  /** The page or the network came back: look now. */
  wake(): void {
    if (this.#socket) this.#socket.probe();
    else this.#connect();
    if (this.#subscription !== "live") this.#timers.in("poll", 0, () => this.#poll());
  }

  /** Pulls to the head. Several at a time are one. */
  catchUp(): Promise<Answer<null>> {
    this.#again = true;
    this.#catching ??= this.#catchUp();
    return this.#catching;
  }

  /** What accepted mutations wait for arrives, or it is fetched. */
  expect(): void {
    const waits = (): boolean => this.#parts.core.pending.some((item) => item.accepted !== null);
    if (this.#timers.has("expect") || !waits()) return;
    this.#timers.in("expect", this.#subscription === "live" ? EXPECT_MS : 0, () => waits() && this.catchUp());
  }

  close(): void {
    this.#closed = true;
    this.#timers.close();
    this.#socket?.close();
  }

  #connect(): void {
    const { env, open, token } = this.#parts;
    if (this.#closed || this.#socket || !open) return;
    let raw: SocketLike;
    try {
      raw = open();
    } catch {
      // An address no WebSocket can have: polling does it.
      return;
    }
    const socket = new Socket(env, raw, token, {
      ready: () => {
        this.#subscribe();
        this.#parts.connected();
      },
      frame: (topic, data) => {
        if (topic === this.#topic) this.#tryFrame(data);
        else if (topic === "sys" && data.code === "unauthenticated") this.#parts.standing.heard("read", refusal(data));
      },
      closed: (code) => {
        this.#socket = null;
        if (code === 4401) this.#parts.standing.heard("read", refusal({ code: "unauthenticated" }));
        this.#unsubscribed();
        this.#timers.in("connect", this.#reconnects.next(), () => this.#connect());
      },
    });
    this.#socket = socket;
  }

  #subscribe(): void {
    const { core, client } = this.#parts;
    const socket = this.socket;
    if (!socket || this.#subscription !== "none") return;
    this.#subscription = "asked";
    this.#ref = socket.nextRef();
    const have = core.valid && { cursor: core.cursor, epoch: core.epoch, digest: core.digest };
    socket.send(this.#topic, { type: "subscribe", ref: this.#ref, client: client(), ...have });
    this.#timers.in("subscribe", SUBSCRIBE_MS, () => socket.close());
  }

  #unsubscribed(): void {
    this.#timers.cancel("subscribe");
    this.#subscription = "none";
    this.#parts.standing.live(false);
    this.#timers.in("poll", POLL_MS * this.#parts.env.random(), () => this.#poll());
  }

  /** A frame that can't be read must not take the page down; what it carried is pulled. */
  #tryFrame(data: Frame): void {
    try {
      this.#frame(data);
    } catch (error) {
      this.#parts.env.report(error);
      void this.catchUp();
    }
  }

  #frame(data: Frame): void {
    const { core, standing } = this.#parts;
    switch (data.type) {
      case "snapshot":
        core.reset(withWatermark(data as SnapshotFrame));
        break;
      case "ack": {
        const ack = data as AckFrame;
        this.#timers.cancel("subscribe");
        this.#subscription = "live";
        this.#reconnects.reset();
        if (!core.valid || ack.epoch !== core.epoch) return this.#reset("epoch_changed");
        standing.live(true);
        core.watermark(ack.cursor, ack.last_seq ?? 0);
        break;
      }
      case "changes": {
        const applied = core.apply(data as ChangesFrame);
        if (applied === "gap") void this.catchUp();
        if (applied === "foreign") this.#reset("epoch_changed");
        break;
      }
      case "lagged":
        this.#unsubscribed();
        this.#subscribeIn(this.#resets.next());
        break;
      case "reset":
        this.#reset(data.code ?? "epoch_changed");
        break;
      case "error":
        // Without a ref it ends the subscription; with another's it is not this one's.
        if (data.ref === undefined || data.ref === this.#ref) this.#refused(refusal(data));
    }
  }

  #refused(refused: Refusal): void {
    if (refused.code === "cursor_too_old" || refused.code === "epoch_changed") return this.#reset(refused.code);
    this.#unsubscribed();
    this.#denied(refused);
    this.#subscribeIn(this.#reconnects.next());
  }

  #denied(refused: Refusal): void {
    // What may no longer be read must not stay readable here.
    if (refused.status === 403) this.#parts.core.drop();
    this.#parts.standing.heard("read", refused);
  }

  /** The base can't be continued. The first time at once; a loop of resets waits longer and longer. */
  #reset(code: string): void {
    this.#unsubscribed();
    const wait = this.#lose(code);
    if (code === "use_http") this.#timers.in("poll", wait, () => this.#poll());
    else this.#subscribeIn(wait);
  }

  /** Gives up the base and says how many milliseconds to wait before asking for another. */
  #lose(code: string): number {
    const { core, env, otherHistory } = this.#parts;
    const other = code === "epoch_changed";
    core.invalidate(other);
    if (other) otherHistory();
    const calm = env.now() - this.#lastReset > CALM_MS;
    this.#lastReset = env.now();
    if (calm) this.#resets.reset();
    const wait = this.#resets.next();
    return calm ? 0 : wait;
  }

  #subscribeIn(ms: number): void {
    this.#timers.in("subscribe", ms, () => this.#subscribe());
  }

  async #poll(): Promise<void> {
    if (this.#subscription === "live") return;
    const answer = await this.catchUp();
    if ((this.#subscription as string) === "live") return;
    let wait = POLL_MS * (0.75 + this.#parts.env.random() / 2);
    if (answer.ok) {
      this.#polls.reset();
      // A base that came by HTTP because it was too large for a frame: live again from there.
      this.#subscribe();
    } else wait = this.#polls.next(answer.retryAfter);
    this.#timers.in("poll", wait, () => this.#poll());
  }

  async #catchUp(): Promise<Answer<null>> {
    // Not before the caller has noted that this runs.
    await null;
    let resets = 0;
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        const { core, standing } = this.#parts;
        const { epoch } = core;
        const asking = core.valid ? this.#pull() : this.#snapshot();
        const answer = await asking.catch((error: unknown) => lost(String(error)));
        if (answer.ok) {
          standing.heard("read", null);
          continue;
        }
        const reset = answer.code === "cursor_too_old" || answer.code === "epoch_changed";
        if (!reset || resets++ >= CATCH_UP_RESETS) {
          this.#denied(answer);
          return answer;
        }
        // Unless a frame brought a new base while this question was on its way.
        if (core.epoch === epoch) this.#lose(answer.code);
        this.#again = true;
      }
      return { ok: true, body: null };
    } finally {
      // In the same breath as the last look at `again`: whoever asks now starts another.
      this.#catching = null;
    }
  }

  async #pull(): Promise<Answer<null>> {
    const { core, http, scope, client } = this.#parts;
    const { cursor, epoch, digest } = core;
    const asked = { scope, cursor, epoch, digest, limit: PULL_CHANGES, client: client() };
    const answer = await http.post<PullAnswer>("pull", asked);
    if (!answer.ok) return answer;
    const { body } = answer;
    if (core.epoch === epoch && core.valid) {
      const applied = core.apply({
        from: cursor,
        cursor: body.next_cursor,
        digest: body.digest,
        epoch: body.epoch,
        changes: body.changes,
        // Read at the head: it says nothing about a base that has not got there yet.
        lastSeq: body.has_more ? undefined : (body.last_seq ?? 0),
      });
      if (applied === "foreign") return refusal({ code: "epoch_changed" });
      if (applied === "gap") return lost("a gap");
    }
    if (body.has_more) this.#again = true;
    return { ok: true, body: null };
  }

  async #snapshot(): Promise<Answer<null>> {
    const { core, http, scope, client } = this.#parts;
    const answer = await http.post<Snapshot>("snapshot", { scope, client: client() });
    if (!answer.ok) return answer;
    core.reset(withWatermark(answer.body));
    return { ok: true, body: null };
  }
}

/** A server that was asked for a client's watermark and names none has none. */
const withWatermark = (snapshot: Snapshot): Snapshot => ({ ...snapshot, last_seq: snapshot.last_seq ?? 0 });
