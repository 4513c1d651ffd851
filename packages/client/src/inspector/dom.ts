/**
 * Two small helpers for making nodes and keeping a list of them in step with a list of things. Nothing is ever made from
 * markup, so nothing that travels can become markup.
 */

/** An element with properties and children; `class` and what has a hyphen are attributes. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Record<string, unknown> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "class" || name.includes("-") || name === "role") node.setAttribute(name, String(value));
    else (node as unknown as Record<string, unknown>)[name] = value;
  }
  node.append(...children);
  return node;
}

/** Writes a text where it is another one. */
export function say(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Makes a parent's children those of a list, in its order. A node stays for as long as its key does, and with it the focus
 * and what was unfolded.
 */
export function keyed<T>(
  parent: HTMLElement,
  things: readonly T[],
  key: (thing: T) => string,
  make: (thing: T) => HTMLElement,
  fill?: (node: HTMLElement, thing: T) => void,
): void {
  const old = new Map([...parent.children].map((node) => [(node as HTMLElement).dataset["key"]!, node as HTMLElement]));
  let at: Element | null = parent.firstElementChild;
  for (const thing of things) {
    const id = key(thing);
    let node = old.get(id);
    old.delete(id);
    if (!node) {
      node = make(thing);
      node.dataset["key"] = id;
    }
    fill?.(node, thing);
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
  for (const node of old.values()) node.remove();
}

/** Something that unfolds: a line, and what is behind it as text. */
export function unfolds(line: (Node | string)[], behind: string): HTMLLIElement {
  return h("li", {}, h("details", {}, h("summary", {}, ...line), h("pre", {}, behind)));
}

/** `312 B`, `4.1 KB`. */
export const size = (bytes: number): string => (bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} KB`);

/** `12 s`, `3 min`, `2 h`, `4 d`. */
export function age(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 90) return `${s} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  return s < 129_600 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86_400)} d`;
}

/** `21:03:07.120`. */
export const clock = (at: number): string => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(11, 23);
