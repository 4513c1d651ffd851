/**
 * The conformance traces, replayed through the browser client's core: the committed ones, and those in the folder that
 * `CONFORMANCE` names.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { replay } from "./conformance/player.ts";

const committed = fileURLToPath(new URL("../../../conformance/traces", import.meta.url));

function replayAll(folder: string): { traces: number; steps: number } {
  const total = { traces: 0, steps: 0 };
  const failures: string[] = [];
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".jsonl"))) {
    try {
      const agreed = replay(readFileSync(join(folder, name), "utf8"));
      total.traces += agreed.traces;
      total.steps += agreed.steps;
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message}`);
    }
  }
  expect(failures.slice(0, 3)).toEqual([]);
  return total;
}

it("says what the committed traces say", () => {
  const { traces, steps } = replayAll(committed);
  expect(traces).toBeGreaterThanOrEqual(9);
  expect(steps).toBeGreaterThanOrEqual(500);
});

it.runIf(process.env.CONFORMANCE)("says what the fresh traces say", () => {
  const { traces, steps } = replayAll(process.env.CONFORMANCE!);
  expect(steps).toBeGreaterThan(0);
  console.log(`${traces} traces, ${steps} steps: the browser client's core agrees`);
});
