// The page's own script on top of the sync client: what each command does at once, and how the list is shown.
import { SyncClient, newId } from "/_sync/client.js";

const mutators = {
  "todo.create"(tx, { id, title }) {
    if (tx.get("todo", id) === undefined) tx.put("todo", id, { id, title, completed: false });
  },
  "todo.toggle"(tx, { id }) {
    const todo = tx.get("todo", id);
    if (todo) tx.put("todo", id, { ...todo, completed: !todo.completed });
  },
  "todo.delete"(tx, { id }) {
    tx.delete("todo", id);
  },
};

const client = new SyncClient({ scope: "todos", mutators });
const $ = (id) => document.getElementById(id);

const states = {
  live: "Live",
  polling: "Online",
  offline: "Offline: changes are kept and sent later",
  unauthorized: "Signed out",
};

function showStatus() {
  const waiting = client.pending.length;
  const state = states[client.status] ?? client.status;
  $("status").textContent = waiting ? `${state} · ${waiting} not saved yet` : state;
  $("status").dataset.state = client.status;
}

function showTodos() {
  const rows = new Map([...$("todos").children].map((row) => [row.dataset.id, row]));
  const todos = client.all("todo");
  todos.forEach((todo, place) => {
    const row = rows.get(todo.id) ?? newRow(todo.id);
    rows.delete(todo.id);
    row.querySelector("[data-text=title]").textContent = todo.title;
    row.querySelector("[data-checked=completed]").checked = todo.completed;
    row.querySelector(".delete").setAttribute("aria-label", `Delete ${todo.title}`);
    const there = $("todos").children[place];
    if (there !== row) $("todos").insertBefore(row, there ?? null);
  });
  for (const row of rows.values()) row.remove();
  $("empty").hidden = todos.length > 0;
  showStatus();
}

function newRow(id) {
  const row = $("todo").content.firstElementChild.cloneNode(true);
  row.dataset.id = id;
  row.querySelector("[data-checked]").addEventListener("change", () => client.mutate("todo.toggle", { id }));
  row.querySelector(".delete").addEventListener("click", () => client.mutate("todo.delete", { id }));
  return row;
}

$("add").addEventListener("submit", (event) => {
  event.preventDefault();
  $("problem").hidden = true;
  client.mutate("todo.create", { id: newId(), title: $("title").value.trim() });
  $("title").value = "";
});

client.addEventListener("rejected", ({ detail }) => {
  $("problem").textContent = `Not done: ${detail.error}`;
  $("problem").hidden = false;
});
client.addEventListener("status", showStatus);
client.subscribe(showTodos);
client.ready.then(showTodos);
showStatus();
