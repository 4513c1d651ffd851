// What every file of tests needs: one browser, a fresh server for each test, and windows that are closed in the end.
import { after, afterEach, before, beforeEach } from "node:test";
import { launch, open } from "./browser.mjs";
import { Link } from "./link.mjs";
import { Server } from "./server.mjs";

/** The scope of the list at `/`. */
export const SCOPE = "list:home";

/** Registers the hooks; what it returns is filled before each test. */
export function stage() {
  const stage = { browser: null, server: null, contexts: [], links: [] };
  before(async () => (stage.browser = await launch()));
  after(() => stage.browser.close());
  beforeEach(async () => (stage.server = await Server.start()));
  afterEach(async () => {
    for (const context of stage.contexts.splice(0)) await context.close();
    for (const link of stage.links.splice(0)) link.close();
    await stage.server.close();
  });
  /** A profile of its own. */
  stage.profile = async (options = {}) => {
    const context = await stage.browser.newContext(options);
    stage.contexts.push(context);
    return context;
  };
  /** A live window of a profile of its own. */
  stage.window = async (options) => open(await stage.profile(options), stage.server.url);
  /** A live window whose network can be taken away: `page.link`. */
  stage.linked = async () => {
    const link = await Link.to(stage.server);
    stage.links.push(link);
    const page = await open(await stage.profile(), link.url);
    page.link = { url: link.url, cut: () => link.cut(page.context()), mend: () => link.mend(page.context()) };
    return page;
  };
  return stage;
}
