import { it } from "vitest";
import { walk } from "./walk.test.ts";
it("dbg", async () => { await walk(1001, true, true); });
