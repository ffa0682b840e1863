/** What a measurement was made on, for whoever reads it later; nothing that tells whose machine it is. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../package.ts";

/** "Intel(R) Xeon(R) Processor, 2 cores, linux x64, Node v20.20.2". */
export function machineText(): string {
  const model = cpus()[0]?.model.trim() || "unknown CPU";
  return `${model}, ${availableParallelism()} cores, ${process.platform} ${process.arch}, Node ${process.version}`;
}

/** The commit of the package's sources, with "-dirty" where they were changed since; null where they are not in git. */
export async function commitText(): Promise<string | null> {
  if (!existsSync(join(packageRoot(), ".git"))) return null;
  const args = ["-C", packageRoot(), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"];
  return promisify(execFile)("git", args).then(
    ({ stdout }) => stdout.trim(),
    () => null,
  );
}
