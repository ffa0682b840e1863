// What responses leak: each vector's rules with their stages, and the same with the response cut in pieces.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { createEnvoyProcess, VERDICT_KEY } from "../../scripts/host/index.ts";
import { readModule } from "../../scripts/package.ts";
import { compilePolicy } from "../../scripts/policy/compile.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import { createEngine } from "../../scripts/scan/engine.ts";
import { parseVerdict, verdictSchema, type Verdict } from "../../scripts/scan/verdict.ts";

interface Vector {
  id: string;
  why: string;
  path?: string;
  host?: string;
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Rules without "leak-", and their stage. */
  expect: Record<string, string>;
}

const FOLDER = new URL("../vectors/leak/", import.meta.url);
const POLICY = policyFrom({ observe: { sample: "100%" } });
const engine = await createEngine(POLICY, readModule());
/** Bytes of a chunk where a response is cut: a size that divides nothing. */
const CUT = 37;

function leaksOf(findings: Verdict["findings"]): Record<string, string> {
  return Object.fromEntries(
    findings
      .filter(({ rule, stage }) => rule.startsWith("leak-") && stage !== "attempted")
      .map(({ rule, stage }) => [rule.slice("leak-".length), stage!]),
  );
}

function headersOf({ headers = {} }: Vector): [string, string][] {
  return Object.entries(headers);
}

/** One for all: a dry run judges each exchange by itself. */
const plugin = await createEnvoyProcess().addPlugin({ name: "meshward", vmId: "meshward", module: readModule() });
plugin.configure(JSON.stringify(compilePolicy(POLICY, { holdHeaders: true, dryRun: true })));

/** What is seen where the body comes in chunks. */
function leaksOfPieces(vector: Vector): Record<string, string> {
  const { path = "/x", host = "shop.example", status = 200, body = "" } = vector;
  const stream = plugin.openStream({ request: { path, headers: [["host", host]] } });
  stream.sendHeaders(true);
  stream.respondHeaders({ status, headers: headersOf(vector) }, false);
  const bytes = Buffer.from(body);
  for (let at = 0; at < bytes.length; at += CUT) stream.respondBody(bytes.subarray(at, at + CUT), false);
  stream.respondBody("", true);
  stream.end();
  const verdict = stream.filterState.get(VERDICT_KEY);
  return verdict === undefined ? {} : leaksOf(verdictSchema.parse(parseVerdict(verdict.toString())).findings);
}

for (const file of readdirSync(FOLDER).sort()) {
  describe(file, () => {
    for (const vector of parse(readFileSync(new URL(file, FOLDER), "utf8")) as Vector[]) {
      it(`${vector.id}: ${vector.why}`, async () => {
        const { path = "/x", host = "shop.example", status = 200, body = "" } = vector;
        const { findings } = await engine.judge({
          request: { method: "GET", path, headers: [["host", host]], body: "" },
          response: { status, headers: headersOf(vector), body },
          address: null,
          principal: null,
          service: null,
        });
        assert.deepEqual(leaksOf(findings), vector.expect);
        if (body !== "") assert.deepEqual(leaksOfPieces(vector), vector.expect);
      });
    }
  });
}
