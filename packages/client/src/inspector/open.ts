/**
 * Opens the inspector and closes it again, once per page. What was seen is kept while it is closed, and so is whether the
 * client is forced offline; nothing is kept over a reload.
 */
import type { SyncClient } from "../client.ts";
import { makePanel, type Panel } from "./panel.ts";
import { makeRecorder, type Recorder } from "./recorder.ts";

/** Any client, whatever its commands and rows. */
type AnyClient = Pick<SyncClient<any, any>, "inspect" | "sync" | keyof EventTarget>;

/** An open inspector. */
export interface Inspector {
  /** Closes it and gives the focus back. */
  close(): void;
}

const recorders = new WeakMap<AnyClient, Recorder>();
let open: { client: AnyClient; panel: Panel; inspector: Inspector } | undefined;

/** Shows a client, in the place of the one that is shown already. From the first time on its frames are recorded. */
export function openInspector(client: AnyClient): Inspector {
  if (open?.client === client) return open.inspector;
  open?.inspector.close();
  let recorder = recorders.get(client);
  if (!recorder) recorders.set(client, (recorder = makeRecorder(client)));
  const before = document.activeElement;
  const panel = makePanel(client, recorder, () => inspector.close());
  const inspector: Inspector = {
    close: () => {
      if (open?.inspector !== inspector) return;
      open = undefined;
      panel.close();
      if (before instanceof HTMLElement) before.focus();
    },
  };
  open = { client, panel, inspector };
  return inspector;
}

/** Opens it, or closes it where it is open: what a page's key does. */
export function toggle(client: AnyClient): void {
  if (open?.client === client) open.inspector.close();
  else openInspector(client);
}
