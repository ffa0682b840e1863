/** What is built again, and what is taken as it is. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { bring, isCurrent, type Step } from "../../scripts/build/step.ts";
import { MODULE_BUILDS, probeBuild, sourcesOf } from "../../scripts/build/wasm.ts";
import { packageRoot } from "../../scripts/package.ts";

const root = mkdtempSync(join(tmpdir(), "meshward-step-"));
after(() => rmSync(root, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

/** Makes out.txt of in.txt; says whether it had to. */
function copy(step: Partial<Step> = {}): Promise<boolean> {
  return bring(
    { name: "copy", inputs: ["in.txt", "other.txt"], ...step },
    () => Promise.resolve(new Map([["out.txt", readFileSync(join(root, "in.txt"))]])),
    root,
  );
}

const out = (): string => readFileSync(join(root, "out.txt"), "utf8");

test("what nothing has changed is not made again", async () => {
  write("in.txt", "one");
  assert.equal(await copy(), true);
  assert.equal(await copy(), false);
  // A touch changes no content.
  write("in.txt", "one");
  assert.equal(await copy(), false);
});

test("it is made again for content, a file that appears, options and what is installed", async () => {
  write("in.txt", "two");
  assert.equal(await copy(), true);
  assert.equal(out(), "two");
  write("other.txt", "");
  assert.equal(await copy(), true);
  assert.equal(await copy({ options: ["-O3"] }), true);
  assert.equal(await copy(), true);
  write("node_modules/.package-lock.json", "{}");
  assert.equal(await copy(), true);
  assert.equal(await copy(), false);
});

test("an output that is half written, changed by hand or gone is not taken", async () => {
  write("in.txt", "whole");
  await copy();
  write("out.txt", "who");
  assert.equal(await copy(), true);
  assert.equal(out(), "whole");
  rmSync(join(root, "out.txt"));
  assert.equal(await copy(), true);
  assert.equal(out(), "whole");
});

test("a run that fails or is cut short leaves nothing to be taken", async () => {
  const step: Step = { name: "cut", inputs: ["in.txt"] };
  const failing = bring(step, () => Promise.reject(new Error("cut short")), root);
  await assert.rejects(failing, /cut short/);
  assert.equal(await isCurrent(step, root), false);
  write(".cache/steps/cut.json", '{"inputs":"');
  assert.equal(await isCurrent(step, root), false);
});

test("an input that changes while it is made makes it out of date", async () => {
  const step: Step = { name: "late", inputs: ["in.txt"] };
  const make = (): Promise<Map<string, string>> => {
    write("in.txt", `${Math.random()}`);
    return Promise.resolve(new Map([["late.txt", ""]]));
  };
  await bring(step, make, root);
  assert.equal(await isCurrent(step, root), false);
});

test("an output that is made no more goes", async () => {
  const step: Step = { name: "two", inputs: ["in.txt"] };
  await bring(step, () => Promise.resolve(new Map([["a/old.txt", ""]])), root);
  write("in.txt", "three");
  await bring(step, () => Promise.resolve(new Map([["a/new.txt", ""]])), root);
  assert.equal(readFileSync(join(root, "a/new.txt"), "utf8"), "");
  assert.throws(() => readFileSync(join(root, "a/old.txt")), { code: "ENOENT" });
});

test("a module is made of all that its entry imports, however deep, and of nothing else", async () => {
  write("a.ts", 'import { b } from "./lib/b";\nimport "@scope/elsewhere";\n');
  write("lib/b.ts", "export {\n  c,\n} from '../c';\n");
  write("c.ts", "export const c = 1;\n");
  write("d.ts", "export const d = 1;\n");
  const found = new Set(await sourcesOf("a.ts", root));
  for (const file of ["a.ts", "lib/b.ts", "c.ts"]) assert.ok(found.has(file), file);
  assert.ok(!found.has("d.ts"));
});

test("the module hangs on its detectors and tables, a probe on what it imports", async () => {
  const module = await sourcesOf(MODULE_BUILDS.release.entry, packageRoot());
  for (const file of ["assembly/detect/sqli.ts", "assembly/core/char.ts", "assembly/generated/sqli.ts"]) {
    assert.ok(module.includes(file), file);
  }
  const probe = await sourcesOf(probeBuild("decode").entry, packageRoot());
  assert.ok(probe.includes("assembly/decode/percent.ts"));
  assert.ok(!probe.includes("assembly/detect/sqli.ts"));
});
