// What a newcomer has after `riverrun new`: an application of each template, built, started, and a todo added in a browser.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { add, launch, live, shows, watch } from "../lib/browser.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const folder = mkdtempSync(join(tmpdir(), "riverrun-new-"));
let browser;
let target;

const cargo = (args, options = {}) =>
  execFileSync("cargo", args, { cwd: root, stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 26, ...options });

before(async () => {
  cargo(["build", "--quiet", "-p", "riverrun-cli"]);
  target = JSON.parse(cargo(["metadata", "--format-version", "1", "--no-deps"])).target_directory;
  browser = await launch();
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** An application of a template, running; it shares what the workspace has compiled. */
async function start(template) {
  const name = `my-${template}`;
  const asked = ["new", name, "--template", template, "--yes", "--no-git", "--riverrun-path", root];
  execFileSync(join(target, "debug", "riverrun"), asked, { cwd: folder });
  const results = join(folder, "results");
  const env = { ...process.env, CARGO_TARGET_DIR: results, CARGO_BUILD_BUILD_DIR: target };
  cargo(["build", "--quiet", "--locked"], { cwd: join(folder, name), env });
  const settings = { ...process.env, HOST: "127.0.0.1", PORT: "0", RUST_LOG: "info", NO_COLOR: "1" };
  const child = spawn(join(results, "debug", name), [], { cwd: join(folder, name), env: settings });
  const url = await new Promise((resolve, reject) => {
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        said += text;
        const listens = /listening on (http:\/\/[\d.:]+)/.exec(said);
        if (listens) resolve(listens[1]);
      });
    }
    child.once("exit", () => reject(new Error(`it ended before it listened:\n${said}`)));
  });
  return { url, stop: () => child.kill("SIGKILL") };
}

/** Two windows of profiles of their own. */
async function windows(url) {
  const pages = [];
  for (let count = 0; count < 2; count++) {
    const page = await watch(await (await browser.newContext()).newPage());
    await page.goto(url);
    pages.push(page);
  }
  return pages;
}

test("an application of the template sync shows a todo in both windows", async () => {
  const app = await start("sync");
  try {
    const [one, two] = await windows(app.url);
    await live(one);
    await live(two);
    await add(one, "Milk");
    await shows(two, ["Milk"]);
    assert.deepEqual([...one.problems, ...two.problems], []);
  } finally {
    app.stop();
  }
});

test("an application of the template minimal shows a todo in both windows", async () => {
  const app = await start("minimal");
  try {
    const [one, two] = await windows(app.url);
    await one.getByLabel("What is to do?").fill("Milk");
    await one.getByRole("button", { name: "Add", exact: true }).click();
    await two.locator("li", { hasText: "Milk" }).waitFor();
    await two.getByLabel("Done: Milk").check();
    await one.locator("li.done", { hasText: "Milk" }).waitFor();
    await one.getByLabel("Delete: Milk").click();
    await two.locator("li").waitFor({ state: "detached" });
    assert.deepEqual([...one.problems, ...two.problems], []);
  } finally {
    app.stop();
  }
});
