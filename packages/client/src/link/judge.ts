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
export interface Void {
  code: string;
  error: string;
  reason?: undefined;
}

/** See the file's head. */
export function judge(entries: readonly Entry[], answer: PushAnswer, voids: Voids): Judgement {
  const results = new Map((answer.results ?? []).map((result) => [result.id, result]));
  const judgement: Judgement = { decided: [], conflicts: new Set(), clientUnknown: false, open: null, mismatch: null };
  for (const { id } of entries) {
    // Behind the client's very first mutation, put off, the server may know of no client yet: that is no verdict.
    const result = results.get(id);
    if (result?.code === "schema_mismatch") judgement.mismatch = { ...refusal(result), status: 409 };
    if (result?.ok) {
      judgement.decided.push({ id, verdict: accepted(result, answer.epoch) });
    } else if (result?.code === "seq_conflict") {
      judgement.conflicts.add(id);
    } else if (result && !(judgement.open && result.code === "client_unknown") && isFinal(result)) {
      judgement.clientUnknown ||= result.code === "client_unknown";
      judgement.decided.push({ id, verdict: refused(result, voids.get(id)) });
    } else {
      judgement.open ??= refusal(result ?? { error: "no result" });
    }
  }
  return judgement;
}

/** It ends the mutation: by its verdict, or by a code that says there will be none. */
const isFinal = ({ retry, code }: PushResult): boolean =>
  retry === false || code === "expired" || code === "client_unknown";

const accepted = ({ cursor = 0, cursors }: PushResult, epoch: string | undefined): Decided["verdict"] => ({
  ok: true,
  cursor,
  cursors,
  epoch,
});

/** A void one is told with the reason it was not read for: its own is of no use to anybody. */
function refused(result: PushResult, voided: Void | undefined): Decided["verdict"] {
  const { code = "rejected", error = code, reason } = voided ?? result;
  return { ok: false, code, error, reason };
}
