/**
 * Makes what is out of date, and nothing else. A step is made again where anything that decides its result is not what it was then
 * (the contents of its inputs, its options, the installed packages), or where an output is not, byte for byte, what the step made.
 * So nothing is taken that is stale, half written or changed by hand. The record is written last, to .cache/steps/NAME.json.
 */
import { createHash, type BinaryLike } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { packageRoot } from "../package.ts";

/** What decides a result. Paths are relative to the package's folder. */
export interface Step {
  name: string;
  /** Files; one that is missing counts as such. */
  inputs: readonly string[];
  /** What else decides, such as the options of a tool. */
  options?: unknown;
}

/** Files by path. */
export type Outputs = ReadonlyMap<string, string | Uint8Array>;

interface StepRecord {
  /** The digest of all that decides. */
  inputs: string;
  /** The digest of each output. */
  outputs: Record<string, string>;
}

const digest = (data: BinaryLike): string => createHash("sha256").update(data).digest("hex");

/** Whether a step's outputs are what it would make now. */
export async function isCurrent(step: Step, root = packageRoot()): Promise<boolean> {
  return isRecorded(await readRecord(step, root), await digestOfInputs(step, root), root);
}

/** Makes a step's outputs where they are not current; says whether it did. Rejects as `make` does, and then records nothing. */
export async function bring(step: Step, make: () => Promise<Outputs>, root = packageRoot()): Promise<boolean> {
  // Before it is made: what changes meanwhile makes it out of date.
  const inputs = await digestOfInputs(step, root);
  const old = await readRecord(step, root);
  if (await isRecorded(old, inputs, root)) return false;
  const made = await make();
  const outputs: Record<string, string> = {};
  for (const [file, data] of made) {
    // Of what was made, not of the file: another process may be making it from other inputs.
    outputs[file] = digest(data);
    await replace(join(root, file), data);
  }
  for (const file of Object.keys(old?.outputs ?? {})) if (!made.has(file)) await rm(join(root, file), { force: true });
  await replace(recordFile(step, root), `${JSON.stringify({ inputs, outputs })}\n`);
  return true;
}

const recordFile = (step: Step, root: string): string => join(root, ".cache/steps", `${step.name}.json`);

async function readRecord(step: Step, root: string): Promise<StepRecord | undefined> {
  try {
    return JSON.parse(await readFile(recordFile(step, root), "utf8")) as StepRecord;
  } catch {
    return undefined;
  }
}

async function isRecorded(record: StepRecord | undefined, inputs: string, root: string): Promise<boolean> {
  if (record?.inputs !== inputs) return false;
  for (const [file, made] of Object.entries(record.outputs)) {
    if ((await digestOfFile(join(root, file))) !== made) return false;
  }
  return true;
}

async function digestOfInputs({ inputs, options }: Step, root: string): Promise<string> {
  // npm keeps here what is installed, with the digest of each package.
  const files = [...new Set(inputs), "node_modules/.package-lock.json"].sort();
  const digests = await Promise.all(files.map((file) => digestOfFile(join(root, file))));
  return digest(JSON.stringify([process.version, options, files.map((file, index) => [file, digests[index]])]));
}

/** The digest of a file's content, or null where it cannot be read. */
async function digestOfFile(file: string): Promise<string | null> {
  return readFile(file).then(digest, () => null);
}

/** Writes a file so that a reader sees the old one or the new one. */
async function replace(file: string, data: string | Uint8Array): Promise<void> {
  const partial = `${file}.${process.pid}`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(partial, data);
  await rename(partial, file);
}
