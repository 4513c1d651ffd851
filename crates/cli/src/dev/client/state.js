
// --- What a page holds over a reload: what was being written, what was open, where the reader was -------------------

const KEPT = "riverrun-dev:kept";
/** What is kept for longer than this many milliseconds was of a reload that never came. */
const KEPT_FOR = 30_000;
const NEVER = new Set(["password", "file", "hidden", "submit", "button", "reset", "image"]);

const fields = () => [...document.querySelectorAll("input, textarea, select")].filter(({ type }) => !NEVER.has(type));
const folds = () => [...document.querySelectorAll("details")];

/** A field by its id, or by its place among those of its name. */
function keyOf(field) {
  if (field.id) return `#${field.id}`;
  const alike = fields().filter(({ name, tagName, id }) => !id && name === field.name && tagName === field.tagName);
  return `${field.tagName}[${field.name}]${alike.indexOf(field)}/${alike.length}`;
}

const isBox = ({ type }) => type === "checkbox" || type === "radio";
const began = (field) => {
  if (field.options) return [...field.options].findIndex(({ defaultSelected }) => defaultSelected);
  return isBox(field) ? field.defaultChecked : field.defaultValue;
};
const holds = (field) => (field.options ? field.selectedIndex : isBox(field) ? field.checked : field.value);

function keep() {
  const written = fields().filter((field) => holds(field) !== began(field) && !(field.options && began(field) < 0));
  const active = document.activeElement;
  const kept = {
    at: Date.now(),
    path: location.href,
    fields: written.map((field) => [keyOf(field), began(field), holds(field)]),
    folds: folds().map(({ open }) => open),
    focus: fields().includes(active) ? [keyOf(active), active.selectionStart, active.selectionEnd] : null,
    scroll: [scrollX, scrollY],
  };
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    // Full or forbidden: the page comes back empty.
  }
}

function restore() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  sessionStorage.removeItem(KEPT);
  if (!kept || kept.path !== location.href || Date.now() - kept.at > KEPT_FOR) return;
  const now = folds();
  if (now.length === kept.folds.length) now.forEach((fold, place) => fold.open !== kept.folds[place] && (fold.open = !fold.open));
  const byKey = new Map(fields().map((field) => [keyOf(field), field]));
  for (const [key, before, value] of kept.fields) {
    const field = byKey.get(key);
    // A field that begins with something else is another one.
    if (!field || began(field) !== before) continue;
    if (field.options) field.selectedIndex = value;
    else if (isBox(field)) field.checked = value;
    else field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  // After whatever the page does when a part of it opens.
  setTimeout(() => {
    const field = kept.focus && byKey.get(kept.focus[0]);
    if (field) {
      field.focus({ preventScroll: true });
      if (kept.focus[1] !== null) field.setSelectionRange?.(kept.focus[1], kept.focus[2]);
    }
    scrollTo({ left: kept.scroll[0], top: kept.scroll[1], behavior: "instant" });
  });
}
