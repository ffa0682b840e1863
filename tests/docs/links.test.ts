import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, it } from "node:test";
import { packageRoot } from "../../scripts/package.ts";

const root = packageRoot();
/** Files of the repository, also those that are not committed yet. */
const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
  maxBuffer: 16 * 1024 * 1024,
})
  .split("\0")
  .filter((file) => file !== "" && existsSync(join(root, file)));
const pages = files.filter((file) => file.endsWith(".md"));
const read = (file: string): string => readFileSync(join(root, file), "utf8");

/** A page without its code, in which brackets are no links. */
const prose = (page: string): string => page.replace(/^( *)```[\s\S]*?^\1```$/gm, "").replace(/`[^`\n]*`/g, "");

/** The anchors that GitHub gives the headings of a page. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of page.replace(/^( *)```[\s\S]*?^\1```$/gm, "").matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const slug = heading!
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replace(/\\(.)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
    let anchor = slug;
    for (let copy = 1; anchors.has(anchor); copy++) anchor = `${slug}-${copy}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Targets of a page's links that are not on the web. */
const linksOf = (page: string): string[] =>
  [...prose(page).matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)|^\[[^\]]+\]: *(\S+)/gm)]
    .map(([, inline, reference]) => (inline ?? reference)!)
    .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target));

/** What is wrong with a link that stands in `file`, or null. */
function faultOf(file: string, target: string): string | null {
  const [path, anchor] = target.split("#", 2) as [string, string?];
  const found = path === "" ? join(root, file) : resolve(root, dirname(file), decodeURIComponent(path));
  if (relative(root, found).startsWith("..")) return `${target}: outside of the repository`;
  if (!existsSync(found)) return `${target}: there is no such file`;
  const isKnown = files.some(
    (known) => known === relative(root, found) || known.startsWith(`${relative(root, found)}/`),
  );
  if (!isKnown) return `${target}: not in the repository`;
  if (anchor === undefined || statSync(found).isDirectory()) return null;
  return anchorsOf(readFileSync(found, "utf8")).has(anchor) ? null : `${target}: there is no such heading`;
}

describe("links", () => {
  it("are told apart from code, and anchors are GitHub's", () => {
    assert.deepEqual(linksOf("[a](b.md#c) `[x](y)` [w](https://a.example)\n\n```text\n[x](y)\n```\n"), ["b.md#c"]);
    const anchors = anchorsOf("# The `a` of B, c\\_d\n## Same\n## Same\n```sh\n# none\n```\n");
    assert.deepEqual([...anchors], ["the-a-of-b-c_d", "same", "same-1"]);
  });

  for (const file of pages) {
    it(`of ${file} lead somewhere`, () => {
      const faults = linksOf(read(file)).flatMap((target) => faultOf(file, target) ?? []);
      assert.deepEqual(faults, []);
    });
  }
});

/** Places of one machine, and where packages were fetched from. Written so that this file does not find itself. */
const OF_ONE_MACHINE: [what: string, pattern: RegExp][] = [
  ["a path of one machine", /(?<![\w.~/-])\/(?:work|root|tmp)\//],
  [
    "a registry",
    /https?:\/\/(?:[\w.-]*\.)?(?:registry|mirror|artifactory|nexus|files\.pythonhosted|proxy\.golang)[\w-]*\./,
  ],
];
/** Attacks name such places, too. */
const PAYLOADS =
  /^(?:rules\/|docs\/rules\.md$|assembly\/(?:generated|detect)\/|tests\/(?:vectors|detect|corpus|unit)\/)/;
const TEXT = /(?:\.(?:md|ts|mts|js|mjs|json|jsonl|ya?ml|sh|toml|cjs)|\/run|(?:^|\/)(?:NOTICE|LICENSE|\.[a-z]+))$/;

describe("committed text", () => {
  for (const [what, pattern] of OF_ONE_MACHINE) {
    it(`does not name ${what}`, () => {
      const found = files
        .filter((file) => TEXT.test(file) && !PAYLOADS.test(file))
        .flatMap((file) =>
          read(file)
            .split("\n")
            .flatMap((line, index) =>
              pattern.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 120)}`] : [],
            ),
        );
      assert.deepEqual(found, []);
    });
  }

  it("has a lock file without addresses", () => assert.doesNotMatch(read("package-lock.json"), /"resolved":/));
});
