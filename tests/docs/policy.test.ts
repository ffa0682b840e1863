import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { packageRoot } from "../../scripts/package.ts";
import { formatIssue, loadPolicy, policyFrom } from "../../scripts/policy/load.ts";
import { CLASSES } from "../../scripts/policy/rule-ids.ts";
import { PARTS } from "../../scripts/policy/schema.ts";
import { schemaFiles } from "../../scripts/policy/json-schemas.ts";
import { fences } from "./blocks.ts";

const page = await readFile(join(packageRoot(), "docs/policy.md"), "utf8");
const NOW = new Date("2026-11-21T12:00:00Z");

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  enum?: string[];
}

const schema = JSON.parse([...schemaFiles()].find(([name]) => name.endsWith("policy.schema.json"))![1]) as Schema;

/** The paths of all keys with something to say; those that stand below a key which the top has too are left out. */
function keysOf({ properties = {} }: Schema, above = ""): string[] {
  return Object.entries(properties).flatMap(([key, value]) => {
    const path = `${above}${key}`;
    if (above === "detectors.") return keysOf(value, "detectors.CLASS.");
    const isRepeated = above !== "" && key in schema.properties!;
    if (isRepeated) return [path];
    if (value.items?.properties !== undefined) return [path, ...keysOf(value.items, `${path}[].`)];
    const inner = keysOf(value, `${path}.`);
    // A map whose keys all have a row needs none of its own, but for the selectors, which are required.
    return inner.length > 0 && key !== "match" ? inner : [path, ...inner];
  });
}

/** The rows of the table of keys: key, default, values, meaning. */
const rows = [...page.matchAll(/^\| `([^`]+)` +\| ([^|]*)\| ([^|]*)\| (.*)\|$/gm)].map((row) =>
  row.slice(1).map((cell) => cell.trim()),
);

/** The first cells of the table below a heading. */
function namesUnder(heading: string): string[] {
  const [, section = ""] = page.split(`## ${heading}\n`);
  return [...section.split("\n## ")[0]!.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name!);
}

describe("docs/policy.md", () => {
  it("has every key of the schema, and no other", () => {
    assert.deepEqual(rows.map(([key]) => key!).sort(), [...new Set(keysOf(schema))].sort());
  });

  it("names the classes", () => {
    assert.deepEqual(namesUnder("Classes"), [...CLASSES]);
  });

  it("names the parts", () => {
    assert.deepEqual(namesUnder("Parts"), [...PARTS]);
  });

  for (const [key, shown] of rows.filter(([, shown]) => shown !== "")) {
    it(`gives ${key} its default`, () => {
      const said = key!.split(".").reduceRight<unknown>((value, name) => ({ [name]: value }), parse(shown!) as unknown);
      assert.deepEqual(policyFrom(said as Parameters<typeof policyFrom>[0]), policyFrom({}));
    });
  }

  it("gives each word that a key may have", () => {
    const at = (path: string): Schema =>
      path
        .replace("CLASS", "sqli")
        .split(".")
        .reduce<Schema>((inner, step) => {
          const next = inner.properties![step.replace("[]", "")]!;
          return step.endsWith("[]") ? next.items! : next;
        }, schema);
    for (const [key, , values] of rows) {
      const words = at(key!).enum;
      if (words === undefined || key!.endsWith("[].class")) continue;
      assert.deepEqual(values!.split(";")[0]!.split(", "), words, key);
    }
  });

  const blocks = fences(page);
  for (const [index, { language, text, line }] of blocks.entries()) {
    if (language !== "yaml") continue;
    const next = blocks[index + 1];
    const expected = next?.language === "text" ? next.text.trimEnd().split("\n") : [];
    it(`the policy in line ${line} ${expected.length === 0 ? "is valid" : "is told what is wrong"}`, () => {
      const { policy, issues } = loadPolicy(text, NOW);
      assert.deepEqual(
        issues.map((issue) => formatIssue(issue, "meshward.yaml")),
        expected,
      );
      assert.equal(
        policy === null,
        expected.some((issue) => !issue.includes(" warning: ")),
      );
    });
  }
});
