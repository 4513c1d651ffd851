// Who is looking at the list: a dot with initials for each of the others, under a name that is drawn once and kept by the
// browser. It says something only while there is somebody else.

const adjectives = ["Amber", "Brave", "Calm", "Deft", "Early", "Fond", "Gentle", "Happy", "Keen", "Lucky", "Merry", "Quiet"];
const animals = ["Badger", "Crane", "Dove", "Eel", "Finch", "Heron", "Lynx", "Otter", "Robin", "Seal", "Trout", "Vole"];
const oneOf = (words) => words[Math.floor(Math.random() * words.length)];

function ownName() {
  try {
    return (localStorage.guest ||= `${oneOf(adjectives)} ${oneOf(animals)}`);
  } catch {
    // A browser that keeps nothing: another name with each visit.
    return `${oneOf(adjectives)} ${oneOf(animals)}`;
  }
}

/** Shows this window to the others, and the others in the element. */
export function showWhoIsHere(presence, element) {
  const name = ownName();
  const dots = element.querySelector("ul");
  const count = element.querySelector("p");
  presence.subscribe((peers) => {
    // Several windows of one browser are one guest.
    const others = [...new Set(peers.map(({ state }) => String(state?.name ?? "Guest")))].filter((other) => other !== name);
    element.hidden = others.length === 0;
    const text = others.length === 1 ? "1 other is here" : `${others.length} others are here`;
    if (count.textContent !== text) count.textContent = text;
    dots.replaceChildren(
      ...others.slice(0, 5).map((other) => {
        const dot = document.createElement("li");
        dot.title = other;
        dot.ariaLabel = other;
        dot.textContent = other.replace(/[^A-Z]/g, "").slice(0, 2);
        return dot;
      }),
    );
  });
  presence.set({ name });
}
