/** Programs of a mesh, each in a folder of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endWithUs, killGroup } from "../../../scripts/end-with-us.ts";
import { poll } from "../../../scripts/envoy/admin.ts";

const START_MILLISECONDS = 30_000;
/** pilot-agent lets its Envoy go on for a second. */
const STOP_MILLISECONDS = 10_000;
const LOG = 6_000;

export const temporary = (name: string): string => mkdtempSync(join(tmpdir(), `meshward-mesh-${name}-`));

/** Runs a program until `isReady`; an error has its log. */
export class Program {
  readonly #child: ChildProcess;
  readonly #file: string;

  constructor(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
    this.#file = join(cwd, "log");
    // A file and no socket, which is what Node's pipes are: Envoy opens /dev/stdout for its access log.
    const log = openSync(this.#file, "a");
    // A group of its own, so that what it starts can be ended with it.
    const options = { cwd, env: { ...process.env, ...env }, detached: true };
    this.#child = endWithUs(spawn(program, args, { ...options, stdio: ["pipe", log, log] }), cwd);
    closeSync(log);
    this.#child.stdin!.on("error", () => {});
  }

  get pid(): number {
    return this.#child.pid!;
  }

  log(): string {
    return readFileSync(this.#file, "utf8");
  }

  write(text: string): void {
    this.#child.stdin!.write(text);
  }

  fail(what: string): Error {
    return new Error(`${what}\n${this.log().slice(-LOG)}`);
  }

  async ready(isReady: () => boolean | Promise<boolean>, milliseconds = START_MILLISECONDS): Promise<void> {
    const check = async (): Promise<true | null> => {
      if (this.#child.exitCode !== null) throw this.fail(`it ended with ${this.#child.exitCode}`);
      return (await isReady()) || null;
    };
    await poll(check, milliseconds, () => this.fail("it is not ready"));
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, "exit");
      this.#child.stdin!.end();
      this.#child.kill("SIGTERM");
      const timer = setTimeout(() => killGroup(this.#child, "SIGKILL"), STOP_MILLISECONDS);
      await ended;
      clearTimeout(timer);
    }
    killGroup(this.#child, "SIGKILL");
  }
}
