// The command as it is run, in a folder of its own.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { bring } from "../../scripts/build/step.ts";

const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));
const GENERATED = ["scripts/policy/rules.generated.ts", "scripts/policy/rule-texts.generated.ts"];
const OUTPUTS = ["assembly/generated", "docs/rules.md", ...GENERATED];

const folder = await mkdtemp(join(tmpdir(), "meshward-generate-"));
after(() => rm(folder, { recursive: true, force: true }));

/** A folder with the package's rules, and what the command says and does there. */
async function project(
  name: string,
): Promise<{ root: string; run(...args: string[]): Promise<{ code: number; stderr: string }> }> {
  const root = join(folder, name);
  await mkdir(root);
  await cp(join(PACKAGE, "rules"), join(root, "rules"), { recursive: true });
  for (const file of ["package.json", "docs/results/rates.yaml"]) await cp(join(PACKAGE, file), join(root, file));
  const command = ["--import", "tsx", "scripts/generate/main.ts", "--root", root];
  return {
    root,
    run: (...args) =>
      new Promise((resolve) => {
        execFile(process.execPath, [...command, ...args], { cwd: PACKAGE }, (error, _, stderr) => {
          resolve({ code: typeof error?.code === "number" ? error.code : 0, stderr });
        });
      }),
  };
}

/** Everything under `path`, by name. */
async function contents(root: string, path: string): Promise<[name: string, text: string][]> {
  if (path.includes(".")) return [[path, await readFile(join(root, path), "utf8")]];
  const names = (await readdir(join(root, path))).sort();
  return Promise.all(
    names.map(async (name): Promise<[string, string]> => [
      join(path, name),
      await readFile(join(root, path, name), "utf8"),
    ]),
  );
}

test("what is committed is what the rules say", async () => {
  // Again only where something that decides it has changed: it takes as long as twenty other tests.
  const inputs = ["package.json", "docs/results/rates.yaml", "docs/rules.md", ...GENERATED];
  for (const path of ["rules", "scripts", "assembly/generated"]) {
    const entries = await readdir(join(PACKAGE, path), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    inputs.push(...files.map((entry) => relative(PACKAGE, join(entry.parentPath, entry.name))).sort());
  }
  await bring({ name: "generated", inputs }, async () => {
    await sameAsCommitted();
    return new Map();
  });
});

async function sameAsCommitted(): Promise<void> {
  const { root, run } = await project("same");
  assert.deepEqual(await run(), { code: 0, stderr: "" });
  for (const path of OUTPUTS) {
    for (const [name, text] of await contents(root, path)) {
      assert.equal(text, await readFile(join(PACKAGE, name), "utf8"), `${name} is out of date: npm run generate`);
    }
    const names = async (of: string): Promise<string[]> => (await contents(of, path)).map(([name]) => name);
    assert.deepEqual(await names(PACKAGE), await names(root), "a generated file has lost its source");
  }
}

test("one broken file: nothing is written, and the error names file and line", async () => {
  const { root, run } = await project("broken");
  await writeFile(join(root, "rules/xss.yaml"), "rules:\n  - id: xss-one\n    code: 7\n");
  const { code, stderr } = await run();
  assert.equal(code, 1);
  assert.match(stderr, /^rules\/xss\.yaml:3: rules\.0\.code: must be 200 to 299|^rules\/xss\.yaml:\d+: /);
  assert.deepEqual((await readdir(root)).sort(), ["docs", "package.json", "rules"]);
  assert.deepEqual(await readdir(join(root, "docs")), ["results"]);
});

test("--only makes one class's tables beside a broken file, and says what was left out", async () => {
  const { root, run } = await project("only");
  await writeFile(join(root, "rules/xss.yaml"), "rules: nothing\n");
  const { code, stderr } = await run("--only", "traversal");
  assert.equal(code, 0);
  assert.match(stderr, /^left out for 1 problems: rules\/xss\.yaml:1: rules: /);
  assert.deepEqual((await readdir(join(root, "assembly/generated"))).sort(), ["rules.ts", "traversal.ts"]);
  const rules = await readFile(join(root, "assembly/generated/rules.ts"), "utf8");
  assert.match(rules, / {2}Traversal\w+ = 4\d\d,/);
  assert.doesNotMatch(rules, / {2}XssScript\w+ = 2\d\d,/);
});

test("--only of a class that has no file is an error", async () => {
  const { code, stderr } = await (await project("none")).run("--only", "nothing");
  assert.equal(code, 1);
  assert.match(stderr, /there is no rules\/nothing\.yaml/);
});
