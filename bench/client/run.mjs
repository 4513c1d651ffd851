// Runs the measurements in Debian's Chromium and prints the table: `node run.mjs [--rounds N] [--only MEASURE]`. Peers
// take turns, so that what else the machine does falls on all of them; of the rounds the median counts.
import { build } from "esbuild";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, only: { type: "string" }, json: { type: "boolean", default: false }, verbose: { type: "boolean", default: false } },
});
const rounds = Number(options.rounds);

const PEERS = ["riverrun", "replicache", "maps"];
const MEASURES = {
  load: "first load: 10,000 rows of 1 KB, until a reader has them",
  start: "start from what is stored, without a network",
  mutations: "1,000 mutations, a reader of 100 rows told",
  rebase: "1,000 changes arrive under 1,000 pending",
  subscribers: "100 readers, 5 touched, until all 5 are told",
};

/** Milliseconds a measurement may take, on a machine that has much else to do. */
const PATIENCE = 120_000;

const here = (path) => new URL(path, import.meta.url);
const { outputFiles } = await build({
  absWorkingDir: here(".").pathname,
  entryPoints: ["src/page.js", ...PEERS.map((peer) => `src/${peer}.js`)],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  external: ["/client.js"],
  plugins: [
    {
      name: "peers are fetched one by one",
      setup: ({ onResolve }) => onResolve({ filter: /^\.\/(riverrun|replicache|maps)\.js$/ }, ({ path }) => ({ path, external: true })),
    },
  ],
  outdir: "out",
  write: false,
  logLevel: "error",
});
const files = new Map(outputFiles.map(({ path, contents }) => [path.slice(path.lastIndexOf("/")), contents]));
files.set("/client.js", await readFile(here("../../packages/client/dist/client.js")));

const server = createServer(({ url }, answer) => {
  const { pathname } = new URL(url, "http://bench");
  const file = files.get(pathname);
  if (file) return answer.writeHead(200, { "content-type": "text/javascript" }).end(file);
  if (pathname !== "/") return answer.writeHead(404).end();
  answer.writeHead(200, { "content-type": "text/html" }).end('<!doctype html><script type="module" src="/page.js"></script>');
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const address = `http://127.0.0.1:${server.address().port}/`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function measure(context, peer, name) {
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(`${peer} ${name}: ${error}`));
  await page.goto(`${address}?peer=${peer}`);
  await page.waitForFunction("globalThis.isReady");
  const late = new Promise((_, no) => setTimeout(() => no(new Error(`${peer} ${name}: not done in ${PATIENCE} ms`)), PATIENCE).unref());
  const ms = await Promise.race([page.evaluate(`measure(${JSON.stringify(name)})`), late]);
  await page.close();
  return ms;
}

const held = {};
const took = Object.fromEntries(Object.keys(MEASURES).map((name) => [name, Object.fromEntries(PEERS.map((peer) => [peer, []]))]));
for (let round = 0; round < rounds; round++) {
  for (const peer of PEERS) {
    for (const name of Object.keys(MEASURES)) {
      if (options.only && name !== options.only && !(options.only === "start" && name === "load")) continue;
      if (name === "start" && peer === "maps") continue;
      if (name !== "start") await held.context?.close();
      // A profile of its own for each, but that a start begins where the load before it ended.
      if (name !== "start") held.context = await browser.newContext();
      const ms = await measure(held.context, peer, name);
      took[name][peer].push(ms);
      if (options.verbose) console.error(`${peer} ${name}: ${ms.toFixed(1)} ms`);
    }
  }
  if (process.stderr.isTTY || !options.json) console.error(`round ${round + 1} of ${rounds}`);
}
await browser.close();
server.close();

const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];
const shown = (ms) => (ms === undefined ? "–" : ms < 10 ? ms.toFixed(2) : ms.toFixed(0));
const table = Object.entries(MEASURES).map(([name, what]) => {
  const [own, other, maps] = PEERS.map((peer) => median(took[name][peer]));
  return { name, what, own, other, maps, ratio: other / own };
});
if (options.json) {
  console.log(JSON.stringify({ rounds, took }, null, 1));
} else {
  console.log("| | riverrun | Replicache 15.3 | Maps | Replicache ÷ riverrun |\n|---|--:|--:|--:|--:|");
  for (const { what, own, other, maps, ratio } of table) {
    console.log(`| ${what} | ${shown(own)} ms | ${shown(other)} ms | ${shown(maps)}${maps === undefined ? "" : " ms"} | ${ratio.toFixed(1)} |`);
  }
  const ratios = table.map(({ ratio }) => ratio).filter(Number.isFinite);
  console.log(`| geometric mean | | | | ${Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length).toFixed(1)} |`);
}
