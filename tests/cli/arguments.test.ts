/** The commands for developers say how they are called, and what is wrong with a call. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { packageRoot } from "../../scripts/package.ts";

function soak(...args: string[]): [number | null, string, string] {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "scripts/soak/main.ts", ...args], {
    cwd: packageRoot(),
    encoding: "utf8",
  });
  return [status, stdout, stderr];
}

const USAGE = "usage: npm run soak -- host-streams|envoy-streams|inventory|pushes|mixed [--count N]\n";

test("--help shows the usage and is no error", () => {
  assert.deepEqual(soak("--help"), [0, USAGE, ""]);
});

test("what cannot be read is said in a line above the usage, exit code 2", () => {
  assert.deepEqual(soak("pushes", "--count", "x"), [
    2,
    "",
    `--count: expected a whole number of 1 or more, not "x"\n${USAGE}`,
  ]);
  assert.deepEqual(soak("push"), [2, "", `expected one soak, not push\n${USAGE}`]);
  const [status, stdout, stderr] = soak("pushes", "--counts", "5");
  assert.deepEqual([status, stdout], [2, ""]);
  assert.match(stderr, /^Unknown option '--counts'.*\nusage: .*\n$/);
});
