/**
 * The one sender of a scope's mutations: takes them from the queue, pushes them, and carries the verdicts back. There is
 * never more than one push of a scope on its way, no scope waits for another, and nothing but a verdict takes a mutation
 * out of the queue.
 */
import { makeBackoff } from "../core/backoff.ts";
import { PUSH_BYTES, PUSH_MUTATIONS, VOID } from "../core/limits.ts";
import type { Counted } from "../core/contract.ts";
import type { Entry, Numbered } from "../core/words.ts";
import { wire } from "../queue/numbering.ts";
import type { Batch, Queue } from "../queue/queue.ts";
import type { Around } from "../scopes.ts";
import type { Store } from "../store.ts";
import { makeTimers } from "../timers.ts";
import { judge, type Void } from "./judge.ts";
import { lost, type Answer, type PushAnswer, type Refusal } from "./wire.ts";

/** Bytes of a push that are not mutations. */
const HEAD_BYTES = 1024;

/** A new mutation cuts a wait short, but not sooner than this many milliseconds after the last try. */
const WRITE_MS = 2_000;

/** See the file's head. */
export interface Pusher {
  /** There is something new to send. */
  kick(): void;
  /** Pushes until nothing is left, or until something stands in the way: then that. Not before the server asked to. */
  drain(): Promise<Refusal | null>;
  /** Places given so far may be wrong: asks for the watermark before anything else is sent. */
  distrust(): void;
  /** Resolves when no push is on its way. */
  quiet(): Promise<unknown>;
  close(): void;
}

/** Where a step leads: on, to the end of the queue, or to a wait because of something. */
type Step = "on" | "idle" | Refusal;

