/**
 * A server's rules in small: the decisions of push, pull and snapshot as the contract has them, in memory and at once.
 * It stands in for the network's far end; the real server is written in Rust and tested with real browsers elsewhere.
 */
import { Overlay } from "../../src/core/collections.ts";
import { run, type Mutator } from "../../src/core/tx.ts";
import type { Change, Json } from "../../src/core/words.ts";
import type { PushResult } from "../../src/link/wire.ts";

type Body = any;

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly retryAfter?: string,
  ) {
    super(`${code}, says the server`);
  }
}

interface Place {
  last: number;
  ids: Map<number, string>;
}

class Scope {
  log: Change[] = [];
  digests = ["0000000000000000"];
  state = new Overlay();
  floor = 0;
  places = new Map<string, Place>();
  verdicts = new Map<string, { text: string; result: PushResult }>();
}

/** Told after every commit. */
export type Commit = (scope: string, from: number) => void;

export class Server {
  epoch = "e1";
  scopes = new Map<string, Scope>();
  commits = new Set<Commit>();
  /** Asked before each route and mutation: throws `Refused`, or returns a code that is a retry. */
  gate: (route: string, body: Body) => void = () => undefined;
  busy: (mutation: Body) => boolean = () => false;
  /** Every push as it came. */
  pushes: Body[] = [];
  #saved = "";

  constructor(readonly mutators: Record<string, Mutator>) {}

  scope(name: string): Scope {
    let scope = this.scopes.get(name);
    if (!scope) this.scopes.set(name, (scope = new Scope()));
    return scope;
  }

  push(body: Body): Body {
    this.pushes.push(structuredClone(body));
    this.gate("push", body);
    if (body.mutations.length > 100 || JSON.stringify(body).length > 1024 * 1024) throw new Refused(413, "too_large");
    if (body.mutations.some((m: Body) => m.args?.poison)) throw new Refused(400, "invalid_mutation");
    if (body.epoch && body.epoch !== this.epoch) throw new Refused(410, "epoch_changed");
    const results = body.mutations.map((m: Body) => this.#decide(body.client, m));
    return { epoch: this.epoch, results };
  }

  pull(body: Body): Body {
    this.gate("pull", body);
    const scope = this.scope(body.scope);
    this.#follows(scope, body);
    if (body.cursor < scope.floor) throw new Refused(410, "cursor_too_old");
    let end = Math.min(scope.log.length, body.cursor + body.limit);
    // A page never ends inside a mutation.
    while (end < scope.log.length && scope.log[end]!.mutation === scope.log[end - 1]?.mutation) end++;
    return structuredClone({
      changes: scope.log.slice(body.cursor, end),
      has_more: end < scope.log.length,
      next_cursor: end,
      digest: scope.digests[end],
      epoch: this.epoch,
      last_seq: scope.places.get(body.client)?.last,
    });
  }

  snapshot(body: Body): Body {
    this.gate("snapshot", body);
    const scope = this.scope(body.scope);
    const data: Record<string, Json> = {};
    for (const name of scope.state.layer.keys()) data[name] = Object.fromEntries(scope.state.layer.get(name)!) as Json;
    return structuredClone({
      data,
      cursor: scope.log.length,
      digest: scope.digests.at(-1),
      epoch: this.epoch,
      last_seq: scope.places.get(body.client)?.last,
    });
  }

  /** Whether a reader's place is one of this history. */
  #follows(scope: Scope, { cursor, epoch, digest }: Body): void {
    const foreign = (epoch && epoch !== this.epoch) || cursor > scope.log.length;
    if (foreign || (digest && cursor >= scope.floor && digest !== scope.digests[cursor])) {
      throw new Refused(410, "epoch_changed");
    }
  }

  /** What a subscription begins with: nothing, or the refusal that resets it. */
  subscribe(body: Body): { from: number; snapshot?: Body } {
    this.gate("subscribe", body);
    const scope = this.scope(body.scope);
    if (body.cursor === undefined) {
      const snapshot = this.snapshot(body);
      if (JSON.stringify(snapshot).length > 256 * 1024) throw new Refused(410, "use_http");
      return { from: snapshot.cursor, snapshot };
    }
    this.#follows(scope, body);
    if (body.cursor < scope.floor) throw new Refused(410, "cursor_too_old");
    return { from: body.cursor };
  }

