/**
 * Questions over HTTP. Every one ends, with an answer or a refusal, and none throws: what failed is for the asker to
 * judge.
 */
import { retryAfterMs } from "../core/backoff.ts";
import type { Env } from "../env.ts";
import { lost, refusal, type Answer } from "./wire.ts";

/** A question without an answer for this many milliseconds counts as lost: the server's own limits are shorter. */
const ANSWER_MS = 30_000;

/** The codes that something is done about, for answers in the words of what stands between. */
const CODES: Readonly<Record<number, string>> = {
  400: "invalid_mutation",
  401: "unauthenticated",
  403: "forbidden",
  413: "too_large",
};

/** Gives the token that says who is asking, where cookies don't. */
export type Token = (() => string | Promise<string>) | undefined;

/** Asks a route (`push`, `pull`, `snapshot`) of one server. */
export type Post = <T>(route: string, body: object) => Promise<Answer<T>>;

/** `base` is the address with the prefix, such as `https://example.org/_sync`. */
export const makePost =
  (env: Env, base: string, token: Token): Post =>
  async <T>(route: string, body: object) => {
    const abort = new AbortController();
    const timer = env.setTimeout(() => abort.abort(), ANSWER_MS);
    try {
      const headers: Record<string, string> = { "content-type": "application/json" };
      if (token) headers["authorization"] = `Bearer ${await token()}`;
      const response = await env.fetch(`${base}/${route}`, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
        signal: abort.signal,
      });
      const { ok, status } = response;
      // What stands between may answer an error in its own words; a good answer that can't be read was none.
      const read = (await response.json().catch((error: unknown) => ok && Promise.reject(error))) as unknown;
      if (ok) return { ok, body: read as T };
      const retryAfter = retryAfterMs(response.headers.get("retry-after"), env.now());
      const { code = `http_${status}`, error } = (read || {}) as { code?: string; error?: string };
      return { ...refusal({ code: CODES[status] ?? code, error }), retryAfter };
    } catch (error) {
      return lost(error);
    } finally {
      env.clearTimeout(timer);
    }
  };
