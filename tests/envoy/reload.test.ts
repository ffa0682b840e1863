import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { after, before, describe, it } from "node:test";
import { startMeshward, type Meshward, type PolicySource } from "../../testing/index.ts";
import { startService, type Service } from "../filter/service.ts";

const REQUESTS = 10_000;
const CHANGES = 20;
const CLIENTS = 24;
/** The longest that a change may take to be in force, ms. */
const IN_FORCE = 2_000;
const ATTACK = "/items?q=1%20UNION%20SELECT%20name,password%20FROM%20users--";

let service: Service;
let meshward: Meshward;
const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
before(async () => {
  service = await startService();
  meshward = await startMeshward({ policy: policy(0), upstream: service.url, backend: "process" });
});
after(async () => {
  agent.destroy();
  await meshward?.stop();
  service?.stop();
});

/** Even ones refuse, odd ones report; no two are the same. */
function policy(change: number): PolicySource {
  return { mode: change % 2 === 0 ? "block" : "detect", limits: { holdMillis: 1000 + change } };
}

function send(path: string, body?: string, own?: Agent): Promise<number> {
  const { hostname, port } = new URL(meshward.url);
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const headers = body === undefined ? {} : { "content-type": "application/json", "content-length": body.length };
    const call = request({ hostname, port, path, method, headers, agent: own ?? agent }, (response) => {
      response
        .resume()
        .on("end", () => resolve(response.statusCode!))
        .on("error", reject);
    });
    call.on("error", reject).end(body);
  });
}

describe("policies change under load", () => {
  it(`${CHANGES} times during ${REQUESTS} requests, none of which fails`, { timeout: 60_000 }, async (context) => {
    let sent = 0;
    const unexpected = new Map<string, number>();
    const note = (what: string): void => void unexpected.set(what, (unexpected.get(what) ?? 0) + 1);
    const client = async (): Promise<void> => {
      while (sent < REQUESTS) {
        const turn = sent++;
        const kind = turn % 3;
        try {
          const status = await (kind === 0
            ? send(ATTACK)
            : kind === 1
              ? send("/items?page=2")
              : send("/buy", '{"item":12,"note":"by noon, please"}'));
          if (status !== 200 && !(kind === 0 && status === 403)) note(`${["attack", "get", "post"][kind]}: ${status}`);
        } catch (error) {
          note(String(error));
        }
      }
    };
    const load = Promise.all(Array.from({ length: CLIENTS }, client));

    const took: number[] = [];
    for (let change = 1; change <= CHANGES; change++) {
      // Spread over the requests, not over time.
      while (sent < (REQUESTS * change) / (CHANGES + 2)) await new Promise((resolve) => setTimeout(resolve, 5));
      const started = performance.now();
      await meshward.reload(policy(change));
      took.push(performance.now() - started);
      // In force on each worker: new connections spread over them.
      const fresh = new Agent();
      const statuses = await Promise.all(Array.from({ length: 6 }, () => send(ATTACK, undefined, fresh)));
      assert.deepEqual(new Set(statuses), new Set([change % 2 === 0 ? 403 : 200]), `change ${change}`);
    }
    assert.ok(sent < REQUESTS, "the changes came during the load");
    await load;
    assert.deepEqual(Object.fromEntries(unexpected), {}, meshward.log().slice(-20).join("\n"));
    const slowest = Math.max(...took);
    assert.ok(slowest < IN_FORCE, `a change took ${slowest} ms`);
    context.diagnostic(`a change was in force after ${Math.round(slowest)} ms at most`);

    // Each of them left its mark in the statistics, and only the last policy is announced.
    const deadline = Date.now() + 5_000;
    for (;;) {
      const metrics = await meshward.metrics();
      const total = metrics.value("meshward_requests_total");
      const announced = metrics.samples.filter(({ name, value }) => name === "meshward_info" && value > 0);
      if (total === REQUESTS + 6 * CHANGES && announced.length === 1) break;
      assert.ok(Date.now() < deadline, `${total} requests counted, policies announced: ${JSON.stringify(announced)}`);
    }
  });
});