  #decide(client: string | undefined, m: Body): PushResult {
    const scope = this.scope(m.scope);
    const text = JSON.stringify([m.type, m.args]);
    const no = (code: string, retry: boolean): PushResult => ({ id: m.id, ok: false, code, error: code, retry });
    const known = scope.verdicts.get(m.id);
    if (known) {
      const { last, ids } = scope.places.get(client!) ?? { last: 0, ids: new Map() };
      // Under another number it leaves no hole there.
      if (client && m.seq === last + 1) scope.places.set(client, { last: m.seq, ids });
      if (known.text !== text) return no("invalid_mutation", false);
      return { ...known.result, ...(known.result.ok && { duplicate: true }) };
    }
    let place: Place | undefined;
    if (client && m.seq) {
      place = scope.places.get(client);
      if (!place && m.seq !== 1) return no("client_unknown", false);
      place ??= { last: 0, ids: new Map() };
      if (m.seq <= place.last) return place.ids.has(m.seq) ? no("seq_conflict", false) : no("expired", false);
      if (m.seq > place.last + 1) return no("out_of_order", true);
    }
    if (this.busy(m)) return no("unavailable", true);
    const result = this.#execute(scope, m);
    if (place) {
      place.last = m.seq;
      place.ids.set(m.seq, m.id);
      scope.places.set(client!, place);
    }
    scope.verdicts.set(m.id, { text, result });
    return result;
  }

  #execute(scope: Scope, m: Body): PushResult {
    const from = scope.log.length;
    try {
      if (!this.mutators[m.type]) throw Object.assign(new Error("unknown type"), { code: "invalid_mutation" });
      const written = run(this.mutators[m.type], scope.state, m.id, m.args);
      for (const [collection, values] of written) {
        for (const [id, value] of values) {
          const data = value === undefined ? { op: "del", collection, id } : { op: "put", collection, id, value };
          this.#append(m.scope, m.id, structuredClone(data) as Json);
        }
      }
      scope.state.absorb(written);
    } catch (error) {
      const { code = "rejected", reason, message } = error as Error & { code?: string; reason?: string };
      return { id: m.id, ok: false, code, error: message, retry: false, ...(reason && { reason }) };
    }
    if (scope.log.length > from) for (const told of [...this.commits]) told(m.scope, from);
    return { id: m.id, ok: true, cursor: scope.log.length };
  }

  /** Appends a change of any kind. */
  #append(name: string, mutation: string, data: Json): void {
    const scope = this.scope(name);
    const cursor = scope.log.length + 1;
    scope.log.push({ cursor, scope: name, time: "2026-11-22T10:00:00.000Z", mutation, data });
    scope.digests.push(digest(scope.digests.at(-1)!, JSON.stringify([cursor, mutation, data])));
  }

  /** A change of the application's own, as one mutation. */
  emit(scope: string, mutation: string, data: Json): void {
    const from = this.scope(scope).log.length;
    this.#append(scope, mutation, data);
    for (const told of [...this.commits]) told(scope, from);
  }

  /** Forgets the log up to the head of a scope. */
  trim(scope: string): void {
    this.scope(scope).floor = this.scope(scope).log.length;
  }

  /** Remembers everything, as a backup does. */
  backup(): void {
    this.#saved = JSON.stringify([...this.scopes], (_, value) =>
      value instanceof Map ? { $map: [...value] } : value instanceof Overlay ? { $layer: [...value.layer] } : value,
    );
  }

  /** Goes back to the backup under another epoch, as a restore does; or silently, as a file copied back does. */
  restore(epoch = this.epoch): void {
    const entries = JSON.parse(this.#saved, (_, value) => {
      if (value?.$map) return new Map(value.$map);
      if (!value?.$layer) return value;
      const state = new Overlay();
      state.absorb(new Map(value.$layer));
      return state;
    }) as [string, Scope][];
    this.scopes = new Map(entries);
    this.epoch = epoch;
  }
}

function digest(before: string, text: string): string {
  let hash = BigInt(`0x${before}`) ^ 0xcbf29ce484222325n;
  for (const unit of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(unit)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}
