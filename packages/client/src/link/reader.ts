/**
 * Keeps one scope's base at the server's head: live over the shared WebSocket, by polls that wait where there is none, and
 * by both in turn when the network can't decide. It writes to the base only through the core, which refuses what does not
 * follow on. In a tab that does not lead it only catches up when it is asked to.
 */
import { makeBackoff } from "../core/backoff.ts";
import { guarded } from "../core/calls.ts";
import { PULL_CHANGES } from "../core/limits.ts";
import type { Snapshot } from "../core/words.ts";
import type { Around, Scope } from "../scopes.ts";
import { makeTimers } from "../timers.ts";
import { inRounds, type Round } from "./rounds.ts";
import { lost, refusal, type AckFrame, type ChangesFrame, type Frame } from "./wire.ts";
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

/** Subscriptions that end further apart than this, in milliseconds, don't count as a loop. */
const CALM_MS = 60_000;

/** Scopes that may each keep a request waiting: browsers have six per server. */
const WAITING_SCOPES = 3;

/** Codes of a refusal that another base helps against. */
const RESETS = new Set(["cursor_too_old", "epoch_changed"]);

/** See the file's head. */
export interface Reader {
  /** What was kept of the scope was read, or this tab leads now: follows it if both hold, live if there is a connection. */
  start(): void;
  /** The page, the network or the connection came back: look now. */
  poke(): void;
  /** The connection is gone. */
  down(): void;
  /** A frame of the scope. One that can't be read does not take the page down; what it carried is pulled. */
  frame(data: Frame): void;
  /** Pulls to the head; resolves with what stood in the way, if anything did. Several at a time are one. */
  catchUp(): Promise<Refusal | null>;
  /** What accepted mutations wait for arrives, or it is fetched. */
  expect(): void;
  /** The base is of no use any more: fetches another. */
  resync(): Promise<Refusal | null>;
  isLive(): boolean;
  close(): void;
}

/** A subscription, from the question on. */
interface Subscription {
  ref: string;
  /** Whose watermark it was asked with. */
  client: string;
  live: boolean;
}

