// What exchanges show: each vector's stages by class, and the same with the response cut in pieces.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { readModule } from "../../scripts/package.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import { createEngine } from "../../scripts/scan/engine.ts";

interface Vector {
  id: string;
  why: string;
  method?: string;
  path: string;
  host?: string;
  request_headers?: Record<string, string>;
  request_body?: string;
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Whether those of TRAITS count. */
  traits?: boolean;
  /** The highest stage of each class that has a finding. */
  expect: Record<string, string>;
}

const FOLDER = new URL("../vectors/inspect/", import.meta.url);
/** Classes of what a response shows of the service whatever was asked: their vectors name them. */
const TRAITS = ["leak", "header", "cookie", "dependency"];
const STAGES = ["attempted", "likely", "confirmed"];
const engine = await createEngine(policyFrom({}), readModule());

async function stagesOf(vector: Vector): Promise<Record<string, string>> {
  const { method = "GET", path, host = "www.shop.example", status = 200, headers = {}, body = "" } = vector;
  const { findings } = await engine.judge({
    request: {
      method,
      path,
      headers: [["host", host], ...Object.entries(vector.request_headers ?? {})],
      body: vector.request_body ?? "",
    },
    response: { status, headers: Object.entries(headers), body },
    address: null,
    principal: null,
    service: null,
  });
  const stages: Record<string, string> = {};
  for (const { class: name, stage } of findings) {
    if (TRAITS.includes(name) && vector.traits !== true) continue;
    if (STAGES.indexOf(stage) > STAGES.indexOf(stages[name] ?? "")) stages[name] = stage;
  }
  return stages;
}

for (const file of readdirSync(FOLDER).sort()) {
  describe(file, () => {
    for (const vector of parse(readFileSync(new URL(file, FOLDER), "utf8")) as Vector[]) {
      it(`${vector.id}: ${vector.why}`, async () => {
        const stages = await stagesOf(vector);
        const raised = Object.entries(stages).filter(([, stage]) => stage !== "attempted");
        const expected = Object.entries(vector.expect);
        // Of what the request alone is judged by, the detectors' own vectors tell.
        assert.deepEqual(
          Object.fromEntries(raised),
          Object.fromEntries(expected.filter(([, stage]) => stage !== "attempted")),
        );
        for (const [name, stage] of expected) assert.equal(stages[name], stage);
      });
    }
  });
}
