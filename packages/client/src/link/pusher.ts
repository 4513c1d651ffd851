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
import type { Around, Scope } from "../scopes.ts";
import { makeTimers } from "../timers.ts";
import { judge, type Void } from "./judge.ts";
import { inRounds, type Round } from "./rounds.ts";
import { lost, refusal, type PushAnswer, type Refusal } from "./wire.ts";

/** Bytes of a push that are not mutations. */
const HEAD_BYTES = 1024;

/** A new mutation cuts a wait short, but not sooner than this many milliseconds after the last try. */
const WRITE_MS = 2_000;

/** See the file's head. */
export interface Pusher {
  /**
   * Pushes until nothing is left, or until something stands in the way: then that. Not before the server asked to, and where
   * it is only for something new, not right after the last try either.
   */
  drain(fresh?: boolean): Promise<Refusal | null>;
  /** Places given so far may be wrong: asks for the watermark before anything else is sent. */
  distrust(): void;
  close(): void;
}

export function makePusher(
  { env, ask, link, board, store, leads, spread }: Around,
  { name: scope, core, reader }: Scope,
): Pusher {
  const backoff = makeBackoff(env.random);
  const timers = makeTimers(env);
  /** Why a mutation that the server refused to read travels as a void one. */
  const voids = new Map<string, Void>();
  let room = PUSH_MUTATIONS;
  let distrusts = false;
  /** Places were given anew since anything was decided: that helps at once or not at all, the second time is waited out. */
  let repaired = false;
  let lastTry = -Infinity;
  /** The server asked not to be asked before. */
  let notBefore = -Infinity;

  /** This tab may send what waits there. */
  const may = (queue: Queue): boolean => !timers.closed && !link.stopped && queue === store.queue && leads();
  const heard = (refusal: Refusal | null): void => board.heard(scope, "push", refusal);

  const run = inRounds(async () => {
    timers.clear();
    lastTry = env.now();
    const said = await step().catch(lost);
    if (typeof said === "object") {
      const { retryAfter = 0 } = said;
      if (retryAfter > 0) notBefore = env.now() + retryAfter;
      timers.after("again", backoff.next(retryAfter), drain);
    }
    return said;
  });

  async function drain(fresh = false): Promise<Refusal | null> {
    const wait = notBefore - env.now();
    if (wait > 0) {
      // Timers may run a moment early.
      timers.after("again", wait, drain);
      return refusal({ code: "rate_limited" });
    }
    if (fresh && timers.has("again") && env.now() - lastTry < WRITE_MS) return null;
    return run();
  }

  async function step(): Promise<Round> {
    const { queue } = store;
    if (!queue || !may(queue)) return false;
    if (distrusts) {
      distrusts = false;
      const refusal = await renumber(queue).catch(lost);
      // What may no longer be read can still be decided: the push says what it is.
      if (refusal && refusal.code !== "forbidden") {
        distrusts = true;
        return refusal;
      }
    }
    const taking = queue.take(scope, { mutations: room, bytes: PUSH_BYTES - HEAD_BYTES }, core.epoch);
    // A storage that gives out no places must not hold up what waits; not awaited, since it waits for this push to be over.
    const batch = await taking.catch((error: unknown) => void store.fell(error));
    if (!batch) return false;
    // The queue broke, or the lead went, meanwhile.
    if (!may(queue)) return true;
    const { client, epoch, entries } = batch;
    tell(entries, { epoch });
    const mutations = entries.map((entry) => {
      const { id, seq } = entry;
      return voids.has(id) ? { id, seq, scope, type: VOID } : wire(entry);
    });
    const push = { client, ...(epoch !== null && { epoch }), mutations };
    const answer = await (link.push(scope, push) ?? ask<PushAnswer>("push", push));
    return answer.ok ? answered(queue, batch, answer.body) : refused(entries, answer);
  }

  async function answered(queue: Queue, { client, epoch, entries }: Batch, answer: PushAnswer): Promise<Round> {
    const { decided, conflicts, open, clientUnknown, mismatch } = judge(entries, answer, voids);
    heard(mismatch);
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
      repaired = false;
      spread({ t: "decided", decided });
    }
    if (clientUnknown) {
      await queue.renew(client);
      spread({ t: "renewed", client: queue.client });
    }
    if (conflicts.size || open?.code === "out_of_order") {
      return (await renumber(queue, conflicts)) ?? again(open ?? lost("conflict"));
    }
    if (open) return open;
    backoff.calm();
    room = Math.min(PUSH_MUTATIONS, room * 2);
    return true;
  }

  /** Tries again at once after a repair, but for one that did not help. */
  function again(no: Refusal): Round {
    const before = repaired;
    repaired = true;
    return before ? no : true;
  }

  async function refused(entries: readonly Entry[], no: Refusal): Promise<Round> {
    heard(no);
    if (no.code === "invalid_mutation" || no.code === "too_large") {
      // Refused as a whole: smaller, down to the one that can't be read; that one only takes up its place.
      const [{ id }] = entries as [Entry];
      room = Math.ceil(entries.length / 2);
      if (entries.length === 1) {
        if (voids.has(id)) return no;
        voids.set(id, no);
      }
      return true;
    }
    if (no.code !== "epoch_changed") return no;
    distrusts = true;
    // The base finds out first which one it is now.
    const behind = await reader.catchUp();
    // A scope that may not be read tells nothing; its places are asked for all the same.
    return behind && behind.code !== "forbidden" ? behind : again(no);
  }

  /** Asks for the watermark and numbers what is undecided from there. */
  async function renumber(queue: Queue, forced: ReadonlySet<string> = new Set()): Promise<Refusal | null> {
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
    drain,
    distrust: () => void (distrusts = true),
    close: timers.close,
  };
}
