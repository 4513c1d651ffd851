// Opens the application without a network. Online it is never in the way: pages and the sync client come from the
// network whenever that answers, whatever it answers. Only when it does not, what was kept at the last visit is given.
// Data is not its business: the sync client keeps that, and what waits to be sent.

const PAGES = "pages-1";
const PARTS = "parts-1";

/** Lists that are kept: more than anybody switches between, at some ten kilobytes each. */
const MAX_PAGES = 50;
/** Scripts, styles and icons that are kept: those of several versions, for the pages that still name them. */
const MAX_PARTS = 100;

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name !== PAGES && name !== PARTS) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

// The first visit's page was there before the worker; it says what it was made of.
self.addEventListener("message", (event) => {
  const paths = event.data?.keep;
  if (Array.isArray(paths)) event.waitUntil(Promise.all(paths.map((path) => keepPath(String(path)))));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(event, url));
  else if (isPart(url.pathname)) event.respondWith(part(event, url));
});

const isPart = (path) => path.startsWith("/static/") || path === "/_sync/client.js";

/** The name holds a fingerprint: what is kept under it is what the network would give. */
const isFixed = (path) => /^\/static\/.*\.[0-9a-f]{16}\.\w+$/.test(path);

/** One list, one page: how it is filtered is the script's business. */
const isList = (path) => path === "/" || /^\/lists\/[a-z0-9-]+$/.test(path);

async function page(event, url) {
  try {
    const answer = await fetch(event.request);
    if (answer.ok && !answer.redirected && isList(url.pathname)) {
      event.waitUntil(keep(PAGES, url.pathname, answer.clone(), MAX_PAGES));
    }
    return answer;
  } catch {
    return (await kept(PAGES, url.pathname)) ?? unknown();
  }
}

async function part(event, url) {
  const old = await kept(PARTS, url.pathname);
  if (old && isFixed(url.pathname)) return old;
  try {
    const answer = await fetch(event.request);
    if (answer.ok) event.waitUntil(keep(PARTS, url.pathname, answer.clone(), MAX_PARTS));
    return answer;
  } catch (error) {
    if (old) return old;
    throw error;
  }
}

async function kept(cache, path) {
  return (await caches.open(cache)).match(path);
}

async function keep(name, path, answer, limit) {
  const cache = await caches.open(name);
  await cache.put(path, answer);
  // The oldest are first.
  const all = await cache.keys();
  for (const request of all.slice(0, Math.max(0, all.length - limit))) await cache.delete(request);
}

async function keepPath(path) {
  const [cache, limit] = isList(path) ? [PAGES, MAX_PAGES] : [PARTS, MAX_PARTS];
  if (!isList(path) && !isPart(path)) return;
  if (await kept(cache, path)) return;
  const answer = await fetch(path).catch(() => null);
  if (answer?.ok && !answer.redirected) await keep(cache, path, answer, limit);
}

function unknown() {
  const text =
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">' +
    "<title>Offline</title><h1>You are offline</h1><p>This page was not opened on this device before, so it is not " +
    'kept here. <a href="/">Back to the todos</a></p></html>';
  return new Response(text, { status: 503, headers: { "content-type": "text/html; charset=utf-8" } });
}
