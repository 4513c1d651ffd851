/**
 * The one sender of a client id: takes mutations from the queue, pushes them, and carries the verdicts back. There is
 * never more than one push on its way, and nothing but a verdict takes a mutation out of the queue.
 */
import { Backoff } from "../core/backoff.ts";
import { byteLength } from "../core/door.ts";
import { LIVE_PUSH_BYTES, PUSH_BYTES, PUSH_MUTATIONS, VOID } from "../core/limits.ts";
import type { Decided, Entry, Numbered } from "../core/words.ts";
import type { Env } from "../env.ts";
import { wire } from "../queue/numbering.ts";
import type { Batch, Queue, Sender } from "../queue/queue.ts";
import { Timers } from "../timers.ts";
import type { Http } from "./http.ts";
import { judge, type Void } from "./judge.ts";
import type { Socket } from "./socket.ts";
import { lost, type Answer, type PushAnswer, type Refusal } from "./wire.ts";

/** Bytes of a push that are not mutations. */
const HEAD_BYTES = 1024;

/** A new mutation cuts a wait short, but not sooner than this many milliseconds after the last try. */
const WRITE_MS = 2_000;

/** What a pusher needs. */
export interface PusherParts {
  env: Env;
  queue: Queue;
  http: Http;
  /** The connection, if questions may be asked over it. */
  socket(): Socket | null;
  /** The history the client's base belongs to. */
  epoch(): string | null;
  /** This tab is the one that sends what all tabs share. */
  leads(): boolean;
  /** Places were given out or changed, before they are sent. */
  numbered(numbered: readonly Numbered[]): void;
  /** Verdicts arrived and are kept. */
  decided(decided: readonly Decided[]): void;
  /** A push ended; `null` where it was answered. */
  heard(refusal: Refusal | null): void;
  /** The server's history is another one: finds out about it. */
  resync(): Promise<Answer<null>>;
  /** The client id was replaced. */
  renewed(): void;
}

/** Where a step of the sender leads: on, to the end of the queue, or to a wait because of something. */
type Step = "on" | "idle" | Refusal;

/** See the file's head. */
export class Pusher {
  readonly #parts: PusherParts;
  readonly #backoff: Backoff;
  /** Why a mutation that the server refused to read travels as a void one. */
  readonly #voids = new Map<string, Void>();
  #room = PUSH_MUTATIONS;
  #distrusts = false;
  #renumbered = false;
  #again = false;
  #running: Promise<Refusal | null> | null = null;
  readonly #timers: Timers;
  #lastTry = -Infinity;
  /** The server asked not to be asked before. */
  #notBefore = -Infinity;
  #closed = false;

