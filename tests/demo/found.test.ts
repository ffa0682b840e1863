import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Finding } from "../../collector/api.ts";
import { compare, countLines, foundLines, isAsPlanted } from "../../scripts/demo/found.ts";
import { HOSTS, makeCall } from "../../scripts/demo/fence/calls.ts";
import { FenceError } from "../../scripts/demo/fence/error.ts";
import { render } from "../../scripts/demo/fence/template.ts";
import { PLANTED, TOUR } from "../../scripts/demo/planted.ts";
import { personOf, tokenFor } from "../../scripts/demo/shop/people.ts";
import { basketCookie, unserialize } from "../../scripts/demo/shop/unserialize.ts";
import { painter } from "../../scripts/demo/table.ts";
import { traceOf } from "../../scripts/demo/visitor.ts";

const plain = painter(false);
const TRACE = traceOf(TOUR[0]!.name);
const traces = new Set([TRACE]);

/** A finding of a planted flaw, as its rules have it, with what is given above it. */
function finding(at: number, given: Partial<Finding> = {}): Finding {
  const { at: place, rules, stage, from } = PLANTED[at]!;
  const [service = "", method = "", route = ""] = place.split(" ");
  const rule = rules[0]!;
  return {
    ...{
      fingerprint: "0".repeat(32),
      rule: rule.endsWith("-") ? `${rule}any` : rule,
      class: "",
      cwe: [],
      severity: "high",
    },
    ...{ stage, confidence: 90, service, namespace: null, method, route, part: "query", parameter: "q", evidence: "" },
    ...{
      count: 1,
      first_seen: "",
      last_seen: "",
      state: "open",
      until: null,
      note: null,
      request_id: null,
      trace_id: null,
    },
    ...{ hops: from === undefined ? [] : [`${from} query q`, `${place} query q`] },
    outcomes: { allowed: 1 },
    ...given,
  } as Finding;
}
const all = PLANTED.map((_, at) => finding(at));
const sql = PLANTED.findIndex(({ from }) => from !== undefined);

