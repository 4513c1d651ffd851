// Builds the one file a page needs, dist/client.js, which is committed and embedded by the server.
// With --fresh nothing is written: the build must equal the committed file, byte for byte.
import { build } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const here = new URL(".", import.meta.url);
const target = new URL("dist/client.js", here);

const { outputFiles } = await build({
  absWorkingDir: new URL(".", here).pathname,
  entryPoints: ["src/index.ts"],
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  charset: "utf8",
  write: false,
  banner: { js: "/*! riverrun client 0.1.0 | MIT OR Apache-2.0 */" },
});
const built = outputFiles[0].contents;

if (process.argv.includes("--fresh")) {
  const committed = await readFile(target).catch(() => Buffer.alloc(0));
  if (!committed.equals(built)) {
    console.error("dist/client.js is not what src/ builds: run `npm run build` and commit the result");
    process.exit(1);
  }
  console.log("dist/client.js is fresh");
} else {
  await mkdir(new URL("dist/", here), { recursive: true });
  await writeFile(target, built);
  console.log(`dist/client.js: ${built.length} bytes, ${gzipSync(built, { level: 9 }).length} gzipped`);
}
