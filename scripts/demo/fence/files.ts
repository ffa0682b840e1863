/** Reads files of one folder and of nowhere else, whatever the path says. */
import { readFile, realpath, stat } from "node:fs/promises";
import { join, posix, sep } from "node:path";
import { FenceError } from "./error.ts";

const MAX_BYTES = 64 * 1024;

/** The text of the file at `path` where `folder` is "/". Rejects with `FenceError` if it lies outside or is none. */
export async function readInside(folder: string, path: string): Promise<string> {
  const root = await realpath(folder);
  const asked = join(root, posix.join("/", path));
  let real: string;
  try {
    real = await realpath(asked);
  } catch {
    throw Object.assign(new Error(`no such file: ${path}`), { status: 404 });
  }
  // Links are followed above; nobody makes one while this runs: the shell's programs cannot.
  if (!real.startsWith(root + sep)) throw new FenceError("this file is not the demo's own");
  const { size } = await stat(real);
  if (size > MAX_BYTES) throw new FenceError("this file is too large");
  return readFile(real, "utf8");
}
