// Builds the one file a page needs, dist/client.js, which is committed and embedded by the server.
// With --fresh nothing is written: the build must equal the committed file, byte for byte.
import { build } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = new URL(".", import.meta.url);
const target = new URL("dist/client.js", here);

// Names between our own modules, shortened in the built file. None of them may be a field of the wire, of a stored or
// broadcast record, of the public API, or of anything the platform defines: the tests run on the built file to see that.
const INTERNAL = `
  absorb accepted adopt append apply base cancel catchUp changed clientUnknown closed conflicts connected core counter decide
  distrust doubt drain entry expect fall frame fresh gone hasEnded heard http invalidate keep kept kick lastSeq layer leads
  dropped ledger load named nextRef otherHistory place post prefer probe pusher queue quiet reader record renew renewed renumber resigns restore
  resync retryAfter rows senders settle standing start stop tabs take tell trust unknown valid verdicts wake watermark written
`
  .trim()
  .split(/\s+/);

const { outputFiles } = await build({
  absWorkingDir: fileURLToPath(here),
  entryPoints: ["src/index.ts"],
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  mangleProps: new RegExp(`^(${INTERNAL.join("|")})$`),
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
