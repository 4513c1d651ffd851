// Builds what a page needs, dist/client.js, which is committed and embedded by the server, and beside it what is only for
// those who ask for it: dist/react.js, dist/signals.js and dist/inspector.js (embedded too), and the types of all four. What is
// embedded is there as it travels too (.gz), compressed once and well instead of quickly at every request.
// With --fresh nothing is written: the build must equal the committed files, byte for byte.
import { gzipAsync } from "@gfx/zopfli";
import { build } from "esbuild";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { minify } from "terser";
import ts from "typescript";
import { ownNames } from "./names.mjs";

const here = new URL(".", import.meta.url);
const dist = new URL("dist/", here);

// None of them may be a field of the wire, of a stored or broadcast record, of the public API, or of anything the platform
// defines: the tests run on the built file to see that.
const INTERNAL = ownNames();

async function bundle(entry, external = [], names = INTERNAL) {
  const { outputFiles } = await build({
    absWorkingDir: fileURLToPath(here),
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: "es2022",
    // Private names as short ones; terser does the rest.
    minifyIdentifiers: true,
    minifySyntax: true,
    external,
    legalComments: "none",
    charset: "utf8",
    write: false,
  });
  const { code } = await minify(outputFiles[0].text, {
    module: true,
    ecma: 2020,
    // What makes the text shorter without making it more alike is off: it would be longer when zipped.
    compress: {
      ...{ passes: 4, unsafe: true, unsafe_arrows: true, unsafe_comps: true, unsafe_methods: true, pure_getters: true },
      ...{ keep_fargs: false, hoist_funs: true, lhs_constants: false, sequences: false },
    },
    mangle: { properties: names.length > 0 && { builtins: true, regex: new RegExp(`^(${names.join("|")})$`) } },
    format: { comments: false, preamble: "/*! riverrun client 0.1.0 | MIT OR Apache-2.0 */" },
  });
  return Buffer.from(`${code}\n`);
}

/** The types, one file per module, as the compiler writes them. */
function types() {
  const root = fileURLToPath(here);
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const written = new Map();
  const program = ts.createProgram(fileNames, {
    ...options,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rewriteRelativeImportExtensions: true,
    rootDir: `${root}src`,
    outDir: `${root}dist/types`,
    stripInternal: true,
  });
  const { diagnostics } = program.emit(undefined, (path, text) => {
    written.set(path.slice(`${root}dist/`.length), Buffer.from(text.replaceAll(/from "(\.[^"]*)\.ts"/g, 'from "$1.js"')));
  });
  if (diagnostics.length) throw new Error(ts.formatDiagnostics(diagnostics, ts.createCompilerHost(options)));
  return written;
}

const files = new Map([
  ["client.js", await bundle("src/index.ts")],
  ["react.js", await bundle("src/react.ts", ["react"])],
  ["signals.js", await bundle("src/signals.ts")],
  // A tool, which speaks to the page and to a client built elsewhere: no name of it is shortened.
  ["inspector.js", await bundle("src/inspector.ts", [], [])],
]);
for (const name of ["client.js", "inspector.js"]) {
  files.set(`${name}.gz`, Buffer.from(await gzipAsync(files.get(name), { numiterations: 50 })));
}

if (process.argv.includes("--fresh")) {
  const stale = [];
  for (const [name, built] of files) {
    const committed = await readFile(new URL(name, dist)).catch(() => Buffer.alloc(0));
    if (!committed.equals(built)) stale.push(name);
  }
  if (stale.length) {
    console.error(`dist/${stale} is not what src/ builds: run \`npm run build\` and commit the result`);
    process.exit(1);
  }
  console.log("dist is fresh");
} else {
  await mkdir(dist, { recursive: true });
  for (const [name, built] of files) {
    await writeFile(new URL(name, dist), built);
    console.log(`dist/${name}: ${built.length} bytes`);
  }
  if (process.argv.includes("--types")) {
    for (const [name, text] of types()) {
      await mkdir(new URL(".", new URL(name, dist)), { recursive: true });
      await writeFile(new URL(name, dist), text);
    }
    console.log(`dist/types: ${(await readdir(new URL("types/", dist))).length} entries`);
  }
}
