// Without a network: the page opens, everything that was done is there, and all of it goes up once the link is back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { add, edit, live, offline, saved, shows, toggle } from "../lib/browser.mjs";
import { SCOPE, stage } from "../lib/stage.mjs";

const at = stage();
const FIVE = ["one", "two", "three", "four", "five"];
const AFTER = ["before", "since", ...FIVE.slice(0, 4), "five and a half"];

/** The page was told what to keep, and has. */
async function kept(page, path = "/") {
  await page.waitForFunction(async (path) => {
    const parts = await caches.match("/_sync/client.js");
    return navigator.serviceWorker.controller && parts && (await caches.match(path));
  }, path);
}

/** Each todo's title, and how often the server's log creates it. */
async function created(server) {
  const seen = new Map();
  for (const { data } of await server.changes(SCOPE)) if (data.op === "put") seen.set(data.id, data.value.title);
  return [...seen.values()];
}

test("five todos and an edit made offline survive a reload and are there once, in both windows", async () => {
  const [one, two] = [await at.linked(), await at.window()];
  await add(one, "before");
  await shows(two, ["before"]);
  await kept(one);
  // Newer than the page that is kept: the sync client has it, the page has not.
  await add(two, "since");
  await shows(one, ["before", "since"]);
  await one.waitForTimeout(500);

  await one.link.cut();
  for (const title of FIVE) await add(one, title);
  await edit(one, "five", "five and a half");
  await shows(one, AFTER);
  await offline(one);
  await one.getByText("6 not saved yet").waitFor();

  await one.reload();
  await shows(one, AFTER);
  await one.getByText("6 not saved yet").waitFor();
  await offline(one);
  await toggle(one, "one");
  await shows(one, AFTER.map((title) => (title === "one" ? "✓ one" : title)));
  await shows(two, ["before", "since"]);

  await one.link.mend();
  const all = AFTER.map((title) => (title === "one" ? "✓ one" : title));
  await shows(two, all, 30_000);
  await shows(one, all);
  await saved(one);
  assert.deepEqual(await created(at.server), AFTER);
  assert.deepEqual([...one.problems, ...two.problems], []);
});

test("a server killed while the queue goes up changes nothing of it", async () => {
  const [one, two] = [await at.window(), await at.window()];
  await kept(one);
  await at.server.stop("SIGKILL");
  await offline(one);
  const many = Array.from({ length: 40 }, (_, n) => `n${n}`);
  for (const title of many) await add(one, title);
  await one.reload();
  await shows(one, many);
  for (const ms of [60, 120]) {
    await at.server.start();
    await one.evaluate(() => dispatchEvent(new Event("online")));
    await one.waitForTimeout(ms);
    await at.server.stop("SIGKILL");
  }
  await at.server.start();
  await shows(two, many, 30_000);
  await shows(one, many, 30_000);
  await saved(one);
  assert.deepEqual(await created(at.server), many);
  const log = await at.server.changes(SCOPE);
  assert.equal(log.length, many.length, "each was created once");
});

test("online the worker never gives an old page, and offline it gives the one that was seen last", async () => {
  const page = await at.linked();
  await kept(page);
  await at.server.post("push", {
    scope: SCOPE,
    mutations: [{ id: "m1", type: "todo.create", args: { id: "1", title: "from elsewhere" } }],
  });
  // What the network gives is in the page before any script runs.
  const fresh = await page.goto(page.link.url);
  assert.match(await fresh.text(), /from elsewhere/);
  assert.equal(fresh.fromServiceWorker(), true);
  await live(page);
  await page.link.cut();
  const old = await page.reload();
  assert.match(await old.text(), /from elsewhere/);
  await shows(page, ["from elsewhere"]);
  await page.goto(`${page.link.url}/lists/never-seen`);
  await page.getByRole("heading", { name: "You are offline" }).waitFor();
  await page.getByRole("link", { name: "Back to the todos" }).click();
  await shows(page, ["from elsewhere"]);
});
