import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readModule } from "../../scripts/package.ts";
import { loadPolicy, policyFrom } from "../../scripts/policy/load.ts";
import { createEngine } from "../../scripts/scan/engine.ts";
import { templateOf } from "../../scripts/tune/template.ts";
import { tuningText } from "../../scripts/tune/text.ts";
import { leastThreshold } from "../../scripts/tune/threshold.ts";
import { exceptionsPatch, newTuning, sortedGroups, tuneLines } from "../../scripts/tune/tune.ts";
import type { Tuning } from "../../scripts/tune/tune.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
const UNION = "1+UNION+SELECT+name,pass+FROM+users--";

const engine = await createEngine(policyFrom({}), readModule());

const line = (path: string, address: string, other?: object): string =>
  JSON.stringify({ request: { method: "GET", path }, source: { address }, ...(other && { other }) });

async function tune(lines: readonly string[], by = engine): Promise<Tuning> {
  const tuning = newTuning();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from(lines.join("\n")));
  }
  await tuneLines(chunks(), by, 60, tuning);
  return tuning;
}

describe("tune", () => {
  it("makes templates of paths", () => {
    const cases: [path: string, template: string][] = [
      ["/", "/"],
      ["/a/12/b?x=/1", "/a/*/b"],
      ["/u/123e4567-e89b-12d3-a456-426614174000", "/u/*"],
      ["/c/deadbeef01", "/c/*"],
      ["/static/app.js", "/static/app.js"],
      ["/a//b/", "/a/*/b/"],
      ["/a/../b", "/a/*/b"],
      ["/x{y}/*/%2f/%41", "/*/*/*/%41"],
      ["/é", "/*"],
      [`/${"a/".repeat(40)}`, `/${"a/".repeat(16)}**`],
    ];
    for (const [path, template] of cases) {
      assert.equal(templateOf(path), template, path);
      const fault = loadPolicy(`routes: [{match: {path: ${JSON.stringify(template)}}, mode: detect}]`).issues;
      if (!template.includes("//")) assert.deepEqual(fault, [], template);
    }
  });
  it("groups what would be refused, by clients, with the other firewall's word", async () => {
    const tuning = await tune([
      line(`/report/1?q=${UNION}`, "10.0.0.1", { denied: true, rules: ["942100"] }),
      line(`/report/2?q=${UNION}`, "10.0.0.2", { denied: false, rules: [] }),
      line(`/report/2?q=${UNION}`, "10.0.0.2"),
      line("/?x=%3Cscript%3Ealert(1)%3C/script%3E", "10.0.0.9"),
      line("/plain", "10.0.0.3", { denied: true, rules: ["1"] }),
      "nonsense",
    ]);
    assert.deepEqual(
      [tuning.requests, tuning.denied, tuning.others, tuning.otherDenied, tuning.otherOnly],
      [5, 4, 3, 2, 1],
    );
    assert.deepEqual(
      tuning.bad.map(({ line: number }) => number),
      [6],
    );
    const [first] = sortedGroups(tuning);
    assert.deepEqual(
      [first!.route, first!.part, first!.name, first!.rule],
      ["/report/*", "query", "q", "sqli-union-select"],
    );
    assert.deepEqual([first!.requests, first!.clients.size, first!.otherDenied], [3, 2, 1]);
    assert.match(tuningText(tuning), /^ +3 +2 +1 +\d+ +sqli-union-select +query q +GET \/report\/\*/m);
    assert.match(tuningText(tuning), /another firewall refused 2 of 3; 1 of those would pass here/);
  });
  it("prints exceptions that a policy takes, and that let the requests pass", async () => {
    const lines = [
      line(`/report/1?q=${UNION}`, "10.0.0.1"),
      line(`/report/2?q=${UNION}`, "10.0.0.2"),
      line("/?x=%60id%60", "10.0.0.9"),
    ];
    const patch = exceptionsPatch(sortedGroups(await tune(lines)), 2, NOW);
    const { policy, issues } = loadPolicy(patch, NOW);
    assert.deepEqual(issues, []);
    assert.ok(policy!.exceptions.every(({ path }) => path === "/report/*"));
    assert.match(patch, /why: "?REASON: 2 requests of 2 clients/);
    assert.match(patch, /expires: "?2027-02-19/);
    const after = await tune(lines, await createEngine(policy!, readModule()));
    assert.equal(after.denied, 1);
    assert.equal(exceptionsPatch(sortedGroups(after), 2, NOW), "");
  });
  it("leaves out what no policy can name", async () => {
    const evil = encodeURIComponent('a"\n\u001b[2J' + "x".repeat(300));
    const tuning = await tune(["1", "2"].map((at) => line(`/?${evil}=${UNION}`, `10.0.0.${at}`)));
    assert.equal(tuning.denied, 2);
    const patch = exceptionsPatch(sortedGroups(tuning), 2, NOW);
    assert.equal(patch === "" || loadPolicy(patch, NOW).policy !== null, true);
    assert.doesNotMatch(tuningText(tuning), /\u001b/);
  });
  it("knows from which confidence anything can decide", () => {
    assert.equal(leastThreshold(policyFrom({})), 60);
    assert.equal(leastThreshold(policyFrom({ sensitivity: "low" })), 80);
    assert.equal(
      leastThreshold(policyFrom({ routes: [{ match: { path: "/a" }, detectors: { xss: { sensitivity: "high" } } }] })),
      40,
    );
    assert.equal(leastThreshold(policyFrom({ fields: [{ name: "id", kind: "id" }] })), 40);
  });
});
