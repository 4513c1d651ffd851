/**
 * What tabs of one profile tell each other. Tabs may be of two versions: a name changed here is news that the other does not
 * understand. Types only; nothing here runs.
 */
import type { Counted, Page } from "../core/contract.ts";
import type { Decided, Entry, Json, KeptBase, Numbered, Snapshot } from "../core/words.ts";
import type { Peer } from "./presence.ts";
import type { LinkState } from "./standing.ts";

/** What moves a scope: one of these, or a few. */
export interface Move {
  page?: Page | null;
  base?: Snapshot | KeptBase;
  /** It can't be continued. `epoch_changed`: it is of another history; `forbidden`: it may no longer be read. */
  lost?: string;
  /** Who is here, and as whom each tab is. */
  peers?: Peer[];
  you?: Record<string, string>;
}

/** What tabs tell each other. */
export type News =
  | { t: "appended"; entries: Entry[] }
  | { t: "numbered"; scope: string; numbered: Numbered[]; counted?: Counted | undefined }
  | { t: "decided"; decided: Decided[] }
  | { t: "renewed"; client: string }
  /** To the leader: send now. */
  | { t: "push" }
  /** To the leader: a visible tab would lead instead of a hidden one. */
  | { t: "yield" }
  /** From a new leader, or one that need not make way. */
  | { t: "leads"; hidden: boolean }
  /** To the leader: this tab has these scopes open and no others. */
  | { t: "opened"; tab: string; scopes: string[] }
  /** To the leader: what came last does not go on from the base of a tab. */
  | { t: "behind"; scope: string }
  /** To the leader: what a tab shows of itself; nothing where it only looks. */
  | { t: "here"; tab: string; scope: string; state: Json | undefined }
  /** From the leader, now and then and whenever it changes; `ask`: who is there, and with what open? */
  | { t: "state"; state: LinkState; ask: boolean }
  /** From the leader. */
  | ({ t: "move"; scope: string } & Move);
