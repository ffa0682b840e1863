// What `meshward istio` writes, held against Istio's own checks; a field that an EnvoyFilter's filter does not have is but a warning.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { promisify } from "node:util";
import { CASES, writeCase } from "../cases.ts";
import { noTools, TOOLS } from "../tools/build.ts";
import { temporary } from "./program.ts";

const folder = temporary("validate");
after(() => rmSync(folder, { recursive: true, force: true }));

/** Said of each EnvoyFilter, whatever is in it. */
const EVERY_FILTER =
  "EnvoyFilter exposes internal implementation details that may change at any time. Prefer other APIs if possible, and exercise extreme caution, especially around upgrades.";

/** Of another project: Istio knows nothing of it. */
const isForeign = (file: string): boolean => readFileSync(file, "utf8").includes("kind: EnvoyExtensionPolicy");

async function written(id: string): Promise<string[]> {
  const out = join(folder, id);
  const { code, err } = await writeCase(
    CASES.find((one) => one.id === id)!,
    out,
  );
  assert.equal(`${code} ${err}`, "0 ");
  const found = readdirSync(out, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile() && entry.name.endsWith(".yaml") && entry.parentPath !== out);
  return files.map((entry) => join(entry.parentPath, entry.name));
}

/** All that istioctl says of the files. */
async function validate(files: readonly string[]): Promise<{ code: number; said: string }> {
  const args = ["validate", ...files.flatMap((file) => ["-f", file])];
  const ran = await promisify(execFile)(TOOLS.istioctl, args).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
  );
  return { code: ran.code, said: ran.stdout + ran.stderr };
}

describe("istioctl validate", { skip: noTools }, () => {
  for (const { id } of CASES) {
    it(`${id}: says nothing against it`, async (context) => {
      const files = (await written(id)).filter((file) => !isForeign(file));
      if (files.length === 0) return context.skip("a resource of Envoy Gateway");
      const { code, said } = await validate(files);
      assert.equal(code, 0, said);
      // Each file has its line, and there is no other.
      const known = /^(".*" is valid|".*" has warnings: |validation succeed)$/;
      const complaints = said.split("\n").filter((line) => line.trim() !== "" && !known.test(line));
      assert.deepEqual(
        complaints.filter((line) => !line.endsWith(`: ${EVERY_FILTER}`)),
        [],
        said,
      );
    });
  }

  for (const [what, id, from, to, complaint] of [
    [
      "a field that the filter does not have",
      "mesh",
      "allow_on_headers_stop_iteration",
      "allow_on_headers_stop",
      /unknown field/,
    ],
    [
      "a strategy that there is not",
      "mesh-body",
      "failStrategy: FAIL_RELOAD",
      "failStrategy: FAIL_LATER",
      /FAIL_LATER/,
    ],
    ["a digest that is none", "mesh-body", /sha256: [0-9a-f]+/, "sha256: 3b1f", /sha256/],
  ] as const) {
    it(`complains of ${what}`, async () => {
      const [file] = await written(id);
      const text = readFileSync(file!, "utf8");
      const broken = text.replace(from, to);
      assert.notEqual(broken, text);
      writeFileSync(file!, broken);
      const { said } = await validate([file!]);
      assert.match(said, complaint);
      assert.doesNotMatch(said, /^validation succeed$/m);
    });
  }
});
