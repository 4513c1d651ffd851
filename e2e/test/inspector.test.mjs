// The inspector over the application as it is in development: opened by its key, under the page's own policy, with a real
// server behind it. Everything is found by role and name, as whoever can't see it would.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { add, live, offline, open, saved, shows } from "../lib/browser.mjs";
import { SCOPE, stage } from "../lib/stage.mjs";

const at = stage();
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const inspector = (page) => page.getByRole("dialog", { name: "Sync inspector" });
const press = (page) => page.keyboard.press("Control+Backquote");
/** A part of it: its lists' rows, folded. */
const rows = (page, part) => inspector(page).getByRole("region", { name: part }).getByRole("listitem");

/** Opens it, as whoever develops the page does. */
async function inspect(page) {
  await press(page);
  await inspector(page).waitFor();
}

test("nothing of the inspector is loaded before its key is pressed; the key opens and closes it, and Escape closes it too", async () => {
  const page = await at.window({ serviceWorkers: "block" });
  const loaded = () => page.evaluate(() => performance.getEntriesByType("resource").some(({ name }) => name.includes("inspector")));
  await page.getByLabel("What needs to be done?").focus();
  assert.equal(await loaded(), false);
  await inspect(page);
  assert.equal(await loaded(), true);
  assert.equal(await inspector(page).evaluate((node) => node.getRootNode().activeElement === node), true, "it has the focus");
  await page.keyboard.press("Escape");
  await inspector(page).waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement.id), "title", "the focus goes back");
  await inspect(page);
  await press(page);
  await inspector(page).waitFor({ state: "detached" });
  await inspect(page);
  await inspector(page).getByRole("button", { name: "Close the inspector" }).click();
  await inspector(page).waitFor({ state: "detached" });
  assert.deepEqual(page.problems, [], "no policy is broken");
});

test("it shows what waits while it forces the client offline, and the verdict once it lets go", async () => {
  const page = await at.window();
  await inspect(page);
  const force = inspector(page).getByRole("button", { name: "Force offline" });
  await force.click();
  await offline(page);
  assert.equal(await force.getAttribute("aria-pressed"), "true");
  await add(page, "Milk");
  const waiting = rows(page, "Mutations").filter({ hasText: "todo.create" });
  await waiting.filter({ hasText: /queued|sent/ }).waitFor();
  await waiting.getByText("todo.create").click();
  await waiting.filter({ hasText: '"title": "Milk"' }).waitFor();
  assert.equal((await at.server.snapshot(SCOPE)).cursor, 0, "nothing gets through");

  await force.click();
  await live(page);
  await rows(page, "Mutations").filter({ hasText: /accepted\s*at 1/ }).waitFor();
  await saved(page);
  assert.equal((await at.server.snapshot(SCOPE)).cursor, 1);
  await rows(page, "Frames").filter({ hasText: "forced offline" }).waitFor();
  await rows(page, "Frames").filter({ hasText: "back online" }).waitFor();
  assert.deepEqual(page.problems, []);
});

test("it sees the frames of the connection that was there before it, both ways, with their sizes", async () => {
  const page = await at.window();
  const far = await at.window();
  await inspect(page);
  await add(page, "Milk");
  await rows(page, "Frames").filter({ hasText: /↑\s*push\s*1 mutation\s*\d+ B/ }).waitFor();
  await rows(page, "Frames").filter({ hasText: /↓\s*results\s*1 result\s*\d+ B/ }).waitFor();
  await rows(page, "Mutations").filter({ hasText: /accepted\s*at 1/ }).waitFor();
  await add(far, "Bread");
  await rows(page, "Frames").filter({ hasText: /↓\s*changes\s*1 change, 1 → 2\s*\d+ B/ }).waitFor();
  const beats = rows(page, "Frames").filter({ hasText: "ping" });
  assert.equal(await beats.count(), 0);
  await inspector(page).getByLabel("pings").check();
  await beats.first().waitFor();
});

test("a refusal is shown with its code and its reason", async () => {
  const page = await at.window();
  await inspect(page);
  await add(page, "x".repeat(201));
  const refused = rows(page, "Mutations").filter({ hasText: "rejected" });
  await refused.waitFor();
  await refused.filter({ hasText: "at most 200" }).waitFor();
});

test("resync takes a new snapshot and ends where the server is, and the scope's row says so", async () => {
  const page = await at.window();
  await add(page, "Milk");
  await saved(page);
  await inspect(page);
  const scope = rows(page, "Scopes").filter({ has: page.getByRole("button", { name: `Resync ${SCOPE}` }) });
  /** The page has the change, and waits for nothing. */
  const reached = () =>
    page.waitForFunction(() => {
      const { textContent } = document.querySelector("riverrun-inspector").shadowRoot.querySelector("[aria-label=Scopes]");
      return textContent.includes("cursor1") && textContent.includes("waiting0");
    });
  await reached();
  const head = await at.server.snapshot(SCOPE);
  const facts = async () => Object.fromEntries(await scope.locator("dt").evaluateAll((all) => all.map((name) => [name.textContent, name.nextSibling.textContent])));
  const { status, cursor, digest, epoch, waiting } = await facts();
  assert.deepEqual({ status, cursor, digest, epoch, waiting }, { status: "live", cursor: "1", digest: head.digest, epoch: head.epoch, waiting: "0" });
  await scope.getByRole("button").click();
  await rows(page, "Frames").filter({ hasText: /snapshot/ }).first().waitFor();
  await live(page);
  await shows(page, ["Milk"]);
  await reached();
  assert.deepEqual(page.problems, []);
});

test("in a tab that another one leads it says so, shows what waits there, and can't cut the other's line", async () => {
  const context = await at.profile();
  await open(context, at.server.url);
  const page = await open(context, at.server.url);
  await inspect(page);
  await inspector(page).getByText("another tab holds the link").waitFor();
  assert.equal(await inspector(page).getByRole("button", { name: "Force offline" }).isDisabled(), true);
  await add(page, "Milk");
  await rows(page, "Mutations").filter({ hasText: /todo.create/ }).first().waitFor();
});

for (const [name, options] of Object.entries({
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  "small-dark-phone": { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true, colorScheme: "dark" },
})) {
  test(`axe finds nothing in it with something of everything shown: ${name}`, async () => {
    const page = await at.window({ bypassCSP: true, ...options });
    await inspect(page);
    for (const title of ["Milk", "x".repeat(201)]) await add(page, title);
    await rows(page, "Mutations").filter({ hasText: "rejected" }).waitFor();
    await inspector(page).getByRole("button", { name: "Force offline" }).click();
    await offline(page);
    await add(page, "Bread");
    await rows(page, "Mutations").filter({ hasText: /queued|sent/ }).waitFor();
    await rows(page, "Mutations").first().getByText("todo.create").click();
    await page.waitForTimeout(250);
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
    const violations = await page.evaluate(async (source) => {
      (0, eval)(source);
      const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => html + failureSummary)}`);
    }, axe);
    assert.deepEqual(violations, []);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "it scrolls sideways");
  });
}
