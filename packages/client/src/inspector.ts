/**
 * A tool for whoever builds a page: shows what a client holds and does, and lets it be cut off. A module of its own, loaded
 * when it is asked for; a page that never asks pays nothing for it. It never changes what the client does unless told to.
 */
export { openInspector, toggle } from "./inspector/open.ts";
export type { Inspector } from "./inspector/open.ts";
