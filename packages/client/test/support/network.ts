/**
 * The way between clients and the server: it delays, loses and breaks, as told. Frames of one connection stay in
 * order, as TCP keeps them; everything else may overtake.
 */
import type { SocketLike } from "../../src/env.ts";
import type { Clock } from "./clock.ts";
import { Refused, type Server } from "./server.ts";

export interface Faults {
  /** Share of requests that never reach the server. */
  lose: number;
  /** Share of answers that never come back. */
  loseAnswer: number;
  /** Milliseconds a way takes at most. */
  delay: number;
  /** Nothing gets through. */
  down: boolean;
  /** WebSockets can't be opened. */
  noSockets: boolean;
  /** The server holds an empty pull back for as long as it was asked to. */
  waits?: boolean;
}

export const CALM: Faults = { lose: 0, loseAnswer: 0, delay: 2, down: false, noSockets: false };

export class Network {
  faults: Faults = { ...CALM };
  connections = new Set<Connection>();
  /** The version of the contract that is spoken. */
  protocol = 1;
  /** Pulls that wait at the server now. */
  held = 0;
  /** Who is present: by scope, by connection, by `as`. */
  present = new Map<string, Map<Connection, Map<string, unknown>>>();
  /** Requests over HTTP, by route. */
  requests: string[] = [];

  constructor(
    readonly clock: Clock,
    readonly server: Server,
    readonly random: () => number,
  ) {}

  chance(share: number): boolean {
    return this.faults.down || (share > 0 && this.random() < share);
  }

  way(): Promise<void> {
    const ms = this.faults.delay * (0.5 + this.random() / 2);
    return new Promise((resolve) => this.clock.setTimeout(resolve, ms));
  }

  fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const aborted = new Promise<never>((_, reject) =>
      init.signal?.addEventListener("abort", () => reject(new Error("aborted"))),
    );
    aborted.catch(() => undefined);
    return Promise.race([this.#request(url, init), aborted]);
  };

  async #request(url: string, init: RequestInit): Promise<Response> {
    const route = new URL(url).pathname.replace("/_sync/", "") as "push" | "pull" | "snapshot";
    this.requests.push(route);
    await this.way();
    if (this.chance(this.faults.lose)) throw new TypeError("failed to fetch");
    const body = JSON.parse(String(init.body));
    if (route === "pull" && body.wait && this.faults.waits) await this.#hold(body);
    const answer = this.answer(route, body, new Headers(init.headers).get("authorization"));
    await this.way();
    if (this.chance(this.faults.loseAnswer)) throw new TypeError("failed to fetch");
    return answer;
  }

  /** Until something commits in the scope, or the time is up. */
  async #hold({ scope, cursor, wait }: { scope: string; cursor: number; wait: number }): Promise<void> {
    this.held++;
    if (this.server.scope(scope).log.length <= cursor) {
      await new Promise<void>((resolve) => {
        const told = (of: string): void => {
          if (of === scope) resolve();
        };
        this.server.commits.add(told);
        this.clock.setTimeout(resolve, wait * 1000);
      });
    }
    this.held--;
  }

  answer(route: "push" | "pull" | "snapshot", body: object, who: string | null): Response {
    try {
      return Response.json(this.server[route]({ ...body, who }));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const headers: HeadersInit = error.retryAfter ? { "retry-after": error.retryAfter } : {};
      return Response.json(
        { code: error.code, error: error.message, request: "r1" },
        { status: error.status, headers },
      );
    }
  }

  tellPresence(scope: string): void {
    const all = [...this.present.get(scope)!];
    const id = (at: number, as: string): string => `p${at}-${as}`;
    const peers = all.flatMap(([, mine], at) => [...mine].map(([as, state]) => ({ id: id(at, as), state })));
    all.forEach(([connection, mine], at) => {
      const you = Object.fromEntries([...mine.keys()].map((as) => [as, id(at, as)]));
      connection.emit(`sync:${scope}`, { type: "presence", peers, you });
    });
  }

  socket = (): SocketLike => new Connection(this);

  /** Breaks every connection; with `silent` nobody is told. */
  cut(silent = false): void {
    for (const connection of [...this.connections]) connection.cut(silent);
  }
}

