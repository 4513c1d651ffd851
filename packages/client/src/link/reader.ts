/**
 * Keeps one scope's base at the server's head: live over the shared WebSocket, by polls that wait where there is none, and
 * by both in turn when the network can't decide. It writes to the base only through the core, which refuses what does not
 * follow on. In a tab that does not lead it only catches up when it is asked to.
 */
import { makeBackoff } from "../core/backoff.ts";
import { guarded } from "../core/calls.ts";
import { PULL_CHANGES } from "../core/limits.ts";
import type { Applied, Page, ScopeCore } from "../core/contract.ts";
import type { Snapshot } from "../core/words.ts";
import type { Around } from "../scopes.ts";
import { makeTimers } from "../timers.ts";
import type { Moves } from "./news.ts";
import { lost, refusal, type AckFrame, type Answer, type ChangesFrame, type Frame } from "./wire.ts";
import type { PullAnswer, Refusal, SnapshotFrame } from "./wire.ts";

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

/** Scopes that may each keep a request waiting: browsers have six per server. */
const WAITING_SCOPES = 3;

/** Codes of a refusal that another base helps against. */
const RESETS = new Set(["cursor_too_old", "epoch_changed"]);

/** Done, with nothing to tell. */
const DONE: Answer<null> = { ok: true, body: null };

/** Snapshots one catch-up takes before it waits: two histories may follow each other, a third is a loop. */
const CATCH_UP_RESETS = 3;

