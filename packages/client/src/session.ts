/**
 * Joins the parts for one scope: the core that holds the view, the queue, the reader, the sender and the other tabs.
 * It only carries news from one to the other; each part's rules are its own.
 */
import { QUEUE_MUTATIONS } from "./core/limits.ts";
import { RefusedError } from "./core/door.ts";
import { ScopeCore } from "./core/scope.ts";
import type { Mutator } from "./core/tx.ts";
import type { Change, Decided, Entry, Json, Snapshot, Verdict } from "./core/words.ts";
import type { Env, SocketLike } from "./env.ts";
import { Ledger } from "./ledger.ts";
import { Http, type Token } from "./link/http.ts";
import { Pusher } from "./link/pusher.ts";
import { Reader } from "./link/reader.ts";
import { StandingBoard } from "./link/standing.ts";
import { Tabs, type News } from "./link/tabs.ts";
import { lost, type Refusal } from "./link/wire.ts";
import { Timers } from "./timers.ts";
import { openQueue } from "./queue/open.ts";
import type { Queue, Storage } from "./queue/queue.ts";

/** Milliseconds between looks into the shared queue while another tab sends: repairs news that got lost. */
const LOOK_MS = 10_000;

/** Milliseconds a tab waits for the leader to push what it was asked to. */
const LEADER_MS = 10_000;

/** Milliseconds in which changes of the base gather before it is kept: a page that dies begins again that much earlier. */
const KEEP_MS = 200;

/** Everything a session is made of. */
export interface SessionParts {
  env: Env;
  scope: string;
  /** The database's name, which is also that of the lock and the channel. */
  name: string;
  /** The address with the prefix of the routes. */
  base: string;
  open: (() => SocketLike) | undefined;
  token?: Token;
  storage: Storage;
  mutators: Readonly<Record<string, Mutator>>;
  snapshot?: Snapshot;
  onChange?: (change: Change) => void;
  onSnapshot?: (data: Json, cursor: number) => void;
  /** The view or the pending mutations changed. */
  changed(): void;
  /** Something else happened: one of the client's events, and what its `detail` holds. */
  tell(type: string, detail: object): void;
}

