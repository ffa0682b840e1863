import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { access, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { FenceError } from "../../scripts/demo/fence/error.ts";
import { buildFence } from "../../scripts/demo/fence/fence.ts";
import { readInside } from "../../scripts/demo/fence/files.ts";
import { programsIn } from "../../scripts/demo/fence/shell.ts";

const fence = await buildFence();
after(() => fence.remove());

describe("the shell's fence", () => {
  for (const [line, printed] of [
    ['grep -h -i "Oslo" zones.txt', /^Oslo: zone 1\n$/],
    ['grep -h -i "Oslo"; cat suppliers.txt; echo "" zones.txt', /we buy lamps at 11/],
    ["echo a'b;c'd", /^ab;cd\n$/],
    ["echo São Paulo", /^São Paulo\n$/],
    ["ls | grep -c .", /^2\n$/],
    ["id & echo both", /both/],
  ] as const) {
    it(`runs ${line}`, async () => assert.match(await fence.shell(line), printed));
  }

  for (const line of [
    "cat /etc/hostname",
    "cat $HOME",
    "cat `ls`",
    "cat \\057etc",
    "echo a > b",
    "cat < a",
    "echo (a)",
    "cat *",
    "cat ~",
    "a=b",
    "echo a\ncat b",
    "echo a # b",
    "kill -9 -1",
    "echo a; kill -9 -1",
    "echo a | sh",
    "echo a && command -p sh",
    "eval echo",
    "'ki'll -9 -1",
    '"k"i"l"l -9 -1',
    "exec id",
    "env",
    ". zones.txt",
    "if id; then id; fi",
    "! id",
    "echo 'open",
    "x".repeat(600),
  ]) {
    it(`refuses ${line.slice(0, 40)}`, () => assert.rejects(fence.shell(line), FenceError));
  }

  it("is nobody where it can be", async () => {
    assert.match(await fence.shell("id"), process.getuid?.() === 0 ? /^uid=65534/ : /^uid=\d+/);
  });
});

describe("the reading of a line", () => {
  /** What the shell itself takes for the first words: every program is a function that says its name. */
  const slowProgramsIn = (line: string): string[] => {
    const names = ["cat", "echo", "grep", "id", "ls", "uname", "whoami", "kill"];
    const functions = names.map((name) => `${name}() { printf "%s\\n" ${name} >&2; }`).join("; ");
    const { stderr } = spawnSync("/bin/sh", ["-c", `${functions}; eval "$1"`, "sh", line], { encoding: "utf8" });
    return stderr.trim().split("\n").filter(Boolean);
  };
  for (const line of [
    "id",
    "echo a; id; ls",
    "echo 'a; kill' ; id",
    'echo "a | kill" ; id',
    "echo a'b'\"c;d\" ; i'd'",
    'echo "it\'s"; id; echo \'say "kill; id"\'',
    "'e'c\"h\"o a;id",
    " id ; ls ",
  ]) {
    it(`is the shell's: ${line}`, () => assert.deepEqual(programsIn(line), slowProgramsIn(line)));
  }
});

describe("the files' fence", () => {
  it("takes the demo's folder for the root, so that climbing ends there", async () => {
    for (const path of ["/etc/passwd", "etc/passwd", "/shop/../../../../../../etc/passwd", "../etc/passwd"]) {
      assert.match(await fence.readFile(path), /planted by the demo/, path);
    }
  });

  it("follows no link out, not even to a folder whose name begins alike", async () => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "meshward-fence-")));
    try {
      await mkdir(join(folder, "inside"));
      await mkdir(join(folder, "inside-not"));
      await writeFile(join(folder, "inside-not/secret.txt"), "secret");
      await symlink(join(folder, "inside-not"), join(folder, "inside/link"));
      await assert.rejects(readInside(join(folder, "inside"), "/link/secret.txt"), FenceError);
      await assert.rejects(readInside(join(folder, "inside"), "/../inside-not/secret.txt"), /no such file/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("tells what is missing, and leaves nothing behind", async () => {
    const own = await buildFence();
    await assert.rejects(own.readFile("/none.txt"), { status: 404 });
    await assert.rejects(own.readFile("/a\0b"), { status: 404 });
    await own.remove();
    await assert.rejects(access(own.folder));
  });
});
