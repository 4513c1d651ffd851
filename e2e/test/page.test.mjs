// The first view: what it costs, what it may do, that nothing moves in it, and that everybody can use it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { add, list, live, open, remove, shows, toggle, watch } from "../lib/browser.mjs";
import { SCOPE, stage } from "../lib/stage.mjs";

const at = stage();
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The most a first view may load, in bytes as they travel (nothing is compressed here), and the most requests. */
const WEIGHT = 100 * 1024;
const REQUESTS = 10;

/** What a page may move while it loads; 0.1 is what is called good. */
const SHIFT = 0.01;

test("the first view is small, needs no second fetch of its data, and breaks no policy", async () => {
  const { server } = at;
  const mutations = ["Milk", "Bread"].map((title, n) => {
    return { id: `m${n}`, type: "todo.create", args: { id: `t${n}`, title } };
  });
  await server.post("push", { scope: "list:home", mutations });
  const page = await watch(await (await at.profile({ serviceWorkers: "block" })).newPage());
  const requests = [];
  page.on("request", (request) => requests.push(request));
  await page.goto(server.url);
  assert.deepEqual(await list(page), ["Milk", "Bread"]);
  await live(page);
  await page.waitForTimeout(500);
  let weight = 0;
  for (const request of requests) {
    const { responseBodySize, responseHeadersSize } = await request.sizes();
    weight += responseBodySize + responseHeadersSize;
  }
  const paths = requests.map((request) => new URL(request.url()).pathname);
  console.log(`the first view is ${requests.length} requests and ${(weight / 1024).toFixed(1)} KiB, not compressed`);
  assert.deepEqual(paths.filter((path) => /push|pull|snapshot/.test(path)), []);
  assert.ok(requests.length <= REQUESTS, paths.join(" "));
  assert.ok(weight <= WEIGHT, `${weight} bytes`);
  assert.deepEqual(page.problems, []);
});

test("the script takes over the page as it stands: nothing is made anew, nothing moves, the focus stays", async () => {
  const { server } = at;
  const mutations = Array.from({ length: 12 }, (_, n) => {
    return { id: `m${n}`, type: "todo.create", args: { id: `000${String(n).padStart(2, "0")}`, title: `Todo ${n}` } };
  });
  await server.post("push", { scope: "list:home", mutations });
  for (const [round, viewport] of [{ width: 1280, height: 800 }, { width: 390, height: 844 }].entries()) {
    const page = await watch(await (await at.profile({ viewport })).newPage());
    await page.addInitScript(() => {
      globalThis.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) globalThis.shift += entry.value;
      }).observe({ type: "layout-shift", buffered: true });
      addEventListener("DOMContentLoaded", () => {
        globalThis.made = 0;
        new MutationObserver((changes) => {
          for (const { addedNodes } of changes) for (const { nodeType } of addedNodes) globalThis.made += nodeType === 1;
        }).observe(document.getElementById("todos"), { childList: true, subtree: true });
      });
    });
    await page.goto(server.url, { waitUntil: "commit" });
    await page.getByLabel("What needs to be done?").focus();
    await page.keyboard.type("Ty");
    await live(page);
    await page.keyboard.type("ped");
    await page.waitForTimeout(300);
    assert.equal(await page.getByLabel("What needs to be done?").inputValue(), "Typed");
    const { made, shift } = await page.evaluate(() => ({ made: globalThis.made, shift: globalThis.shift }));
    assert.equal(made, 0, "rows that were made anew");
    assert.ok(shift < SHIFT, `the page moved by ${shift}`);
    await page.keyboard.press("Enter");
    await shows(page, [...Array.from({ length: 12 }, (_, n) => `Todo ${n}`), "Typed"]);
    await remove(page, "Typed");
    // The next profile begins with the same list.
    await server.reaches(SCOPE, mutations.length + 2 * (round + 1));
    await page.close();
  }
});

