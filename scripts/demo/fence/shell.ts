/**
 * A real /bin/sh for command lines that anybody may have written. Which lines it gets is decided by a reading so strict
 * that there is no second one: only characters without a meaning of their own besides quotes and `; | &`, and each
 * command a program that can do no more than print. No slash, no backslash, no `$` and no redirection: a line can name
 * no file outside its folder and cannot compute such a name either.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { FenceError } from "./error.ts";

const CHARACTERS = /^[\p{L}\p{M}\p{N} '";|&.,:@%_+-]{1,500}$/u;
const PROGRAMS: ReadonlySet<string> = new Set(["cat", "echo", "grep", "id", "ls", "uname", "whoami"]);
const TIMEOUT_MS = 2_000;
const MAX_OUTPUT_BYTES = 16 * 1024;
/** "nobody" on Linux; used where we are root, who could otherwise read everything. */
const NOBODY = 65_534;
/** No core, no file, two seconds of the processor; then the line itself, so that it is an argument and not a script. */
const LIMITS = 'ulimit -c 0; ulimit -f 0; ulimit -t 2; eval "$1"';

/** The names of the programs in a line, or null where a quote stays open. Quotes are taken away as the shell does. */
export function programsIn(line: string): string[] | null {
  const programs: string[] = [];
  let [word, program, quote] = ["", null as string | null, ""];
  const endWord = (): void => {
    if (word !== "") program ??= word;
    word = "";
  };
  for (const mark of `${line};`) {
    if (quote !== "") {
      if (mark === quote) quote = "";
      else word += mark;
    } else if (mark === "'" || mark === '"') quote = mark;
    else if (mark === " ") endWord();
    else if (mark === ";" || mark === "|" || mark === "&") {
      endWord();
      if (program !== null) programs.push(program);
      program = null;
    } else word += mark;
  }
  return quote === "" ? programs : null;
}

/** Runs tame lines in one folder. */
export class TameShell {
  readonly #folder: string;
  readonly #running = new Set<ChildProcess>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What the line prints, errors included. Rejects with `FenceError` for a line that is not tame. */
  async run(line: string): Promise<string> {
    const programs = CHARACTERS.test(line) ? programsIn(line) : null;
    if (programs === null) throw new FenceError("letters, digits, quotes and ; | & only");
    const wild = programs.find((name) => !PROGRAMS.has(name));
    if (wild !== undefined) throw new FenceError(`of all programs only ${[...PROGRAMS].join(", ")}`);
    return this.#start(line);
  }

  /** Ends what still runs. */
  async stop(): Promise<void> {
    const ends = [...this.#running].map((child) => new Promise((resolve) => child.once("close", resolve)));
    for (const child of this.#running) killGroup(child);
    await Promise.all(ends);
  }

  #start(line: string): Promise<string> {
    const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
    const child = spawn("/bin/sh", ["-c", LIMITS, "sh", line], {
      cwd: this.#folder,
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8" },
      stdio: ["ignore", "pipe", "pipe"],
      // A process group of its own: what the line leaves in the background ends with it.
      detached: true,
      ...identity,
    });
    this.#running.add(child);
    const chunks: Buffer[] = [];
    let size = 0;
    const take = (chunk: Buffer): void => {
      if (size < MAX_OUTPUT_BYTES) chunks.push(chunk);
      size += chunk.length;
      if (size >= MAX_OUTPUT_BYTES) killGroup(child);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const timer = setTimeout(() => killGroup(child), TIMEOUT_MS);
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => killGroup(child));
      child.once("close", () => resolve(Buffer.concat(chunks).subarray(0, MAX_OUTPUT_BYTES).toString("utf8")));
    }).finally(() => {
      clearTimeout(timer);
      this.#running.delete(child);
    }) as Promise<string>;
  }
}

/** Ends a process group that we made; gone already is as good. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // No such process.
  }
}
