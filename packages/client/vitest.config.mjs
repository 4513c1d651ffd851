import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const dist = fileURLToPath(new URL("dist/client.js", import.meta.url));

// Everything runs on the sources; what goes through the public class runs on the built file too, whose inner names are
// shortened. On a busy machine the walk's many seeds take a while.
export default defineConfig({
  test: {
    testTimeout: 120_000,
    setupFiles: ["test/support/setup.ts"],
    projects: [
      { extends: true, test: { name: "src", include: ["test/*.test.ts"] } },
      {
        extends: true,
        resolve: { alias: [{ find: /^.*\/src\/client\.ts$/, replacement: dist }] },
        test: { name: "dist", include: ["test/{base,client,collections,link,presence,scopes,tabs,walk}.test.ts"], env: { WALK_SEEDS: "10" } },
      },
    ],
  },
});
