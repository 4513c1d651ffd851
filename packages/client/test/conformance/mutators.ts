/**
 * The reference mutators of the conformance traces, as told in `conformance/README.md` and written once more in Rust.
 * A word changed here is changed in all three.
 */
import type { Mutator, Value } from "../../src/core/tx.ts";

const refuse = (why: string): never => {
  throw new Error(why);
};

export const mutators: Record<string, Mutator> = {
  "todo.create": (tx, { id, title }) => tx.insert("todo", id, { id, title, completed: false }),
  "todo.toggle": (tx, { id }) => tx.update("todo", id, (todo: Value) => ({ ...todo, completed: !todo.completed })),
  "todo.rename": (tx, { id, title }) => tx.update("todo", id, { title }),
  "todo.delete": (tx, { id }) => void tx.delete("todo", id),
  "todo.clear": (tx) => {
    for (const { id, completed } of tx.list("todo")) if (completed) tx.delete("todo", id);
  },
  "counter.add": (tx, { id, by, max }) => {
    const n = (tx.get("counter", id)?.n ?? 0) + by;
    // Writes first and looks then: what it wrote must be gone when it says no.
    tx.put("counter", id, { id, n });
    if (max !== null && n > max) refuse("over the limit");
  },
  "order.read": (tx, { id, prefix, limit }) => {
    tx.put("order", id, { id, ids: tx.list("todo", prefix, limit).map((todo) => todo.id) });
  },
  "note.add": (tx, { text }) => {
    const id = tx.newId();
    tx.put("note", id, { id, text });
  },
  fail: () => refuse("this mutator always says no"),
};
