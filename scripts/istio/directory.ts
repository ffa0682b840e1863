/**
 * Writes what `istio/resources.ts` makes. A file whose content is the same stays untouched; files of a former run that are not made any
 * more go, if they carry our mark; a file that somebody else has made is never written over.
 */
import { mkdir, readFile, readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { MODULE_FILE } from "../../envoy/names.ts";
import { KUSTOMIZATION_FILE } from "../../istio/resources.ts";
import type { ResourceFile } from "../../istio/resources.ts";
import { MARK } from "../../istio/text.ts";
import { replaceContent } from "../replace-file.ts";

export interface Written {
  path: string;
  change: "written" | "unchanged" | "removed";
}

/** Somebody else's file stands where one of ours should. */
export class ForeignFile extends Error {}

/** The file's bytes, or null where there is none. */
async function bytesOf(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

const isOurs = (bytes: Buffer): boolean => bytes.toString("utf8", 0, MARK.length) === MARK;
const WASM_MAGIC = "\0asm";

/** The YAML files with our mark in a folder and in its folders: as deep as ours ever lie. */
async function ownFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const inner = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const nested = await Promise.all(
    inner.map(async (name) => {
      const found = await readdir(join(folder, name), { withFileTypes: true });
      return found.filter((entry) => entry.isFile()).map((entry) => join(name, entry.name));
    }),
  );
  const files = [...entries.filter((entry) => entry.isFile()).map(({ name }) => name), ...nested.flat()];
  const yaml = files.filter((file) => file.endsWith(".yaml"));
  const own = await Promise.all(yaml.map(async (file) => isOurs((await bytesOf(join(folder, file)))!)));
  return yaml.filter((_, index) => own[index]);
}

/** Whether the module in the folder was put there by us: our kustomization names it. */
async function hasOurModule(folder: string): Promise<boolean> {
  const bytes = await bytesOf(join(folder, KUSTOMIZATION_FILE));
  return bytes !== null && isOurs(bytes) && bytes.toString("utf8").includes(`- ${MODULE_FILE}\n`);
}

/** Removes files and the folders that are empty then. */
async function removeFiles(folder: string, files: readonly string[]): Promise<void> {
  for (const file of files) await rm(join(folder, file));
  for (const inner of new Set(files.map((file) => dirname(file)))) {
    if (inner !== ".") await rmdir(join(folder, inner)).catch(() => {});
  }
}

/** Puts the files, and the module where one is given, into the folder. Tells of each what was done, sorted by path. */
export async function writeResources(
  folder: string,
  files: readonly ResourceFile[],
  module: Buffer | null,
): Promise<Written[]> {
  await mkdir(folder, { recursive: true });
  const wanted = new Map<string, Buffer>(files.map(({ path, text }) => [path, Buffer.from(text)]));
  if (module !== null) wanted.set(MODULE_FILE, module);
  // All is looked at before anything is changed.
  const former = await ownFiles(folder);
  const wasOurs = await hasOurModule(folder);
  const changes: Written[] = [];
  for (const [path, bytes] of wanted) {
    const found = await bytesOf(join(folder, path));
    const isForeign = found !== null && (path === MODULE_FILE ? !isModule(found) : !isOurs(found));
    if (isForeign)
      throw new ForeignFile(`${path} was not made by meshward istio; name another folder, or move it away`);
    changes.push({ path, change: found?.equals(bytes) ? "unchanged" : "written" });
  }
  const removed = former.filter((path) => !wanted.has(path));
  if (wasOurs && module === null) removed.push(MODULE_FILE);
  for (const { path, change } of changes) {
    if (change === "unchanged") continue;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await replaceContent(join(folder, path), wanted.get(path)!);
  }
  await removeFiles(folder, removed);
  changes.push(...removed.map((path) => ({ path, change: "removed" as const })));
  return changes.sort((left, right) => (left.path < right.path ? -1 : 1));
}

const isModule = (bytes: Buffer): boolean => bytes.toString("latin1", 0, WASM_MAGIC.length) === WASM_MAGIC;
