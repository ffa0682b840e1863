/**
 * Responses of any kind to requests with values that they may show: cut in pieces, and with other streams before it, a response shows
 * what it shows whole and alone, and nothing traps.
 */
import assert from "node:assert/strict";
import type { Random } from "../bench/random.ts";
import { createEnvoyProcess, type Exchange, type Plugin } from "../host/index.ts";
import { compilePolicy } from "../policy/compile.ts";
import { policyFrom } from "../policy/load.ts";
import { randomPieces, randomResponse, randomValue } from "./inputs.ts";

const CONFIGURATION = JSON.stringify(compilePolicy(policyFrom({ observe: { sample: "100%" } }), { holdHeaders: true }));

/** What is found in an exchange; throws where the module has failed. */
function findingsOf({ outcome, verdict }: Exchange): unknown {
  assert.notEqual(outcome, "failed");
  return (verdict as { findings?: unknown } | null)?.findings;
}

/** `count` exchanges. Returns how many of them showed something. */
export async function fuzzResponses(module: Uint8Array, random: Random, count: number): Promise<number> {
  const make = async (): Promise<Plugin> => {
    const options = { name: "meshward", rootId: "meshward", vmId: "meshward", module };
    const plugin = await createEnvoyProcess({ seed: 1 }).addPlugin(options);
    plugin.configure(CONFIGURATION);
    return plugin;
  };
  const used = await make();
  let shown = 0;
  for (let i = 0; i < count; i++) {
    const value = randomValue(random);
    const path = `/p?q=${encodeURIComponent(value)}`;
    const response = randomResponse(random, value);
    const pieces = randomPieces(random, response.body).map(({ length }) => length);
    const whole = findingsOf(used.exchange({ path }, { response }));
    const cut = findingsOf(used.exchange({ path }, { response: { ...response, chunkSizes: pieces } }));
    const told = JSON.stringify({ path, ...response, body: response.body.toString("base64"), pieces });
    assert.deepEqual(cut, whole, `in pieces: ${told}`);
    if (i % 50 === 0)
      assert.deepEqual(findingsOf((await make()).exchange({ path }, { response })), whole, `alone: ${told}`);
    if (JSON.stringify(whole ?? []).includes('"stage":"confirmed"')) shown++;
  }
  return shown;
}
