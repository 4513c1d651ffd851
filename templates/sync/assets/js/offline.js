// Makes the page open without a network: starts the service worker and, on the first visit, tells it what to keep. From
// the second visit on the worker sees every request and keeps by itself.

export async function keepForOffline() {
  if (!("serviceWorker" in navigator)) return;
  try {
    const seen = navigator.serviceWorker.controller !== null;
    await navigator.serviceWorker.register("/service-worker.js");
    const { active } = await navigator.serviceWorker.ready;
    if (seen) return;
    const loaded = performance.getEntriesByType("resource").map(({ name }) => new URL(name));
    const parts = loaded.filter(({ origin, pathname }) => {
      return origin === location.origin && (pathname.startsWith("/static/") || pathname === "/_sync/client.js");
    });
    active?.postMessage({ keep: [location.pathname, ...parts.map(({ pathname }) => pathname)] });
  } catch (error) {
    // A private window, or a browser that forbids it: the page works, it only can't open offline.
    console.info("this page will not open offline:", error);
  }
}