  constructor(parts: PusherParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.env.random);
    this.#timers = new Timers(parts.env);
  }

  /** There is something new to send. */
  kick(): void {
    const waited = this.#parts.env.now() - this.#lastTry;
    if (!this.#timers.has("again") || waited >= WRITE_MS) this.wake();
  }

  /** The world changed: try now, unless the server asked to wait. */
  wake(): void {
    void this.drain();
  }

  /** Pushes until nothing is left, or until something stands in the way: then that. */
  async drain(): Promise<Refusal | null> {
    const wait = this.#notBefore - this.#parts.env.now();
    if (wait > 0) {
      // Timers may run a moment early.
      this.#timers.in("again", wait, () => this.wake());
      return { ...lost("asked to wait"), code: "rate_limited", retryAfter: wait };
    }
    this.#again = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Places given so far may be wrong: asks for the watermarks before anything else is sent. */
  distrust(): void {
    this.#distrusts = true;
  }

  /** Resolves when no push is on its way. */
  async quiet(): Promise<void> {
    await this.#running;
  }

  close(): void {
    this.#closed = true;
    this.#timers.close();
  }

  async #run(): Promise<Refusal | null> {
    // Not before the caller has noted that this runs.
    await null;
    this.#timers.cancel("again");
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        this.#lastTry = this.#parts.env.now();
        const step = await this.#step().catch((error: unknown) => lost(String(error)));
        if (step === "on") this.#again = true;
        else if (step !== "idle") return this.#wait(step);
      }
      return null;
    } finally {
      // In the same breath as the last look at `again`: a mutation that comes now starts another run.
      this.#running = null;
    }
  }

  #wait(refusal: Refusal): Refusal {
    const { retryAfter } = refusal;
    if (retryAfter > 0) this.#notBefore = this.#parts.env.now() + retryAfter;
    this.#timers.in("again", this.#backoff.next(retryAfter), () => this.wake());
    return refusal;
  }

  async #step(): Promise<Step> {
    const { queue, leads, epoch } = this.#parts;
    if (this.#distrusts && leads()) {
      this.#distrusts = false;
      const refusal = await this.#relearn().catch((error: unknown) => lost(String(error)));
      if (refusal) {
        this.distrust();
        return refusal;
      }
    }
    const batch = await queue.take({ mutations: this.#room, bytes: PUSH_BYTES - HEAD_BYTES }, leads(), epoch());
    if (!batch) return "idle";
    this.#tell(batch, batch.entries);
    const answer = await this.#send(batch);
    return answer.ok ? this.#answered(batch, answer.body) : this.#refused(batch, answer);
  }

  /** Numbers all that is undecided from the watermarks of the history the tab knows now. */
  async #relearn(): Promise<Refusal | null> {
    const { queue, epoch } = this.#parts;
    for (const sender of await queue.senders()) {
      const refusal = await this.#renumber(sender, new Set());
      // A scope that may no longer be read blocks no other; its mutations get their verdicts from a push.
      if (refusal && refusal.status !== 403) return refusal;
    }
    const now = epoch();
    if (now !== null) await queue.trust(now);
    return null;
  }

  async #send({ client, scope, epoch, entries }: Batch): Promise<Answer<PushAnswer>> {
    const push = { client, ...(epoch !== null && { epoch }), mutations: entries.map((entry) => this.#onWire(entry)) };
    const socket = this.#parts.socket();
    if (socket) {
      const ref = socket.nextRef();
      const text = JSON.stringify({ topic: `sync:${scope}`, data: { type: "push", ref, ...push } });
      if (byteLength(text) <= LIVE_PUSH_BYTES) {
        return (await socket.ask(ref, text)) as unknown as Answer<PushAnswer>;
      }
    }
    return this.#parts.http.post("push", push);
  }

  #onWire(entry: Entry): object {
    const { id, seq, scope } = entry;
    return this.#voids.has(id) ? { id, seq, scope, type: VOID } : wire(entry);
  }

  async #answered(batch: Batch, answer: PushAnswer): Promise<Step> {
    const { queue, decided, heard, renewed } = this.#parts;
    const judgement = judge(batch.entries, answer, this.#voids);
    heard(null);
    // Sent before this tab knew of any history: the answer says which one the places count in.
    if (batch.epoch === null && answer.epoch) await queue.trust(answer.epoch).catch(() => undefined);
    if (judgement.clientUnknown) judgement.decided.push(...(await this.#alsoUnknown(batch, judgement.decided)));
    // Kept before it is told: a verdict that was shown must not be asked for again after a crash.
    await queue.settle(judgement.decided).catch(() => undefined);
    for (const { id } of judgement.decided) this.#voids.delete(id);
    decided(judgement.decided);
    if (judgement.clientUnknown) {
      await queue.renew(batch.client);
      renewed();
    }
    const { open, conflicts } = judgement;
    if (judgement.decided.length) this.#renumbered = false;
    if (conflicts.size || open?.code === "out_of_order") {
      const refusal = await this.#renumber(batch, conflicts);
      if (refusal) return refusal;
      // New places help at once or not at all: the second time is waited out.
      if (this.#renumbered) return waiting(open);
      this.#renumbered = true;
      return "on";
    }
    return open ? waiting(open) : this.#went();
  }

  #went(): Step {
    this.#backoff.reset();
    this.#room = Math.min(PUSH_MUTATIONS, this.#room * 2);
    return "on";
  }

  async #refused(batch: Batch, refusal: Refusal): Promise<Step> {
    this.#parts.heard(refusal);
    if (refusal.status === 400 || refusal.status === 413) return this.#split(batch, refusal);
    if (refusal.code !== "epoch_changed") return refusal;
    this.distrust();
    const synced = await this.#parts.resync();
    if (!synced.ok) return synced;
    // The same epoch that was just refused: the server is between two histories.
    return this.#parts.epoch() === batch.epoch ? refusal : "on";
  }

  /** Refused as a whole: smaller, down to the one that can't be read; that one only takes up its place. */
  #split({ entries }: Batch, refusal: Refusal): Step {
    if (entries.length > 1) {
      this.#room = Math.ceil(entries.length / 2);
      return "on";
    }
    const id = entries[0]!.id;
    if (this.#voids.has(id)) return refusal;
    this.#voids.set(id, { code: refusal.code, error: refusal.error });
    return "on";
  }

  /** What was sent earlier under a forgotten client, and is not part of this answer, will not be executed either. */
  async #alsoUnknown({ scope, client }: Batch, decided: readonly Decided[]): Promise<Decided[]> {
    if (client !== this.#parts.queue.client) return [];
    const known = new Set(decided.map(({ id }) => id));
    const error = "the server has forgotten this client";
    return (await this.#parts.queue.load())
      .filter((entry) => entry.scope === scope && entry.seq !== null && !known.has(entry.id))
      .map(({ id }) => ({ id, verdict: { ok: false, code: "client_unknown", error } }));
  }

  /** Asks for a sender's watermark and numbers what is undecided from there. */
  async #renumber(sender: Sender, forced: ReadonlySet<string>): Promise<Refusal | null> {
    const { queue, http } = this.#parts;
    const { client, scope } = sender;
    // Any page carries the watermark; this one is small. Where the beginning is trimmed, only a snapshot does.
    let answer = await http.post<{ last_seq?: number | null }>("pull", { scope, client, cursor: 0, limit: 1 });
    if (!answer.ok && answer.code === "cursor_too_old") answer = await http.post("snapshot", { scope, client });
    if (!answer.ok) return answer;
    this.#tell(sender, await queue.renumber(sender, answer.body.last_seq ?? 0, forced));
    return null;
  }

  #tell({ client }: Sender, numbered: readonly Numbered[]): void {
    // Places of another client id mean nothing beside the watermark readers ask for.
    if (client === this.#parts.queue.client) this.#parts.numbered(numbered);
  }
}

const waiting = (open: { code: string; error: string } | null): Refusal => ({
  ...lost(open?.error ?? "not now"),
  code: open?.code ?? "unavailable",
});
