import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { STAT_LABELS } from "../../envoy/names.ts";
import { eventSchema } from "../../scripts/events/event.ts";
import { packageRoot } from "../../scripts/package.ts";
import { parsePolicy } from "../../scripts/policy/load.ts";
import { fences } from "./blocks.ts";

// The page against the sources; tests/envoy/observability.test.ts holds it against a run.

const read = (file: string): Promise<string> => readFile(join(packageRoot(), file), "utf8");
const page = await read("docs/observability.md");
const counters = await read("assembly/report/counters.ts");

/** First cells of the table whose head begins with `head`, without their backquotes. */
function column(head: string): string[] {
  const [table] = new RegExp(`^\\| ${head} .*\\n\\| -.*\\n(?:\\|.*\\n)+`, "m").exec(page)!;
  return [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name!);
}

/** The words that a function of the counters can return. */
function wordsOf(name: string): string[] {
  const [, body] = new RegExp(`export function ${name}\\(.*?\\{\\n([\\s\\S]*?)\\n\\}`).exec(counters)!;
  return [...body!.matchAll(/return "(\w+)"/g)].map(([, word]) => word!);
}

describe("docs/observability.md", () => {
  it("has every outcome and every limit that the module counts", () => {
    assert.deepEqual(column("outcome"), wordsOf("outcomeName"));
    assert.deepEqual(column("what"), wordsOf("overflowName"));
  });

  it("has every statistic that the module defines", async () => {
    const defined = new Set(
      [...(await read("assembly/filter/metrics.ts")).matchAll(/"(?:meshward\.)?([a-z]+(?:_[a-z]+)+|info)"/g)].map(
        ([, name]) => `meshward_${name}`,
      ),
    );
    assert.deepEqual(new Set(column("statistic")), defined);
  });

  it("shows an event as it is, with all that the schema has but what is seldom there", () => {
    const events = fences(page).filter(({ text }) => text.includes('"event_name"'));
    assert.equal(events.length, 1);
    const event = eventSchema.parse(JSON.parse(events[0]!.text));
    const { resource, attributes } = eventSchema.shape;
    const seldom = ["meshward.exception", "meshward.hops"];
    assert.deepEqual(Object.keys(event.resource), Object.keys(resource.shape));
    assert.deepEqual(
      Object.keys(event.attributes),
      Object.keys(attributes.shape).filter((name) => !seldom.includes(name)),
    );
  });

  it("shows policies with events that are valid", () => {
    const policies = fences(page).filter(({ text }) => text.startsWith("events:"));
    assert.equal(policies.length, 2);
    for (const { text } of policies) assert.ok(parsePolicy(text, "page").events);
  });

  it("names the labels that the generated configuration extracts", () => {
    const named = [...page.matchAll(/^\| `meshward_.*?\|.*?\|(.*?)\|/gm)].flatMap(([, labels]) =>
      [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!),
    );
    assert.deepEqual([...new Set(named)].sort(), [...STAT_LABELS].sort());
  });

  it("asks in its queries for statistics and labels that there are", () => {
    const queries = fences(page).filter(({ language }) => language === "promql");
    assert.ok(queries.length > 0);
    for (const { text } of queries) {
      for (const [name] of text.matchAll(/meshward_\w+/g)) {
        assert.ok(column("statistic").includes(name.replace(/_bucket$/, "")), name);
      }
      for (const [, label] of text.matchAll(/[{,](\w+)=~?"/g))
        assert.ok(
          STAT_LABELS.some((known) => known === label),
          label,
        );
    }
  });

  it("has every field of the verdict", async () => {
    const schema = JSON.parse(await read("schemas/verdict.schema.json")) as {
      properties: Record<string, { items?: { properties: object } }>;
    };
    assert.deepEqual(column("field"), Object.keys(schema.properties));
    const [finding] = /^A finding has [\s\S]*?covers it\./m.exec(page)!;
    for (const field of Object.keys(schema.properties.findings!.items!.properties)) {
      assert.ok(finding.includes(`\`${field}\``), field);
    }
  });
});
