import { describe, expect, it } from "vitest";
import type { Mutated } from "../src/client.ts";
import { CALM } from "./support/network.ts";
import { Profile, World, shownMarks, type Tab } from "./support/world.ts";

/** Seeds walked: enough that each fault meets each step of a mutation; one more for every second there is to spend. */
const SEEDS = Number((import.meta as { env?: Record<string, string> }).env?.["WALK_SEEDS"] ?? 60);

/** Steps of one walk. */
const STEPS = 40;

interface Made extends Mutated {
  mark: string;
  refuse: boolean;
  tab: Tab;
}

/** Walks two profiles, one of them with two tabs, over a faulty network. `restores`: the server also loses commits. */
async function walk(seed: number, restores: boolean): Promise<void> {
  const world = new World(seed);
  const { random, network, server } = world;
  const below = (n: number): number => Math.floor(random() * n);
  const profiles = [new Profile(), new Profile()];
  const homes: [Profile, Tab | null][] = [
    [profiles[0]!, null],
    [profiles[0]!, null],
    [profiles[1]!, null],
  ];
  const made: Made[] = [];
  const wrong: string[] = [];
  let n = 0;
  const open = (at: number): void => {
    const tab = world.tab(homes[at]![0], random() < 0.2 ? { live: false } : {});
    homes[at]![1] = tab;
    // After every notification: nothing twice, and nothing of one's own missing that was not refused.
    tab.client.subscribe(() => {
      if (!tab.alive) return;
      const shown = shownMarks(tab.client);
      if (new Set(shown).size !== shown.length) wrong.push(`twice: ${shown.join()}`);
      const missing = made.find((one) => one.tab === tab && !one.refuse && !shown.includes(one.mark));
      if (missing && !restores) wrong.push(`missing ${missing.mark}: ${shown.join()}`);
    });
    tab.client.addEventListener("rejected", (event) => {
      const { id, args } = (event as CustomEvent).detail;
      if (!args.refuse) wrong.push(`rejected ${args.mark} ${id}: ${(event as CustomEvent).detail.code}`);
    });
  };
  homes.forEach((_, at) => open(at));
  if (restores) server.backup();

  for (let step = 0; step < STEPS; step++) {
    const at = below(homes.length);
    const tab = homes[at]![1]!;
    const what = below(12);
    if (what < 5) {
      for (let i = below(3); i >= 0; i--) {
        const refuse = random() < 0.15;
        const mark = `m${++n}`;
        made.push({ ...tab.client.mutate("append", { list: "l", mark, refuse }), mark, refuse, tab });
      }
    } else if (what === 5) network.faults = { ...network.faults, lose: random() * 0.4, loseAnswer: random() * 0.4 };
    else if (what === 6) network.faults = { ...CALM, delay: 1 + below(300) };
    else if (what === 7) network.cut(random() < 0.3);
    else if (what === 8) network.faults = { ...network.faults, noSockets: random() < 0.5, down: random() < 0.3 };
    else if (what === 9 && random() < 0.5) {
      // The page crashes; what was saved is there for the next one.
      await Promise.race([world.clock.settle(), Promise.all(made.filter((m) => m.tab === tab).map((m) => m.saved))]);
      tab.kill();
      open(at);
    } else if (what === 10) server.busy = random() < 0.5 ? () => random() < 0.3 : () => false;
    else if (what === 11) {
      if (!restores) server.trim("_default");
      else if (random() < 0.5) server.backup();
      else {
        server.restore(`e${step + 2}`);
        network.cut();
      }
    }
    await world.run(below(2_000));
  }

  // Faults stop: everybody converges in bounded time.
  network.faults = { ...CALM };
  server.busy = () => false;
  network.cut();
  await world.run(180_000);
  const truth = world.marks();
  const context = `seed ${seed}`;
  expect(wrong, context).toEqual([]);
  expect(new Set(truth).size, context).toBe(truth.length);
  for (const [, tab] of homes) {
    expect(tab!.client.pending, context).toEqual([]);
    expect(shownMarks(tab!.client), context).toEqual(truth);
    expect(tab!.reported, context).toEqual([]);
  }
  if (!restores) {
    const expected = made.filter((one) => !one.refuse).map((one) => one.mark);
    expect([...truth].sort(), context).toEqual([...expected].sort());
    for (const tab of world.tabs) {
      // In the order they were made, as each tab knows it.
      const own = made.filter((one) => one.tab === tab && !one.refuse).map((one) => one.mark);
      expect(
        truth.filter((mark) => own.includes(mark)),
        context,
      ).toEqual(own);
    }
  }
  for (const one of made) {
    if (one.tab.alive) expect((await one.verdict).ok, `${context} ${one.mark}`).toBe(!one.refuse);
  }
}

describe("a random walk of two profiles with three tabs over a faulty network", () => {
  it(`converges with nothing lost and nothing doubled (${SEEDS} seeds)`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) await walk(seed, false);
  }, 600_000);

  it(`converges also when the server is restored from backups (${Math.ceil(SEEDS / 2)} seeds)`, async () => {
    for (let seed = 1001; seed <= 1000 + Math.ceil(SEEDS / 2); seed++) await walk(seed, true);
  }, 600_000);
});
