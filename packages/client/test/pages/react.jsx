// A todo list in React, as an application that has a bundler would write it: the package by its own name, one component per
// row, and nothing of its own to keep state in. `renders` counts how often each component ran, for the tests.
import { memo } from "react";
import { createRoot } from "react-dom/client";
import { SyncClient, newId } from "riverrun";
import { useCollection, useEntity, usePeers, usePending, useStatus } from "riverrun/react";

const mutators = {
  "todo.create": (tx, { id, title }) => tx.insert("todo", id, { id, title, completed: false }),
  "todo.edit": (tx, { id, title }) => tx.update("todo", id, (todo) => ({ ...todo, title })),
  "todo.toggle": (tx, { id, completed }) => tx.update("todo", id, (todo) => ({ ...todo, completed })),
};

const client = new SyncClient({ scope: "list:home", mutators });
const todos = client.collection("todo");
const presence = client.presence();

const renders = (globalThis.renders = {});
const rendered = (name) => (renders[name] = (renders[name] ?? 0) + 1);

const Row = memo(({ id }) => {
  const todo = useEntity(client, todos, id);
  rendered(todo?.title ?? id);
  if (!todo) return null;
  const toggle = () => client.mutate("todo.toggle", { id, completed: !todo.completed });
  return (
    <li>
      <label>
        <input type="checkbox" checked={todo.completed} onChange={toggle} />
        {todo.title}
      </label>
    </li>
  );
});

function List() {
  rendered("List");
  const rows = useCollection(todos, (all) => all.sort("id"));
  return <ul aria-label="Todos">{rows.map(({ id }) => <Row key={id} id={id} />)}</ul>;
}

function Done() {
  rendered("Done");
  const done = useCollection(todos, (all) => all.where({ completed: true }));
  return <p id="done">{done.length} done</p>;
}

function Standing() {
  rendered("Standing");
  const status = useStatus(client);
  const waiting = usePending(client).filter(({ state }) => state !== "accepted");
  return <p id="standing">{`${status}, ${waiting.length} waiting`}</p>;
}

function Here() {
  return <p id="here">{usePeers(presence).length} here</p>;
}

function add(event) {
  event.preventDefault();
  const { title } = event.target.elements;
  client.mutate("todo.create", { id: newId(), title: title.value });
  title.value = "";
}

function Page() {
  rendered("Page");
  return (
    <main>
      <form onSubmit={add}>
        <input name="title" aria-label="Title" />
        <button>Add</button>
      </form>
      <Standing />
      <Here />
      <List />
      <Done />
    </main>
  );
}

createRoot(document.getElementById("root")).render(<Page />);
presence.set({});
