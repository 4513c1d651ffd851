/**
 * How the link stands, told from what happened: never from what the browser believes about the network. It decides
 * nothing and retries nothing.
 */
import type { Refusal } from "./wire.ts";

/**
 * `live`: changes arrive by themselves. `polling`: the server answers, no WebSocket. `offline`: it doesn't answer.
 * `unauthorized`: it answers that this reader or writer may not (see the event's `code`).
 */
export type Status = "live" | "polling" | "offline" | "unauthorized";

/** A status and, where the server said no, its words. */
export interface Standing {
  status: Status;
  code?: string;
  error?: string;
}

/** Collects what happened and tells when the status changes. */
export class StandingBoard {
  #now: Standing = { status: "offline" };
  #live = false;
  #answers = false;
  readonly #denied = new Map<"read" | "push", Refusal>();
  readonly #told: (standing: Standing) => void;

  constructor(told: (standing: Standing) => void) {
    this.#told = told;
  }

  get now(): Standing {
    return this.#now;
  }

  /** The subscription is live, or no longer. */
  live(is: boolean): void {
    this.#live = is;
    if (is) {
      this.#denied.delete("read");
      this.#answers = true;
    }
    this.#tell();
  }

  /** A question ended; `null` where it was answered. */
  heard(about: "read" | "push", refusal: Refusal | null): void {
    // A push that fails says little about reading; one that works says the server is there.
    if (about === "read" || !refusal) this.#answers = refusal === null;
    if (refusal?.status === 401 || refusal?.status === 403) this.#denied.set(about, refusal);
    else if (!refusal) this.#denied.delete(about);
    this.#tell();
  }

  #tell(): void {
    const denied = this.#denied.get("read") ?? this.#denied.get("push");
    const next: Standing = denied
      ? { status: "unauthorized", code: denied.code, error: denied.error }
      : { status: this.#live ? "live" : this.#answers ? "polling" : "offline" };
    const changed = next.status !== this.#now.status || next.code !== this.#now.code;
    this.#now = next;
    if (changed) this.#told(next);
  }
}
