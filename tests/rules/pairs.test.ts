// Every rule carries an attack and a harmless look-alike: the attack must be found by that rule, and the look-alike must pass.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { suite, test } from "node:test";
import { isPassive, readRuleFile, type ExampleExchange } from "../../scripts/generate/rule-file.ts";
import { joinRules } from "../../scripts/generate/rule-set.ts";
import { createEnvoyProcess, VERDICT_KEY } from "../../scripts/host/index.ts";
import { readModule } from "../../scripts/package.ts";
import { compilePolicy } from "../../scripts/policy/compile.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import { createEngine } from "../../scripts/scan/engine.ts";
import { parseVerdict, verdictSchema } from "../../scripts/scan/verdict.ts";
import { headerMap } from "../detect/header-map.ts";
import { buildProbe } from "../probe/build.ts";

/** The confidence that sensitivity `balanced` blocks at. */
const BLOCKS = 60;
const RULES = new URL("../../rules/", import.meta.url);

interface JudgeProbe {
  judgeValue(start: number, end: number): number;
  judgeHead(start: number, end: number): number;
  judgeUpload(...spans: number[]): number;
  foundRule(index: number): number;
  foundConfidence(index: number): number;
}

const names = (await readdir(RULES)).filter((name) => name.endsWith(".yaml") && name !== "kinds.yaml");
const rules = joinRules(
  await Promise.all(
    names.map(async (name) => readRuleFile(`rules/${name}`, await readFile(new URL(name, RULES), "utf8"))),
  ),
);
const ids = new Map(rules.map((rule) => [rule.code, rule.id]));
const { exports: module, write } = await buildProbe<JudgeProbe>("judge");

/** Judges a file: its name and type, an empty line, its content; one character a byte. */
function judgeUpload(text: string): number {
  const [, name = "", type = "", content = ""] = /^(\S+) (\S+)\n\n([^]*)$/.exec(text) ?? [];
  return module.judgeUpload(...[name, type, content].flatMap((part) => write(Buffer.from(part, "latin1"))));
}

const engine = await createEngine(policyFrom({}), readModule());
const observer = await createEngine(policyFrom({ observe: { sample: "100%" } }), readModule());

/** Judges a request with these header lines and, behind an empty line, this body. */
async function judgeRequest(lines: string, body: string): Promise<{ id: string; confidence: number }[]> {
  const headers = lines.split("\n").map((line) => line.split(": ") as [string, string]);
  const request = { method: "POST", path: "/", headers, body };
  const { findings } = await engine.judge({ request, response: null, address: null, principal: null, service: null });
  return findings.map(({ rule: id, confidence }) => ({ id, confidence }));
}

/** Judges header lines; a value that is none is judged as such. */
function judgeHead(text: string): number {
  const headers = text.split("\n").map((line) => /^(:?[^: ]+): (.*)$/.exec(line)?.slice(1) ?? []);
  return headers.some(({ length }) => length === 0)
    ? module.judgeValue(...write(text))
    : module.judgeHead(...write(headerMap(headers)));
}

/** What is found in `value`, as ids and confidences. */
async function judge(attackClass: string, value: string): Promise<{ id: string; confidence: number }[]> {
  const request = attackClass === "protocol" ? value.split("\n\n") : [];
  if (request.length === 2) return judgeRequest(request[0]!, request[1]!);
  const judges: Record<string, (text: string) => number> = {
    upload: judgeUpload,
    protocol: judgeHead,
    scanner: judgeHead,
  };
  const count = judges[attackClass]?.(value) ?? module.judgeValue(...write(value));
  return Array.from({ length: count }, (_, index) => ({
    id: ids.get(module.foundRule(index)) ?? "a rule that is in no file",
    confidence: module.foundConfidence(index),
  }));
}

type Found = { id: string; confidence: number; stage?: string };

type Lines = ExampleExchange["headers"];
const pairsOf = (lines: Lines): [string, string][] => lines.map(({ name, value }) => [name, value]);

/** Judges an exchange. */
async function judgeExchange(example: ExampleExchange, judge = engine): Promise<Found[]> {
  const { then, method, path, sends, posts, status, headers, body } = example;
  if (then !== undefined) {
    const nothing = { then: undefined, status: 204, headers: [], body: "" };
    await judgeExchange({ ...example, ...nothing }, observer);
    return judgeExchange({ ...example, then: undefined, method: "GET", path: then, sends: [], posts: "" }, observer);
  }
  const host: Lines = sends.some(({ name }) => name === "host") ? [] : [{ name: "host", value: "shop.example" }];
  const { findings } = await judge.judge({
    request: { method, path, headers: pairsOf([...host, ...sends]), body: posts },
    response: { status, headers: pairsOf(headers), body },
    address: null,
    principal: null,
    service: null,
  });
  return findings.map(({ rule: id, confidence, stage }) => ({ id, confidence, stage }));
}

