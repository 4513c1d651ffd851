/**
 * The panel: a sheet that leaves the page usable, at the end of its order of focus. It redraws what is different, at most
 * once per frame of the browser, and moves neither the focus nor what is being read.
 */
import type { SyncClient } from "../client.ts";
import { age, h, say } from "./dom.ts";
import type { Recorder } from "./recorder.ts";
import { makeSections } from "./sections.ts";
import { STYLE } from "./style.ts";

/** Milliseconds between redraws when nothing happens: ages grow. */
const TICK_MS = 1_000;

/** What a client tells when something of it is different. */
const EVENTS = ["change", "status", "rejected", "saved", "storage", "client"];

type Shown = Pick<SyncClient<any, any>, "inspect" | "sync" | keyof EventTarget>;

/** See the file's head. */
export interface Panel {
  close(): void;
}

export function makePanel(client: Shown, recorder: Recorder, onClose: () => void): Panel {
  const status = h("span", { class: "status", role: "status" });
  const facts = h("p", { class: "facts" });
  const offline = h("button", { type: "button" }, "Force offline");
  const syncNow = h("button", { type: "button" }, "Sync now");
  const close = h("button", { type: "button", "aria-label": "Close the inspector" }, "Close");
  const sections = makeSections(recorder, draw);
  const panel = h(
    "section",
    { class: "panel", role: "dialog", "aria-labelledby": "title", tabIndex: -1 },
    h("div", { class: "head" }, h("h2", { id: "title" }, "Sync inspector"), status, facts, h("div", { class: "tools" }, offline, syncNow, close)),
    h("div", { class: "body" }, ...sections.nodes),
  );
  const host = h("riverrun-inspector" as "div");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  root.append(panel);

  offline.onclick = () => {
    recorder.force(!recorder.offline);
    draw();
  };
  syncNow.onclick = () => void client.sync().catch(() => undefined);
  close.onclick = onClose;
  host.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    onClose();
  });

  let drawing = 0;
  function draw(): void {
    drawing ||= requestAnimationFrame(() => {
      drawing = 0;
      show();
    });
  }

  function show(): void {
    const state = client.inspect();
    const now = state.env.now();
    recorder.look(state.scopes.flatMap(({ pending }) => pending));
    say(status, state.status);
    status.dataset["is"] = state.status;
    offline.setAttribute("aria-pressed", String(recorder.offline));
    // Another tab's line can't be cut from here.
    offline.disabled = !state.leads && !recorder.offline;
    const synced = state.lastSynced === null ? "never synced" : `synced ${age(now - state.lastSynced)} ago`;
    const role = state.leads ? "this tab holds the link" : "another tab holds the link: its frames are seen there";
    say(facts, [synced, role, `queue in ${state.storage}`, `client ${state.client || "not known yet"}`].join(" · "));
    sections.show(state, now);
  }

  for (const name of EVENTS) client.addEventListener(name, draw);
  const unsubscribe = recorder.subscribe(draw);
  const tick = setInterval(draw, TICK_MS);
  document.body.append(host);
  show();
  panel.focus();

  return {
    close: () => {
      for (const name of EVENTS) client.removeEventListener(name, draw);
      unsubscribe();
      clearInterval(tick);
      cancelAnimationFrame(drawing);
      host.remove();
    },
  };
}
