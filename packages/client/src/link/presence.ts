/**
 * Who is here: a small state per tab, shown to everybody who looks at the same scope for as long as the tab's socket
 * lives. Nothing of it is kept anywhere; after every connection it is said again.
 */
import { makeCalls } from "../core/calls.ts";
import { checkJson } from "../core/door.ts";
import { PRESENCE_BYTES } from "../core/limits.ts";
import type { Json } from "../core/words.ts";
import type { Around, Scope } from "../scopes.ts";
import type { Move } from "./news.ts";
import type { PresenceFrame } from "./wire.ts";

/** Somebody who is here. */
export interface Peer {
  /** Different for each tab and each connection. */
  id: string;
  /** Who the server says it is, where the application tells. */
  user?: string;
  /** What it shows of itself. */
  state: any;
  /** It is this tab. */
  self?: boolean;
}

/** What a page has of it. */
export interface Presence {
  /** Who is here, this tab among them if it said something; the same array until somebody changes. */
  readonly peers: readonly Peer[];
  /** Shows this tab to the others as this object; `null` hides it again. Throws `RefusedError` for more than 1 KiB. */
  set(state: object | null): void;
  /** Calls back whenever somebody comes, changes or goes; from then on this tab looks. Returns how to stop that. */
  subscribe(call: (peers: readonly Peer[]) => void): () => void;
}

/** The part behind the page's. */
export interface PresenceHub extends Presence {
  /** What a tab shows, this one or another: said to the server if this tab leads. */
  show(tab: string, state: Json | undefined): void;
  /** A tab is gone. */
  gone(tab: string): void;
  /** The subscription is live: says all there is to say. */
  up(): void;
  /** Nobody can be seen. */
  down(): void;
  frame(data: PresenceFrame): void;
  /** What the leading tab sees, this one or another. */
  adopt(peers: Peer[], you: Record<string, string>): void;
  /** Who is here, for the other tabs. */
  all(): Required<Pick<Move, "peers" | "you">>;
  /** Says to the leading tab, if this tab has said something at all, what it shows. */
  again(): void;
}

export function makePresence(
  { env, tab, link, leads, post }: Around,
  { name: scope, reader, move }: Scope,
): PresenceHub {
  /** What each tab shows of itself; nothing where it only looks. */
  const states = new Map<string, Json | undefined>();
  const calls = makeCalls<readonly Peer[]>(env.report);
  let peers: Peer[] = [];
  let you: Record<string, string> = {};

  const send = (as: string, state: Json | undefined): void => {
    // Who shows something looks as well; who leaves may not have looked.
    const look = state === null ? undefined : true;
    if (leads() && reader.isLive()) link.say(scope, { type: "presence", look, as, state });
  };
  const show = (as: string, state: Json | undefined): void => {
    states.set(as, state);
    send(as, state);
  };
  const again = (): void => {
    if (states.has(tab)) post({ t: "here", tab, scope, state: states.get(tab) });
  };
  const own = (state: Json | undefined): void => {
    show(tab, state);
    again();
  };

  return {
    get peers() {
      return peers;
    },
    set: (state) => {
      own(checkJson("state", state, PRESENCE_BYTES));
    },
    subscribe: (call) => {
      const stop = calls.add(call);
      if (!states.has(tab)) own(undefined);
      return stop;
    },
    show,
    gone: (as) => {
      if (states.get(as)) send(as, null);
      states.delete(as);
    },
    up: () => states.forEach((state, as) => send(as, state)),
    down: () => {
      if (peers.length) move({ peers: [], you: {} });
    },
    frame: ({ peers: all, join = [], set = [], leave = [], you: ids, code }: PresenceFrame) => {
      if (code) return;
      const by = new Map((all ?? peers).map((peer) => [peer.id, peer]));
      for (const peer of [...join, ...set]) by.set(peer.id, peer);
      for (const id of leave) by.delete(id);
      move({ peers: [...by.values()], you: all ? { ...ids } : { ...you, ...ids } });
    },
    adopt: (next, ids) => {
      you = ids;
      peers = next.map(({ self: _, ...peer }) => (peer.id === you[tab] ? { ...peer, self: true } : peer));
      calls.tell(peers);
    },
    all: () => ({ peers, you }),
    again,
  };
}