/** See the file's head. */
export class Session {
  readonly core: ScopeCore;
  readonly ledger = new Ledger();
  readonly standing: StandingBoard;
  /** The queue was read and there is a base. */
  readonly ready: Promise<void>;
  storage: Storage;
  readonly #parts: SessionParts;
  readonly #http: Http;
  readonly #opened: Promise<Running | null>;
  #running: Running | null = null;
  #unsaved: Entry[] = [];
  #saving: Promise<void> | null = null;
  #readyNow!: () => void;
  #told = false;
  /** What of the base was kept last. */
  #kept = "";
  readonly #timers: Timers;
  #closed = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.storage = parts.storage;
    this.#timers = new Timers(parts.env);
    this.standing = new StandingBoard((standing) => parts.tell("status", standing));
    this.#http = new Http(parts.env, parts.base, parts.token);
    this.core = new ScopeCore(parts.mutators, {
      changed: () => {
        if (this.#running && this.core.valid) this.#readyNow();
        if (this.#told) parts.changed();
        if (!this.#timers.has("keep")) this.#timers.in("keep", KEEP_MS, () => this.#keep());
      },
      unknown: guarded(parts.env, parts.onChange),
      snapshot: guarded(parts.env, parts.onSnapshot),
    });
    this.ready = new Promise((resolve) => (this.#readyNow = resolve));
    this.#opened = this.#open();
  }

  /** Applies a new mutation here and puts it on its way to the queue. Throws if its mutator does. */
  mutate(entry: Entry): { saved: Promise<void>; verdict: Promise<Verdict> } {
    if (this.core.pending.length >= QUEUE_MUTATIONS) {
      throw new RefusedError("too_large", `${QUEUE_MUTATIONS} mutations are waiting already`);
    }
    let promises!: ReturnType<Ledger["open"]>;
    this.core.mutate(entry, () => {
      promises = this.ledger.open(entry.id);
      this.#unsaved.push(entry);
    });
    void this.#save();
    return promises;
  }

  /** Takes back a mutation that was not sent yet. */
  async undo(id: string): Promise<boolean> {
    const running = await this.#opened;
    await this.#saving;
    if (!running || !(await running.queue.undo(id))) return false;
    this.#undone(id);
    running.tabs.post({ t: "undone", id });
    return true;
  }

  /** Pushes what is queued and pulls to the head. Resolves with what stood in the way, if anything did. */
  async sync(): Promise<Refusal | null> {
    const running = await this.#opened;
    if (!running) return null;
    await this.#save();
    const pushed = await this.#pushAll(running);
    const pulled = await running.reader.catchUp();
    return pushed ?? (pulled.ok ? null : pulled);
  }

  /** Ends it. What is queued stays queued. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timers.close();
    const running = await this.#opened;
    if (!running) return;
    running.stop();
    running.reader.close();
    await this.#saving;
    running.pusher.close();
    await running.tabs.close();
    await running.pusher.quiet();
    running.queue.close();
  }

  async #open(): Promise<Running | null> {
    const { core, standing } = this;
    const { env, name, snapshot, storage, tell } = this.#parts;
    const common = { ...this.#parts, core, standing, http: this.#http };
    // The page's own snapshot is there at once, and news to nobody.
    if (snapshot) core.reset(snapshot, true);
    this.#told = true;
    // Nor is anything else told before the page had a chance to listen.
    await null;
    const queue = await openQueue(env, name, storage, (error) => {
      this.storage = "memory";
      tell("storage", { storage: "memory", error });
    });
    // News that arrives before the queue was read is heard after it.
    const early: News[] = [];
    let hear = (news: News): void => void early.push(news);
    const tabs = new Tabs(env, name, queue.storage === "indexeddb", {
      news: (news) => hear(news),
      leads: () => pusher.wake(),
      resigns: () => pusher.quiet(),
    });
    const reader = new Reader({
      ...common,
      client: () => queue.client,
      connected: () => pusher.wake(),
      otherHistory: () => {
        pusher.distrust();
        tabs.post({ t: "distrust" });
      },
    });
    const pusher: Pusher = new Pusher({
      ...common,
      queue,
      socket: () => reader.socket,
      epoch: () => core.epoch,
      leads: () => tabs.leads,
      numbered: (numbered) => {
        core.number(numbered);
        tabs.post({ t: "numbered", numbered: numbered.map(({ id, seq }) => ({ id, seq })) });
      },
      decided: (decided) => {
        if (decided.length === 0) return;
        tabs.post({ t: "decided", decided: [...decided] });
        this.#decided(decided);
      },
      heard: (refusal) => standing.heard("push", refusal),
      resync: () => reader.catchUp(),
      renewed: () => {
        tabs.post({ t: "renewed", client: queue.client });
        this.#renewed(queue.client);
      },
    });
    const running: Running = { queue, tabs, reader, pusher, stop: () => undefined };
    const entries = await queue.load().catch(() => []);
    const kept = await queue.base(this.#parts.scope).catch(() => undefined);
    if (this.#closed) {
      await tabs.close();
      queue.close();
      return null;
    }
    this.#running = running;
    this.core.restore(this.#keeps ? kept : undefined, this.#mine(entries));
    hear = (news) => this.#hear(running, news);
    early.forEach(hear);
    running.stop = this.#watch(running);
    if (core.valid) this.#readyNow();
    tabs.apply();
    reader.start();
    void this.#save();
    return running;
  }

  /** Wakes with the page, and looks into the shared queue now and then. */
  #watch(running: Running): () => void {
    const { env } = this.#parts;
    const unwake = env.onWake(() => {
      running.reader.wake();
      running.pusher.wake();
      running.tabs.prefer();
      void this.#look(running);
    });
    const again = (): void =>
      this.#timers.in("look", LOOK_MS, () => {
        if (!running.tabs.leads && this.core.pending.length) void this.#look(running);
        again();
      });
    again();
    return unwake;
  }

  /** Saves what is new, all that gathered in one transaction. */
  #save(): Promise<void> {
    this.#saving ??= this.#saveAll();
    return this.#saving;
  }

  async #saveAll(): Promise<void> {
    const { queue, tabs, pusher } = (await this.#opened) ?? {};
    try {
      while (queue && this.#unsaved.length) {
        const entries = this.#unsaved.splice(0);
        const saved = await queue.append(entries);
        this.core.place(saved);
        // What fell back to memory is this page's alone.
        if (queue.storage === "indexeddb") tabs!.post({ t: "appended", entries: saved });
        for (const { id } of saved) {
          this.ledger.save(id);
          this.#parts.tell("saved", { id });
        }
        pusher!.kick();
      }
    } finally {
      // In the same breath as the last look: a mutation that comes now starts another round.
      this.#saving = null;
    }
  }

