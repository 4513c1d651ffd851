// The real server, as a process of its own: started, asked, killed, started again.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** The template's binary. Built here, so that a test never runs an old one. */
function binary() {
  execFileSync("cargo", ["build", "--quiet", "-p", "myapp"], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  const metadata = execFileSync("cargo", ["metadata", "--format-version", "1", "--no-deps"], {
    cwd: root,
    maxBuffer: 1 << 26,
  });
  return join(JSON.parse(metadata).target_directory, "debug", "myapp");
}

let built;

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** A server over a database in a folder of its own. The port stays the same over restarts. */
export class Server {
  #child = null;
  log = "";

  constructor(port) {
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.folder = mkdtempSync(join(tmpdir(), "riverrun-e2e-"));
    this.database = join(this.folder, "app.db");
  }

  static async start() {
    built ??= binary();
    const server = new Server(await freePort());
    await server.start();
    return server;
  }

  async start() {
    const env = { ...process.env, PORT: String(this.port), DATABASE_PATH: this.database, RUST_LOG: "info" };
    this.#child = spawn(built, [], { env, cwd: this.folder, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.log += text));
    }
    for (let tries = 0; tries < 200; tries++) {
      if (this.#child.exitCode !== null) break;
      const up = await fetch(`${this.url}/healthz`).then((answer) => answer.ok, () => false);
      if (up) return;
      await new Promise((wake) => setTimeout(wake, 50));
    }
    throw new Error(`the server did not start:\n${this.log}`);
  }

  /** Ends the process with a signal, and waits until it is gone. */
  async stop(signal = "SIGTERM") {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await gone;
  }

  async close() {
    await this.stop("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  async post(route, body) {
    const answer = await fetch(`${this.url}/_sync/${route}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return answer.json();
  }

  snapshot(scope) {
    return this.post("snapshot", { scope });
  }

  /** Waits until the scope's log has reached a cursor. */
  async reaches(scope, cursor) {
    for (let tries = 0; tries < 400; tries++) {
      if ((await this.snapshot(scope)).cursor >= cursor) return;
      await new Promise((wake) => setTimeout(wake, 25));
    }
    throw new Error(`${scope} did not reach ${cursor}`);
  }

  /** The whole log of a scope. */
  async changes(scope) {
    const all = [];
    for (let cursor = 0; ; ) {
      const page = await this.post("pull", { scope, cursor, limit: 1000 });
      all.push(...page.changes);
      cursor = page.next_cursor;
      if (!page.has_more) return all;
    }
  }
}
