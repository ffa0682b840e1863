import assert from "node:assert/strict";
import { test } from "node:test";
import { reportText } from "../../scripts/verify/report.ts";
import type { Result } from "../../scripts/verify/verify.ts";

const base = { why: null, message: "", kind: null, millis: 1.5 };
const RESULTS: Result[] = [
  { ...base, status: "passed", line: 1, name: "fine" },
  {
    ...base,
    status: "failed",
    line: 2,
    name: `<a href="x">'&\u0000\ud800`,
    message: "expected deny, got allow",
    kind: "missed",
    why: "ends ]]> here",
  },
  { ...base, status: "error", line: 4, name: "line 4", message: "not JSON", kind: "error" },
];
const REPORT = { results: RESULTS, file: "tests/some cases.jsonl", version: "1.2.3" };

test("text: a line for each case that did not pass, and a sum", () => {
  assert.equal(
    reportText(REPORT, "text").replace(/<a.*?: expected/u, "NAME: expected"),
    [
      "tests/some cases.jsonl:2: failed NAME: expected deny, got allow",
      "    ends ]]> here",
      "tests/some cases.jsonl:4: error line 4: not JSON",
      "1 passed, 1 failed, 1 could not be run",
      "",
    ].join("\n"),
  );
});

/** Reads the XML that we write: elements with attributes in double quotes, text, nothing else. Throws on anything else. */
function parseXml(text: string): { name: string; attributes: Record<string, string>; text: string }[] {
  const decode = (part: string): string =>
    part.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
  const elements: { name: string; attributes: Record<string, string>; text: string }[] = [];
  const open: string[] = [];
  let rest = text.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>/, "");
  while (rest.trim() !== "") {
    const token = /^\s*(?:<\/(\w+)>|<(\w+)((?: \w+="[^"<&]*(?:&#\d+;[^"<&]*)*")*)(\/?)>([^<]*))/.exec(rest);
    assert.ok(token, `not well-formed at: ${rest.slice(0, 80)}`);
    rest = rest.slice(token[0].length);
    if (token[1] !== undefined) {
      assert.equal(open.pop(), token[1]);
      continue;
    }
    const attributes = Object.fromEntries(
      [...token[3]!.matchAll(/ (\w+)="([^"]*)"/g)].map(([, name, value]) => [name!, decode(value!)]),
    );
    elements.push({ name: token[2]!, attributes, text: decode(token[5]!).trim() });
    if (token[4] === "") open.push(token[2]!);
  }
  assert.deepEqual(open, []);
  return elements;
}

test("JUnit: well-formed, with the counts and the reasons", () => {
  const text = reportText(REPORT, "junit");
  // What XML 1.0 cannot hold.
  assert.doesNotMatch(text, /[\u0000-\u0008\ud800-\udfff]/);
  const elements = parseXml(text);
  const [suites, suite, first, second, failure, third, error] = elements;
  assert.equal(elements.length, 7);
  for (const one of [suites, suite]) {
    const { tests, failures, errors } = one!.attributes;
    assert.deepEqual([tests, failures, errors], ["3", "1", "1"]);
  }
  assert.equal(suite?.attributes.name, "tests/some cases.jsonl");
  assert.deepEqual([first?.attributes.name, second?.attributes.name], ["fine", `<a href="x">'&\ufffd\ufffd`]);
  assert.deepEqual([second?.attributes.line, third?.attributes.line], ["2", "4"]);
  assert.deepEqual([failure?.name, failure?.attributes.message], ["failure", "expected deny, got allow"]);
  assert.equal(failure?.text, "expected deny, got allow\nends ]]> here");
  assert.deepEqual([error?.name, error?.attributes.message], ["error", "not JSON"]);
});

test("SARIF 2.1.0: a result for each case that did not pass", () => {
  const document = JSON.parse(reportText(REPORT, "sarif")) as {
    version: string;
    runs: {
      tool: { driver: { name: string; version: string; rules: { id: string; shortDescription: { text: string } }[] } };
      invocations: { executionSuccessful: boolean }[];
      results: {
        ruleId: string;
        ruleIndex: number;
        level: string;
        message: { text: string };
        locations: { physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } } }[];
      }[];
    }[];
  };
  assert.equal(document.version, "2.1.0");
  const [run] = document.runs;
  const { driver } = run!.tool;
  assert.deepEqual([driver.name, driver.version], ["meshward verify", "1.2.3"]);
  assert.equal(run!.invocations[0]?.executionSuccessful, false);
  assert.equal(run!.results.length, 2);
  for (const { ruleId, ruleIndex, level } of run!.results) {
    assert.equal(driver.rules[ruleIndex]?.id, ruleId);
    assert.equal(level, "error");
  }
  const [missed] = run!.results;
  assert.equal(missed?.locations[0]?.physicalLocation.artifactLocation.uri, "tests/some%20cases.jsonl");
  assert.equal(missed?.locations[0]?.physicalLocation.region.startLine, 2);
  assert.match(missed?.message.text ?? "", /expected deny, got allow \(ends \]\]> here\)$/);
});
