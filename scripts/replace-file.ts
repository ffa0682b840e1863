import { randomBytes } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Replaces `path` in one step, so that a reader sees the old file or the new one and never a half. The temporary name starts with a
 * dot and lies in the same folder.
 */
export async function replaceFile(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}`);
  try {
    await write(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Replaces a file that anybody may read. */
export const replaceContent = (path: string, content: string | Uint8Array): Promise<void> =>
  replaceFile(path, (temporary) => writeFile(temporary, content, { mode: 0o644, flag: "wx" }));
