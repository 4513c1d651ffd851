// What each command does on the page, before the server has decided it: the same as src/service/todo/mutator.rs, less
// its rules. The server alone says no; what it refuses is undone here by itself, and its reason is shown.

export const mutators = {
  "todo.create"(tx, { id, title }) {
    tx.insert("todo", id, { id, title: title.trim(), completed: false });
  },
  "todo.toggle"(tx, { id, completed }) {
    tx.update("todo", id, (todo) => ({ ...todo, completed: completed ?? !todo.completed }));
  },
  "todo.edit"(tx, { id, title }) {
    tx.update("todo", id, { title: title.trim() });
  },
  "todo.delete"(tx, { id }) {
    tx.delete("todo", id);
  },
  "todo.clear"(tx) {
    for (const todo of tx.list("todo")) if (todo.completed) tx.delete("todo", todo.id);
  },
};
