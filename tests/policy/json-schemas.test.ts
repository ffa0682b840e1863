import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packageRoot } from "../../scripts/package.ts";
import { SCHEMA_FOLDER, schemaFiles } from "../../scripts/policy/json-schemas.ts";

test("the committed JSON Schemas are those of the code; make them with: npm run schemas", () => {
  const folder = join(packageRoot(), SCHEMA_FOLDER);
  const files = schemaFiles();
  assert.deepEqual(readdirSync(folder).sort(), [...files.keys()].sort());
  for (const [name, text] of files) assert.equal(readFileSync(join(folder, name), "utf8"), text, name);
});
