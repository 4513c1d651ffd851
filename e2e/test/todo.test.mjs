// The todo list as people meet it: real Chromium, the real server, a real file.
import assert from "node:assert/strict";
import { copyFileSync, existsSync, rmSync } from "node:fs";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { add, launch, open, shows, titles } from "../lib/browser.mjs";
import { Server } from "../lib/server.mjs";

const SCOPE = "todos";
let browser, server, contexts;

before(async () => (browser = await launch()));
after(() => browser.close());

beforeEach(async () => {
  server = await Server.start();
  contexts = [];
});

afterEach(async () => {
  for (const context of contexts) await context.close();
  await server.close();
});

/** A window of a profile of its own. */
async function window() {
  const context = await browser.newContext();
  contexts.push(context);
  return open(context, server.url);
}

test("two windows stay the same on create, toggle and delete", async () => {
  const [one, two] = [await window(), await window()];
  await add(one, "Milk");
  await shows(two, ["Milk"]);
  await add(two, "Bread");
  await shows(one, ["Milk", "Bread"]);

  await one.getByLabel("Milk", { exact: true }).check();
  await two.locator("li", { hasText: "Milk" }).locator("input:checked").waitFor();
  await two.getByRole("button", { name: "Delete Milk" }).click();
  await shows(one, ["Bread"]);
  await shows(two, ["Bread"]);
  assert.deepEqual([...one.problems, ...two.problems], []);
});

test("two windows of one profile share a queue and stay the same", async () => {
  const context = await browser.newContext();
  contexts.push(context);
  const [one, two] = [await open(context, server.url), await open(context, server.url)];
  await add(one, "first");
  await add(two, "second");
  await shows(one, ["first", "second"]);
  await shows(two, ["first", "second"]);
});

test("a rejected change is undone and its reason is told", async () => {
  const [one, two] = [await window(), await window()];
  await add(one, "x".repeat(201));
  await one.getByRole("alert").filter({ hasText: "at most 200 characters" }).waitFor();
  await add(one, "fine");
  await shows(one, ["fine"]);
  await shows(two, ["fine"]);
});

test("a title that looks like markup stays text", async () => {
  const page = await window();
  const nasty = `</script><img src=x onerror="document.title='owned'">`;
  await add(page, nasty);
  await shows(page, [nasty]);
  await page.reload();
  await shows(page, [nasty]);
  assert.equal(await page.title(), "Todos");
});

test("what was done while the server was gone is sent once when it is back, also after a reload", async () => {
  const [one, two] = [await window(), await window()];
  await server.stop("SIGKILL");
  await one.locator("#status[data-state=offline]").waitFor();
  for (const title of ["a", "b", "c"]) await add(one, title);
  await shows(one, ["a", "b", "c"]);
  await one.getByText("3 not saved yet").waitFor();
  await server.start();
  await shows(two, ["a", "b", "c"], 30_000);
  await shows(one, ["a", "b", "c"]);
  const changes = await server.changes(SCOPE);
  assert.deepEqual(changes.map((change) => change.data.value.title), ["a", "b", "c"]);
});

test("a server killed amid pushes has everything it acknowledged, once", async () => {
  const page = await window();
  await page.evaluate(async (scope) => {
    const { SyncClient, newId } = await import("/_sync/client.js");
    const client = new SyncClient({ scope, user: "pusher" });
    globalThis.acknowledged = [];
    globalThis.sent = 0;
    globalThis.pushing = (async () => {
      while (!globalThis.enough) {
        const id = newId();
        globalThis.sent++;
        const { verdict } = client.mutate("todo.create", { id, title: `n${globalThis.sent}` });
        verdict.then((verdict) => verdict.ok && globalThis.acknowledged.push(id));
        await new Promise((wake) => setTimeout(wake, 1));
      }
      while (client.pending.length) await new Promise((wake) => setTimeout(wake, 20));
    })();
  }, SCOPE);
  for (let round = 0; round < 5; round++) {
    await page.waitForTimeout(200 + 150 * round);
    await server.stop("SIGKILL");
    const acknowledged = await page.evaluate(() => [...globalThis.acknowledged]);
    await server.start();
    const there = (await server.changes(SCOPE)).map((change) => change.data.id);
    const lost = acknowledged.filter((id) => !there.includes(id));
    assert.deepEqual(lost, [], `round ${round}: acknowledged and lost`);
  }
  await page.evaluate(() => {
    globalThis.enough = true;
    return globalThis.pushing;
  });
  const sent = await page.evaluate(() => globalThis.sent);
  const there = (await server.changes(SCOPE)).map((change) => change.data.id);
  assert.equal(new Set(there).size, there.length, "none twice");
  assert.equal(there.length, sent, "none missing");
  assert.ok(sent > 50, `only ${sent} were sent`);
});

test("a database copied back from yesterday makes the page resync and keep what is pending", async () => {
  const page = await window();
  await add(page, "kept");
  await shows(page, ["kept"]);
  await page.getByText("Live", { exact: true }).waitFor();
  await server.stop();
  const yesterday = `${server.database}.yesterday`;
  copyFileSync(server.database, yesterday);

  await server.start();
  await page.locator("#status[data-state=live]").waitFor();
  await add(page, "lost with the copy");
  await shows(page, ["kept", "lost with the copy"]);
  await page.getByText("Live", { exact: true }).waitFor();

  await server.stop("SIGKILL");
  await page.locator("#status[data-state=offline]").waitFor();
  await add(page, "pending");
  await shows(page, ["kept", "lost with the copy", "pending"]);
  for (const end of ["", "-wal", "-shm"]) if (existsSync(server.database + end)) rmSync(server.database + end);
  copyFileSync(yesterday, server.database);

  // Another history grows to the very cursor the page has: only the digest tells them apart.
  await server.start();
  await server.post("push", {
    scope: SCOPE,
    mutations: [{ id: "other", type: "todo.create", args: { id: "0", title: "another history" } }],
  });
  await shows(page, ["another history", "kept", "pending"], 30_000);
  const log = await server.changes(SCOPE);
  assert.equal(log.filter((change) => change.data.value.title === "pending").length, 1);
  assert.deepEqual(await titles(page), ["another history", "kept", "pending"]);
});