describe("what the demo's mesh has planted", () => {
  it("is found where each flaw has its finding, and nothing besides", () => {
    const found = compare(PLANTED, all, traces);
    assert.equal(isAsPlanted(found), true);
    assert.match(countLines(found)[0]!, /^(\d+) of \1 planted flaws found; 0 findings that nobody planted\.$/);
  });

  for (const [what, given] of [
    ["is not there", null],
    ["is of another rule", { rule: "leak-nothing" }],
    ["is of another endpoint", { route: "/elsewhere" }],
    ["is of another service", { service: "orders" }],
    ["is only attempted", { stage: "attempted" }],
  ] as const) {
    it(`misses a flaw whose finding ${what}`, () => {
      const others = given === null ? [] : [finding(0, given)];
      const found = compare(PLANTED, [...others, ...all.slice(1)], traces);
      assert.equal(found.rows[0]!.ok, false);
      assert.equal(isAsPlanted(found), false);
    });
  }

  it("takes a flaw between services only with the way that its value came", () => {
    const found = compare(PLANTED, all.with(sql, finding(sql, { hops: [] })), traces);
    assert.equal(found.rows[sql]!.ok, false);
  });

  it("tells what nobody planted, but for attacks of the tour that came to nothing", () => {
    const there = { rule: "sqli-tautology", route: "/articles", trace_id: TRACE } as const;
    const tried = compare(PLANTED, [...all, finding(0, { ...there, stage: "attempted" })], traces);
    assert.deepEqual([isAsPlanted(tried), tried.attempts], [true, 1]);
    for (const given of [
      { ...there, stage: "likely" },
      { ...there, stage: "attempted", trace_id: traceOf("visit 1") },
      { ...there, stage: "attempted", trace_id: null },
    ] as const) {
      const found = compare(PLANTED, [...all, finding(0, given)], traces);
      assert.deepEqual([isAsPlanted(found), found.others.length], [false, 1]);
    }
  });

  it("shows the surest finding, and of these the rule that says it best", () => {
    const basket = PLANTED.findIndex(({ at }) => at === "edge GET /picture");
    const [first, second] = ["ssrf-metadata", "ssrf-outbound"].map((rule) => finding(basket, { rule }));
    const shown = (findings: Finding[]): string => compare(PLANTED, findings, traces).rows[basket]!.finding!.rule;
    assert.equal(shown([first!, second!]), "ssrf-outbound");
    assert.equal(shown([first!, { ...second!, stage: "likely" }]), "ssrf-metadata");
  });

  it("is a table for 80 columns that shows nothing which could steer the terminal", () => {
    const odd = finding(0, { route: `/\u001b[2J${"x".repeat(90)}`, rule: "r".repeat(60), stage: "attempted" });
    const hops = finding(sql, {
      hops: Array.from({ length: 9 }, (_, n) => `service-${n} GET /items/{number} query q`),
    });
    const found = compare(PLANTED, [...all.with(sql, hops).slice(1), odd], traces);
    for (const text of [...foundLines(found, plain), ...countLines(found)]) {
      assert.ok(text.length < 80, `${text.length}: ${text}`);
      assert.doesNotMatch(text, /\p{C}/u);
    }
    const lines = foundLines(found, plain);
    assert.match(lines[1]!, / - +NOTHING$/);
    assert.match(lines.at(-1)!, /attempted$/);
    const colored = foundLines(found, painter(true)).join("\n");
    assert.equal(colored.replace(/\u001b\[\d+m/g, ""), lines.join("\n"));
  });

  it("has room for every flaw, and for each a look-alike elsewhere", () => {
    const places = PLANTED.flatMap(({ at, lookAlike }) => [at, lookAlike.at]);
    assert.equal(new Set(places).size, places.length);
    assert.ok(PLANTED.length >= 12);
    for (const { what, at, tour, lookAlike } of PLANTED) {
      assert.ok(what.length <= 20, what);
      assert.ok(at.split(" ").slice(1).join(" ").length <= 20, at);
      // Whoever shows by an attack has a look-alike that is attacked.
      assert.equal(tour.length > 0, lookAlike.tour.length > 0, what);
    }
  });
});

describe("the fence of the demo's mesh", () => {
  it("lets services call the demo's own hosts and nothing else", async () => {
    const call = makeCall(() => "http://127.0.0.1:9", {});
    for (const url of [
      "http://evil.example/",
      "http://127.0.0.1/",
      "http://orders:8080/",
      "http://orders.evil.example/",
      "http://orders@evil.example/",
      "https://orders/",
      "file:///etc/passwd",
      "/orders",
      "",
    ]) {
      await assert.rejects(async () => call(url, { headers: {} }), FenceError, url);
    }
    for (const host of HOSTS) {
      await assert.rejects(async () => call(`http://${host}/`, { headers: {} }), { code: "ECONNREFUSED" });
    }
    await assert.rejects(async () => makeCall(() => null, {})("http://orders/", { headers: {} }), FenceError);
  });

  it("runs sums and no other templates", () => {
    assert.equal(render("{{191*7}} {{ 2 + 3 }} {{3-4}}"), "1337 5 -1");
    for (const text of ["{{a}}", "{{1*1*1}}", "{{1**9}}", "{{constructor}}", "{{9999999*9}}", "{{1/0}}"])
      assert.equal(render(text), text);
  });

  it("builds objects of words alone", () => {
    assert.deepEqual(unserialize(basketCookie("Brass lamp", 2)), { class: "Basket", item: "Brass lamp", pieces: "2" });
    assert.equal(unserialize("lamp"), null);
    const built = unserialize('O:1:"X":1:{s:9:"__proto__";s:1:"a";}')!;
    assert.equal(Object.getPrototypeOf(built), Object.prototype);
    assert.equal(built.class, "X");
  });

  it("knows people by tokens of this run's", () => {
    assert.equal(personOf(tokenFor("ada")), "ada");
    for (const token of ["", "a.b.c", tokenFor("ada", "another word"), `${tokenFor("lin")}a`])
      assert.equal(personOf(token), null);
  });
});
