// The wire between a window and the server: a plain TCP relay that can be cut. The browser's own offline switch leaves an
// open WebSocket alone, which no network that is gone does; so a window that goes offline here loses both.
import { createServer, connect } from "node:net";

export class Link {
  #sockets = new Set();
  #relay;
  #isCut = false;

  /** A relay to a server's port. */
  static async to(server) {
    const link = new Link();
    link.#relay = createServer((near) => link.#join(near, server.port));
    await new Promise((resolve) => link.#relay.listen(0, "127.0.0.1", resolve));
    link.url = `http://127.0.0.1:${link.#relay.address().port}`;
    return link;
  }

  #join(near, port) {
    if (this.#isCut) return near.destroy();
    const far = connect(port, "127.0.0.1");
    for (const [one, other] of [[near, far], [far, near]]) {
      this.#sockets.add(one);
      one.on("error", () => undefined);
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }

  /** The network is gone. */
  async cut(context) {
    this.#isCut = true;
    await context.setOffline(true);
    for (const socket of this.#sockets) socket.destroy();
  }

  /** It is back. */
  async mend(context) {
    this.#isCut = false;
    await context.setOffline(false);
  }

  close() {
    for (const socket of this.#sockets) socket.destroy();
    this.#relay.close();
  }
}