export function makeReader({ env, ask, link, board, scopes, client, leads }: Around, of: Scope): Reader {
  const { name: scope, core, move } = of;
  const timers = makeTimers(env);
  const polls = makeBackoff(env.random);
  const ends = makeBackoff(env.random);
  let subscription: Subscription | null = null;
  let waits = false;
  let lastEnd = -Infinity;

  const isLive = (): boolean => !!subscription?.live;
  const have = () => ({ cursor: core.cursor, epoch: core.epoch, digest: core.digest });
  // A server that was asked for a client's watermark and names none has none.
  const withMark = (snapshot: Snapshot): Snapshot => ({ ...snapshot, last_seq: snapshot.last_seq ?? 0 });
  const lose = (code: string): unknown => move({ lost: code });
  const heard = (refused: Refusal | null): void => {
    if (leads()) board.heard(scope, "read", refused);
  };
  const lookIn = (ms: number, byPoll?: boolean): void => timers.after("look", ms, () => look(byPoll));

  /** Asks for a subscription, or polls where there is nobody to ask, or no answer yet. */
  function look(byPoll?: boolean): void {
    if (!of.entered || !leads() || isLive()) return;
    if (byPoll || subscription || !link.ready) return void poll();
    subscription = { ref: link.nextRef(), client: client(), live: false };
    const { ref, client: asked } = subscription;
    link.say(scope, { type: "subscribe", ref, client: asked, ...(core.valid && have()) });
    timers.after("subscribe", SUBSCRIBE_MS, () => subscription?.live === false && link.hangUp());
    lookIn(GRACE_MS);
  }

  /** The subscription is over: looks again in so many milliseconds. */
  function end(ms = POLL_MS * env.random(), byPoll = true): void {
    subscription = null;
    waits = false;
    if (leads()) board.live(scope, false);
    lookIn(ms, byPoll);
  }

  function frame(data: Frame): void {
    const { type, code = "", ref } = data;
    // Of a subscription that is over, or that another one has replaced, it says nothing: the next one begins at the base.
    if (!subscription || (ref ?? subscription.ref) !== subscription.ref) return;
    const own = subscription.client === client();
    if (type === "snapshot") {
      if (own) move({ base: withMark(data as SnapshotFrame) });
      // Another client's watermark does not say what of this one's is in it: asked again, as who it is now.
      else end(0, false);
    }
    if (type === "ack") {
      const { epoch, cursor, last_seq } = data as AckFrame;
      subscription.live = true;
      if (!core.valid || epoch !== core.epoch) return renew("epoch_changed");
      board.live(scope, true);
      if (own) core.watermark(cursor, last_seq ?? 0);
      move({ page: core.head()! });
      // What another history accepted is let go of by a page from the head, which does not come by itself.
      expect();
    }
    if (type === "changes" && isLive()) {
      const not = move({ page: data as ChangesFrame });
      // What is missing would have to be asked for until it is there; another subscription does that.
      if (not === "gap") end(pause(), false);
      if (not === "foreign") renew("epoch_changed");
    }
    if (type === "lagged") end(pause(), false);
    if (type === "reset" || (type === "error" && RESETS.has(code))) renew(code);
    else if (type === "error") {
      denied(refusal(data));
      end();
    }
  }

  /** The base can't be continued, nor can the subscription. */
  function renew(code: string): void {
    // Asked without a base, the socket will not give one.
    const byHttp = code === "use_http" || !core.valid;
    lose(code);
    end(pause(), byHttp);
  }

  function denied(refused: Refusal): void {
    // What may no longer be read must not stay readable here.
    if (refused.code === "forbidden") lose("forbidden");
    heard(refused);
  }

  /** How long to wait before asking for what ended once more: ever longer, but for one that comes after a calm while. */
  function pause(): number {
    if (env.now() - lastEnd > CALM_MS) ends.calm();
    lastEnd = env.now();
    return ends.next();
  }

  async function poll(): Promise<void> {
    const asked = env.now();
    const { cursor, valid } = core;
    const hidden = env.hidden();
    const mayWait = waits && !hidden && scopes.size <= WAITING_SCOPES;
    const held = mayWait && (await question(WAIT_S)) === false;
    // It said no, or that there is more.
    const refused = held ? null : await catchUp();
    if (isLive()) return;
    waits = !refused;
    if (refused) return lookIn(polls.next(refused.retryAfter));
    polls.calm();
    const waited = held && (env.now() - asked > WAITED_MS || core.cursor > cursor);
    // A first base may have come by HTTP because it was too large for a frame: live from there.
    lookIn(waited || !valid ? 0 : POLL_MS * (0.75 + env.random() / 2) * (hidden ? HIDDEN : 1));
  }

  const catchUp = inRounds(async () => {
    if (timers.closed) return false;
    if (link.stopped) return lost("another version");
    const { epoch, valid } = core;
    const said = await question();
    if (typeof said === "boolean") heard(null);
    else if (valid && RESETS.has(said.code)) {
      // Unless a frame brought a new base while this question was on its way.
      if (core.epoch === epoch) lose(said.code);
      return true;
    } else denied(said);
    return said;
  });

  /** Asks for what comes after the base, or for a base. What can't be read counts as lost. */
  const question = (wait?: number): Promise<Round> => fetch(wait).catch(lost);

  async function fetch(wait?: number): Promise<Round> {
    const { valid, cursor, epoch, acceptances } = core;
    const asked = client();
    const route = valid ? "pull" : "snapshot";
    const answer = await ask<any>(route, { scope, client: asked, ...(valid && { ...have(), limit: PULL_CHANGES, wait }) });
    if (!answer.ok) return answer;
    const other = asked !== client();
    if (!valid) {
      // Another client's watermark does not say what of this one's is in it.
      if (!other) move({ base: withMark(answer.body as Snapshot) });
      return other;
    }
    const { next_cursor, has_more, last_seq, ...page } = answer.body as PullAnswer;
    const partial = has_more || other;
    if (core.epoch === epoch && core.valid) {
      const not = move({
        page: {
          ...page,
          from: cursor,
          cursor: next_cursor,
          // Read at the head: it says nothing about a base that has not got there yet, nor about another client.
          lastSeq: partial ? undefined : (last_seq ?? 0),
          lastWord: core.acceptances === acceptances,
        },
      });
      if (not === "foreign") return refusal({ code: "epoch_changed" });
      // Changes may have come by themselves meanwhile; whether this answer goes on from there is asked once more.
      if (not === "gap") return core.cursor !== cursor || lost("a gap");
    }
    return partial;
  }

  function expect(): void {
    const open = (): boolean => core.pending.some((item) => item.accepted !== null);
    if (timers.has("expect") || !open()) return;
    timers.after("expect", leads() && !isLive() ? 0 : EXPECT_MS, () => open() && catchUp());
  }

  return {
    start: () => lookIn(link.ready || !link.possible ? 0 : GRACE_MS),
    poke: () => lookIn(0),
    down: () => {
      if (subscription) end();
    },
    frame: guarded((error) => {
      env.report(error);
      void catchUp();
    }, frame),
    catchUp,
    expect,
    resync: () => {
      lose("epoch_changed");
      return catchUp();
    },
    isLive,
    close: timers.close,
  };
}
