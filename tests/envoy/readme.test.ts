import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { packageRoot } from "../../scripts/package.ts";
import { faultsOf } from "../docs/page.ts";

test("README.md's commands that start an Envoy print what it shows", async () => {
  const page = await readFile(join(packageRoot(), "README.md"), "utf8");
  assert.deepEqual(await faultsOf(page, { withEnvoy: true }), []);
});
