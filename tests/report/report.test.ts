import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { RULE_TEXTS } from "../../scripts/policy/rule-texts.generated.ts";
import { ruleText, splitSource } from "../../scripts/policy/rule-texts.ts";
import { failures, reportSchema, reportText } from "../../scripts/report/report.ts";
import type { Report } from "../../scripts/report/report.ts";
import { requestJson, requestText } from "../../scripts/report/request.ts";
import type { Finding } from "../../collector/api.ts";
import { compilePolicy } from "../../scripts/policy/compile.ts";
import { parsePolicy } from "../../scripts/policy/load.ts";
import { HOSTILE, event, finding } from "./findings.ts";
import { sarifSchema } from "./sarif-schema.ts";

const NOW = new Date("2026-11-22T12:00:00Z");
const LATER = "2026-12-22T12:00:00.000Z";
const EARLIER = "2026-11-01T12:00:00.000Z";

const report = (findings: Finding[]): Report => ({
  findings,
  collector: "http://127.0.0.1:4318",
  now: NOW,
  version: "0.1.0",
});
const id = (digit: string): string => digit.repeat(32);

/** Every field that the API has as free text holds `text`. */
const filledWith = (text: string): Finding =>
  finding({
    ...{ rule: text, class: text, service: text, namespace: text, method: text, route: `/${text}`, part: text },
    ...{
      parameter: text,
      evidence: text,
      note: text,
      request_id: text,
      trace_id: text,
      hops: [text, `${text} GET /x query q`],
    },
    ...{ outcomes: { [text]: 1 }, fingerprint: id("f"), state: "accepted" },
  });

const EVERY: Finding[] = [
  finding(),
  finding({
    fingerprint: id("1"),
    rule: "xss-script-element",
    stage: "likely",
    severity: "high",
    hops: ["edge GET /search query q", "catalogue GET /items query q"],
  }),
  finding({
    fingerprint: id("2"),
    rule: "ours-own",
    namespace: null,
    parameter: null,
    request_id: null,
    trace_id: null,
    count: 0,
    outcomes: {},
  }),
  finding({ fingerprint: id("3"), stage: "attempted", state: "muted", until: LATER }),
  finding({ fingerprint: id("4"), state: "muted", until: EARLIER }),
  finding({ fingerprint: id("5"), state: "false-positive", note: "people search for SQL" }),
  filledWith(HOSTILE),
  filledWith("../../%2e\u0000\n\t\ud800"),
];

