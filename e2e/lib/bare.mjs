// A page that is nothing but the client, for tests that speak to it: `client` and `list` are globals. The page and its script
// come from here, as from a service worker, so that it opens without a network too.
import { readFileSync } from "node:fs";
import { watch } from "./browser.mjs";

const HTML = (scope) => `<!doctype html><title>bare</title><script type="module">
import { SyncClient, newId } from "/_sync/client.js";
const mutators = {
  "todo.create": (tx, { id, title }) => tx.insert("todo", id, { id, title, completed: false }),
  "todo.delete": (tx, { id }) => void tx.delete("todo", id),
};
globalThis.newId = newId;
globalThis.client = new SyncClient({ mutators, scope: null });
globalThis.list = client.scope(${JSON.stringify(scope)});
globalThis.stored = [];
client.addEventListener("storage", ({ detail }) => stored.push(String(detail.error)));
</script>`;

const CLIENT = readFileSync(new URL("../../packages/client/dist/client.js", import.meta.url));

/** From now on the profile's address `/bare` is such a page. */
export async function bare(context, scope) {
  await context.route("**/_sync/client.js", (route) => route.fulfill({ contentType: "text/javascript", body: CLIENT }));
  await context.route("**/bare", (route) => route.fulfill({ contentType: "text/html", body: HTML(scope) }));
}

/** Opens one. */
export async function openBare(context, url) {
  const page = await watch(await context.newPage());
  await page.goto(`${url}/bare`);
  await page.waitForFunction(() => globalThis.list !== undefined);
  return page;
}

/** Ids of the todos a page shows, in order. */
export const shownIds = (page) => page.evaluate(() => list.all("todo").map(({ id }) => id));

/** Adds a todo and waits until it is in the queue. Says its id and whether it was saved where it survives the page. */
export const write = (page, title) =>
  page.evaluate(async (title) => {
    const id = newId();
    await list.mutate("todo.create", { id, title }).saved;
    return { id, durable: client.storage === "indexeddb" };
  }, title);

export const leads = (page) => page.evaluate(() => client.inspect().leads);
export const status = (page, wanted) => page.waitForFunction((wanted) => list.status === wanted, wanted);
