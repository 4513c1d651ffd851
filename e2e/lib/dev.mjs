// `riverrun dev` over a copy of the template application that stands alone, as an application made from it would, but
// builds on this checkout and shares its build, so that nothing is compiled twice.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const cargo = (...args) => execFileSync("cargo", args, { cwd: root, maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "inherit"] });
const { target_directory: target } = JSON.parse(cargo("metadata", "--format-version", "1", "--no-deps"));

/** Milliseconds a build may take on a machine that has other things to do. */
export const BUILD = 600_000;

/** Other copies of the template share the build, and cargo knows them by name, not by folder. */
const NAME = "devapp";

/** An application of its own. */
export class App {
  constructor() {
    this.base = join(target, "e2e-dev");
    this.folder = join(this.base, NAME);
    rmSync(this.base, { recursive: true, force: true });
    mkdirSync(this.base, { recursive: true });
    const isSource = (path) => !/\/target$|\.db(-\w+)?$/.test(path);
    cpSync(join(root, "templates/sync"), this.folder, { recursive: true, filter: isSource });
    cpSync(join(root, "Cargo.lock"), join(this.folder, "Cargo.lock"));
    // The profiles of the workspace: with others everything would be compiled once more.
    const profiles = readFileSync(join(root, "Cargo.toml"), "utf8").split(/^(?=\[)/m).filter((part) => part.startsWith("[profile."));
    const own = (text) => text.replace('name = "myapp"', `name = "${NAME}"`).replaceAll('"../../crates/', `"${root}/crates/`);
    this.change("Cargo.toml", (text) => `${own(text)}\n[workspace]\n${profiles.join("")}`);
    this.change("src/main.rs", (text) => text.replaceAll("myapp::", `${NAME}::`));
    this.env = { CARGO_TARGET_DIR: join(this.base, "out"), CARGO_BUILD_BUILD_DIR: target };
  }

  read(path) {
    return readFileSync(join(this.folder, path), "utf8");
  }

  write(path, text) {
    writeFileSync(join(this.folder, path), text);
  }

  /** Edits a file, and gives back what puts it right again. */
  change(path, edit) {
    const old = existsSync(join(this.folder, path)) ? this.read(path) : "";
    const next = edit(old);
    if (next === old) throw new Error(`${path} is not changed by the edit`);
    this.write(path, next);
    return () => this.write(path, old);
  }

  /** The ids of processes that run a program built for this application. */
  running() {
    const isOurs = (id) => {
      try {
        return readlinkSync(`/proc/${id}/exe`).startsWith(this.env.CARGO_TARGET_DIR);
      } catch {
        return false;
      }
    };
    return readdirSync("/proc").filter((id) => /^\d+$/.test(id) && isOurs(id));
  }

  /** Waits until none is left. */
  async allGone(within = 10_000) {
    const until = Date.now() + within;
    while (this.running().length > 0) {
      if (Date.now() > until) throw new Error(`still running: ${this.running()}`);
      await new Promise((wake) => setTimeout(wake, 20));
    }
  }
}

/** A port that nobody uses. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

// Whoever has just built the workspace says so.
let built = process.env.RIVERRUN_BUILT === "1";

/** `riverrun dev`, as a process of its own. */
export class Dev {
  log = "";
  #child;

  static async start(app, env = {}, port = undefined) {
    if (!built) cargo("build", "--quiet", "-p", "riverrun-cli");
    built = true;
    const dev = new Dev();
    dev.port = port ?? (await freePort());
    dev.url = `http://127.0.0.1:${dev.port}`;
    const all = { ...process.env, RUST_LOG: "info", NO_COLOR: "1", ...app.env, ...env };
    const program = join(target, "debug", "riverrun");
    dev.#child = spawn(program, ["dev", "--port", dev.port], { cwd: app.folder, env: all, stdio: ["ignore", "pipe", "pipe"] });
    dev.ended = new Promise((resolve) => dev.#child.once("exit", (code, signal) => resolve(signal ?? code)));
    for (const stream of [dev.#child.stdout, dev.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (dev.log += text));
    }
    return dev;
  }

  /** Waits until it has said something that it had not said at `from`; gives back the line. */
  async says(what, from = 0, within = BUILD) {
    const until = Date.now() + within;
    for (;;) {
      const line = this.log.slice(from).split("\n").slice(0, -1).find((line) => line.includes(what));
      if (line !== undefined) return line;
      if (Date.now() > until || this.#child.exitCode !== null) throw new Error(`"${what}" was not said:\n${this.log}`);
      await new Promise((wake) => setTimeout(wake, 20));
    }
  }

  kill(signal) {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    return this.ended;
  }
}
