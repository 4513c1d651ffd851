/**
 * What the panel shows, list by list: scopes, who is here, what waits, how it ended, what travelled. Long lists are cut, and
 * say so; it reads only.
 */
import type { SyncClient } from "../client.ts";
import { age, clock, h, keyed, say, size, unfolds } from "./dom.ts";
import type { Recorder } from "./recorder.ts";

/** Rows of one list: what a person still reads. */
const ROWS = 100;

/** The words of the contract that only say that a line still stands. */
const BEATS = new Set(["ping", "pong"]);

type State = ReturnType<SyncClient<any, any>["inspect"]>;

/** See the file's head. */
export interface Sections {
  nodes: HTMLElement[];
  show(state: State, now: number): void;
}

const text = (value: unknown): string => JSON.stringify(value, null, 1) ?? "";
const span = (name: string, ...content: string[]): HTMLElement => h("span", { class: name }, ...content);
const bold = (of: string): HTMLElement => h("b", {}, of);
const marked = (is: string, of: string): HTMLElement => h("span", { "data-is": is }, of);

/** A list under a heading, and a sentence for when it is empty. */
function list(title: string, none: string, ...tools: Node[]) {
  const count = h("span");
  const rows = h("ul");
  const empty = h("p", { class: "none" }, none);
  return {
    rows,
    count: (is: number) => say(count, is > ROWS ? `${is}, ${ROWS} shown` : is ? String(is) : ""),
    nodes: [h("h3", {}, title, count, ...tools), rows, empty],
  };
}

export function makeSections(recorder: Recorder, draw: () => void): Sections {
  const beats = h("input", { type: "checkbox", onchange: draw });
  const scopes = list("Scopes", "No scope is open.");
  const here = list("Who is here", "Nobody is seen.");
  const pending = list("Waiting", "Nothing waits.");
  const verdicts = list("Verdicts", "None since this was first opened.");
  const frames = list("Frames", "None since this was first opened.", h("label", {}, beats, "pings"));
  const resyncs = new Map<string, () => unknown>();

  function makeScope({ scope }: State["scopes"][number]): HTMLElement {
    const again = h("button", { type: "button", "aria-label": `Resync ${scope}`, onclick: () => void resyncs.get(scope)?.() }, "Resync");
    return h("li", { class: "scope" }, h("p", {}, bold(scope), again), h("dl"));
  }

  function fillScope(node: HTMLElement, scope: State["scopes"][number]): void {
    resyncs.set(scope.scope, scope.resync);
    const { status, cursor, digest, epoch, pending, mine } = scope;
    const facts = { status: mine ? status : `${status}, open in another tab only`, cursor, digest: digest ?? "none", epoch: epoch ?? "none", waiting: pending.length };
    keyed(
      node.querySelector("dl")!,
      Object.entries(facts).flatMap(([name, value]) => [["dt", name, name] as const, ["dd", name, String(value)] as const]),
      ([tag, name]) => tag + name,
      ([tag]) => h(tag),
      (item, [tag, name, value]) => {
        say(item, value);
        if (tag === "dd" && name === "status") item.dataset["is"] = status;
      },
    );
  }

  function show(state: State, now: number): void {
    keyed(scopes.rows, state.scopes, ({ scope }) => scope, makeScope, fillScope);

    const peers = state.scopes.flatMap(({ scope, peers }) => peers.map((peer) => ({ scope, ...peer })));
    here.count(peers.length);
    keyed(
      here.rows,
      peers.slice(0, ROWS),
      (peer) => text(peer),
      ({ scope, user, self, id, state: shows }) => {
        const name = [bold(user || id), ...(self ? [span("dim", "this tab")] : []), span("end", scope)];
        return unfolds(name, text(shows));
      },
    );

    const waits = state.scopes.flatMap((scope) => scope.pending);
    pending.count(waits.length);
    keyed(
      pending.rows,
      waits.slice(0, ROWS),
      ({ id }) => id,
      ({ id, type, args, scope }) => unfolds([bold(type), span("place"), span("end")], `${id}\n${scope}\n${text(args)}`),
      (node, { state: is, seq, created }) => {
        const place = node.querySelector(".place") as HTMLElement;
        say(place, seq === null ? is : `${is}, seq ${seq}`);
        place.dataset["is"] = is === "accepted" ? is : "waits";
        say(node.querySelector(".end")!, age(now - created));
      },
    );

    verdicts.count(recorder.verdicts.length);
    keyed(
      verdicts.rows,
      recorder.verdicts.toReversed().slice(0, ROWS),
      ({ id, outcome }) => id + outcome,
      ({ id, type, scope, outcome, detail, at }) => {
        const is = outcome === "accepted" || outcome === "ended" ? outcome : "refused";
        const line = [bold(type || id), marked(is, outcome === "accepted" ? `${outcome} ${detail}` : outcome), span("end", clock(at).slice(0, 8))];
        if (is === "refused") line.push(span("why", detail));
        return unfolds(line, [id, scope, outcome, detail].filter(Boolean).join("\n"));
      },
    );

    const shown = recorder.frames.filter(({ what }) => beats.checked || !BEATS.has(what));
    frames.count(shown.length);
    keyed(
      frames.rows,
      shown.slice(-ROWS).reverse(),
      ({ n }) => String(n),
      ({ way, via, what, about, scope, bytes, at, text: said }) => {
        const arrow = way === "note" ? span("dim", "·") : h("span", { "aria-label": way, role: "img" }, way === "out" ? "↑" : "↓");
        const line = [span("mono", clock(at)), arrow, bold(what), span("dim", about), span("end", way === "note" ? "" : size(bytes))];
        return unfolds(line, [[via, scope].filter(Boolean).join(" "), said].filter(Boolean).join("\n"));
      },
    );
  }

  const column = (name: string, ...of: { nodes: HTMLElement[] }[]): HTMLElement =>
    h("section", { "aria-label": name }, ...of.flatMap(({ nodes }) => nodes));
  return { nodes: [column("Scopes", scopes, here), column("Mutations", pending, verdicts), column("Frames", frames)], show };
}
