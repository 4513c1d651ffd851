// Debian's Chromium, driven by playwright-core, and the todo page as a test speaks of it.
import { chromium } from "playwright-core";

/** Starts a browser without any traffic of its own. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // A page that a test answers for itself has no address: it may talk to the server all the same.
      "--disable-features=LocalNetworkAccessChecks",
    ],
  });
}

/** Everything a page must never do is collected in `page.problems`: errors, and violations of the policy. */
export async function watch(page) {
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => {
    // What a server that is gone looks like from here is no problem of the page's.
    const expected = /ERR_CONNECTION_|ERR_INTERNET_DISCONNECTED|WebSocket connection|status of 503|ERR_FAILED/;
    if (message.type() === "error" && !expected.test(message.text())) page.problems.push(message.text());
  });
  await page.exposeFunction("reportViolation", (text) => page.problems.push(text));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      reportViolation(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  return page;
}

/** A page of the todo list, live. */
export async function open(context, url) {
  const page = await watch(await context.newPage());
  await page.goto(url);
  await live(page);
  return page;
}

export const live = (page) => page.locator("#status[data-state=live]").waitFor();
export const offline = (page) => page.locator("#status[data-state=offline]").waitFor();
/** Nothing waits to be sent. */
export const saved = (page) => page.locator("#waiting:empty").waitFor({ state: "attached" });

export const titles = (page) => page.locator("#todos > li:not([hidden]) > .title").allTextContents();
export const row = (page, title) => page.locator("#todos > li", { has: page.getByText(title, { exact: true }) });

export async function add(page, title) {
  await page.getByLabel("What needs to be done?").fill(title);
  await page.getByRole("button", { name: "Add", exact: true }).click();
}

export const toggle = (page, title) => page.getByRole("checkbox", { name: title, exact: true }).click();
export const remove = (page, title) => page.getByRole("button", { name: `Delete ${title}`, exact: true }).click();
export const clear = (page) => page.getByRole("button", { name: "Clear completed" }).click();

export async function edit(page, title, next) {
  await row(page, title).locator("summary").click();
  await page.getByLabel(`Title of ${title}`, { exact: true }).fill(next);
  await page.getByRole("button", { name: "Save" }).click();
}

/** The list as a reader sees it: titles in order, completed ones with a tick. */
export const list = (page) =>
  page.locator("#todos > li:not([hidden])").evaluateAll((rows) =>
    rows.map((row) => {
      const done = row.querySelector("[role=checkbox]").ariaChecked === "true";
      return (done ? "✓ " : "") + row.querySelector(".title").textContent;
    }),
  );

/** Waits until the page shows this list, and says how many milliseconds it took. */
export async function shows(page, expected, within = 10_000) {
  const start = Date.now();
  let seen;
  do {
    seen = await list(page);
    if (JSON.stringify(seen) === JSON.stringify(expected)) return Date.now() - start;
    await page.waitForTimeout(10);
  } while (Date.now() - start < within);
  throw new Error(`expected ${JSON.stringify(expected)}, the page shows ${JSON.stringify(seen)}`);
}
