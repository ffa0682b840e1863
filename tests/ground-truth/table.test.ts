/** The table of findings on a small manifest and findings made by hand. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseManifest } from "./manifest.ts";
import { makeTable, sameRoute, seenByCollector, seenByScan, showTable } from "./table.ts";
import type { Seen } from "./table.ts";

const manifest = parseManifest(`
- { id: search, kind: flaw, class: xss, cwe: [79], slice: 1, stage: confirmed, twin: find, why: x,
    at: { service: edge, method: GET, route: /search, part: query, parameter: q }, drives: [{ kind: tour, value: x }] }
- { id: find, kind: clean, class: xss, cwe: [79], slice: 1, stage: attempted, why: x,
    at: { service: edge, method: GET, route: /find, part: query, parameter: q }, drives: [{ kind: tour, value: x }] }
- { id: across, kind: flaw, class: sqli, also: [leak], cwe: [89], slice: 1, stage: likely, twin: orders, why: x,
    at: { service: edge, method: GET, route: "/orders/{id}", part: query, parameter: show },
    hops: [{ service: orders, method: GET, route: /internal, part: query, parameter: status }], drives: [{ kind: tour, value: x, path: /orders/1 }] }
- { id: orders, kind: clean, class: sqli, cwe: [89], slice: 1, stage: attempted, why: x,
    at: { service: edge, method: GET, route: /orders/mine, part: query, parameter: show }, drives: [{ kind: tour, value: x }] }
- { id: banner, kind: flaw, class: dependency, accept: [header], cwe: [1104], slice: 3, stage: likely, twin: find, why: x,
    at: { service: orders, method: GET, route: /status, part: response-header, parameter: server }, drives: [{ kind: ordinary }] }
`);

const seen = (over: Partial<Seen>): Seen => ({
  ...{ name: "n", service: "edge", method: "GET", route: "/search", rule: "r", class: "xss", stage: "confirmed" },
  ...{ part: "query", parameter: "q", ...over },
});

describe("the table", () => {
  it("counts what is found at its stage, weaker and not at all", () => {
    const table = makeTable(manifest, [
      seen({}),
      seen({ entry: "across", class: "sqli", stage: "likely", parameter: "show" }),
    ]);
    assert.deepEqual([table.all.expected, table.all.found, table.all.weaker], [3, 2, 0]);
    assert.deepEqual(table.all.missed, ["banner (none, not likely)"]);
    const weaker = makeTable(manifest, [seen({ stage: "likely" })], { slices: [1] });
    assert.deepEqual([weaker.all.expected, weaker.all.found, weaker.all.weaker], [2, 0, 1]);
    assert.equal(makeTable(manifest, [seen({ stage: "attempted" })]).all.found, 0);
  });

  it("takes a finding at any hop, and of any class that says the same", () => {
    const hop = seen({ service: "orders", route: "/internal", class: "sqli", stage: "likely", parameter: "status" });
    assert.deepEqual(makeTable(manifest, [hop]).classes.find(({ name }) => name === "sqli")?.missed, []);
    const header = seen({
      service: "orders",
      route: "/status",
      class: "header",
      stage: "likely",
      part: "response-header",
      parameter: "server",
    });
    assert.equal(makeTable(manifest, [header]).all.found, 1);
  });

  it("calls wrong what is not there, and only from likely on", () => {
    const wrong = [
      seen({ route: "/find" }),
      seen({ route: "/elsewhere", stage: "likely" }),
      seen({ class: "sqli", stage: "likely" }),
      seen({ parameter: "other" }),
      seen({ route: "/find", stage: "attempted" }),
    ];
    const table = makeTable(manifest, wrong);
    assert.deepEqual([table.all.falseConfirmed.length, table.all.falseLikely.length, table.all.found], [2, 2, 0]);
    assert.equal(table.falseLikelyShare, 1);
    assert.deepEqual(table.rules, [{ rule: "r", right: 0, besides: 0, falseConfirmed: 2, falseLikely: 2 }]);
  });

  it("leaves aside what is true besides", () => {
    const table = makeTable(manifest, [
      seen({ entry: "across", class: "leak", stage: "confirmed", part: "response-body", parameter: null }),
    ]);
    assert.deepEqual([table.all.found, table.all.falseConfirmed.length, table.rules[0]?.besides], [0, 0, 1]);
  });

  it("finds the entry of a place by its words, then by its parameter", () => {
    assert.equal(sameRoute("/orders/{id}", "/orders/17"), 2);
    assert.equal(sameRoute("/orders/mine", "/orders/{id}"), 2);
    assert.equal(sameRoute("/orders/mine", "/orders/17"), -1);
    const mine = seen({ route: "/orders/mine", class: "sqli", stage: "likely", parameter: "show" });
    assert.match(makeTable(manifest, [mine]).all.falseLikely[0]!, /\(orders\)$/);
    const numbered = seen({ route: "/orders/9", class: "sqli", stage: "likely", parameter: "show" });
    assert.equal(makeTable(manifest, [numbered]).all.found, 1);
  });

  it("takes a finding on its way out for one of where it goes, or of where it says it came from", () => {
    const out = seen({ route: "/internal", class: "sqli", stage: "likely", parameter: "status" });
    assert.equal(makeTable(manifest, [out]).classes.find(({ name }) => name === "sqli")?.found, 1);
    const [far] = seenByCollector([
      {
        fingerprint: "00",
        rule: "r",
        class: "xss",
        stage: "confirmed",
        service: "orders",
        method: "GET",
        route: "/far",
        part: "query",
        parameter: "q",
        hops: ["edge GET /search query q", "orders GET /far query q"],
      },
    ]);
    assert.equal(makeTable(manifest, [far!]).classes.find(({ name }) => name === "xss")?.found, 1);
    assert.equal(makeTable(manifest, [seen({ route: "/far" })]).all.falseConfirmed.length, 1);
  });

  it("expects the flaws of some sets, and judges by all of them", () => {
    const both = [...manifest.slice(0, 2), ...manifest.slice(2).map((entry) => ({ ...entry, set: 2 as const }))];
    const findings = [
      seen({}),
      seen({ route: "/find" }),
      seen({ service: "orders", route: "/status", class: "dependency" }),
    ];
    const table = makeTable(both, findings, { sets: [2] });
    assert.deepEqual([table.all.expected, table.all.found], [2, 1]);
    assert.deepEqual(table.all.falseConfirmed, ["n r (find)"]);
  });

  it("reads scan lines and a collector's findings", () => {
    const input = [
      JSON.stringify({ id: "search#1", service: "edge", request: { method: "GET", path: "/search?q=x" } }),
      JSON.stringify({ id: "visit#1", service: "edge", request: { method: "GET", path: "/find?q=x" } }),
    ];
    const finding = { rule: "r", class: "xss", stage: "confirmed", where: { part: "query", name: "q" } };
    const output = ["search#1", "visit#1"].map((id) => JSON.stringify({ id, findings: [finding] }));
    const table = makeTable(manifest, seenByScan(input, output));
    assert.deepEqual([table.all.found, table.all.falseConfirmed], [1, ["visit#1 r (find)"]]);
    assert.throws(() => seenByScan(input, ['{"id":null,"line":3,"error":"no"}']));
    const collected = seenByCollector([
      {
        fingerprint: "0123456789abcdef",
        rule: "r",
        class: "xss",
        stage: "confirmed",
        service: "edge",
        method: "GET",
        route: "/search",
        part: "query",
        parameter: "q",
      },
    ]);
    assert.equal(makeTable(manifest, collected).all.found, 1);
    assert.match(showTable(table), /xss +1 +1 +0 +0 +1 +0/);
    assert.match(showTable(table), /recall 33\.3%, false confirmed 1/);
  });
});
