// What `riverrun dev` adds to every page: it brings the page up to date, with what was being written in it, and shows
// what is wrong. Only development has it. This part listens and decides; `state.js` keeps what a page holds over a
// reload, `show.js` is what is seen. None of it may write markup from text: what is shown is other programs' words.

const script = document.currentScript;
const made = { page: script.dataset.page, styles: Number(script.dataset.styles) };
const isWaiting = script.dataset.waiting !== undefined;
const isPosted = script.dataset.posted !== undefined;
const TRIED = "riverrun-dev:tried";

/** Milliseconds before the next attempt to listen: at first and at most. */
const [SOON, LATE] = [250, 2000];
let pause = SOON;

function listen() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/_dev/events`);
  socket.onmessage = ({ data }) => {
    pause = SOON;
    heard(JSON.parse(data));
  };
  socket.onclose = () => {
    show({ gone: true });
    setTimeout(listen, pause);
    pause = Math.min(pause * 2, LATE);
  };
}

function heard(now) {
  show(now);
  if (now.app !== "up") return;
  if (isWaiting || now.page !== made.page) return renew(now.page);
  if (now.styles !== made.styles) {
    made.styles = now.styles;
    restyle().catch(() => renew(`${now.page}.${now.styles}`));
  }
}

/** Loads the page again, for the same version once: what some cache gives back would be loaded for ever. */
function renew(version) {
  if (isPosted) return show({ outdated: true });
  if (!isWaiting && sessionStorage.getItem(TRIED) === version) return;
  sessionStorage.setItem(TRIED, version);
  keep();
  location.reload();
}

/** Takes the styles that the page would have now. Each stays until its successor is there, so nothing flickers. */
async function restyle() {
  const links = () => [...document.querySelectorAll('link[rel~="stylesheet"][href]')];
  const isOurs = (link) => new URL(link.href, location.href).origin === location.origin;
  const old = links().filter(isOurs);
  let fresh = [];
  if (!isPosted) {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      fresh = [...page.querySelectorAll('link[rel~="stylesheet"][href]')].filter((link) => {
        return new URL(link.getAttribute("href"), location.href).origin === location.origin;
      });
    }
  }
  old.forEach((link, place) => {
    // The same number of styles is the same styles; otherwise each is only asked for again.
    const href = fresh.length === old.length ? fresh[place].getAttribute("href") : link.getAttribute("href");
    const url = new URL(href, location.href);
    // An address that changes with the bytes says by itself whether there is anything new.
    if (url.href === new URL(link.href).href || url.pathname === new URL(link.href).pathname) {
      url.searchParams.set("dev", made.styles);
    }
    const next = link.cloneNode();
    next.href = url.href;
    next.onload = next.onerror = () => link.remove();
    link.after(next);
  });
  if (fresh.length !== 0 && fresh.length !== old.length) throw new Error("there are other styles than before");
}
