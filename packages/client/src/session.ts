/**
 * Joins the parts of a client: scopes with their views, the queue, the one link, the senders and the other tabs. It only
 * carries news from one to the other; each part's rules are its own.
 */
import { QUEUE_MUTATIONS } from "./core/limits.ts";
import { RefusedError } from "./core/door.ts";
import type { Mutator } from "./core/tx.ts";
import { newId } from "./core/uuid.ts";
import type { Decided, Entry, Verdict } from "./core/words.ts";
import type { Env, SocketLike } from "./env.ts";
import { Ledger } from "./ledger.ts";
import { makePost, type Token } from "./link/http.ts";
import { makeLink } from "./link/link.ts";
import { makePusher, type Pusher } from "./link/pusher.ts";
import { makeBoard, type Board } from "./link/standing.ts";
import { makeTabs, type News } from "./link/tabs.ts";
import { lost, type Refusal } from "./link/wire.ts";
import type { Storage } from "./queue/queue.ts";
import { makeScope, type Scope, type ScopeOptions } from "./scopes.ts";
import { makeStore } from "./store.ts";
import { makeTimers } from "./timers.ts";

/** Milliseconds between looks at the other tabs and into the shared queue: repairs news that got lost. */
const LOOK_MS = 10_000;

/** A tab that was not heard of for this many milliseconds is gone, and so is a leader. */
const SILENT_MS = 2.5 * LOOK_MS;

/** Milliseconds a tab waits for the leader to push what it was asked to. */
const LEADER_MS = 10_000;

/** Milliseconds a leader that makes way waits for the answers to its pushes. */
const QUIET_MS = 1_000;

/** Milliseconds in which changes of a base gather before it is kept: a page that dies begins again that much earlier. */
const KEEP_MS = 200;

/** Everything a session is made of. */
export interface SessionParts {
  env: Env;
  /** The database's name, which is also that of the lock and the channel. */
  name: string;
  /** The address with the prefix of the routes. */
  base: string;
  open: (() => SocketLike) | undefined;
  token: Token;
  storage: Storage;
  mutators: Readonly<Record<string, Mutator>>;
  /** Something happened: one of the client's events, and what its `detail` holds. */
  tell(type: string, detail: object): void;
}

/** See the file's head. */
export interface Session {
  scopes: Map<string, Scope>;
  board: Board;
  storage(): Storage;
  /** Opens a scope for the page, or finds it. */
  open(scope: string, options: ScopeOptions): Scope;
  /** The page needs it no more. */
  leave(scope: string): void;
  /** Applies a new mutation and puts it on its way to the queue. Throws if its mutator does. */
  mutate(entry: Entry): { saved: Promise<void>; verdict: Promise<Verdict> };
  /** Takes back a mutation that was not sent yet. */
  undo(id: string): Promise<boolean>;
  /** Pushes what is queued and pulls to the head. Resolves with what stood in the way, if anything did. */
  sync(scope: string): Promise<Refusal | null>;
  /** Everything that has no verdict, of all scopes and tabs. */
  queued(): Promise<Entry[]>;
  /** What a tool shows of it. */
  about(): { tab: string; client: string; leads: boolean };
  /** Ends it. What is queued stays queued. */
  close(): Promise<void>;
}

