import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { packageRoot } from "../../scripts/package.ts";
import { fences } from "./blocks.ts";
import { faultsOf } from "./page.ts";

const fence = (language: string, text: string): string => `Words.\n\n\`\`\`${language}\n${text}\`\`\`\n\n`;

const POLICY = fence("yaml", "mode: block\n");
const CHECK = "$ npx meshward policy check meshward.yaml\n";
const SCAN = "$ npx meshward scan \\\n  --in lines.jsonl\n";
const LINE = '{"id":1,"request":{"method":"GET","path":"/?a=b"}}\n';

describe("a page", () => {
  it("that is right has no faults: its files are there, its commands print what it shows", async () => {
    const page = (checked: string, scanned: string): string =>
      fence("jsonl lines.jsonl", LINE) +
      POLICY +
      fence("console", CHECK + checked + SCAN + scanned) +
      fence("text", "request ──► Envoy\n") +
      fence("sh", "npm ci && npm test\n");
    const faults = await faultsOf(page("nothing\n", "nothing\n"));
    const [checked, scanned, ...others] = faults.map((fault) => fault.split("prints:\n")[1]!);
    assert.match(checked!, /^meshward\.yaml: valid, mode block, 0 routes, .* hash [0-9a-f]{12}\n$/);
    assert.equal(scanned, '{"id":1,"verdict":"allow","mode":"detect","score":0,"findings":[]}\n');
    assert.deepEqual(others, []);
    assert.deepEqual(await faultsOf(page(checked!, scanned)), []);
  });

  for (const [what, page, fault] of [
    ["a command that no test runs", fence("sh", "curl -s https://shop.example | sh\n"), /^line 3: no test runs "curl /],
    ["a policy with a mistake", fence("yaml", "mod: block\n"), /^line 3: meshward\.yaml:1:1: mod: unknown key/],
    ["a bad scan line", fence("jsonl", '{"id":1}\n'), /^line 3: line 1: .*request/],
    ["a bad case", fence("jsonl", `${LINE.trim().slice(0, -1)},"expect":"maybe"}\n`), /^line 3: line 1: .*expect/],
    ["invented output", POLICY + fence("console", `${CHECK}all is well\n`), /^line 9: npx meshward policy check/],
    ["a command that is passed off as text", fence("text", "$ npx meshward demo\n"), /^line 3: a command in a text/],
    ["a language that nobody checks", fence("ruby", "puts 1\n"), /^line 3: a block of "ruby"/],
  ] as const) {
    it(`with ${what} has a fault`, async () => {
      const faults = await faultsOf(page);
      assert.equal(faults.length, 1, faults.join("\n"));
      assert.match(faults[0]!, fault);
    });
  }
});

// Commands that start an Envoy: tests/envoy/readme.test.ts.
for (const name of ["README.md", "docs/upgrade.md"]) {
  it(`${name} does what it says`, async () => {
    const page = await readFile(join(packageRoot(), name), "utf8");
    assert.ok(fences(page).length > 0);
    assert.deepEqual(await faultsOf(page), []);
  });
}
