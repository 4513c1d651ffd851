/**
 * Reads the answer to a push: which mutations have a verdict now, and what is to be done about the others. It is pure;
 * the pusher does what it says.
 */
import type { Decided, Entry } from "../core/words.ts";
import { refusal, type PushAnswer, type PushResult, type Refusal } from "./wire.ts";

/** What an answer means for a batch. */
export interface Judgement {
  /** These have their verdict. */
  decided: Decided[];
  /** Their places belong to other mutations: they need new ones. */
  conflicts: Set<string>;
  /** The server has forgotten this client, or never knew it. */
  clientUnknown: boolean;
  /** Why the first mutation without a verdict has none; the ones behind it wait for it. */
  open: Refusal | null;
  /** The server does not take the version of the arguments, now or ever. */
  mismatch: Refusal | null;
}

/** Why the server refused to read a mutation that was then sent as a void one. */
export type Voids = ReadonlyMap<string, Void>;

/** What the server said instead of reading it. */
export type Void = Pick<PushResult, "code" | "error" | "reason">;

/** See the file's head. */
export function judge(entries: readonly Entry[], { results = [], epoch }: PushAnswer, voids: Voids): Judgement {
  const judgement: Judgement = { decided: [], conflicts: new Set(), clientUnknown: false, open: null, mismatch: null };
  for (const { id } of entries) {
    const result: Partial<PushResult> = results.find((one) => one.id === id) ?? { error: "no result" };
    const { ok, code, retry, cursor = 0, cursors } = result;
    const unknown = code === "client_unknown";
    if (code === "schema_mismatch") judgement.mismatch = refusal(result);
    if (ok) {
      judgement.decided.push({ id, verdict: { ok, cursor, cursors, epoch } });
    } else if (code === "seq_conflict") {
      judgement.conflicts.add(id);
      // Behind the client's very first mutation, put off, the server may know of no client yet: that is no verdict.
    } else if (unknown ? !judgement.open : retry === false || code === "expired") {
      judgement.clientUnknown ||= unknown;
      // A void one is told with the reason it was not read for: its own is of no use to anybody.
      const { code: why = "rejected", error = why, reason } = voids.get(id) ?? result;
      judgement.decided.push({ id, verdict: { ok: false, code: why, error, reason } });
    } else judgement.open ??= refusal(result);
  }
  return judgement;
}
