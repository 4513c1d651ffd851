// Scripts off: the page is readable, and every operation works by its plain forms.
import assert from "node:assert/strict";
import { test } from "node:test";
import { add, clear, edit, list, remove, shows, toggle, watch } from "../lib/browser.mjs";
import { SCOPE, stage } from "../lib/stage.mjs";

const at = stage();

async function plain() {
  const context = await at.profile({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(at.server.url);
  return page;
}

test("every operation works without scripts, and a window with scripts sees each", async () => {
  const [page, other] = [await plain(), await at.window()];
  await add(page, "Milk");
  assert.deepEqual(await list(page), ["Milk"]);
  await add(page, "Bread");
  await shows(other, ["Milk", "Bread"]);
  await toggle(page, "Milk");
  assert.deepEqual(await list(page), ["✓ Milk", "Bread"]);
  await edit(page, "Bread", "Rye bread");
  assert.deepEqual(await list(page), ["✓ Milk", "Rye bread"]);
  await page.getByRole("link", { name: "Active" }).click();
  assert.deepEqual(await list(page), ["Rye bread"]);
  await page.getByText("1 todo left").waitFor();
  await toggle(page, "Rye bread");
  assert.deepEqual(await list(page), []);
  await page.getByText("All done.").waitFor();
  assert.equal(new URL(page.url()).search, "?filter=active", "the filter stays");
  await page.getByRole("link", { name: "All" }).click();
  await toggle(page, "Rye bread");
  await clear(page);
  assert.deepEqual(await list(page), ["Rye bread"]);
  await shows(other, ["Rye bread"]);
  await remove(page, "Rye bread");
  assert.deepEqual(await list(page), []);
  await shows(other, []);
});

test("a refused form says why and keeps what was typed", async () => {
  const page = await plain();
  const nasty = `</script><img src=x onerror=1>${"x".repeat(200)}`;
  await add(page, nasty);
  await page.getByRole("alert").filter({ hasText: "at most 200 characters" }).waitFor();
  assert.equal(await page.getByLabel("What needs to be done?").inputValue(), nasty);
  assert.equal(await page.locator("img").count(), 0);
  await page.getByRole("link", { name: "Dismiss" }).click();
  assert.equal(await page.getByRole("alert").textContent(), "");
});

test("a form that is sent twice is done once", async () => {
  const page = await plain();
  const once = await page.locator("#add [name=once]").inputValue();
  const answers = await Promise.all(
    [1, 2].map(() =>
      fetch(`${at.server.url}/lists/home/create`, {
        method: "POST",
        redirect: "manual",
        headers: { origin: at.server.url },
        body: new URLSearchParams({ once, title: "Milk" }),
      }),
    ),
  );
  assert.deepEqual(answers.map(({ status }) => status), [303, 303]);
  await page.reload();
  assert.deepEqual(await list(page), ["Milk"]);
  assert.equal((await at.server.changes(SCOPE)).length, 1);
});

test("a form of another site does nothing", async () => {
  const page = await watch(await (await at.profile()).newPage());
  // The same machine under another name is another site.
  const target = at.server.url.replace("127.0.0.1", "localhost");
  await page.goto(`data:text/html,<form method=post action="${target}/lists/home/create"><input name=once value=a>
    <input name=title value=Milk><button>Send</button></form>`);
  await page.getByRole("button").click();
  await page.waitForURL(`${target}/**`);
  assert.deepEqual(await at.server.changes(SCOPE), []);
});
