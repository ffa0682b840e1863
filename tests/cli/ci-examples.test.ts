import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parse } from "yaml";
import { packageRoot } from "../../scripts/package.ts";

// Every `npx meshward …` of the examples for CI servers is run as it is written, in a folder with the example's files.

const examples = join(packageRoot(), "docs", "ci");
const folder = mkdtempSync(join(tmpdir(), "meshward-ci-"));
after(() => rmSync(folder, { recursive: true, force: true }));
for (const name of ["meshward.yaml", "cases.jsonl"]) copyFileSync(join(examples, name), join(folder, name));

type Workflow = { jobs: { verify: { steps: { run?: string }[] } } };
type Pipeline = { meshward: { script: string[] } };

const read = (name: string): unknown => parse(readFileSync(join(examples, name), "utf8"));
const COMMANDS: Record<string, string[]> = {
  "github-actions.yml": (read("github-actions.yml") as Workflow).jobs.verify.steps.flatMap(({ run }) => run ?? []),
  "gitlab-ci.yml": (read("gitlab-ci.yml") as Pipeline).meshward.script,
};
const REPORTS: Record<string, string> = { "github-actions.yml": "meshward.sarif", "gitlab-ci.yml": "meshward.xml" };

for (const [name, lines] of Object.entries(COMMANDS)) {
  test(`docs/ci/${name} runs as it is written`, () => {
    const commands = lines.filter((line) => line !== "npm ci");
    assert.equal(commands.length, 2);
    for (const command of commands) {
      const [npx, meshward, ...argv] = command.split(" ");
      assert.deepEqual([npx, meshward], ["npx", "meshward"]);
      const cli = join(packageRoot(), "scripts", "cli.ts");
      const loader = ["--import", import.meta.resolve("tsx")];
      const { status, stdout, stderr } = spawnSync(process.execPath, [...loader, cli, ...argv], {
        cwd: folder,
        encoding: "utf8",
      });
      assert.equal(status, 0, `${command}\n${stdout}${stderr}`);
    }
    assert.ok(existsSync(join(folder, REPORTS[name]!)));
  });
}