for (const [name, options] of Object.entries({
  "in light": { colorScheme: "light" },
  "in dark": { colorScheme: "dark" },
  "on a phone": { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  "on a phone in dark": { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true, colorScheme: "dark" },
})) {
  test(`axe finds nothing ${name}, with a todo that is done, one being edited, and a refusal shown`, async () => {
    const page = await at.window({ bypassCSP: true, ...options });
    const check = async (what) => {
      await page.waitForTimeout(250);
      const violations = await page.evaluate(async (source) => {
        if (!globalThis.axe) (0, eval)(source);
        const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => html + failureSummary)}`);
      }, axe);
      assert.deepEqual(violations, [], what);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, `${what}: it scrolls sideways`);
    };
    await check("empty");
    for (const title of ["Milk", "Bread", "w".repeat(200)]) await add(page, title);
    await toggle(page, "Milk");
    await add(page, "x".repeat(201));
    await page.getByRole("alert").filter({ hasText: "at most 200" }).waitFor();
    await check("refused");
    await page.getByRole("link", { name: "Dismiss" }).click();
    await page.locator("summary").nth(1).click();
    await check("editing");
    await page.goto(`${at.server.url}/nowhere`);
    await check("not found");
  });
}

test("on a phone everything that is touched is at least 44 pixels wide and high", async () => {
  const page = await at.window({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await add(page, "Milk");
  await toggle(page, "Milk");
  await shows(page, ["✓ Milk"]);
  const small = await page.evaluate(() => {
    const targets = [...document.querySelectorAll("a, button, summary, input:not([type=hidden])")];
    return targets
      .filter((target) => target.checkVisibility({ visibilityProperty: true }) && !target.matches(".skip"))
      .map((target) => [target.outerHTML.slice(0, 80), target.getBoundingClientRect()])
      .filter(([, { width, height }]) => width < 44 || height < 44)
      .map(([html, { width, height }]) => `${html} ${width}×${height}`);
  });
  assert.deepEqual(small, []);
});

test("every operation works by the keyboard alone", async () => {
  const page = await open(await at.profile(), at.server.url);
  const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  const focused = () =>
    page.evaluate(() => {
      const { activeElement: it } = document;
      return it.ariaLabel || it.textContent.trim() || it.id;
    });
  /** Tabs on until the focus is there; a focus that can't be seen is none. */
  const to = async (name, key = "Tab") => {
    for (let tries = 0; tries < 30; tries++) {
      await press(key);
      if ((await focused()) !== name) continue;
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      assert.notEqual(outline, "none", `the focus on ${name} can't be seen`);
      return;
    }
    throw new Error(`${name} is not reached by the keyboard`);
  };
  await to("Skip to the list");
  await press("Enter");
  await to("title");
  await page.keyboard.type("Milk");
  await press("Enter");
  await page.keyboard.type("Bread");
  await press("Enter");
  await shows(page, ["Milk", "Bread"]);
  await to("Milk");
  await press("Space");
  await shows(page, ["✓ Milk", "Bread"]);
  assert.equal(await focused(), "Milk", "the focus stays where it was");

  await to("Edit Milk");
  await press("Enter");
  await page.locator(".draft:focus").waitFor();
  await page.keyboard.type("Oat milk");
  await press("Escape");
  await shows(page, ["✓ Milk", "Bread"]);
  assert.equal(await focused(), "Edit Milk");
  await press("Enter");
  await page.locator(".draft:focus").waitFor();
  await page.keyboard.type("Oat milk");
  await press("Enter");
  await shows(page, ["✓ Oat milk", "Bread"]);
  assert.equal(await focused(), "Edit Oat milk");

  await to("Delete Bread");
  await press("Enter");
  await shows(page, ["✓ Oat milk"]);
  assert.equal(await focused(), "Delete Oat milk", "the focus goes on to a neighbour");
  await to("Completed", "Shift+Tab");
  await press("Enter");
  await shows(page, ["✓ Oat milk"]);
  await to("Oat milk");
  await press("Space");
  await shows(page, []);
  assert.equal(await focused(), "title");
  await to("All");
  await press("Enter");
  await to("Oat milk");
  await press("Space");
  await to("Clear completed");
  await press("Enter");
  await shows(page, []);
  assert.equal(await focused(), "title");

  await page.keyboard.type("x".repeat(201));
  await press("Enter");
  await page.getByRole("alert").filter({ hasText: "at most 200" }).waitFor();
  await to("Dismiss");
  await press("Enter");
  assert.equal(await page.getByRole("alert").textContent(), "");
  assert.equal(await focused(), "title");
});
