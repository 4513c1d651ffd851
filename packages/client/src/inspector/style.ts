/**
 * How the inspector looks: a sheet at the page's foot, light or dark as the system is, one column on a phone. It is a
 * constructed sheet in a shadow root, so a strict policy for styles holds, and nothing of the page's reaches it.
 */
export const STYLE = `
:host {
  all: initial; display: block; color-scheme: light dark;
  --back: light-dark(#fbfbf9, #14191b); --sunk: light-dark(#f0f0ec, #1c2326); --line: light-dark(#c9c9c2, #39444a);
  --text: light-dark(#1b1f21, #e8ecec); --dim: light-dark(#565d60, #a3afb2); --go: light-dark(#0b6b55, #5fd3b4);
  --stop: light-dark(#a32313, #ff9d8a); --wait: light-dark(#7a4d00, #f0c274); --link: light-dark(#0a5ca8, #86c5ff);
}
* { box-sizing: border-box; }
/* The page can be scrolled out from under it. */
:host, .panel { block-size: min(48vh, 30rem); }
.panel {
  position: fixed; inset: auto 0 0; z-index: 2147483647; display: flex; flex-direction: column; outline: 0;
  background: var(--back); color: var(--text); border-block-start: 2px solid var(--go);
  box-shadow: 0 -.5rem 2rem rgb(0 0 0 / .18);
  font: 13px/1.45 ui-sans-serif, system-ui, sans-serif; accent-color: var(--go);
}
.head { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .75rem; padding: .45rem .75rem; border-block-end: 1px solid var(--line); }
h2, h3, p, ul, dl, dd, pre { margin: 0; padding: 0; }
h2 { font-size: 14px; }
h3 { font-size: 12px; letter-spacing: .02em; color: var(--dim); padding-block: .6rem .25rem; display: flex; gap: .5rem; align-items: center; }
h3 label { margin-inline-start: auto; font-weight: 400; display: inline-flex; gap: .3rem; align-items: center; cursor: pointer; }
.status { font-weight: 600; }
.status::before { content: "●"; margin-inline-end: .3rem; }
[data-is=live], [data-is=accepted] { color: var(--go); }
[data-is=offline], [data-is=unauthorized], [data-is=incompatible], [data-is=refused] { color: var(--stop); }
[data-is=polling], [data-is=waits], [data-is=ended] { color: var(--wait); }
.facts { color: var(--dim); flex: 1 1 12rem; min-inline-size: 0; overflow-wrap: anywhere; }
.tools { display: flex; gap: .4rem; }
button {
  font: inherit; color: inherit; background: var(--sunk); border: 1px solid var(--line); border-radius: 5px;
  padding: .25rem .65rem; cursor: pointer; min-block-size: 28px;
}
button:hover { border-color: var(--text); }
button[aria-pressed=true] { background: var(--stop); border-color: var(--stop); color: var(--back); font-weight: 600; }
button:disabled { opacity: .6; cursor: default; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
.body { flex: 1; min-block-size: 0; display: grid; grid-template-columns: 1fr 1fr 1.3fr; }
.body > section { overflow: auto; overscroll-behavior: contain; padding: 0 .75rem .75rem; min-inline-size: 0; }
.body > section + section { border-inline-start: 1px solid var(--line); }
ul { list-style: none; }
li + li { border-block-start: 1px solid var(--sunk); }
.none { color: var(--dim); }
ul:not(:empty) + .none, ul:empty { display: none; }
.scope { padding-block: .4rem; }
.scope p { display: flex; justify-content: space-between; align-items: center; gap: .5rem; }
.scope b { overflow-wrap: anywhere; }
.scope dl { display: grid; grid-template-columns: auto 1fr; gap: 0 .75rem; }
dt { color: var(--dim); }
dd, code, pre, .mono { font: 12px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
summary { cursor: pointer; display: flex; flex-wrap: wrap; gap: 0 .6rem; padding-block: .2rem; min-block-size: 24px; list-style: none; }
summary::before { content: "▸"; color: var(--dim); inline-size: .6em; }
[open] > summary::before { content: "▾"; }
summary:hover { background: var(--sunk); }
summary b { font-weight: 600; overflow-wrap: anywhere; }
summary .end { margin-inline-start: auto; color: var(--dim); white-space: nowrap; }
summary .dim, summary .why { color: var(--dim); }
summary .why { flex-basis: 100%; padding-inline-start: 1.2em; }
pre { white-space: pre-wrap; background: var(--sunk); border-radius: 4px; padding: .4rem .5rem; margin-block-end: .3rem; max-block-size: 16rem; overflow: auto; }
@media (max-width: 47.99rem) {
  :host, .panel { block-size: min(72dvh, 40rem); }
  .body { display: block; overflow: auto; overscroll-behavior: contain; }
  .body > section { overflow: visible; padding-block-end: .25rem; }
  .body > section + section { border: 0; }
  .tools { inline-size: 100%; }
  .tools button { flex: 1; }
  button, summary, h3 label { min-block-size: 44px; align-items: center; }
}
@media (prefers-reduced-motion: no-preference) {
  .panel { animation: rise .16s ease-out; }
  @keyframes rise { from { transform: translateY(1.5rem); opacity: 0; } }
}
`;
