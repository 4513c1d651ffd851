import { fileURLToPath } from "node:url";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const built = { find: /^.*\/src\/client\.ts$/, replacement: here("dist/client.js") };

// Everything runs on the sources; what goes through the public class runs on the built file too, whose inner names are
// shortened; and all of it runs in Chromium, on the browser's own IndexedDB. On a busy machine the walk's many seeds take a while.
export default defineConfig({
  test: {
    testTimeout: 120_000,
    setupFiles: ["test/support/setup.ts"],
    projects: [
      { extends: true, test: { name: "src", include: ["test/*.test.ts"] } },
      {
        extends: true,
        resolve: { alias: [built] },
        test: { name: "dist", include: ["test/{base,client,collections,link,presence,scopes,tabs,walk}.test.ts"], env: { WALK_SEEDS: "10" } },
      },
      {
        extends: true,
        resolve: { alias: [built, { find: "fake-indexeddb", replacement: here("test/support/chromium.ts") }] },
        test: {
          name: "chromium",
          include: ["test/*.test.ts", "test/chromium/*.test.ts"],
          // They read files, or stand in for a page that a browser has.
          exclude: ["test/{conformance,inspector,size}.test.ts"],
          env: { WALK_SEEDS: "5" },
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
                args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
              },
            }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
    ],
  },
});
