/** Where labelled records are read from. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** The files that `path` names: itself, or the `.jsonl` files of a folder, in order. Throws what the file system throws. */
export function corpusFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const files = readdirSync(path).filter((name) => name.endsWith(".jsonl"));
  return files.sort().map((name) => join(path, name));
}
