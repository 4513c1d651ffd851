/**
 * Keeps one scope's base at the server's head: live over the shared WebSocket, by polls that wait where there is none, and
 * by both in turn when the network can't decide. It writes to the base only through the core, which refuses what does not
 * follow on. In a tab that does not lead it only catches up when it is asked to.
 */
import { makeBackoff } from "../core/backoff.ts";
import { PULL_CHANGES } from "../core/limits.ts";
import type { Page, ScopeCore } from "../core/scope.ts";
import type { Snapshot } from "../core/words.ts";
import type { Env } from "../env.ts";
import { makeTimers } from "../timers.ts";
import type { Post } from "./http.ts";
import { refusal, type Socket } from "./socket.ts";
import { lost, type AckFrame, type Answer, type ChangesFrame, type Frame } from "./wire.ts";
import type { PullAnswer, Refusal } from "./wire.ts";

/** Milliseconds between polls: slow enough for a thousand pages on one small server, fast enough to feel alive. */
export const POLL_MS = 3_000;

/** A page nobody looks at polls this many times as rarely. */
const HIDDEN = 10;

/** Seconds a poll waits at the server for something to happen: less than what proxies cut after, and the contract's 30. */
const WAIT_S = 20;

/** A poll that was answered empty sooner than this, in milliseconds, did not wait: this server or proxy can't. */
const WAITED_MS = 1_000;

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
  ask: Post;
  core: ScopeCore;
  scope: string;
  /** The connection, while questions may be asked over it. */
  socket(): Socket | null;
  /** There are connections at all. */
  sockets: boolean;
  /** So few scopes are followed that each may keep a request waiting: browsers have six per server. */
  few(): boolean;
  /** The server speaks another version: nothing is read until it doesn't. */
  stopped(): boolean;
  /** Whose watermark to ask for. */
  client(): string;
  leads(): boolean;
  /** The subscription is live, or no longer. */
  live(is: boolean): void;
  /** A question ended; `null` where it was answered. */
  heard(refusal: Refusal | null): void;
  /** What moved the base, for the other tabs. */
  feed: { page(page: Page): void; base(base: Snapshot): void; lose(other: boolean): void; drop(): void };
  /** Another history was found: places given under the old one can't be trusted. */
  otherHistory(): void;
}

/** See the file's head. */
export interface Reader {
  /** This tab leads: follow the scope, live if there is a connection. */
  start(): void;
  stop(): void;
  /** The connection can be asked. */
  subscribe(): void;
  /** The connection or the subscription is gone. */
  unsubscribed(): void;
  frame(data: Frame): void;
  /** The page or the network came back: look now. */
  poke(): void;
  /** Pulls to the head. Several at a time are one. */
  catchUp(): Promise<Answer<null>>;
  /** What accepted mutations wait for arrives, or it is fetched. */
  expect(): void;
  /** The base is of no use any more: fetches another. */
  resync(): Promise<Answer<null>>;
  isLive(): boolean;
  close(): void;
}

