/**
 * What the types refuse: each line marked so must be an error, or `npm run check` fails. Nothing here runs.
 */
import { SyncClient, type Tx } from "../src/index.ts";
import { useCollection, useEntity } from "../src/react.ts";

interface Todo {
  id: string;
  title: string;
  completed: boolean;
}

const mutators = {
  "todo.create": (tx: Tx, { id, title }: { id: string; title: string }) =>
    tx.insert("todo", id, { id, title, completed: false }),
  "todo.clear": (tx: Tx, _: Record<string, never>) => void tx.list("todo"),
};

export function typed(): void {
  const client = new SyncClient<typeof mutators, { todo: Todo }>({ mutators });
  const list = client.scope("list:42");
  list.mutate("todo.create", { id: "t1", title: "Milk" });
  client.mutate("todo.clear", {});
  // @ts-expect-error there is no such command
  list.mutate("todo.crate", { id: "t1", title: "Milk" });
  // @ts-expect-error a title is missing
  list.mutate("todo.create", { id: "t1" });
  // @ts-expect-error a title is text
  client.mutate("todo.create", { id: "t1", title: 7 });
  const title: string | undefined = list.get("todo", "t1")?.title;
  // @ts-expect-error there is no such field
  void list.get("todo", "t1")?.titel;
  // @ts-expect-error there is no such collection
  list.collection("todos");
  const todos = list.collection("todo");
  todos.where({ completed: true }).sort("title");
  // @ts-expect-error completed is a boolean
  todos.where({ completed: "yes" });
  // @ts-expect-error there is no such field
  todos.sort("titel");
  // @ts-expect-error rows are of the collection
  todos.subscribe((rows: readonly { price: number }[]) => rows);
  const rows: readonly Todo[] = useCollection(todos, (all) => all.where({ completed: false }));
  const one: Todo | undefined = useEntity(list, todos, "t1");
  // @ts-expect-error presence is an object
  list.presence.set("Ada");
  // @ts-expect-error there is no such storage
  new SyncClient({ storage: "cloud" });
  void [title, rows, one];
}

/** A client nobody typed takes whatever it is given. */
export function untyped(): void {
  const client = new SyncClient();
  client.mutate("anything", { at: "all" });
  const value = client.get("todo", "t1")?.whatever;
  void value;
}
