// A page built with React and a bundler, from the package as an application would install it, against the real server.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { watch } from "../lib/browser.mjs";
import { Link } from "../lib/link.mjs";
import { SCOPE, stage } from "../lib/stage.mjs";

const at = stage();
const HTML = '<!doctype html><html lang="en"><title>React</title><div id="root"></div><script type="module" src="/react.js"></script>';

/** The client's package, which has React and a bundler for its own tests. */
const package_ = new URL("../../packages/client/", import.meta.url);

let script;
before(async () => {
  const { build } = createRequire(package_)("esbuild");
  const { outputFiles } = await build({
    absWorkingDir: fileURLToPath(package_),
    entryPoints: ["test/pages/react.jsx"],
    bundle: true,
    format: "esm",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    write: false,
  });
  script = outputFiles[0].text;
});

/** The page in a profile of its own, over a line that can be cut. */
async function visit() {
  const context = await at.profile();
  await context.route("**/react", (route) => route.fulfill({ contentType: "text/html", body: HTML }));
  await context.route("**/react.js", (route) => route.fulfill({ contentType: "text/javascript", body: script }));
  const link = await Link.to(at.server);
  at.links.push(link);
  const page = await watch(await context.newPage());
  await page.goto(`${link.url}/react`);
  await page.getByText("live, 0 waiting").waitFor();
  return { page, cut: () => link.cut(context), mend: () => link.mend(context) };
}

const titles = (page) => page.getByRole("listitem").allTextContents();
const row = (page, title) => page.getByRole("checkbox", { name: title, exact: true });

async function add(page, title) {
  await page.getByLabel("Title").fill(title);
  await page.getByRole("button", { name: "Add" }).click();
}

test("what is added in React is there at once, without a network, and in the other window when there is one", async () => {
  const [near, far] = [await visit(), await visit()];
  await near.page.getByText("2 here").waitFor();
  await near.cut();
  await near.page.getByText("offline, 0 waiting").waitFor();
  await add(near.page, "Milk");
  assert.deepEqual(await titles(near.page), ["Milk"]);
  await near.page.getByText("offline, 1 waiting").waitFor();
  await add(far.page, "Bread");
  await row(far.page, "Bread").waitFor();
  assert.deepEqual(await titles(far.page), ["Bread"]);
  await near.mend();
  for (const { page } of [near, far]) {
    for (const title of ["Milk", "Bread"]) await row(page, title).waitFor();
    await page.getByText("live, 0 waiting").waitFor();
  }
  assert.deepEqual(await titles(near.page), await titles(far.page));
  assert.deepEqual([near.page.problems, far.page.problems], [[], []]);
});

test("a change of one row runs the components that read it, and no other", async () => {
  const [near, far] = [await visit(), await visit()];
  for (const title of ["Milk", "Bread", "Eggs"]) await add(near.page, title);
  await row(far.page, "Eggs").waitFor();
  for (const { page } of [near, far]) await page.getByText("live, 0 waiting").waitFor();
  await at.server.reaches(SCOPE, 3);
  const counts = () => far.page.evaluate(() => ({ ...renders }));
  const before = await counts();
  await row(near.page, "Bread").click();
  await far.page.getByText("1 done").waitFor();
  assert.equal(await row(far.page, "Bread").isChecked(), true);
  const after = await counts();
  const ran = Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - before[name]]));
  assert.deepEqual(ran, { Page: 0, Standing: 0, List: 1, Done: 1, Milk: 0, Bread: 1, Eggs: 0 });

  // The title of a todo that is not done is nothing to the one that counts those that are.
  const id = (await at.server.changes(SCOPE)).find(({ data }) => JSON.stringify(data).includes("Eggs")).data.id;
  await at.server.post("push", { scope: SCOPE, mutations: [{ id: "edit-1", type: "todo.edit", args: { id, title: "Six eggs" } }] });
  await row(far.page, "Six eggs").waitFor();
  const last = await counts();
  assert.equal(last["Six eggs"], 1);
  for (const name of ["Page", "Standing", "Done", "Milk", "Bread"]) assert.equal(last[name], after[name], name);
});
