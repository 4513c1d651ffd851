// The page's own script on top of the sync client. The page arrives readable and with its data; from here on it is live:
// the same forms are taken over, each becomes a command that is done at once and sent when it can be.
import { SyncClient, newId } from "riverrun";
import { mutators } from "app/mutators";
import { showWhoIsHere } from "app/here";
import { keepForOffline } from "app/offline";
import { fill, showRows, visible } from "app/rows";

/** Milliseconds before the page speaks of what waits to be sent: most commands are decided sooner. */
const PATIENCE = 400;
/** Milliseconds a page that was just opened may take to connect before it calls itself offline. */
const HELLO = 2500;

const $ = (id) => document.getElementById(id);
const { scope, snapshot } = JSON.parse($("boot").textContent);
const client = new SyncClient({ scope, mutators, snapshot });

// --- What is shown -------------------------------------------------------------------------------------------------

const filters = {
  all: { shows: () => true, empty: "Nothing to do. What comes first?" },
  active: { shows: (todo) => !todo.completed, empty: "All done." },
  completed: { shows: (todo) => todo.completed, empty: "Nothing is completed yet." },
};
const chosen = () => filters[new URL(location).searchParams.get("filter")] ?? filters.all;

function show() {
  const { shows, empty } = chosen();
  const todos = client.all("todo");
  const left = todos.filter((todo) => !todo.completed).length;
  showRows(todos, shows);
  setText($("empty"), empty);
  $("empty").hidden = todos.some(shows);
  setText($("left").firstElementChild, String(left));
  setText($("left").lastChild, left === 1 ? " todo left" : " todos left");
  $("clear").classList.toggle("gone", left === todos.length);
  showWaiting();
}

function showFilter() {
  for (const link of document.querySelectorAll("[data-filter]")) {
    if (filters[link.dataset.filter] === chosen()) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  show();
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

document.querySelector(".filters").addEventListener("click", (event) => {
  const link = event.target.closest("[data-filter]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  showFilter();
});
addEventListener("popstate", showFilter);

// --- How the link stands -------------------------------------------------------------------------------------------

const states = {
  live: "Live",
  polling: "Online",
  offline: "Offline",
  unauthorized: "Not allowed to be here",
  incompatible: "Out of date: reload the page",
};
let hello = true;
let patience;

function showState() {
  if (hello && client.status === "offline" && navigator.onLine) return;
  hello = false;
  $("status").dataset.state = client.status;
  setText($("state"), states[client.status]);
  showWaiting();
}

const waiting = () => client.pending.filter(({ state }) => state !== "accepted").length;

function showWaiting() {
  const tell = () => {
    patience = undefined;
    const count = waiting();
    setText($("waiting"), count ? ` · ${count} not saved yet` : "");
  };
  if (client.status === "offline" || waiting() === 0) {
    clearTimeout(patience);
    tell();
  } else patience ??= setTimeout(tell, PATIENCE);
}

client.addEventListener("status", showState);
client.addEventListener("storage", () => {
  notify("This browser keeps nothing on disk: leave the page open until everything is saved.");
});
setTimeout(() => {
  hello = false;
  showState();
}, HELLO);
// It can't connect, and the browser knows.
if (!navigator.onLine) showState();

// --- What was refused ----------------------------------------------------------------------------------------------

/** A title as it fits into a sentence. */
const quote = (title) => `“${title.length > 60 ? `${title.slice(0, 60)}…` : title}”`;

const what = {
  "todo.create": ({ title }) => `${quote(title)} was not added`,
  "todo.edit": ({ title }) => `${quote(title)} was not saved`,
  "todo.toggle": () => "A todo was not changed",
  "todo.delete": () => "A todo was not deleted",
  "todo.clear": () => "Completed todos were not cleared",
};

client.addEventListener("rejected", ({ detail: { type, args, error, own } }) => {
  notify(`${what[type]?.(args) ?? "Not done"}: ${error}.`);
  // What was typed is not lost.
  if (own && type === "todo.create" && $("title").value === "") $("title").value = args.title;
});

function notify(text) {
  const notice = $("notice-template").content.firstElementChild.cloneNode(true);
  fill(notice, { text });
  $("notice").replaceChildren(notice);
}

$("notice").addEventListener("click", (event) => {
  if (!event.target.closest(".dismiss")) return;
  event.preventDefault();
  $("notice").replaceChildren();
  $("title").focus();
});

// --- What can be done ----------------------------------------------------------------------------------------------

const rowOf = (node) => node.closest("li[data-id]");
const verbs = {
  toggle: (row) => client.mutate("todo.toggle", { id: row.dataset.id, completed: !isDone(row) }),
  delete: (row) => client.mutate("todo.delete", { id: row.dataset.id }),
};
const isDone = (row) => row.querySelector("[data-checked]").ariaChecked === "true";

$("add").addEventListener("submit", (event) => {
  event.preventDefault();
  const title = $("title").value.trim();
  if (title === "") return;
  $("notice").replaceChildren();
  $("title").value = "";
  client.mutate("todo.create", { id: newId(), title });
});

$("clear").addEventListener("submit", (event) => {
  event.preventDefault();
  client.mutate("todo.clear", {});
  $("title").focus();
});

$("todos").addEventListener("submit", (event) => {
  event.preventDefault();
  const row = rowOf(event.target);
  const verb = event.target.className;
  if (!verbs[verb]) return save(row);
  const place = visible().indexOf(row);
  verbs[verb](row);
  if (row.isConnected && !row.hidden) return;
  // The row under the focus is gone: on with the next one.
  const next = visible()[place] ?? visible()[place - 1];
  (next?.querySelector(`.${verb} button`) ?? $("title")).focus();
});

function edit(row) {
  row.querySelector("details").open = true;
}

function save(row) {
  const { id } = row.dataset;
  const title = row.querySelector(".draft").value.trim();
  const changed = title !== "" && title !== client.get("todo", id)?.title;
  close(row);
  if (changed) client.mutate("todo.edit", { id, title });
}

function close(row) {
  row.querySelector("details").open = false;
  const todo = client.get("todo", row.dataset.id);
  if (todo) fill(row, todo);
  row.querySelector("summary").focus();
}

$("todos").addEventListener("dblclick", ({ target }) => {
  if (target.closest(".title")) edit(rowOf(target));
});
$("todos").addEventListener("keydown", (event) => {
  const details = event.target.closest("details[open]");
  if (event.key === "Escape" && details) close(rowOf(details));
});
// An event that does not bubble: heard on its way down.
$("todos").addEventListener(
  "toggle",
  ({ target }) => {
    const row = rowOf(target);
    const todo = client.get("todo", row.dataset.id);
    if (target.open) row.querySelector(".draft").select();
    else if (todo) fill(row, todo);
  },
  true,
);

// In development the key below Escape, with Ctrl, opens the inspector; a release's page knows no such module.
addEventListener("keydown", ({ ctrlKey, code }) => {
  if (ctrlKey && code === "Backquote") import("riverrun/inspector").then(({ toggle }) => toggle(client), console.debug);
});

// --- From here on --------------------------------------------------------------------------------------------------

client.subscribe(show);
showWhoIsHere(client.presence(), $("here"));
client.ready.then(showFilter);
showFilter();
keepForOffline();
