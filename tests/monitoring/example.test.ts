import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { after, describe, it } from "node:test";
import { main } from "../../scripts/cli.ts";
import { packageRoot } from "../../scripts/package.ts";
import { commandsOfPage } from "../docs/blocks.ts";
import { PROGRAMS, missing, runTool } from "./daemons.ts";

// The page of the example: its commands, in its folder.

const examples = mkdtempSync(join(tmpdir(), "meshward-examples-"));
after(() => rmSync(examples, { recursive: true, force: true }));
cpSync(join(packageRoot(), "envoy/examples"), examples, { recursive: true });
const folder = join(examples, "monitoring");
writeFileSync(join(folder, "read-token"), "token");
const page = readFileSync(join(folder, "README.md"), "utf8");

describe("envoy/examples/monitoring/README.md", () => {
  for (const { command, output } of commandsOfPage(page)) {
    const [name, ...words] = command.split(" ") as [string, ...string[]];
    const tool = name in PROGRAMS ? (name as keyof typeof PROGRAMS) : null;
    it(command, { skip: tool === null ? false : missing(tool) }, async () => {
      if (tool !== null) {
        assert.equal(runTool(tool, words, folder)[1], output);
        return;
      }
      assert.deepEqual([name, words[0]], ["npx", "meshward"]);
      const argv = words.slice(1).map((word) => (word.startsWith("../") ? join(folder, word) : word));
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      assert.equal(await main(argv, { stdin: new PassThrough(), stdout, stderr, env: {} }), 0);
      stdout.end();
      assert.equal(await text(stdout), output);
    });
  }

  it("names each file of the folder", () => {
    for (const file of readdirSync(folder)) {
      if (file !== "README.md" && file !== "read-token") assert.ok(page.includes(`](${file})`), file);
    }
  });
});
