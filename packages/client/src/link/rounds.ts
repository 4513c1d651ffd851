/**
 * Work that is done in rounds, and by one at a time: whoever asks for it while it runs waits for the same end, and the round
 * that began before is not the last. It knows nothing of the work, and never rejects.
 */
import { lost, type Refusal } from "./wire.ts";

/** What a round says: there is more to do, there is not, or what stands in the way. */
export type Round = boolean | Refusal;

/** Returns how to ask for it; resolves with what stood in the way, `null` where nothing did. */
export function inRounds(round: () => Promise<Round>): () => Promise<Refusal | null> {
  let asked = false;
  let running: Promise<Refusal | null> | null = null;
  async function run(): Promise<Refusal | null> {
    let said: Round;
    // Not before the caller has noted that this runs.
    await null;
    do {
      asked = false;
      said = await round().catch(lost);
    } while (said === true || (asked && !said));
    // In the same breath as the last look at `asked`: whoever asks now starts another run.
    running = null;
    return said || null;
  }
  return () => {
    asked = true;
    return (running ??= run());
  };
}
