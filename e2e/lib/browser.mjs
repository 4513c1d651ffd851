// Debian's Chromium, driven by playwright-core.
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
    ],
  });
}

/** A page of the todo list, ready. What goes wrong on it is collected in `problems`. */
export async function open(context, url) {
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  await page.goto(url);
  await page.locator("#status[data-state=live]").waitFor();
  return page;
}

export const titles = (page) => page.locator("#todos li span").allTextContents();

export async function add(page, title) {
  await page.getByLabel("What needs to be done?").fill(title);
  await page.getByRole("button", { name: "Add" }).click();
}

/** Waits until the page shows these titles, in this order. */
export async function shows(page, expected, within = 10_000) {
  const until = Date.now() + within;
  let seen;
  do {
    seen = await titles(page);
    if (JSON.stringify(seen) === JSON.stringify(expected)) return;
    await page.waitForTimeout(50);
  } while (Date.now() < until);
  throw new Error(`expected ${JSON.stringify(expected)}, the page shows ${JSON.stringify(seen)}`);
}
