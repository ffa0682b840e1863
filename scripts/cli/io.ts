/** What commands share of the world outside: the streams and files that they read and write, and how a mistake there is told. */
import { once } from "node:events";
import { createReadStream, createWriteStream, readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { parsePolicy, policyFrom } from "../policy/load.ts";
import type { Policy } from "../policy/schema.ts";

/** What the command works on; the process's own streams, or a test's. */
export interface Io {
  stdin: Readable;
  stdout: Writable;
  stderr: Writable;
  env: NodeJS.ProcessEnv;
}

/** Takes the exit code of a command. */
export type Exit = (code: number) => void;

/** A mistake of the user: one line, exit code 2. */
export class UsageError extends Error {}

/** The exit code of a command that Ctrl-C ended. */
export const INTERRUPTED = 130;

const FILE_FAULTS: Record<string, string> = {
  ENOENT: "no such file or folder",
  EISDIR: "is a folder, not a file",
  ENOTDIR: "a part of the path is a file, not a folder",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the device",
  // Only folders are made, and where one is already that is no fault.
  EEXIST: "is a file, not a folder",
};

/** One line for a file that could not be used. */
export function fileError(what: string, path: string, error: unknown): UsageError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new UsageError(`${what} ${path}: ${FILE_FAULTS[code ?? ""] ?? message}`);
}

export function readText(what: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw fileError(what, path, error);
  }
}

/** The policy in a file, or the one of all defaults. */
export function policyIn(path: string | undefined): Policy {
  return path === undefined ? policyFrom({}) : parsePolicy(readText("policy", path), path);
}

/** Opens what a command reads: a file, or standard input for "-". */
export async function openInput(what: string, path: string, io: Io): Promise<Readable> {
  if (path === "-") return io.stdin;
  try {
    if ((await stat(path)).isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    const input = createReadStream(path);
    await once(input, "open");
    return input;
  } catch (error) {
    throw fileError(what, path, error);
  }
}

/** Opens what a command writes; a file that is also read would be emptied before. */
export async function openOutput(path: string, inputs: readonly string[], io: Io, option = "--out"): Promise<Writable> {
  if (path === "-") return io.stdout;
  const identity = async (file: string): Promise<string | null> => {
    const found = file === "-" ? null : await stat(file).catch(() => null);
    return found?.isFile() ? `${found.dev}:${found.ino}` : null;
  };
  const written = await identity(path);
  if (written !== null && (await Promise.all(inputs.map(identity))).includes(written)) {
    throw new UsageError(`${option} ${path}: is the input itself; give another file`);
  }
  const output = createWriteStream(path);
  try {
    await once(output, "open");
  } catch (error) {
    throw fileError(option, path, error);
  }
  return output;
}

/** Waits until everything is written; standard output stays open. */
export async function closeOutput(output: Writable, io: Io): Promise<void> {
  if (output === io.stdout) return;
  output.end();
  await finished(output);
}

/** Runs `work` until it ends or the user interrupts; then `stop` makes it end. True where it was interrupted. */
export async function interruptible(stop: () => void, work: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
  const controller = new AbortController();
  const interrupt = (): void => {
    controller.abort();
    stop();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.once(signal, interrupt);
  try {
    await work(controller.signal);
  } catch (error) {
    // A stream that was closed under the work's hands is how it was told to stop.
    if (!controller.signal.aborted) throw error;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
  return controller.signal.aborted;
}

/** Runs a check of an option's value; what it throws is the user's mistake. */
export function asUsage<T>(work: () => T, option: string): T {
  try {
    return work();
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
}
