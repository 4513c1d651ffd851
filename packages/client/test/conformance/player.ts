/**
 * Does a conformance trace's steps to a real `ScopeCore` and reads off what is seen. It only translates: every rule that
 * a trace is about stands in the core.
 */
import { deepStrictEqual } from "node:assert";
import type { ScopeCore } from "../../src/core/contract.ts";
import { makeScopeCore } from "../../src/core/scope.ts";
import type { Change, Entry, Json, Snapshot } from "../../src/core/words.ts";
import { mutators } from "./mutators.ts";

/** Collections that a state shows. */
const COLLECTIONS = ["counter", "note", "order", "todo"];

type Form = Record<string, any>;

/** One line of a trace file. */
interface Line {
  trace?: string;
  verb?: string;
  input?: Form;
  result?: string;
  told?: number[];
  then?: Form;
}

const entryOf = ({ accepted: _, order, ...entry }: Form): Entry =>
  ({ ...entry, scope: "s", order: order ?? Infinity }) as Entry;

const numbered = (given: [string, number][]) => given.map(([id, seq]) => ({ id, seq }));

export class Player {
  core!: ScopeCore;
  told: number[] = [];
  notices = 0;

  constructor() {
    this.open();
  }

  open(): void {
    this.core = makeScopeCore(mutators, {
      changed: () => this.notices++,
      unknown: (change: Change) => this.told.push(change.cursor),
    });
  }

  /** Does one step and gives back its result, in the format's words. */
  act(verb: string, input: Form): string | undefined {
    const { core } = this;
    switch (verb) {
      case "open":
        return void this.open();
      case "restore": {
        const { base, entries, epoch } = input;
        core.restore(base ?? undefined, (entries as Form[]).map(entryOf), epoch);
        return this.#decideKnown(entries);
      }
      case "mutate":
        try {
          core.mutate(entryOf(input));
        } catch {
          return "refused";
        }
        return "pending";
      case "adopt":
        core.adopt((input.entries as Form[]).map(entryOf));
        return this.#decideKnown(input.entries);
      case "place":
        return void core.place((input.placed as [string, number][]).map(([id, order]) => ({ id, order })));
      case "number":
        return core.number(numbered(input.given), { epoch: input.epoch, lastSeq: input.watermark }) ? "behind" : "fine";
      case "decide":
        return void core.decide(
          (input.decided as Form[]).map(({ id, ok, cursor, epoch }) => ({
            id,
            verdict: ok ? { ok, cursor, epoch } : { ok: false, code: "rejected", error: "no" },
          })),
        );
      case "undo":
        return void core.undo(input.id);
      case "apply": {
        const { from, cursor, digest, epoch, changes, last_seq, last_word } = input;
        const page = { from, cursor, digest, epoch: epoch ?? undefined, changes, lastSeq: last_seq, lastWord: last_word };
        const applied = core.apply(page);
        return applied === "duplicate" ? "applied" : applied;
      }
      case "watermark":
        return void core.watermark(input.at, input.last_seq);
      case "reset": {
        const snapshot = { ...input.snapshot, last_seq: input.last_seq } as Snapshot;
        return core.reset(snapshot, input.last_seq === null) ? "taken" : "old";
      }
      case "invalidate":
        return void core.invalidate(input.other_history);
      case "drop":
        return void core.drop();
      case "renew":
        return void core.renew();
    }
    throw new Error(`no verb is called ${verb}`);
  }

  /** Verdicts that were kept with the queue: this core is told them, where the other one reads them. */
  #decideKnown(entries: Form[]): undefined {
    const known = entries.filter(({ accepted }) => accepted);
    if (known.length) this.core.decide(known.map(({ id, accepted }) => ({ id, verdict: { ok: true, ...accepted } })));
    return undefined;
  }

  /** All that is compared, by name. */
  state(): Form {
    const { core } = this;
    const view: Record<string, readonly Json[]> = {};
    for (const name of COLLECTIONS) {
      const values = core.all(name);
      if (values.length) view[name] = values;
      for (const value of values as { id: string }[]) deepStrictEqual(core.get(name, value.id), value);
    }
    const pending = core.pending.map(({ entry, accepted, gone, doubt }) => [
      entry.id,
      entry.seq,
      gone ? "held" : doubt ? "doubted" : "shown",
      accepted === null ? "open" : "accepted",
    ]);
    return { view, pending, cursor: core.cursor, epoch: core.epoch, valid: core.valid };
  }
}

/** Replays what a file holds; throws where it does not agree. */
export function replay(text: string): { traces: number; steps: number } {
  let [traces, steps, name] = [0, 0, ""];
  let player = new Player();
  let [expected, before]: [Form, Form] = [{}, player.state()];
  text.split("\n").forEach((row, at) => {
    if (!row) return;
    const line = JSON.parse(row) as Line;
    if (line.trace !== undefined) {
      name = line.trace;
      player = new Player();
      [expected, before] = [{}, player.state()];
      traces++;
      return;
    }
    player.told = [];
    player.notices = 0;
    const result = player.act(line.verb!, line.input!);
    expected = { ...expected, ...line.then };
    const state = player.state();
    try {
      deepStrictEqual({ result, told: player.told, ...state }, { result: line.result, told: line.told ?? [], ...expected });
      // Verdicts that come with entries are a second step for this core.
      const most = line.verb === "restore" || line.verb === "adopt" ? 2 : 1;
      if (player.notices > most) throw new Error(`${player.notices} notifications`);
      if (line.verb !== "open" && player.notices === 0) deepStrictEqual(state.view, before.view);
    } catch (error) {
      throw new Error(`${name}, line ${at + 1}, ${line.verb}: ${(error as Error).message}\n${row.slice(0, 2_000)}`);
    }
    before = state;
    steps++;
  });
  return { traces, steps };
}
