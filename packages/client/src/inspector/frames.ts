/**
 * What a frame or a request says, in one line for people. Reads what it knows and shows the rest as it is; a text it can't
 * read is no error.
 */

/** Characters of a frame that are kept: enough to see what it is, little enough to keep many. */
const TEXT_CHARACTERS = 2_000;

/** Something that travelled, or that was done to the link. */
export interface Frame {
  /** Its number, from 1 on. */
  n: number;
  /** Milliseconds since 1970. */
  at: number;
  way: "out" | "in" | "note";
  via: "socket" | "http" | "";
  /** `changes`, `POST pull` … */
  what: string;
  /** `12 → 15`, `3 mutations`, a code … */
  about: string;
  scope: string;
  /** As it travels, before any compression. */
  bytes: number;
  /** The beginning of its text. */
  text: string;
}

type Fields = Record<string, unknown>;

const encoder = new TextEncoder();

const fields = (value: unknown): Fields => (typeof value === "object" && value ? (value as Fields) : {});

/** The fields of a text, none if it has none. */
function parse(text: string): Fields {
  try {
    return fields(JSON.parse(text));
  } catch {
    return {};
  }
}

/** The things in a list, whatever else may be in it, or may be there instead of it. */
export const things = (list: unknown): Fields[] => (Array.isArray(list) ? list.map(fields) : []);

/** What every frame has of its text. */
export const measured = (text: string): Pick<Frame, "bytes" | "text"> => ({
  bytes: encoder.encode(text).length,
  text: text.length > TEXT_CHARACTERS ? `${text.slice(0, TEXT_CHARACTERS)} …` : text,
});

/** What a frame of the socket says. */
export function ofSocket(text: string): Pick<Frame, "what" | "about" | "scope"> & { data: Fields } {
  const { topic = "", data: inner } = parse(text);
  const data = fields(inner);
  return { what: String(data["type"] ?? "?"), about: about(data), scope: String(topic).replace(/^sync:/, ""), data };
}

/** What a question or an answer over HTTP says. */
export function ofHttp(text: string): Pick<Frame, "about" | "scope"> & { data: Fields } {
  const data = parse(text);
  return { about: about(data), scope: String(data["scope"] ?? things(data["mutations"])[0]?.["scope"] ?? ""), data };
}

function about(data: Fields): string {
  const { code, mutations, results, changes, from, cursor, next_cursor, peers, join, set, leave } = data;
  if (code) return String(code);
  const count = (of: unknown, one: string): string => {
    const { length } = of as unknown[];
    return `${length} ${one}${length === 1 ? "" : "s"}`;
  };
  if (Array.isArray(mutations)) return count(mutations, "mutation");
  if (Array.isArray(results)) return count(results, "result");
  if (Array.isArray(peers)) return count(peers, "peer");
  if (Array.isArray(join)) return `${count(join, "peer")} came`;
  if (Array.isArray(leave)) return `${count(leave, "peer")} left`;
  if (Array.isArray(set)) return `${count(set, "peer")} changed`;
  if (Array.isArray(changes)) return `${count(changes, "change")}, ${from === undefined ? "" : `${from} `}→ ${cursor ?? next_cursor}`;
  return cursor === undefined ? "" : `at ${cursor}`;
}
