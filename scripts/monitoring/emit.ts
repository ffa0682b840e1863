/** Writes the rules and dashboards that are made from this folder: `npm run monitoring`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { packageRoot } from "../package.ts";
import { monitoringFiles } from "./files.ts";

for (const [file, text] of monitoringFiles()) {
  const path = join(packageRoot(), file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
