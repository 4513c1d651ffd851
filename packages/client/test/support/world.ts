/**
 * A clock, a server, a network and a browser profile, and clients that live in them. A client can be closed, and it
 * can be killed: then it does nothing more, as a tab that crashed.
 */
import { IDBFactory } from "fake-indexeddb";
import { SyncClient, type SyncClientOptions } from "../../src/client.ts";
import type { Mutator } from "../../src/core/tx.ts";
import type { ChannelLike, Env } from "../../src/env.ts";
import { Clock, seeded } from "./clock.ts";
import { Network } from "./network.ts";
import { Server } from "./server.ts";

/** Appends a mark to a list: an effect that shows when it is missing, and when it is there twice. */
const append: Mutator = (tx, { list, mark }) => {
  const row = tx.get("list", list) ?? { id: list, marks: [] };
  tx.put("list", list, { ...row, marks: [...row.marks, mark] });
};

const common: Record<string, Mutator> = {
  append,
  "todo.create": (tx, { id, title }) => tx.insert("todo", id, { id, title, completed: false }),
  "todo.toggle": (tx, { id }) => tx.update("todo", id, (todo) => void (todo.completed = !todo.completed)),
  "todo.delete": (tx, { id }) => void tx.delete("todo", id),
  /** Several changes at once. */
  pair: (tx, { id }) => {
    tx.put("half", `${id}-a`, { id });
    tx.put("half", `${id}-b`, { id });
  },
  nothing: () => undefined,
};

/** What clients run. */
export const clientMutators: Record<string, Mutator> = { ...common };

/** What the server runs: the same, and it may say no. */
export const serverMutators: Record<string, Mutator> = {
  ...common,
  append: (tx, args) => {
    if (args.refuse) throw Object.assign(new Error("not this one"), { reason: "refused" });
    append(tx, args);
  },
};

/** A browser profile: storage, locks and channels that its tabs share. */
export class Profile {
  indexedDB: IDBFactory | undefined = new IDBFactory();
  #channels = new Set<Channel>();
  #locks = new Map<string, { owner: object; grant: () => void; rob: () => void }[]>();

  channel(name: string, owner: Tab): ChannelLike {
    const channel = new Channel(name, owner, this.#channels);
    this.#channels.add(channel);
    return channel;
  }

  /** Web Locks: exclusive, first come first served, freed when the work ends or its tab dies. */
  locks(owner: Tab): Env["locks"] {
    const request = (name: string, options: LockOptions, work: (lock: Lock) => Promise<unknown>): Promise<unknown> =>
      new Promise((resolve, reject) => {
        let granted = false;
        const line = this.#locks.get(name) ?? [];
        this.#locks.set(name, line);
        const leave = (): void => {
          const first = line.indexOf(entry) === 0;
          if (first && granted) owner.leads = false;
          if (line.includes(entry)) line.splice(line.indexOf(entry), 1);
          if (first) line[0]?.grant();
        };
        if (options.steal) {
          for (const thief of line.splice(0)) thief.rob();
        }
        const entry = {
          rob: () => {
            if (granted) owner.leads = false;
            reject(new DOMException("stolen", "AbortError"));
          },
          owner,
          grant: () =>
            setImmediate(() => {
              if (line[0] !== entry || granted) return;
              granted = true;
              owner.leads = true;
              if (!owner.alive) return leave();
              void Promise.resolve(work({ name, mode: "exclusive" }))
                .then(resolve, reject)
                .finally(leave);
            }),
        };
        owner.onDeath.add(leave);
        options.signal?.addEventListener("abort", () => {
          if (granted) return;
          leave();
          reject(new DOMException("aborted", "AbortError"));
        });
        if (line.push(entry) === 1) entry.grant();
      });
    return { request } as unknown as Env["locks"];
  }

  drop(channel: Channel): void {
    this.#channels.delete(channel);
  }
}

class Channel implements ChannelLike {
  onmessage: ChannelLike["onmessage"] = null;
  constructor(
    readonly name: string,
    readonly tab: Tab,
    readonly all: Set<Channel>,
  ) {}
  postMessage(data: unknown): void {
    if (!this.tab.alive) return;
    for (const other of this.all) {
      if (other === this || other.name !== this.name) continue;
      const copy = structuredClone(data);
      setImmediate(() => other.tab.alive && !other.tab.frozen && other.onmessage?.({ data: copy } as MessageEvent));
    }
  }
  close(): void {
    this.all.delete(this);
  }
}

/** One page with one client. */
export class Tab {
  alive = true;
  hidden = false;
  /** The browser lets nothing of it run, though it lives: what it was to do comes later. */
  frozen = false;
  /** It holds the lock. */
  leads = false;
  onDeath = new Set<() => void>();
  reported: unknown[] = [];
  wakes = new Set<() => void>();
  client!: SyncClient;

  /** The page is gone, without a word. */
  kill(): void {
    this.alive = false;
    for (const dies of this.onDeath) dies();
  }

  wake(): void {
    for (const wake of this.wakes) wake();
  }
}

export class World {
  readonly clock = new Clock();
  readonly server = new Server(serverMutators);
  readonly random: () => number;
  readonly network: Network;
  readonly tabs = new Set<Tab>();

  constructor(seed = 1) {
    this.random = seeded(seed);
    this.network = new Network(this.clock, this.server, this.random);
  }

  /** Opens a page. */
  tab(profile: Profile, options: SyncClientOptions = {}): Tab {
    const tab = new Tab();
    const { clock, network } = this;
    const never = new Promise<never>(() => undefined);
    const env: Env = {
      fetch: async (url, init) => {
        const response = await network.fetch(url, init);
        return tab.alive ? response : never;
      },
      socket: () => {
        const socket = network.socket();
        tab.onDeath.add(() => socket.close());
        return socket;
      },
      indexedDB: profile.indexedDB,
      channel: (name) => profile.channel(name, tab),
      locks: profile.locks(tab),
      random: this.random,
      now: () => clock.now,
      setTimeout: (run, ms) => clock.setTimeout(() => tab.alive && !tab.frozen && run(), ms),
      clearTimeout: clock.clearTimeout,
      hidden: () => tab.hidden,
      onWake: (wake) => {
        tab.wakes.add(wake);
        return () => tab.wakes.delete(wake);
      },
      persist: () => undefined,
      report: (error) => void tab.reported.push(error),
    };
    tab.client = new SyncClient({
      url: "https://app.test",
      mutators: clientMutators,
      ...options,
      env: { ...env, ...options.env },
    });
    this.tabs.add(tab);
    return tab;
  }

  /** A client alone in a profile of its own. */
  client(options: SyncClientOptions = {}): SyncClient {
    return this.tab(new Profile(), options).client;
  }

  run(ms: number): Promise<void> {
    return this.clock.run(ms);
  }

  /** A list's marks on the server. */
  marks(list = "l", scope = "_default"): string[] {
    return (this.server.scope(scope).state.get("list", list) as { marks: string[] } | undefined)?.marks ?? [];
  }
}

/** A list's marks as a client shows them. */
export const shownMarks = (client: SyncClient, list = "l"): string[] => client.get("list", list)?.marks ?? [];

/** Every view a client shows, one per notification. */
export function views<T>(client: SyncClient, look: () => T): T[] {
  const seen: T[] = [];
  client.subscribe(() => seen.push(structuredClone(look())));
  return seen;
}

/** What a promise holds by now, or `undefined`. */
export async function peek<T>(promise: Promise<T>): Promise<T | undefined> {
  return Promise.race([promise, new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)))]);
}
