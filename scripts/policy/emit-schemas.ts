/** Writes `schemas/`. Run by `npm run schemas`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../package.ts";
import { SCHEMA_FOLDER, schemaFiles } from "./json-schemas.ts";

const folder = join(packageRoot(), SCHEMA_FOLDER);
mkdirSync(folder, { recursive: true });
for (const [name, text] of schemaFiles()) writeFileSync(join(folder, name), text);