/** What a request leaves behind during which the service makes a call. */
async function judgeCall({ path, sends, calls, carries }: ExampleExchange): Promise<Found[]> {
  const process = createEnvoyProcess();
  const { host, pathname, search } = new URL(calls!);
  const [inbound, outbound] = await Promise.all(
    ["inbound", "outbound"].map(async (direction) => {
      const plugin = await process.addPlugin({ name: "meshward", vmId: "meshward", module: readModule() });
      const policy = policyFrom({ observe: { sample: "100%" } });
      plugin.configure(JSON.stringify({ ...compilePolicy(policy, { holdHeaders: true, dryRun: true }), direction }));
      return plugin;
    }),
  );
  const stream = inbound!.openStream({ request: { path, headers: [["host", "shop.example"], ...pairsOf(sends)] } });
  stream.sendHeaders(true);
  outbound!.exchange({ path: pathname + search, headers: [["host", host], ...pairsOf(carries)] });
  stream.respond({ status: 200, headers: [], body: "" });
  stream.end();
  const verdict = verdictSchema.parse(parseVerdict(stream.filterState.get(VERDICT_KEY)!.toString()));
  return verdict.findings.map(({ rule: id, confidence, stage }) => ({ id, confidence, stage }));
}

/** Rules that are never surer than likely. */
const isGuess = (id: string): boolean => id.endsWith("-error") || id === "xss-stored";

await suite("pairs of rules", () => {
  // Those of the collector: tests/collector.
  for (const { id, code, class: attackClass, attack, lookalike } of rules.filter(({ by }) => by === "module")) {
    if (typeof attack !== "string" && attack.calls !== undefined) {
      const borne = async (example: typeof attack): Promise<string[]> =>
        (await judgeCall(example)).filter(({ stage }) => stage !== "attempted").map((found) => found.id);
      test(`${id} finds its attack in a call`, async () =>
        assert.ok((await judgeCall(attack)).some((found) => found.id === id)));
      test(`${id} lets its look-alike pass`, async () =>
        assert.deepEqual(await borne(lookalike as ExampleExchange), []));
      continue;
    }
    if (isPassive(code)) {
      const observed = async (example: typeof attack): Promise<string[]> => {
        assert.ok(typeof example !== "string", "both are exchanges");
        const found = await judgeExchange(example, observer);
        return found.filter(({ stage }) => stage !== "attempted").map((each) => each.id);
      };
      test(`${id} is seen in its exchange`, async () => assert.ok((await observed(attack)).includes(id)));
      test(`${id} lets its look-alike pass`, async () => assert.ok(!(await observed(lookalike)).includes(id)));
      continue;
    }
    if (typeof attack !== "string" || typeof lookalike !== "string") {
      // Where a rule of the class has seen the attack in the request, that finding is raised.
      const borne = async (example: typeof attack): Promise<Found[]> => {
        assert.ok(typeof example !== "string", "both are exchanges");
        const found = await judgeExchange(example);
        return found.filter(({ id: rule, stage }) => stage !== "attempted" && rule.startsWith(`${attackClass}-`));
      };
      test(`${id} finds its attack in the response`, async () => {
        const found = await borne(attack);
        assert.notDeepEqual(found, [], JSON.stringify(attack));
        const confirmed = found.some(({ stage }) => stage === "confirmed");
        assert.equal(confirmed, !isGuess(id), JSON.stringify(found));
      });
      test(`${id} lets its look-alike pass`, async () => {
        const found = (await borne(lookalike)).filter(({ stage }) => isGuess(id) || stage === "confirmed");
        assert.deepEqual(found, [], JSON.stringify(lookalike));
      });
      continue;
    }
    test(`${id} finds its attack`, async () => {
      const findings = await judge(attackClass, attack);
      assert.ok(
        findings.some((finding) => finding.id === id),
        `found ${JSON.stringify(findings)} in ${JSON.stringify(attack)}`,
      );
    });
    test(`${id} lets its look-alike pass`, async () => {
      const blocked = (await judge(attackClass, lookalike)).filter(({ confidence }) => confidence >= BLOCKS);
      assert.deepEqual(blocked, [], JSON.stringify(lookalike));
    });
  }
});
