// The list's rows in the page. They are the server's own markup (views/components/todo.html), cloned from its template
// and filled where it says so; what is right already is left alone, so that nothing flickers and no focus is lost.

const list = document.getElementById("todos");
const template = document.getElementById("todo-template");

/** The rows that are shown, in order. */
export const visible = () => [...list.children].filter((row) => !row.hidden);

/** Makes the rows say what `todos` say, in their order; `shows` decides which are visible. */
export function showRows(todos, shows) {
  const old = new Map([...list.children].map((row) => [row.dataset.id, row]));
  todos.forEach((todo, place) => {
    const row = old.get(todo.id) ?? template.content.firstElementChild.cloneNode(true);
    old.delete(todo.id);
    fill(row, todo);
    set(row, "hidden", !shows(todo));
    if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
  });
  for (const row of old.values()) row.remove();
}

/** Fills a clone of a template's markup. */
export function fill(root, values) {
  if (values.id !== undefined && root.dataset.id !== values.id) root.dataset.id = values.id;
  for (const part of root.querySelectorAll("[data-text]")) set(part, "textContent", values[part.dataset.text]);
  for (const part of root.querySelectorAll("[data-label]")) {
    set(part, "ariaLabel", `${part.dataset.label} ${values.title}`.trim());
  }
  for (const part of root.querySelectorAll("[data-checked]")) {
    const checked = values[part.dataset.checked];
    set(part, "ariaChecked", String(checked));
    set(part, "value", String(!checked));
  }
  // What somebody is writing is theirs.
  if (root.querySelector("details[open]")) return;
  for (const part of root.querySelectorAll("[data-value]")) set(part, "value", values[part.dataset.value]);
}

function set(node, property, value) {
  if (node[property] !== value) node[property] = value;
}
