// `riverrun dev` as somebody at work meets it: real edits, real builds, a real browser. How long things take is told, not
// asserted. The tests go on from each other, because each build takes its time.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { add, launch, live, open, saved, titles, watch } from "../lib/browser.mjs";
import { App, BUILD, Dev } from "../lib/dev.mjs";

const FOREVER = { timeout: BUILD };
let app, dev, browser, page;

before(async () => {
  app = new App();
  browser = await launch();
  dev = await Dev.start(app);
});
after(async () => {
  await browser?.close();
  await dev?.kill("SIGKILL");
});

const overlay = () => page.locator("riverrun-dev .panel");
/** A mark that a page loses when it is loaded again. */
const mark = () => page.evaluate(() => (window.mark = true));
const isMarked = () => page.evaluate(() => window.mark === true);
const took = (what, since) => console.log(`${what}: ${((Date.now() - since) / 1000).toFixed(2)} s`);
const field = () => page.getByLabel("What needs to be done?");

test("a page that is opened during the first build says so, and becomes the application", async () => {
  const since = Date.now();
  await dev.says("Building");
  page = await watch(await (await browser.newContext()).newPage());
  page.on("console", (message) => process.env.VERBOSE && console.log(message.text()));
  await page.goto(dev.url);
  await page.locator("#add").waitFor(FOREVER);
  took("the first build", since);
  await live(page);
  assert.match(await dev.says("listening on"), new RegExp(dev.url), "the application's log names the address to open");
  // Whatever the browser said of the page that was not there yet.
  page.problems.length = 0;
});

test("an edit of a template is seen, and what was being written stays", async () => {
  await add(page, "Milk");
  await saved(page);
  await field().pressSequentially("half a th");
  const since = Date.now();
  app.change("views/pages/home.html", (text) => text.replace("<h1>", '<h1 class="edited">Our '));
  await page.locator("h1.edited").waitFor();
  took("an edit of a template", since);
  await live(page);
  assert.equal(await field().inputValue(), "half a th");
  await page.waitForFunction(() => document.activeElement.id === "title");
  assert.deepEqual(await titles(page), ["Milk"]);
});

test("an edit of the styles is seen without loading the page", async () => {
  await mark();
  const since = Date.now();
  const undo = app.change("assets/css/style.css", (text) => `${text}\nh1 { outline: 3px solid rgb(1, 2, 3); }\n`);
  const outline = (colour) => page.waitForFunction((colour) => getComputedStyle(document.querySelector("h1")).outlineColor === colour, colour);
  await outline("rgb(1, 2, 3)");
  took("an edit of the styles", since);
  undo();
  await page.waitForFunction(() => getComputedStyle(document.querySelector("h1")).outlineStyle === "none");
  assert.ok(await isMarked(), "the page was loaded again");
  assert.equal(await page.locator('link[rel="stylesheet"]').count(), 1);
});

test("an edit of Rust is seen after its build, the old program serves until then, and nothing is lost", async () => {
  const [since, from] = [Date.now(), dev.log.length];
  await mark();
  app.change("src/service/todo/mutator.rs", (text) => text.replace("title: title(&a.title)?", 'title: format!("{}!", title(&a.title)?)'));
  const asked = { ok: 0, slowest: 0 };
  let over = false;
  const asking = (async () => {
    while (!over) {
      const start = Date.now();
      const answer = await fetch(dev.url, { headers: { accept: "text/html" } });
      assert.equal(answer.status, 200);
      await answer.text();
      asked.ok++;
      asked.slowest = Math.max(asked.slowest, Date.now() - start);
      await new Promise((wake) => setTimeout(wake, 25));
    }
  })();
  await add(page, "Bread");
  const line = await dev.says("Swapped", from);
  over = true;
  await asking;
  took("an edit of Rust", since);
  console.log(`${line.trim()}; ${asked.ok} requests were all answered, the slowest after ${asked.slowest} ms`);
  await page.waitForFunction(() => window.mark === undefined);
  await live(page);
  await add(page, "Eggs");
  await page.locator("#todos .title", { hasText: "Eggs!" }).waitFor();
  assert.deepEqual(await titles(page), ["Milk", "Bread", "Eggs!"]);
  await saved(page);
});

test("a compile error shows in the page as text, and goes when it is mended", async () => {
  const since = Date.now();
  const evil = 'let x: u8 = "<img src=x onerror=window.pwned=1></pre><script>window.pwned=1</script>";';
  const undo = app.change("src/main.rs", (text) => text.replace("let config =", `${evil}\n    let config =`));
  await overlay().waitFor(FOREVER);
  took("an error in Rust", since);
  const text = await overlay().locator(".text").textContent();
  assert.match(text, /mismatched types/);
  assert.ok(text.includes("</pre><script>window.pwned=1</script>"), text);
  assert.ok(!text.includes("\x1b"), "a terminal's escapes are no text");
  assert.match(await overlay().locator(".title").textContent(), /1 error/);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/overlay.png` });

  // The old program serves on, and a page that is opened now shows the error too.
  const other = await page.context().newPage();
  await other.goto(dev.url);
  await other.locator("riverrun-dev .panel").waitFor();
  await other.locator("#todos .title", { hasText: "Milk" }).waitFor();
  await other.keyboard.press("Escape");
  await other.locator("riverrun-dev .panel").waitFor({ state: "hidden" });
  await other.close();

  undo();
  const mended = Date.now();
  await overlay().waitFor({ state: "hidden", ...FOREVER });
  took("its mending", mended);
  await live(page);
  assert.deepEqual(page.problems, []);
});

test("a program that ends by itself shows its last words, and comes back after the next edit", async () => {
  const undo = app.change("src/main.rs", (text) => text.replace("let config =", 'if true { panic!("no <b>luck</b>"); }\n    let config ='));
  await overlay().getByText("no <b>luck</b>").waitFor(FOREVER);
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/ended.png` });
  await page.reload();
  await overlay().getByText("no <b>luck</b>").waitFor();
  undo();
  await page.locator("#add").waitFor(FOREVER);
  await live(page);
  assert.deepEqual(await titles(page), ["Milk", "Bread", "Eggs!"]);
  await overlay().waitFor({ state: "hidden" });
});

test("after Ctrl-C no process is left", async () => {
  assert.equal(app.running().length, 1);
  const since = Date.now();
  assert.equal(await dev.kill("SIGINT"), 0);
  took("Ctrl-C", since);
  assert.deepEqual(app.running(), []);
  await page.locator("riverrun-dev .word", { hasText: "not running" }).waitFor();
});

test("the next run is found by the page that was left open; killed without a chance to say anything, it takes the application with it", async () => {
  await mark();
  dev = await Dev.start(app, {}, dev.port);
  await dev.says("Ready");
  await page.waitForFunction(() => window.mark === undefined);
  await live(page);
  await page.locator("riverrun-dev .word").waitFor({ state: "hidden" });
  assert.equal(app.running().length, 1);
  await dev.kill("SIGKILL");
  await app.allGone();
});