export function makeReader(parts: ReaderParts): Reader {
  const { env, core, scope, feed } = parts;
  const topic = `sync:${scope}`;
  const timers = makeTimers(env);
  const reconnects = makeBackoff(env.random);
  const polls = makeBackoff(env.random);
  const resets = makeBackoff(env.random);
  let started = false;
  let closed = false;
  let subscription: "none" | "asked" | "live" = "none";
  let ref = "";
  let waits = false;
  let catching: Promise<Answer<null>> | null = null;
  let again = false;
  let lastReset = -Infinity;

  const apply = (page: Page) => {
    const applied = core.apply(page);
    if (applied === "applied" || applied === "duplicate") feed.page(page);
    return applied;
  };
  const reset = (snapshot: Snapshot): void => {
    // A server that was asked for a client's watermark and names none has none.
    const base = { ...snapshot, last_seq: snapshot.last_seq ?? 0 };
    core.reset(base);
    feed.base(base);
  };
  const pollIn = (ms: number): void => {
    if (started) timers.after("poll", ms, poll);
  };

  function subscribe(): void {
    const socket = parts.socket();
    if (!socket || !started || subscription !== "none") return;
    subscription = "asked";
    ref = socket.nextRef();
    const have = core.valid && { cursor: core.cursor, epoch: core.epoch, digest: core.digest };
    socket.say(topic, { type: "subscribe", ref, client: parts.client(), ...have });
    timers.after("subscribe", SUBSCRIBE_MS, socket.close);
  }
  const subscribeIn = (ms: number): void => timers.after("subscribe", ms, subscribe);

  function unsubscribed(): void {
    timers.cancel("subscribe");
    subscription = "none";
    parts.live(false);
    waits = false;
    pollIn(POLL_MS * env.random());
  }

  function frame(data: Frame): void {
    switch (data.type) {
      case "snapshot":
        return reset(data as Frame & Snapshot);
      case "ack": {
        const { epoch, cursor, last_seq } = data as AckFrame;
        timers.cancel("subscribe");
        subscription = "live";
        reconnects.calm();
        if (!core.valid || epoch !== core.epoch) return lose("epoch_changed", subscribeIn);
        parts.live(true);
        core.watermark(cursor, last_seq ?? 0);
        const head = core.head();
        if (head) feed.page(head);
        return;
      }
      case "changes": {
        const applied = apply(data as ChangesFrame);
        if (applied === "gap") void catchUp();
        if (applied === "foreign") lose("epoch_changed", subscribeIn);
        return;
      }
      case "lagged":
        unsubscribed();
        return subscribeIn(resets.next());
      case "reset":
        return lose(data.code!, data.code === "use_http" ? pollIn : subscribeIn);
      case "error":
        // Without a ref it ends the subscription; with another's it is not this one's.
        if (data.ref !== undefined && data.ref !== ref) return;
        if (resettable(data.code)) return lose(data.code!, subscribeIn);
        unsubscribed();
        denied(refusal(data));
        subscribeIn(reconnects.next());
    }
  }

  const resettable = (code?: string): boolean => code === "cursor_too_old" || code === "epoch_changed";

  function denied(refused: Refusal): void {
    // What may no longer be read must not stay readable here.
    if (refused.status === 403) {
      core.drop();
      feed.drop();
    }
    parts.heard(refused);
  }

  /** The base can't be continued. The first time at once; a loop of resets waits longer and longer. */
  function lose(code: string, then?: (ms: number) => void): void {
    if (then) unsubscribed();
    const other = code === "epoch_changed";
    core.invalidate(other);
    feed.lose(other);
    if (other) parts.otherHistory();
    const calm = env.now() - lastReset > CALM_MS;
    lastReset = env.now();
    if (calm) resets.calm();
    const wait = resets.next();
    then?.(calm ? 0 : wait);
  }

  async function poll(): Promise<void> {
    if (subscription === "live" || !started) return;
    const asked = env.now();
    let wait = POLL_MS * (0.75 + env.random() / 2) * (env.hidden() ? HIDDEN : 1);
    let { cursor } = core;
    let answer = waits && core.valid && !env.hidden() && parts.few() ? await pull(WAIT_S) : null;
    // It said no, or that there is more.
    const waited = answer?.ok && (env.now() - asked > WAITED_MS || core.cursor > cursor);
    if (!answer?.ok || again) answer = await catchUp();
    if ((subscription as string) === "live") return;
    waits = answer.ok;
    if (answer.ok) {
      polls.calm();
      // A base that came by HTTP because it was too large for a frame: live again from there.
      subscribe();
      if (waited) wait = 0;
    } else wait = polls.next(answer.retryAfter);
    pollIn(wait);
  }

  /** Pulls to the head. Several at a time are one. */
  function catchUp(): Promise<Answer<null>> {
    again = true;
    catching ??= caughtUp();
    return catching;
  }

  async function caughtUp(): Promise<Answer<null>> {
    // Not before the caller has noted that this runs.
    await null;
    let count = 0;
    try {
      while (again && !closed) {
        again = false;
        const { epoch } = core;
        if (parts.stopped()) return lost("another version");
        const asking = core.valid ? pull() : snapshot();
        const answer = await asking.catch((error: unknown) => lost(String(error)));
        if (answer.ok) {
          parts.heard(null);
          continue;
        }
        if (!resettable(answer.code) || count++ >= CATCH_UP_RESETS) {
          denied(answer);
          return answer;
        }
        // Unless a frame brought a new base while this question was on its way.
        if (core.epoch === epoch) lose(answer.code);
        again = true;
      }
      return { ok: true, body: null };
    } finally {
      // In the same breath as the last look at `again`: whoever asks now starts another.
      catching = null;
    }
  }

  async function pull(wait?: number): Promise<Answer<null>> {
    const { cursor, epoch, digest, acceptances } = core;
    const asked = { scope, cursor, epoch, digest, limit: PULL_CHANGES, client: parts.client(), wait };
    const answer = await parts.ask<PullAnswer>("pull", asked);
    if (!answer.ok) return answer;
    const { body } = answer;
    if (core.epoch === epoch && core.valid) {
      const applied = apply({
        from: cursor,
        cursor: body.next_cursor,
        digest: body.digest,
        epoch: body.epoch,
        changes: body.changes,
        // Read at the head: it says nothing about a base that has not got there yet.
        lastSeq: body.has_more ? undefined : (body.last_seq ?? 0),
        lastWord: core.acceptances === acceptances,
      });
      if (applied === "foreign") return refusal({ code: "epoch_changed" });
      // Changes came by themselves meanwhile; whether this answer goes on from there is asked once more.
      if (applied === "gap" && core.cursor !== cursor) again = true;
      else if (applied === "gap") return lost("a gap");
    }
    if (body.has_more) again = true;
    return { ok: true, body: null };
  }

  async function snapshot(): Promise<Answer<null>> {
    const answer = await parts.ask<Snapshot>("snapshot", { scope, client: parts.client() });
    if (!answer.ok) return answer;
    reset(answer.body);
    return { ok: true, body: null };
  }

  return {
    start: () => {
      started = true;
      subscribe();
      pollIn(parts.sockets ? GRACE_MS : 0);
    },
    stop: () => {
      started = false;
      if (subscription !== "none") unsubscribed();
      timers.cancel("poll");
    },
    subscribe,
    unsubscribed: () => subscription !== "none" && unsubscribed(),
    // A frame that can't be read must not take the page down; what it carried is pulled.
    frame: (data) => {
      try {
        frame(data);
      } catch (error) {
        env.report(error);
        void catchUp();
      }
    },
    poke: () => subscription !== "live" && pollIn(0),
    catchUp,
    expect: () => {
      const open = (): boolean => core.pending.some((item) => item.accepted !== null);
      if (timers.has("expect") || !open()) return;
      const soon = parts.leads() && subscription !== "live";
      timers.after("expect", soon ? 0 : EXPECT_MS, () => open() && catchUp());
    },
    resync: () => {
      lose("epoch_changed");
      return catchUp();
    },
    isLive: () => subscription === "live",
    close: () => {
      closed = true;
      started = false;
      timers.close();
    },
  };
}