/** One WebSocket with its far end. */
export class Connection implements SocketLike {
  onmessage: SocketLike["onmessage"] = null;
  onclose: SocketLike["onclose"] = null;
  onerror: SocketLike["onerror"] = null;
  /** Cursors of what is subscribed to. */
  subscriptions = new Map<string, number>();
  /** Frames from the client, as they came. */
  heard: { topic: string; data: Record<string, unknown> }[] = [];
  #silent = false;
  #closed = false;
  #up: Promise<void>;
  #down: Promise<void>;
  #tell = (scope: string): void => this.follow(scope);

  constructor(readonly network: Network) {
    network.connections.add(this);
    this.#up = this.#down = network.way();
    if (network.faults.noSockets || network.chance(network.faults.lose)) {
      // As some runtimes do: an error, and no close.
      void this.#up.then(() => {
        this.close();
        this.onerror?.({} as Event);
      });
      return;
    }
    network.server.commits.add(this.#tell);
    this.emit("sys", { type: "hello", protocol: network.protocol, session: "s1", ping: 25 });
  }

  /** Server to client. */
  emit(topic: string, data: object): void {
    const text = JSON.stringify({ topic, data });
    this.#down = Promise.all([this.#down, this.network.way()]).then(() => {
      if (!this.#closed && !this.#silent) this.onmessage?.({ data: text } as MessageEvent);
    });
  }

  /** Client to server. */
  send(text: string): void {
    this.#up = Promise.all([this.#up, this.network.way()]).then(() => {
      if (this.#closed || this.#silent) return;
      if (this.network.chance(this.network.faults.lose)) return this.cut();
      this.#serve(JSON.parse(text));
      if (this.network.chance(this.network.faults.loseAnswer)) this.cut();
    });
  }

  close(): void {
    this.#closed = true;
    for (const [scope, all] of this.network.present) if (all.delete(this)) this.network.tellPresence(scope);
    this.network.connections.delete(this);
    this.network.server.commits.delete(this.#tell);
  }

  cut(silent = false, code = 1006): void {
    this.#silent = silent;
    this.network.server.commits.delete(this.#tell);
    if (silent || this.#closed) return;
    this.close();
    this.onclose?.({ code } as CloseEvent);
  }

  #serve({ topic, data }: { topic: string; data: Record<string, unknown> }): void {
    this.heard.push({ topic, data });
    const { server } = this.network;
    const { type, ref } = data;
    if (topic === "sys") {
      if (type === "ping") this.emit("sys", { type: "pong" });
      return;
    }
    const scope = topic.replace("sync:", "");
    try {
      if (type === "push") this.emit(topic, { type: "results", ref, ...server.push(data) });
      if (type === "subscribe") this.#subscribe(scope, data);
      if (type === "unsubscribe") this.subscriptions.delete(scope);
      if (type === "presence") this.#presence(scope, data);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const reset = type === "subscribe" && ["cursor_too_old", "epoch_changed", "use_http"].includes(error.code);
      this.emit(
        topic,
        reset ? { type: "reset", code: error.code } : { type: "error", ref, code: error.code, error: error.message },
      );
    }
  }

  /** The smallest presence there is: the whole list to everybody at every change. */
  #presence(scope: string, { as = "", state }: { as?: unknown; state?: unknown }): void {
    const all = this.network.present.get(scope) ?? new Map<Connection, Map<string, unknown>>();
    this.network.present.set(scope, all);
    const mine = all.get(this) ?? new Map<string, unknown>();
    all.set(this, mine);
    if (state === null) mine.delete(String(as));
    else if (state !== undefined) mine.set(String(as), state);
    this.network.tellPresence(scope);
  }

  #subscribe(scope: string, data: Record<string, unknown>): void {
    const { server } = this.network;
    const { from, snapshot } = server.subscribe({ ...data, scope });
    const last_seq = server.scope(scope).places.get(data["client"] as string)?.last;
    if (snapshot) this.emit(`sync:${scope}`, { type: "snapshot", ...snapshot });
    const cursor = server.scope(scope).log.length;
    this.emit(`sync:${scope}`, { type: "ack", ref: data["ref"], cursor, epoch: server.epoch, last_seq });
    this.subscriptions.set(scope, from);
    this.follow(scope);
  }

  /** Sends what a subscription has not seen yet. */
  follow(name: string): void {
    const from = this.subscriptions.get(name);
    const scope = this.network.server.scope(name);
    if (from === undefined || scope.log.length <= from) return;
    const cursor = scope.log.length;
    this.subscriptions.set(name, cursor);
    const changes = structuredClone(scope.log.slice(from, cursor));
    this.emit(`sync:${name}`, { type: "changes", from, cursor, digest: scope.digests[cursor], changes });
  }
}
