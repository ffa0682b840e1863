import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { packageRoot } from "../../scripts/package.ts";
import { fences } from "../docs/blocks.ts";
import { istio } from "./cases.ts";

const ISTIO = join(packageRoot(), "istio");
const EXAMPLES = join(ISTIO, "examples");

/** The files below a folder, each with its text. */
async function texts(folder: string): Promise<[string, string][]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = files
    .sort()
    .map(async (file): Promise<[string, string]> => [file.slice(folder.length + 1), await readFile(file, "utf8")]);
  return Promise.all(read);
}

/** The options of the page's command; those of the other example differ in what is held. */
async function pageOptions(): Promise<string[]> {
  const page = await readFile(join(ISTIO, "README.md"), "utf8");
  const [command] = fences(page)
    .map(({ text }) => text.replaceAll("\\\n", ""))
    .filter((text) => text.startsWith("npx meshward istio"));
  return command!.split("\n")[0]!.trim().split(/ +/).slice(3);
}

for (const [example, hold] of [
  ["envoyfilter", "full"],
  ["trafficextension", "body"],
] as const) {
  it(`examples/${example} is what the page's command writes with --hold ${hold}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "meshward-istio-"));
    try {
      const given = await pageOptions();
      const changed: Record<string, string> = {
        "--policy": join(ISTIO, "meshward.yaml"),
        "--out": folder,
        "--hold": hold,
      };
      const options = given.map((word, index) => changed[given[index - 1]!] ?? word);
      const { code, err } = await istio(options);
      assert.equal(`${code} ${err}`, "0 ");
      assert.deepEqual(await texts(folder), await texts(join(EXAMPLES, example)));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}
