/**
 * Questions over HTTP. Every one ends, with an answer or a refusal, and none throws: what failed is for the asker to
 * judge.
 */
import { retryAfterMs } from "../core/backoff.ts";
import type { Env } from "../env.ts";
import { lost, type Answer } from "./wire.ts";

/** A question without an answer for this many milliseconds counts as lost: the server's own limits are shorter. */
const ANSWER_MS = 30_000;

/** Gives the token that says who is asking, where cookies don't. */
export type Token = (() => string | Promise<string>) | undefined;

/** The routes of one server. */
export class Http {
  readonly #env: Env;
  readonly #base: string;
  readonly #token: Token;

  /** `base` is the address with the prefix, such as `https://example.org/_sync`. */
  constructor(env: Env, base: string, token: Token) {
    this.#env = env;
    this.#base = base;
    this.#token = token;
  }

  /** Asks a route (`push`, `pull`, `snapshot`). */
  async post<T>(route: string, body: object): Promise<Answer<T>> {
    const abort = new AbortController();
    const timer = this.#env.setTimeout(() => abort.abort(), ANSWER_MS);
    try {
      const headers: Record<string, string> = { "content-type": "application/json" };
      if (this.#token) headers["authorization"] = `Bearer ${await this.#token()}`;
      const response = await this.#env.fetch(`${this.#base}/${route}`, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
        signal: abort.signal,
        cache: "no-store",
      });
      const { ok, status } = response;
      // What stands between may answer an error in its own words; a good answer that can't be read was none.
      const read = (await response.json().catch((error: unknown) => ok && Promise.reject(error))) as unknown;
      if (ok) return { ok, body: read as T };
      const { code = `http_${status}`, error = code } = (read || {}) as { code?: string; error?: string };
      return {
        ok,
        status,
        code,
        error,
        retryAfter: retryAfterMs(response.headers.get("retry-after"), this.#env.now()),
      };
    } catch (error) {
      return lost(String(error));
    } finally {
      this.#env.clearTimeout(timer);
    }
  }
}
