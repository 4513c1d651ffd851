
// --- What is seen: a problem over the page, and a word in the corner while something goes on ------------------------

const host = document.createElement("riverrun-dev");
const root = host.attachShadow({ mode: "open" });
const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLE);
root.adoptedStyleSheets = [sheet];

const make = (tag, className, ...inside) => {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...inside);
  return node;
};

const word = make("p", "word");
word.role = "status";
const title = make("h2", "title");
title.id = "title";
const text = make("pre", "text");
text.tabIndex = 0;
const hide = make("button", "hide", "Hide");
const note = make("p", "note");
const panel = make("section", "panel", make("header", "head", title, hide), text, note);
panel.setAttribute("aria-labelledby", "title");
const problem = make("div", "problem", panel);
problem.role = "alert";
problem.hidden = word.hidden = true;
root.append(problem, word);

let shown = "";
let hidden = "";

hide.onclick = () => {
  hidden = shown;
  problem.hidden = true;
};
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !problem.hidden) hide.onclick();
});

function show(now) {
  // In a frame there is no room, and the page around it says it already.
  if (window !== top) return;
  if (!host.isConnected) document.documentElement.append(host);
  if (now.gone || now.outdated) return say(now.gone ? "riverrun dev is not running" : "Changed: send the form again to see it");
  const doing = now.building ?? (now.app === "starting" ? "Starting" : "");
  const place = document.getElementById("riverrun-dev-doing");
  if (isWaiting && place) place.textContent = doing || (now.problem ? "It could not be built or started." : "");
  else say(doing);
  shown = now.problem ? JSON.stringify(now.problem) : "";
  if (shown) {
    title.textContent = now.problem.title;
    text.replaceChildren(...coloured(now.problem.text));
    note.textContent = `${now.app === "up" ? "Below is the last version that works. " : ""}This goes by itself once it is mended.`;
  } else hidden = "";
  problem.hidden = !shown || shown === hidden;
}

/** Milliseconds something may take before it is worth a word. */
const WORTH = 300;
let patience;

function say(words) {
  clearTimeout(patience);
  if (!words || !word.hidden) return set();
  patience = setTimeout(set, WORTH);
  function set() {
    word.textContent = words;
    word.hidden = !words;
  }
}

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/** Text with a terminal's colours, as nodes: never as markup. Other escapes are left out. */
function* coloured(words) {
  let bold = false;
  let colour = "";
  for (const [at, part] of words.split(/\x1b\[([0-9;]*)m/).entries()) {
    if (at % 2 === 0) {
      const plain = part.replace(/\x1b(\[[0-9;?]*[a-zA-Z]|\][^\x07\x1b]*(\x07|\x1b\\))/g, "");
      if (plain) yield bold || colour ? make("span", `${bold ? "bold " : ""}${colour}`, plain) : plain;
      continue;
    }
    const codes = part.split(";").map(Number);
    for (let i = 0; i < codes.length; i++) {
      const code = codes[i];
      if (code === 0) [bold, colour] = [false, ""];
      else if (code === 1) bold = true;
      else if (code === 22) bold = false;
      else if (code === 39) colour = "";
      else if (code >= 30 && code <= 37) colour = COLOURS[code - 30];
      else if (code >= 90 && code <= 97) colour = COLOURS[code - 90];
      else if (code === 38 && codes[i + 1] === 5) {
        colour = COLOURS[codes[i + 2] % 8] ?? "";
        i += 2;
      }
    }
  }
}

if (!isWaiting) {
  if (document.readyState === "complete") setTimeout(restore);
  else addEventListener("load", () => setTimeout(restore));
}
listen();