/** `store`: where mutations wait; another queue when the one before broke. */
export function makePusher(
  { env, ask, link, board, scopes, leads, spread }: Around,
  scope: string,
  store: Pick<Store, "queue" | "fell">,
): Pusher {
  const backoff = makeBackoff(env.random);
  const timers = makeTimers(env);
  /** Why a mutation that the server refused to read travels as a void one. */
  const voids = new Map<string, Void>();
  let room = PUSH_MUTATIONS;
  let distrusts = false;
  let refusedEpoch: string | null | undefined;
  let renumbered = false;
  let again = false;
  let running: Promise<Refusal | null> | null = null;
  let lastTry = -Infinity;
  /** The server asked not to be asked before. */
  let notBefore = -Infinity;
  let closed = false;

  /** This tab may send what waits there. */
  const may = (queue: Queue): boolean => !link.stopped() && queue === store.queue && leads();
  const heard = (refusal: Refusal | null): void => board.heard(scope, "push", refusal);

  async function drain(): Promise<Refusal | null> {
    const wait = notBefore - env.now();
    if (wait > 0) {
      // Timers may run a moment early.
      timers.after("again", wait, drain);
      return { ...lost("asked to wait"), code: "rate_limited", retryAfter: wait };
    }
    again = true;
    running ??= run();
    return running;
  }

  async function run(): Promise<Refusal | null> {
    // Not before the caller has noted that this runs.
    await null;
    timers.cancel("again");
    try {
      while (again && !closed) {
        again = false;
        lastTry = env.now();
        const next = await step().catch((error: unknown) => lost(String(error)));
        if (next === "on") again = true;
        else if (next !== "idle") {
          const { retryAfter } = next;
          if (retryAfter > 0) notBefore = env.now() + retryAfter;
          timers.after("again", backoff.next(retryAfter), drain);
          return next;
        }
      }
      return null;
    } finally {
      // In the same breath as the last look at `again`: a mutation that comes now starts another run.
      running = null;
    }
  }

  async function step(): Promise<Step> {
    const { queue } = store;
    if (!queue || !may(queue)) return "idle";
    if (distrusts) {
      distrusts = false;
      const refusal = await renumber(queue, new Set()).catch((error: unknown) => lost(String(error)));
      // What may no longer be read can still be decided: the push says what it is.
      if (refusal && refusal.status !== 403) {
        distrusts = true;
        return refusal;
      }
    }
    const epoch = scopes.get(scope)?.core.epoch ?? null;
    const taking = queue.take(scope, { mutations: room, bytes: PUSH_BYTES - HEAD_BYTES }, epoch);
    // A storage that gives out no places must not hold up what waits; not awaited, since it waits for this push to be over.
    const batch = await taking.catch((error: unknown) => void store.fell(error));
    if (!batch) return "idle";
    // The queue broke, or the lead went, meanwhile.
    if (!may(queue)) return "on";
    tell(batch.entries, { epoch: batch.epoch });
    const answer = await send(batch);
    return answer.ok ? answered(queue, batch, answer.body) : refused(batch, answer);
  }

  async function send({ client, epoch, entries }: Batch): Promise<Answer<PushAnswer>> {
    const mutations = entries.map((entry) => {
      const { id, seq } = entry;
      return voids.has(id) ? { id, seq, scope, type: VOID } : wire(entry);
    });
    const push = { client, ...(epoch !== null && { epoch }), mutations };
    const asked = link.ask(`sync:${scope}`, { type: "push", ...push });
    return (asked as Promise<unknown> as Promise<Answer<PushAnswer>> | undefined) ?? ask("push", push);
  }

  async function answered(queue: Queue, { client, epoch, entries }: Batch, answer: PushAnswer): Promise<Step> {
    const { decided, conflicts, open, clientUnknown, mismatch } = judge(entries, answer, voids);
    heard(mismatch);
    refusedEpoch = undefined;
    let all = entries;
    if (clientUnknown && client === queue.client) {
      // What was sent earlier under a forgotten client, and is not part of this answer, will not be executed either.
      const known = new Set(decided.map(({ id }) => id));
      const error = "the server has forgotten this client";
      const others = (await queue.load()).filter((entry) => entry.scope === scope);
      all = [...entries, ...others];
      for (const { id, seq } of others) {
        if (seq !== null && !known.has(id)) decided.push({ id, verdict: { ok: false, code: "client_unknown", error } });
      }
    }
    // Kept before it is told: a verdict that was shown must not be asked for again after a crash. Where this tab knew of no
    // history, the answer says which one the places count in.
    await queue.settle(decided, all, epoch ?? answer.epoch).catch((error: unknown) => void store.fell(error));
    for (const { id } of decided) voids.delete(id);
    if (decided.length) {
      renumbered = false;
      spread({ t: "decided", decided });
    }
    if (clientUnknown) {
      await queue.renew(client);
      spread({ t: "renewed", client: queue.client });
    }
    if (conflicts.size || open?.code === "out_of_order") {
      const refusal = await renumber(queue, conflicts);
      if (refusal) return refusal;
      // New places help at once or not at all: the second time is waited out.
      if (renumbered) return open ?? lost("conflict");
      renumbered = true;
      return "on";
    }
    if (open) return open;
    backoff.calm();
    room = Math.min(PUSH_MUTATIONS, room * 2);
    return "on";
  }

  async function refused({ epoch, entries }: Batch, refusal: Refusal): Promise<Step> {
    heard(refusal);
    if (refusal.status === 400 || refusal.status === 413) {
      // Refused as a whole: smaller, down to the one that can't be read; that one only takes up its place.
      const [{ id }] = entries as [Entry];
      room = Math.ceil(entries.length / 2);
      if (entries.length === 1) {
        if (voids.has(id)) return refusal;
        voids.set(id, { code: refusal.code, error: refusal.error });
      }
      return "on";
    }
    if (refusal.code !== "epoch_changed") return refusal;
    distrusts = true;
    const before = refusedEpoch;
    refusedEpoch = epoch;
    // The base finds out first which one it is now.
    const synced = await scopes.get(scope)?.reader.catchUp();
    // A scope that may not be read tells nothing; its places are asked for all the same.
    if (synced?.ok === false && synced.status !== 403) return synced;
    // The same epoch was refused before: the server is between two histories.
    return before === epoch ? refusal : "on";
  }

  /** Asks for the watermark and numbers what is undecided from there. */
  async function renumber(queue: Queue, forced: ReadonlySet<string>): Promise<Refusal | null> {
    const { client } = queue;
    // Any page carries the watermark; this one is small. Where the beginning is trimmed, only a snapshot does.
    type Mark = { last_seq?: number | null; epoch: string };
    let answer = await ask<Mark>("pull", { scope, client, cursor: 0, limit: 1 });
    if (!answer.ok && answer.code === "cursor_too_old") answer = await ask<Mark>("snapshot", { scope, client });
    if (!answer.ok) return answer;
    const { last_seq, epoch } = answer.body;
    const lastSeq = last_seq ?? 0;
    tell(await queue.renumber(scope, lastSeq, forced, epoch), { epoch, lastSeq });
    return null;
  }

  function tell(given: readonly Numbered[], counted: Counted): void {
    spread({ t: "numbered", scope, numbered: given.map(({ id, seq }) => ({ id, seq })), counted });
  }

  return {
    kick: () => {
      if (!timers.has("again") || env.now() - lastTry >= WRITE_MS) void drain();
    },
    drain,
    distrust: () => void (distrusts = true),
    quiet: async () => running,
    close: () => {
      closed = true;
      timers.close();
    },
  };
}