  async #pushAll({ tabs, pusher }: Running): Promise<Refusal | null> {
    const waiting = this.core.pending.filter((item) => item.accepted === null);
    const refusal = await pusher.drain();
    if (tabs.leads || refusal) return refusal;
    tabs.post({ t: "push" });
    return new Promise((resolve) => {
      this.#timers.in("leader", LEADER_MS, () => resolve(lost("the leading tab is silent")));
      void Promise.all(waiting.map((item) => this.ledger.verdict(item.entry.id))).then(() => resolve(null));
    });
  }

  #hear(running: Running, news: News): void {
    const { reader, pusher, tabs, queue } = running;
    if (news.t === "appended") {
      this.#adopt(news.entries);
      if (tabs.leads) pusher.kick();
    } else if (news.t === "numbered") this.core.number(news.numbered);
    else if (news.t === "decided") this.#decided(news.decided);
    else if (news.t === "undone") this.#undone(news.id);
    else if (news.t === "renewed") {
      queue.client = news.client;
      this.#renewed(news.client);
    } else if (news.t === "distrust") pusher.distrust();
    else if (news.t === "push" && tabs.leads) {
      pusher.wake();
      void reader.catchUp();
    }
  }

  /** The queue is the truth: takes over what is new in it, and ends what is no longer in it. */
  async #look({ queue }: Running): Promise<void> {
    try {
      const before = this.core.pending.filter((item) => item.accepted === null && item.entry.order !== Infinity);
      const there = await queue.load();
      this.#adopt(there);
      const ids = new Set(there.map(({ id }) => id));
      const gone = before.filter((item) => !ids.has(item.entry.id)).map((item) => item.entry.id);
      if (gone.length === 0) return;
      const kept = await queue.verdicts(gone);
      const known = new Set(kept.map(({ id }) => id));
      const error = "verdict no longer kept";
      const forgotten = gone
        .filter((id) => !known.has(id))
        .map((id): Decided => ({
          id,
          verdict: { ok: false, code: "expired", error },
        }));
      this.#decided([...kept, ...forgotten]);
    } catch {
      // The storage is gone; what was in memory stays as it is.
    }
  }

  #adopt(entries: readonly Entry[]): void {
    this.core.adopt(this.#mine(entries));
  }

  #mine(entries: readonly Entry[]): Entry[] {
    const { scope } = this.#parts;
    return entries.filter((entry) => entry.scope === scope && !this.ledger.hasEnded(entry.id));
  }

  /** An application whose state is not made of collections keeps it itself: a cursor alone would skip what it missed. */
  get #keeps(): boolean {
    return this.storage === "indexeddb" && !this.#parts.onChange && !this.#parts.onSnapshot;
  }

  /** Keeps the base for the next life of the page, or forgets what may no longer be read. */
  async #keep(): Promise<void> {
    const { core } = this;
    const record = core.record();
    if (!this.#running || !this.#keeps || !(record || core.dropped)) return;
    const mark = JSON.stringify(record && [record.epoch, record.cursor, record.held]);
    if (mark === this.#kept) return;
    this.#kept = mark;
    await this.#running.queue.keep(this.#parts.scope, record).catch(() => undefined);
  }

  #decided(decided: readonly Decided[]): void {
    const before = this.core.pending;
    const fresh = decided.filter(({ id }) => !this.ledger.hasEnded(id));
    this.core.decide(fresh);
    for (const { id, verdict } of fresh) {
      const own = this.ledger.end(id, verdict);
      const entry = before.find((item) => item.entry.id === id)?.entry;
      if (entry && !verdict.ok)
        this.#parts.tell("rejected", { ...verdict, id, type: entry.type, args: entry.args, own });
    }
    this.#running?.reader.expect();
  }

  #undone(id: string): void {
    this.core.undo(id);
    this.ledger.end(id, { ok: false, code: "undone", error: "" });
  }

  #renewed(client: string): void {
    this.core.renew();
    this.#parts.tell("client", { client });
  }
}

/** The parts that exist once the queue is open. */
interface Running {
  queue: Queue;
  tabs: Tabs;
  reader: Reader;
  pusher: Pusher;
  /** Stops looking. */
  stop: () => void;
}

/** An application's callback, whose errors are its own. */
function guarded<A extends unknown[]>(env: Env, call: ((...args: A) => void) | undefined): (...args: A) => void {
  return (...args) => {
    try {
      call?.(...args);
    } catch (error) {
      env.report(error);
    }
  };
}
