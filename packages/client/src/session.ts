/**
 * Joins the parts of a client: scopes with their views, the queue, the one link, the senders and the other tabs. It only
 * carries news from one to the other; each part's rules are its own.
 */
import type { Item } from "./core/item.ts";
import { QUEUE_MUTATIONS } from "./core/limits.ts";
import { RefusedError } from "./core/door.ts";
import type { Mutator } from "./core/tx.ts";
import { newId } from "./core/uuid.ts";
import type { Decided, Entry, KeptBase, Verdict } from "./core/words.ts";
import type { Env, SocketLike } from "./env.ts";
import { makeLedger } from "./ledger.ts";
import { makePost, type Token } from "./link/http.ts";
import { makeLink } from "./link/link.ts";
import { makeBoard, type Board } from "./link/standing.ts";
import type { News } from "./link/news.ts";
import { makeTabs } from "./link/tabs.ts";
import { lost, type Refusal } from "./link/wire.ts";
import type { Storage } from "./queue/queue.ts";
import { makeScope, type Around, type Scope, type ScopeOptions } from "./scopes.ts";
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
  tab: string;
  /** Empty before the queue is open. */
  client(): string;
  leads(): boolean;
  /** Ends it. What is queued stays queued. */
  close(): Promise<void>;
}

export function makeSession(parts: SessionParts): Session {
  const { env, name, tell } = parts;
  const tab = newId(env.now()).slice(-12);
  const timers = makeTimers(env);
  const ledger = makeLedger();
  const scopes = new Map<string, Scope>();
  let heardLeader = env.now();

  let standing = "";
  const board = makeBoard(env.now, () => {
    const all = JSON.stringify([...scopes.keys()].map(board.of));
    if (all === standing) return;
    standing = all;
    tell("status", board.over(open()));
    if (leads()) report(false);
  });
  /** What the page has open. */
  const open = (): string[] => [...scopes.keys()].filter((of) => scopes.get(of)!.mine);
  const report = (asks: boolean): void => post({ t: "state", state: board.state, ask: asks });
  const link = makeLink({ ...parts, scopes, board, every: (visit) => every(visit), connected: () => pushAll() });
  const tabs = makeTabs(env, name, {
    // What arrives while a scope is being read is heard after it.
    news: (news) => void entering.then(() => hear(news)),
    leads: () => {
      link.start();
      report(true);
      pushAll();
    },
    resigns: async () => {
      // Now that it does not lead, each only ends what is on its way. A push that is lost does not hold up the others: should
      // it arrive, its mutations are known by their ids.
      await within(QUIET_MS, "quiet", Promise.all([...scopes.values()].map(({ pusher }) => pusher.drain())));
      link.stop();
    },
  });
  const { leads, post } = tabs;

  const store = makeStore({
    ...parts,
    pending,
    saved: (entries, shared) => {
      place(entries);
      if (shared) post({ t: "appended", entries: [...entries] });
      for (const { id } of entries) {
        ledger.of(id).save();
        tell("saved", { id });
      }
      push(entries, true);
    },
    alone: (entries) => {
      place(entries);
      renewed();
      return tabs.leave().then(tabs.lead);
    },
  });
  const { all: load } = store;
  const around: Around = {
    ...parts,
    ...{ tab, link, board, scopes, store, leads, post },
    ask: makePost(env, parts.base, parts.token),
    client: () => store.queue?.client ?? "",
    spread: (news) => {
      post(news);
      hear(news);
    },
    touched: (scope) => {
      const what = `keep ${scope.name}`;
      if (!timers.has(what)) timers.after(what, KEEP_MS, () => keep(scope));
    },
  };

  const opened = (async () => {
    // Nothing is told before the page had a chance to listen.
    await null;
    const durable = await store.open();
    if (timers.closed) return void durable.close();
    tabs.apply(durable.storage === "indexeddb");
    void look();
  })();
  let entering: Promise<unknown> = opened;
  const unwake = env.onWake(() => {
    link.wake();
    tabs.prefer();
    void look(true);
  });

  /** Those of a scope that did not end meanwhile. */
  const fresh = (entries: readonly Entry[], of: string): Entry[] =>
    entries.filter(({ scope, id }) => scope === of && !ledger.hasEnded(id));
  const adopt = (entries: readonly Entry[]): void => every(({ core, name: of }) => core.adopt(fresh(entries, of)));

  function scopeOf(of: string, options: ScopeOptions): Scope {
    let scope = scopes.get(of);
    if (scope) {
      if (options.snapshot) scope.core.reset(options.snapshot, true);
      scope.mine ||= options.mine !== false;
      return scope;
    }
    scope = makeScope(of, options, around);
    scopes.set(of, scope);
    entering = Promise.allSettled([entering, enter(scope)]);
    return scope;
  }

  /** Reads what an earlier life of the page left of a scope, and follows it. */
  async function enter(scope: Scope): Promise<void> {
    await opened;
    const { core } = scope;
    const durable = store.queue!;
    const entries = await load();
    // What the page came with is as good: then the rows need not be read.
    const wanted = ({ epoch, cursor }: KeptBase): boolean => !core.valid || (epoch === core.epoch && cursor > core.cursor);
    const read = [durable.epoch(scope.name), scope.own ? undefined : durable.base(scope.name, wanted)] as const;
    const [counted, kept] = await Promise.all(read).catch(() => []);
    if (!timers.closed && scopes.get(scope.name) === scope) {
      core.restore(kept, fresh(entries, scope.name), counted);
      scope.entered = true;
      if (core.valid) scope.readyNow();
      scope.reader.start();
      announce();
      scope.presence.again();
      void save();
    }
  }

  /** Tells the leader what is open here. */
  function announce(): void {
    if (leads()) return;
    timers.after("announce", 0, () => {
      post({ t: "opened", tab, scopes: open().filter((of) => scopes.get(of)!.entered) });
    });
  }

  function pending(): readonly Readonly<Item>[] {
    return [...scopes.values()].flatMap(({ core }) => core.pending);
  }

  /** Sends what waits in the scopes of these; `fresh`: they are new, which does not cut every wait short. */
  const push = (entries: readonly Entry[], fresh?: boolean): void =>
    new Set(entries.map(({ scope }) => scope)).forEach((of) => scopeOf(of, { mine: false }).pusher.drain(fresh));
  const pushAll = (): unknown => load().then((all) => push(all));

  /** Waits for something, but no longer than this; then that is what stands in the way. */
  const within = (ms: number, what: string, wanted: Promise<unknown>): Promise<Refusal | null> =>
    Promise.race([
      wanted.then(() => null),
      new Promise<Refusal>((resolve) => timers.after(what, ms, () => resolve(lost(what)))),
    ]);

  const every = (visit: (scope: Scope) => unknown): void => [...scopes.values()].forEach(visit);
  const place = (saved: readonly Entry[]): void => every(({ core }) => core.place(saved));

  function renewed(): void {
    every(({ core }) => core.renew());
    tell("client", { client: store.queue!.client });
  }

  function settle(decided: readonly Decided[]): void {
    const fresh = decided.filter(({ id }) => !ledger.hasEnded(id));
    const before = pending();
    every(({ core }) => core.decide(fresh));
    for (const { id, verdict } of fresh) {
      const own = ledger.end(id, verdict);
      const { type, args, scope } = before.find(({ entry }) => entry.id === id)?.entry ?? {};
      if (scope && !verdict.ok && verdict.code !== "undone") tell("rejected", { ...verdict, id, type, args, scope, own });
    }
    every(({ reader }) => reader.expect());
  }

  /** Saves what is new, once there is a queue. */
  const save = (): Promise<void> => opened.then(store.save);

  /** Keeps a base for the next life of the page, or forgets what may no longer be read. */
  async function keep({ name: of, core, entered: read, own }: Scope): Promise<void> {
    if (!read || own || !leads() || store.storage !== "indexeddb") return;
    if (core.valid || core.dropped) await store.queue!.keep(of, core.dropped ? null : core).catch(() => undefined);
  }

  function hear(news: News): void {
    const leading = leads();
    const scope = "scope" in news ? scopes.get(news.scope) : undefined;
    switch (news.t) {
      case "appended":
        adopt(news.entries);
        if (leading) push(news.entries, true);
        return;
      case "numbered":
        // A history that went on, or went away, without the base.
        if (scope?.core.number(news.numbered, news.counted) && leading) void scope.reader.catchUp();
        return;
      case "decided":
        return settle(news.decided);
      case "renewed":
        store.queue!.client = news.client;
        return renewed();
      case "push":
        if (!leading) return;
        every(({ reader }) => reader.catchUp());
        return void pushAll();
      case "opened":
        if (!leading) return;
        every((one) => news.scopes.includes(one.name) || one.forget(news.tab));
        for (const of of news.scopes) scopeOf(of, { mine: false }).follow(news.tab);
        return report(false);
      case "behind": {
        const base = leading && scope?.core.record();
        if (base) post({ t: "move", scope: news.scope, base });
        return;
      }
      case "here":
        if (leading) scope?.presence.show(news.tab, news.state);
        return;
      case "leads":
        return every(({ presence }) => presence.again());
      case "state":
        if (leading) return;
        heardLeader = env.now();
        board.adopt(news.state);
        if (news.ask) announce();
        return;
      case "move":
        if (!leading) scope?.hear(news);
    }
  }

  /** Looks after what no news told: tabs that died, a leader that did, verdicts and mutations in the queue. */
  async function look(woke?: boolean): Promise<void> {
    timers.after("look", LOOK_MS, look);
    await opened;
    if (timers.closed) return;
    const now = env.now();
    every((scope) => {
      for (const [other, at] of scope.others) if (now - at > SILENT_MS) scope.forget(other);
      release(scope);
    });
    if (leads()) {
      report(true);
      if (woke) pushAll();
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
    const waits = pending();
    if (!waits.length) return;
    const there = await load();
    adopt(there);
    const ids = new Set(there.map(({ id }) => id));
    const gone = waits.filter(({ accepted, entry }) => accepted === null && entry.order < Infinity && !ids.has(entry.id));
    if (!gone.length) return;
    const kept = await store.queue!.verdicts(gone.map(({ entry }) => entry.id));
    const verdict: Verdict = { ok: false, code: "expired", error: "verdict no longer kept" };
    settle(gone.map(({ entry: { id } }) => kept.find((one) => one.id === id) ?? { id, verdict }));
  }

  function leave(of: string): void {
    const scope = scopes.get(of);
    if (!scope) return;
    scope.mine = false;
    scope.presence.gone(tab);
    release(scope);
    announce();
  }

  /** Lets go of a scope that nobody has open any more, once nothing of it waits. */
  function release(scope: Scope): void {
    if (scope.mine || scope.others.size || scope.core.size) return;
    scope.reader.down();
    link.say(scope.name, { type: "unsubscribe" });
    void keep(scope);
    scope.reader.close();
    scope.pusher.close();
    scopes.delete(scope.name);
  }

  return {
    ...{ tab, scopes, board, leads, client: around.client },
    storage: () => store.storage,
    open: scopeOf,
    leave,
    mutate: (entry) => {
      const { core } = scopes.get(entry.scope)!;
      if (core.size >= QUEUE_MUTATIONS) {
        throw new RefusedError("too_large", `${QUEUE_MUTATIONS} mutations are waiting already`);
      }
      core.mutate(entry, () => {
        ledger.of(entry.id).own = true;
        store.add(entry);
      });
      void save();
      const { saved, verdict } = ledger.of(entry.id);
      return { saved, verdict };
    },
    undo: async (id) => {
      await save();
      const undone = !!(await store.queue?.undo(id).catch(() => false));
      if (undone) around.spread({ t: "decided", decided: [{ id, verdict: { ok: false, code: "undone", error: "" } }] });
      return undone;
    },
    sync: async (of) => {
      await opened;
      if (timers.closed) return null;
      await save();
      const { core, pusher, reader } = scopes.get(of)!;
      const waits = core.pending.filter((item) => item.accepted === null);
      let refusal = await pusher.drain();
      if (!leads() && !refusal) {
        post({ t: "push" });
        refusal = await within(LEADER_MS, `the leading tab is silent about ${of}`, Promise.all(waits.map(({ entry }) => ledger.of(entry.id).verdict)));
      }
      const behind = await reader.catchUp();
      return refusal ?? behind;
    },
    queued: async () => {
      await save();
      return load();
    },
    close: async () => {
      if (timers.closed) return;
      await save();
      timers.close();
      unwake();
      await opened;
      every(({ reader, pusher }) => {
        reader.close();
        pusher.close();
      });
      post({ t: "opened", tab, scopes: [] });
      await tabs.leave();
      store.close();
    },
  };
}