describe("rule texts", () => {
  it("has one for each rule of ours, and none for other words", () => {
    assert.match(ruleText("sqli-union-select")!.summary, /UNION/);
    for (const word of ["constructor", "__proto__", "toString", "none"]) assert.equal(ruleText(word), null);
  });
  it("parts sentences and sources", () => {
    assert.deepEqual(splitSource("A. https://a.example/x"), { sentence: "A.", source: "https://a.example/x" });
    assert.deepEqual(splitSource('A "http://b" c (https://a.example/x_y).'), {
      sentence: 'A "http://b" c.',
      source: "https://a.example/x_y",
    });
    assert.deepEqual(splitSource("none"), { sentence: "none", source: null });
    for (const [name, { reason }] of Object.entries(RULE_TEXTS)) {
      const { sentence, source } = splitSource(reason);
      assert.ok(source !== null && URL.canParse(source) && !/[().,"]$/.test(source), name);
      assert.ok(sentence.length > 0 && !sentence.includes(source), name);
    }
  });
});

describe("the report as SARIF", () => {
  const log = sarifSchema.parse(JSON.parse(reportText(report(EVERY), "sarif")));
  const run = log.runs[0]!;

  it("is SARIF 2.1.0, whatever the findings hold", () => {
    assert.equal(run.results.length, EVERY.length);
    for (const result of run.results) assert.equal(run.tool.driver.rules[result.ruleIndex]!.id, result.ruleId);
    sarifSchema.parse(JSON.parse(reportText(report([]), "sarif")));
  });
  it("names the endpoint, the hops and the fingerprint", () => {
    const [first, second] = run.results;
    assert.equal(first!.locations[0]!.logicalLocations[0]!.fullyQualifiedName, "shop/catalogue GET /items/{id}");
    assert.equal(first!.locations[0]!.physicalLocation!.artifactLocation.uri, "shop/catalogue/GET/items/%7Bid%7D");
    assert.deepEqual(first!.partialFingerprints, { "meshward/v1": finding().fingerprint });
    assert.equal(first!.relatedLocations, undefined);
    assert.deepEqual(
      second!.relatedLocations!.map(({ logicalLocations, message }) => [
        logicalLocations[0]!.fullyQualifiedName,
        message!.text,
      ]),
      [
        ["edge GET /search", "hop 1: query q"],
        ["catalogue GET /items", "hop 2: query q"],
      ],
    );
  });
  it("says the remedy as the rule's help", () => {
    const { help, helpUri, properties } = run.tool.driver.rules[0]!;
    assert.match(help!.text, /prepared statement/);
    assert.match(help!.markdown!, /\*\*In code\*\*/);
    assert.match(helpUri!, /^https:/);
    assert.deepEqual(properties.tags!.slice(0, 2), ["security", "external/cwe/cwe-089"]);
    assert.equal(properties["security-severity"], "9.5");
  });
  it("goes by stage and severity", () => {
    const level = (changes: Partial<Finding>): string =>
      sarifSchema.parse(JSON.parse(reportText(report([finding(changes)]), "sarif"))).runs[0]!.results[0]!.level;
    assert.equal(level({ stage: "confirmed", severity: "medium" }), "error");
    assert.equal(level({ stage: "confirmed", severity: "low" }), "warning");
    assert.equal(level({ stage: "likely", severity: "critical" }), "warning");
    assert.equal(level({ stage: "likely", severity: "low" }), "note");
    assert.equal(level({ stage: "attempted", severity: "critical" }), "note");
  });
  it("suppresses what somebody has decided on, for as long as they did", () => {
    const said = run.results.map(({ suppressions }) => suppressions[0]?.justification);
    assert.deepEqual(said.slice(0, 6), [
      undefined,
      undefined,
      undefined,
      `muted until ${LATER}`,
      undefined,
      "false-positive: people search for SQL",
    ]);
  });
  it("has no path that leads out of its base", () => {
    for (const { locations } of run.results) {
      const { uri } = locations[0]!.physicalLocation!.artifactLocation;
      const resolved = new URL(uri, "http://base.example/services/");
      assert.ok(resolved.href.startsWith("http://base.example/services/"), uri);
    }
  });
});

describe("the report as HTML", () => {
  const page = reportText(report(EVERY), "html");

  it("runs nothing and loads nothing", () => {
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)![1]!;
    const hash = createHash("sha256").update(style).digest("base64");
    assert.ok(
      page.includes(`content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`),
    );
    const tags = new Set([...page.matchAll(/<([a-z0-9]+)/gi)].map(([, name]) => name!.toLowerCase()));
    const known =
      "html head meta title style body header main h1 h2 h3 p ul ol li b a code bdi div span table thead tbody tr th td article dl dt dd";
    assert.deepEqual(
      [...tags].filter((tag) => !known.split(" ").includes(tag)),
      [],
    );
    for (const [, href] of page.matchAll(/href="([^"]*)"/g)) assert.match(href!, /^(?:https:\/\/|#[0-9a-f]{32}$)/);
  });
  it("shows what reorders text as its number", () => {
    assert.ok(!page.includes("\u202e"));
    assert.ok(page.includes("\\u{202e}"));
  });
  it("says each finding with its remedy, decided ones apart", () => {
    assert.match(page, /<h2 id="open">Open findings<\/h2>[\s\S]*prepared statement[\s\S]*<h2 id="decided">/);
    assert.match(page, /muted until 2026-12-22 12:00 UTC/);
    assert.match(reportText(report([]), "html"), /There are no open findings/);
  });
});

describe("the report as JSON and text", () => {
  it("is what its schema says", () => {
    const document = reportSchema.parse(JSON.parse(reportText(report(EVERY.slice(0, 6)), "json")));
    assert.deepEqual(
      document.findings.map(({ rule_text }) => rule_text !== null),
      [true, true, false, true, true, true],
    );
  });
  it("is one line a finding, whatever it holds", () => {
    const text = reportText(
      report([...EVERY.slice(0, 6), { ...filledWith(`a\nb${HOSTILE}\u001b[2J`), state: "open" }]),
      "text",
    );
    const lines = text.split("\n");
    assert.equal(lines.length, 7);
    assert.match(
      lines[0]!,
      /^confirmed critical  sqli-union-select +shop\/catalogue GET \/items\/\{id\}, query "q"  3×$/,
    );
    assert.equal(lines[5], "5 open findings: 4 confirmed, 1 likely, 0 attempted; 2 accepted, muted or false positives");
    assert.doesNotMatch(text.replaceAll("\n", ""), /\p{C}/u);
  });
});

describe("--fail-on", () => {
  const stages = (findings: Finding[], stage: "likely" | "confirmed"): string[] =>
    failures(report(findings), stage).map(({ fingerprint }) => fingerprint[0]!);
  it("counts open findings from its stage on", () => {
    assert.deepEqual(stages(EVERY, "confirmed"), ["0", "2", "4"]);
    assert.deepEqual(stages(EVERY, "likely"), ["0", "1", "2", "4"]);
    assert.deepEqual(stages([finding({ stage: "attempted" })], "likely"), []);
  });
});

const POLICY = `mode: detect
routes:
  - match: {path: "/items/{id}", methods: [GET]}
    mode: block
exceptions:
  - {id: search-sql, rules: [sqli-*], path: "/items/{id}", part: query, name: q, why: people search for SQL}
`;

describe("one request", () => {
  const detail = { ...finding(), rule_text: ruleText("sqli-union-select")!, exception: "exceptions:\n  - id: some\n" };
  const hash = compilePolicy(parsePolicy(POLICY, "meshward.yaml"), { holdHeaders: true }).policy;
  const denied = event({ outcome: "denied", mode: "block", policy: hash, status: 403 });

  it("says what, where, masked evidence, the decision and the exception", () => {
    assert.equal(
      requestText([{ event: denied, finding: detail }], { name: "meshward.yaml", text: POLICY }),
      `request 0f8fad5b-d9cb-469f-a165-70867728950e
  time        2026-11-22T10:00:00.000Z
  service     shop/catalogue GET /items/{id}
  proxy       catalogue-7d4, inbound
  host        shop.example
  sent by     10.0.0.1
  answer      403
  trace       0af7651916cd43dd8448eb211c80319c

sqli-union-select: confirmed (the response proves it), critical, confidence 92
  what        ${detail.rule_text.summary}
  where       query "q" of shop/catalogue GET /items/{id}
  evidence    9{1} UNION SELECT a{4} FROM a{5}
  decision    refused: mode block, policy ${hash}
              route: meshward.yaml:3:5 routes[0]
              mode block: meshward.yaml:4:5 routes[0].mode
  remedy      in code: ${detail.rule_text.remedy.code}
              in configuration: ${detail.rule_text.remedy.configuration}
              at the proxy: ${detail.rule_text.remedy.proxy}
  to let pass this in the policy, with the reason in it:
    exceptions:
      - id: some
`,
    );
  });
  it("names the exception that holds, and another policy", () => {
    const excepted = event({
      outcome: "allowed",
      exception: "search-sql",
      policy: "000000000000",
      hops: ["edge GET / query q", "b"],
    });
    const text = requestText([{ event: excepted, finding: { ...detail, state: "accepted", note: "known" } }], {
      name: "m.yaml",
      text: POLICY,
    });
    assert.match(text, /m\.yaml is policy [0-9a-f]{12}: another one/);
    assert.match(text, /this finding does not count: exception search-sql\n/);
    assert.match(text, /exception: m\.yaml:6:5 exceptions\[0\]/);
    assert.match(text, /way {9}1\. edge GET \/ query q\n {14}2\. b/);
    assert.match(text, /state {7}accepted: known/);
    assert.doesNotMatch(text, /to let pass/);
  });
  it("is safe to print", () => {
    const hostile = `\u001b[2J\n${HOSTILE}`;
    const filled = filledWith(hostile);
    const text = requestText(
      [
        {
          event: event({
            ...{
              rule: hostile,
              service: hostile,
              route: hostile,
              parameter: hostile,
              evidence: hostile,
              outcome: hostile,
            },
            ...{
              mode: hostile,
              exception: hostile,
              principal: hostile,
              host: hostile,
              instance: hostile,
              hops: [hostile],
            },
            ...{ policy: hostile, request_id: hostile, trace_id: hostile, time: hostile },
          }),
          finding: { ...filled, rule_text: null, exception: hostile },
        },
      ],
      null,
    );
    assert.doesNotMatch(text.replaceAll("\n", ""), /\p{C}/u);
  });
  it("is JSON too", () => {
    const document = JSON.parse(requestJson("x", [{ event: denied, finding: detail }])) as {
      events: { finding: { exception: string } }[];
    };
    assert.equal(document.events[0]!.finding.exception, detail.exception);
  });
});