export function makeSession(parts: SessionParts): Session {
  const { env, name, tell } = parts;
  const tab = newId(env.now()).slice(-12);
  const ask = makePost(env, parts.base, parts.token);
  const timers = makeTimers(env);
  const ledger = new Ledger();
  const scopes = new Map<string, Scope>();
  const pushers = new Map<string, Pusher>();
  let closed = false;
  /** News that arrives while a scope is being read is heard after it. */
  let entering = 1;
  const early: News[] = [];
  let heardLeader = env.now();

  let standing = "";
  const board = makeBoard(env.now, () => {
    const open = [...scopes].filter(([, scope]) => scope.mine).map(([of]) => of);
    const now = board.over(open);
    const all = JSON.stringify([now.status, now.code, [...scopes.keys()].map((of) => board.of(of).status)]);
    if (all === standing) return;
    standing = all;
    tell("status", now);
    if (tabs?.leads()) report(false);
  });
  const report = (asks: boolean): void => tabs.post({ t: "state", state: board.state, ask: asks });

  const link = makeLink({ env, token: parts.token, open: parts.open, scopes, board, connected: () => void pushAll() });
  let tabs: ReturnType<typeof makeTabs>;

  const store = makeStore({
    ...parts,
    pending: () => [...scopes.values()].flatMap(({ core }) => core.pending),
    saved: (entries, shared) => {
      place(entries);
      if (shared) tabs.post({ t: "appended", entries: [...entries] });
      for (const { id } of entries) {
        ledger.save(id);
        tell("saved", { id });
      }
      for (const of of new Set(entries.map(({ scope }) => scope))) pusherOf(of).kick();
    },
    alone: (entries) => {
      place(entries);
      renewed();
      return tabs.leave();
    },
  });
  const { queues, all: load } = store;

  const opened = (async () => {
    // Nothing is told before the page had a chance to listen.
    await null;
    const durable = await store.open();
    tabs = makeTabs(env, name, durable.storage === "indexeddb", {
      news: (news) => (entering ? void early.push(news) : hear(news)),
      leads: () => {
        link.start();
        report(true);
        for (const scope of scopes.values()) scope.presence.again();
        void pushAll();
      },
      resigns: async () => {
        const quiet = Promise.all([...pushers.values()].map((pusher) => pusher.quiet()));
        // A push that is lost does not hold up the others: should it arrive, its mutations are known by their ids.
        await Promise.race([quiet, new Promise<void>((resolve) => timers.after("quiet", QUIET_MS, resolve))]);
        link.stop();
      },
    });
    if (closed) return void durable.close();
    // Before the scopes that wait for this are read: they decide whether to follow by themselves.
    entered();
    tabs.apply();
    again();
  })();
  const unwake = env.onWake(() => {
    link.wake();
    tabs?.prefer();
    void look(true);
  });

  const mine = (entries: readonly Entry[], of: string): Entry[] =>
    entries.filter(({ scope, id }) => scope === of && !ledger.hasEnded(id));

  function scopeOf(of: string, options: ScopeOptions): Scope {
    let scope = scopes.get(of);
    if (scope) {
      if (options.snapshot) scope.core.reset(options.snapshot, true);
      return scope;
    }
    scope = makeScope(of, options, {
      ...parts,
      tab,
      ask,
      link,
      few: () => scopes.size < 4,
      client: () => queues[0]!.client,
      leads: () => !!tabs?.leads(),
      others: () => scope!.others.size > 0,
      post: (news) => tabs?.post(news),
      heard: (about, refusal) => tabs.leads() && board.heard(of, about, refusal),
      live: (is) => tabs.leads() && board.live(of, is),
      distrust: () => {
        pushers.get(of)?.distrust();
        tabs.post({ t: "distrust", scope: of });
      },
      behind: announce,
      touched: () => {
        if (!timers.has(of)) timers.after(of, KEEP_MS, () => keep(scope!));
      },
    });
    scopes.set(of, scope);
    void enter(scope);
    return scope;
  }

  /** Reads what an earlier life of the page left of a scope, and follows it. */
  async function enter(scope: Scope): Promise<void> {
    entering++;
    await opened;
    const { core } = scope;
    const [durable] = queues;
    const entries = await load();
    const counted = await durable!.epoch(scope.name).catch(() => null);
    const kept = scope.own
      ? undefined
      : await durable!
          // What the page came with is as good: its rows need not be read.
          .base(scope.name, ({ epoch, cursor }) => !core.valid || (epoch === core.epoch && cursor > core.cursor))
          .catch(() => undefined);
    if (!closed && scopes.get(scope.name) === scope) {
      core.restore(kept, mine(entries, scope.name), counted);
      scope.entered = true;
      if (core.valid) scope.readyNow();
      if (tabs.leads()) scope.reader.start();
      else announce();
      scope.presence.again();
      void save();
    }
    entered();
  }

  function entered(): void {
    if (--entering === 0) early.splice(0).forEach(hear);
  }

  /** Tells the leader what is open here, and how far it is. */
  function announce(): void {
    if (tabs.leads() || timers.has("announce")) return;
    timers.after("announce", 0, () => {
      const open = [...scopes.values()].filter((scope) => scope.mine && scope.entered);
      const at = ({ core, own }: Scope) => (own || core.valid ? { cursor: own ? -1 : core.cursor, epoch: core.epoch! } : null);
      tabs.post({ t: "open", tab, scopes: Object.fromEntries(open.map((scope) => [scope.name, at(scope)])) });
    });
  }

  function pusherOf(of: string): Pusher {
    let pusher = pushers.get(of);
    if (!pusher) {
      pusher = makePusher({
        env,
        scope: of,
        queues: () => queues,
        ask,
        socket: link.socket,
        epoch: () => scopes.get(of)?.core.epoch ?? null,
        may: (queue) => !link.stopped() && queues.includes(queue) && (queue !== queues[0] || tabs.leads()),
        numbered: (numbered, counted) => {
          const news: News = { t: "numbered", scope: of, numbered: numbered.map(({ id, seq }) => ({ id, seq })), counted };
          tabs.post(news);
          hear(news);
        },
        decided: (decided) => {
          if (!decided.length) return;
          tabs.post({ t: "decided", decided: [...decided] });
          settle(decided);
        },
        heard: (refusal) => board.heard(of, "push", refusal),
        catchUp: async () => scopes.get(of)?.reader.catchUp() ?? { ok: true, body: null },
        renewed: () => {
          tabs.post({ t: "renewed", client: queues[0]!.client });
          renewed();
        },
      });
      pushers.set(of, pusher);
    }
    return pusher;
  }

  /** Sends what waits, of all scopes. */
  async function pushAll(): Promise<void> {
    for (const of of new Set((await load()).map(({ scope }) => scope))) void pusherOf(of).drain();
  }

  const every = (visit: (scope: Scope) => unknown): void => void [...scopes.values()].forEach(visit);
  const place = (saved: readonly Entry[]): void => every(({ core }) => core.place(saved));

  function renewed(): void {
    every(({ core }) => core.renew());
    tell("client", { client: queues[0]!.client });
  }

  function settle(decided: readonly Decided[]): void {
    const fresh = decided.filter(({ id }) => !ledger.hasEnded(id));
    const before = new Map([...scopes.values()].flatMap(({ core }) => core.pending.map(({ entry }) => [entry.id, entry])));
    every(({ core }) => core.decide(fresh));
    for (const { id, verdict } of fresh) {
      const own = ledger.end(id, verdict);
      const { type, args, scope } = before.get(id) ?? {};
      if (scope && !verdict.ok) tell("rejected", { ...verdict, id, type, args, scope, own });
    }
    every(({ reader }) => reader.expect());
  }

  function undone(id: string): void {
    every(({ core }) => core.undo(id));
    ledger.end(id, { ok: false, code: "undone", error: "" });
  }

  /** Saves what is new, once there is a queue. */
  const save = (): Promise<void> => opened.then(store.save);

  /** Keeps a base for the next life of the page, or forgets what may no longer be read. */
  async function keep({ name: of, core, entered: read, own }: Scope): Promise<void> {
    const [durable] = queues;
    if (!read || own || !tabs.leads() || durable!.storage !== "indexeddb") return;
    if (core.valid || core.dropped) await durable!.keep(of, core.dropped ? null : core).catch(() => undefined);
  }

  function hear(news: News): void {
    const leads = tabs.leads();
    const scope = "scope" in news ? scopes.get(news.scope) : undefined;
    switch (news.t) {
      case "appended":
        every(({ core, name: of }) => core.adopt(mine(news.entries, of)));
        if (leads) for (const of of new Set(news.entries.map((entry) => entry.scope))) pusherOf(of).kick();
        return;
      case "numbered":
        // A history that went on, or went away, without the base.
        if (scope?.core.number(news.numbered, news.counted) && leads) void scope.reader.catchUp();
        return;
      case "decided":
        return settle(news.decided);
      case "undone":
        return undone(news.id);
      case "renewed":
        queues[0]!.client = news.client;
        return renewed();
      case "distrust":
        return pushers.get(news.scope)?.distrust();
      case "push":
        if (!leads) return;
        every(({ reader }) => reader.catchUp());
        return void pushAll();
      case "open":
        if (leads) {
          for (const [of, at] of Object.entries(news.scopes)) scopeOf(of, { mine: false }).follow(news.tab, at, env.now());
          report(false);
        }
        return;
      case "gone":
        return every((one) => one.forget(news.tab));
      case "here":
        if (leads) scope?.presence.show(news.tab, news.state);
        return;
      case "leads":
        every(({ presence }) => presence.again());
        return announce();
      case "state":
        if (leads) return;
        heardLeader = env.now();
        board.adopt(news.state);
        if (news.ask) announce();
        return;
      default:
        if (!leads) scope?.hear(news);
    }
  }

  function again(): void {
    timers.after("look", LOOK_MS, () => {
      void look(false);
      again();
    });
  }

  /** Looks after what no news told: tabs that died, a leader that did, verdicts and mutations in the queue. */
  async function look(woke: boolean): Promise<void> {
    await opened;
    if (closed || !tabs) return;
    const now = env.now();
    if (tabs.leads()) {
      every((scope) => {
        for (const [other, at] of scope.others) if (now - at > SILENT_MS) scope.forget(other);
        if (!scope.mine && !scope.others.size) leave(scope.name);
      });
      report(true);
      if (woke) void pushAll();
      return;
    }
    if (now - heardLeader > SILENT_MS && !env.hidden()) {
      tabs.prefer();
      every(({ reader }) => reader.catchUp());
    }
    if (woke) announce();
    await repair().catch(() => undefined);
  }

  /** The queue is the truth: takes over what is new in it, and ends what is no longer in it. */
  async function repair(): Promise<void> {
    const waits = [...scopes.values()].flatMap(({ core }) => core.pending);
    if (!waits.length) return;
    const there = await load();
    every(({ core, name: of }) => core.adopt(mine(there, of)));
    const ids = new Set(there.map(({ id }) => id));
    const gone = waits.filter(({ accepted, entry }) => accepted === null && entry.order < Infinity && !ids.has(entry.id));
    if (!gone.length) return;
    const kept = await queues[0]!.verdicts(gone.map(({ entry }) => entry.id));
    const known = new Set(kept.map(({ id }) => id));
    const verdict: Verdict = { ok: false, code: "expired", error: "verdict no longer kept" };
    settle([...kept, ...gone.flatMap(({ entry: { id } }) => (known.has(id) ? [] : { id, verdict }))]);
  }

  function leave(of: string): void {
    const scope = scopes.get(of);
    if (!scope) return;
    scope.mine = false;
    if (scope.others.size) return;
    scope.presence.gone(tab);
    scope.reader.stop();
    link.unsubscribe(of);
    void keep(scope);
    scope.reader.close();
    scopes.delete(of);
    if (tabs && !tabs.leads()) {
      tabs.post({ t: "gone", tab });
      announce();
    }
  }

  return {
    scopes,
    board,
    storage: () => store.storage,
    open: scopeOf,
    leave,
    mutate: (entry) => {
      const { core } = scopes.get(entry.scope)!;
      if (core.size >= QUEUE_MUTATIONS) {
        throw new RefusedError("too_large", `${QUEUE_MUTATIONS} mutations are waiting already`);
      }
      let promises!: ReturnType<Ledger["open"]>;
      core.mutate(entry, () => {
        promises = ledger.open(entry.id);
        store.add(entry);
      });
      void save();
      return promises;
    },
    undo: async (id) => {
      await save();
      for (const queue of queues) {
        if (!(await queue.undo(id).catch(() => false))) continue;
        undone(id);
        tabs.post({ t: "undone", id });
        return true;
      }
      return false;
    },
    sync: async (of) => {
      await opened;
      if (closed) return null;
      await save();
      const scope = scopes.get(of)!;
      const waits = scope.core.pending.filter((item) => item.accepted === null);
      let refusal = await pusherOf(of).drain();
      if (!tabs.leads() && !refusal) {
        tabs.post({ t: "push" });
        refusal = await new Promise((resolve) => {
          timers.after("leader", LEADER_MS, () => resolve(lost("the leading tab is silent")));
          void Promise.all(waits.map(({ entry }) => ledger.verdict(entry.id))).then(() => resolve(null));
        });
      }
      const pulled = await scope.reader.catchUp();
      return refusal ?? (pulled.ok ? null : pulled);
    },
    queued: async () => {
      await save();
      return load();
    },
    about: () => ({ tab, client: queues[0]?.client ?? "", leads: !!tabs?.leads() }),
    close: async () => {
      if (closed) return;
      await save();
      closed = true;
      timers.close();
      unwake();
      await opened;
      every((scope) => scope.reader.close());
      tabs?.post({ t: "gone", tab });
      for (const pusher of pushers.values()) pusher.close();
      await tabs?.close();
      store.close();
    },
  };
}
