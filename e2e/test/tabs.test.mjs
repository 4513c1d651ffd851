// The tabs of one browser: one of them holds the link for all, whatever happens to it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bare, leads, openBare, shownIds, status, write } from "../lib/bare.mjs";
import { add, live, saved, shows } from "../lib/browser.mjs";
import { Link } from "../lib/link.mjs";
import { SCOPE, stage } from "../lib/stage.mjs";

const at = stage();

/** A profile with bare tabs, the first of which leads. `far` is a tab of another profile. */
async function tabs(count) {
  const context = await at.profile();
  await bare(context, SCOPE);
  const pages = [];
  for (let i = 0; i < count; i++) {
    pages.push(await openBare(context, at.server.url));
    await status(pages[i], "live");
  }
  const other = await at.profile();
  await bare(other, SCOPE);
  const far = await openBare(other, at.server.url);
  await status(far, "live");
  return { context, pages, far };
}

async function until(what, within = 10_000) {
  const start = Date.now();
  while (!(await what())) {
    if (Date.now() - start > within) throw new Error(`not within ${within} ms: ${what}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
  return Date.now() - start;
}

test("four tabs share one connection, and the others see what its holder hears", async () => {
  const { pages, far } = await tabs(4);
  assert.deepEqual(await Promise.all(pages.map(leads)), [true, false, false, false]);
  const sockets = await Promise.all(pages.map((page) => page.evaluate(() => client.inspect().leads)));
  assert.equal(sockets.filter(Boolean).length, 1);
  const { id } = await write(far, "from afar");
  for (const page of pages) await until(async () => (await shownIds(page)).includes(id));
});

test("the leader's death hands the link over within a second or so", async () => {
  const { pages, far } = await tabs(3);
  await pages[0].close();
  const took = await until(async () => (await leads(pages[1])) || (await leads(pages[2])));
  const { id } = await write(far, "after the death");
  const heard = await until(async () => (await shownIds(pages[2])).includes(id));
  console.log(`a new leader after ${took} ms, live again after another ${heard} ms`);
  assert.ok(took < 3_000, `${took} ms`);
});

test("what is written offline in one tab shows in the other, and a closed tab's queue is sent by the next", async () => {
  const link = await Link.to(at.server);
  at.links.push(link);
  const context = await at.profile();
  await bare(context, SCOPE);
  const [one, two] = [await openBare(context, link.url), await openBare(context, link.url)];
  await status(one, "live");
  await status(two, "live");
  // The bare page itself comes from the test, so only the link goes.
  await link.cut({ setOffline: async () => undefined });
  const { id } = await write(one, "offline");
  await until(async () => (await shownIds(two)).includes(id));
  await one.close();
  await two.close();
  const three = await openBare(context, link.url);
  await until(async () => (await shownIds(three)).includes(id));
  await link.mend({ setOffline: async () => undefined });
  await at.server.reaches(SCOPE, 1);
  assert.deepEqual((await at.server.changes(SCOPE)).map(({ data }) => data.id), [id]);
});

test("a database deleted under the page costs nothing that was written: it goes on in memory and says so", async () => {
  const { pages: [page] } = await tabs(1);
  await write(page, "before");
  await page.evaluate(async () => {
    for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name);
  });
  await page.waitForFunction(() => stored.length > 0);
  const { durable } = await write(page, "after");
  assert.equal(durable, false);
  await at.server.reaches(SCOPE, 2);
  await status(page, "live");
  await until(() => page.evaluate(() => list.pending.length === 0));
});

test("two browsers that look at one list see each other, and that the other left", async () => {
  const one = await at.window();
  const two = await at.window();
  for (const page of [one, two]) await page.getByText("1 other is here").waitFor({ state: "attached" });
  assert.match(await two.locator("#here li").getAttribute("aria-label"), /^\w+ \w+$/);
  await add(one, "Milk");
  await shows(two, ["Milk"]);
  await saved(one);
  await two.close();
  await one.locator("#here").waitFor({ state: "hidden" });
  await live(one);
  assert.deepEqual(one.problems, []);
});
