import { defineConfig } from "vitest/config";

// The random walk runs many seeds on a virtual clock; on a busy machine one file may take a while.
export default defineConfig({ test: { include: ["test/**/*.test.ts"], testTimeout: 120_000 } });