/** See the file's head. */
export interface Reader {
  /** This tab leads: follow the scope, live if there is a connection. */
  start(): void;
  stop(): void;
  /** The connection can be asked. */
  subscribe(): void;
  /** The connection or the subscription is gone. */
  unsubscribed(): void;
  /** A frame of the scope. One that can't be read does not take the page down; what it carried is pulled. */
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

/** `move` does to the base, here and in the other tabs, what was heard of it. */
export function makeReader(
  { env, ask, link, board, scopes, client, leads, spread }: Around,
  scope: string,
  core: ScopeCore,
  move: (news: Moves) => Applied | void,
): Reader {
  const topic = `sync:${scope}`;
  const timers = makeTimers(env);
  const reconnects = makeBackoff(env.random);
  const polls = makeBackoff(env.random);
  const resets = makeBackoff(env.random);
  let started = false;
  let closed = false;
  let subscription: "none" | "asked" | "live" = "none";
  let ref = "";
  /** Whose watermark the subscription was asked with. */
  let asker = "";
  let waits = false;
  let catching: Promise<Answer<null>> | null = null;
  let again = false;
  let lastReset = -Infinity;

  const isLive = (): boolean => subscription === "live";
  const apply = (page: Page) => move({ t: "page", scope, page });
  // A server that was asked for a client's watermark and names none has none.
  const reset = (snapshot: Snapshot): unknown =>
    move({ t: "base", scope, base: { ...snapshot, last_seq: snapshot.last_seq ?? 0 } });
  const live = (is: boolean): void => {
    if (leads()) board.live(scope, is);
  };
  const heard = (refused: Refusal | null): void => {
    if (leads()) board.heard(scope, "read", refused);
  };
  const pollIn = (ms: number): void => {
    if (started) timers.after("poll", ms, poll);
  };
  const subscribeIn = (ms: number): void => timers.after("subscribe", ms, subscribe);

  function subscribe(): void {
    if (!link.ready() || !started || subscription !== "none") return;
    subscription = "asked";
    ref = link.nextRef();
    asker = client();
    const have = core.valid && { cursor: core.cursor, epoch: core.epoch, digest: core.digest };
    link.say(topic, { type: "subscribe", ref, client: asker, ...have });
    timers.after("subscribe", SUBSCRIBE_MS, link.hangUp);
  }

  function unsubscribed(): void {
    if (subscription === "none") return;
    timers.cancel("subscribe");
    subscription = "none";
    live(false);
    waits = false;
    pollIn(POLL_MS * env.random());
  }

  function frame(data: Frame): void {
    const { type, code = "" } = data;
    if (type === "snapshot") {
      if (asker === client()) return void reset(data as SnapshotFrame);
      // Another client's watermark does not say what of this one's is in it: asked again, as who it is now.
      unsubscribed();
      subscribe();
    }
    // Of a subscription that another one has replaced it says nothing.
    if (type === "ack" && data.ref === ref) {
      const { epoch, cursor, last_seq } = data as AckFrame;
      timers.cancel("subscribe");
      subscription = "live";
      reconnects.calm();
      if (!core.valid || epoch !== core.epoch) return lose("epoch_changed", subscribeIn);
      live(true);
      if (asker === client()) core.watermark(cursor, last_seq ?? 0);
      apply(core.head()!);
      // What another history accepted is let go of by a page from the head, which does not come by itself.
      expect();
    }
    // Of a subscription that is over they are not missed: the next one begins at the base.
    if (type === "changes" && isLive()) {
      const applied = apply(data as ChangesFrame);
      if (applied === "gap") {
        // What is missing would have to be asked for until it is there; the subscription does that.
        unsubscribed();
        subscribeIn(pause());
      }
      if (applied === "foreign") lose("epoch_changed", subscribeIn);
    }
    if (type === "lagged") {
      unsubscribed();
      subscribeIn(resets.next());
    }
    if (type === "reset") lose(code, code === "use_http" ? pollIn : subscribeIn);
    // Without a ref it ends the subscription; with another's it is not this one's.
    if (type === "error" && (data.ref ?? ref) === ref) {
      if (RESETS.has(code)) return lose(code, subscribeIn);
      unsubscribed();
      denied(refusal(data));
      subscribeIn(reconnects.next());
    }
  }

  function denied(refused: Refusal): void {
    // What may no longer be read must not stay readable here.
    if (refused.status === 403) move({ t: "drop", scope });
    heard(refused);
  }

  /** The base can't be continued: another one is asked for. */
  function lose(code: string, then?: (ms: number) => void): void {
    if (then) unsubscribed();
    const other = code === "epoch_changed";
    move({ t: "lose", scope, other });
    // Places given under another history can't be trusted.
    if (other) spread({ t: "distrust", scope });
    const wait = pause();
    then?.(wait);
  }

  /** How long to wait before asking again for what can't be continued: not at all the first time, in a loop ever longer. */
  function pause(): number {
    const calm = env.now() - lastReset > CALM_MS;
    lastReset = env.now();
    if (calm) resets.calm();
    const wait = resets.next();
    return calm ? 0 : wait;
  }

  async function poll(): Promise<void> {
    if (isLive() || !started) return;
    const asked = env.now();
    let wait = POLL_MS * (0.75 + env.random() / 2) * (env.hidden() ? HIDDEN : 1);
    const { cursor } = core;
    let answer = waits && core.valid && !env.hidden() && scopes.size <= WAITING_SCOPES ? await pull(WAIT_S) : null;
    // It said no, or that there is more.
    const waited = answer?.ok && (env.now() - asked > WAITED_MS || core.cursor > cursor);
    if (!answer?.ok || again) answer = await catchUp();
    if (isLive()) return;
    waits = answer.ok;
    if (answer.ok) {
      polls.calm();
      // A base that came by HTTP because it was too large for a frame: live again from there.
      subscribe();
      if (waited) wait = 0;
    } else wait = polls.next(answer.retryAfter);
    pollIn(wait);
  }

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
        if (link.stopped()) return lost("another version");
        const answer = await (core.valid ? pull() : snapshot()).catch((error: unknown) => lost(String(error)));
        if (answer.ok) {
          heard(null);
          continue;
        }
        if (!RESETS.has(answer.code) || count++ >= CATCH_UP_RESETS) {
          denied(answer);
          return answer;
        }
        // Unless a frame brought a new base while this question was on its way.
        if (core.epoch === epoch) lose(answer.code);
        again = true;
      }
      return DONE;
    } finally {
      // In the same breath as the last look at `again`: whoever asks now starts another.
      catching = null;
    }
  }

  async function pull(wait?: number): Promise<Answer<null>> {
    const { cursor, epoch, digest, acceptances } = core;
    const asked = client();
    const question = { scope, cursor, epoch, digest, limit: PULL_CHANGES, client: asked, wait };
    const answer = await ask<PullAnswer>("pull", question);
    if (!answer.ok) return answer;
    const { next_cursor, has_more, last_seq = 0, ...page } = answer.body;
    const partial = has_more || asked !== client();
    if (core.epoch === epoch && core.valid) {
      const applied = apply({
        ...page,
        from: cursor,
        cursor: next_cursor,
        // Read at the head: it says nothing about a base that has not got there yet, nor about another client.
        lastSeq: partial ? undefined : (last_seq ?? 0),
        lastWord: core.acceptances === acceptances,
      });
      if (applied === "foreign") return refusal({ code: "epoch_changed" });
      // Changes came by themselves meanwhile; whether this answer goes on from there is asked once more.
      if (applied === "gap" && core.cursor !== cursor) again = true;
      else if (applied === "gap") return lost("a gap");
    }
    again ||= partial;
    return DONE;
  }

  async function snapshot(): Promise<Answer<null>> {
    const asked = client();
    const answer = await ask<Snapshot>("snapshot", { scope, client: asked });
    if (!answer.ok) return answer;
    if (asked === client()) reset(answer.body);
    else again = true;
    return DONE;
  }

  function expect(): void {
    const open = (): boolean => core.pending.some((item) => item.accepted !== null);
    if (timers.has("expect") || !open()) return;
    timers.after("expect", leads() && !isLive() ? 0 : EXPECT_MS, () => open() && catchUp());
  }

  return {
    start: () => {
      started = true;
      subscribe();
      pollIn(link.possible ? GRACE_MS : 0);
    },
    stop: () => {
      started = false;
      unsubscribed();
      timers.cancel("poll");
    },
    subscribe,
    unsubscribed,
    frame: guarded((error) => {
      env.report(error);
      void catchUp();
    }, frame),
    poke: () => isLive() || pollIn(0),
    catchUp,
    expect,
    resync: () => {
      lose("epoch_changed");
      return catchUp();
    },
    isLive,
    close: () => {
      closed = true;
      started = false;
      timers.close();
    },
  };
}
