// One HTML file with one script in it, no package and no build: the client comes from the server the page talks to.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { watch } from "../lib/browser.mjs";
import { Link } from "../lib/link.mjs";
import { stage } from "../lib/stage.mjs";

const at = stage();
const HTML = readFileSync(new URL("../fixtures/nobuild.html", import.meta.url), "utf8");

/** The page in a profile of its own, over a line that can be cut. */
async function visit() {
  const context = await at.profile();
  await context.route("**/nobuild", (route) => route.fulfill({ contentType: "text/html", body: HTML }));
  const link = await Link.to(at.server);
  at.links.push(link);
  const page = await watch(await context.newPage());
  await page.goto(`${link.url}/nobuild`);
  await page.getByText("live, 0 waiting").waitFor();
  return { page, cut: () => link.cut(context), mend: () => link.mend(context) };
}

const row = (page, title) => page.getByRole("button", { name: `Delete ${title}`, exact: true });

async function add(page, title) {
  await page.getByLabel("Title").fill(title);
  await page.getByRole("button", { name: "Add" }).click();
}

test("a page without a build adds at once, offline too, and converges with another", async () => {
  const [near, far] = [await visit(), await visit()];
  await add(far.page, "Bread");
  await row(near.page, "Bread").waitFor();
  await near.cut();
  await near.page.getByText("offline, 0 waiting").waitFor();
  await add(near.page, "Milk");
  assert.equal(await row(near.page, "Milk").count(), 1);
  await near.page.getByText("offline, 1 waiting").waitFor();
  await row(near.page, "Bread").click();
  assert.equal(await row(near.page, "Bread").count(), 0);
  assert.equal(await row(far.page, "Bread").count(), 1);
  await near.mend();
  await row(far.page, "Milk").waitFor();
  await row(far.page, "Bread").waitFor({ state: "detached" });
  for (const { page } of [near, far]) await page.getByText("live, 0 waiting").waitFor();
  assert.deepEqual([near.page.problems, far.page.problems], [[], []]);
});
