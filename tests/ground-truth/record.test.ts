/** The record: every request of the plan in order, each with its answer, and what the services asked meanwhile. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { loadManifest } from "./manifest.ts";
import { record } from "./record.ts";
import { planOrdinary, planTour } from "./traffic.ts";

interface Line {
  id: string;
  service: string;
  request: { method: string; path: string; headers: [string, string][]; body?: string };
  response: { status: number; headers: [string, string][]; body?: string };
}

const AMONG = ["across-sqli", "across-token-to-partner", "xss-text", "deser-java", "across-bind"];

it("records exchanges as scan lines, those between services after the one that caused them", async () => {
  const manifest = loadManifest().filter(({ id }) => AMONG.includes(id));
  const options = { visits: 12, seed: 3 };
  const lines = (await record(manifest, options)).map((line) => JSON.parse(line) as Line);
  const outer = lines.filter(({ id }) => !id.includes(">"));
  assert.deepEqual(
    outer.map(({ id }) => id),
    [...planOrdinary(manifest, options), ...planTour(manifest)].map(({ id }) => id),
  );

  const byId = new Map(lines.map((line) => [line.id, line]));
  assert.match(byId.get("xss-text#2")?.response.body ?? "", /Results for <script>/);
  const inner = byId.get("across-sqli#2>1");
  assert.deepEqual(
    [inner?.service, inner?.request.path, inner?.response.status],
    ["orders", "/internal/filtered?status=open'", 500],
  );
  const bound = byId.get("across-bind#3>1");
  assert.deepEqual(
    [bound?.service, bound?.request.body, bound?.response.status],
    ["orders", '{"uid":"ada)(|(uid=*","secret":"x"}', 500],
  );
  const out = byId.get("across-token-to-partner#1>1");
  assert.deepEqual([out?.service, out?.request.path], ["catalogue", "/v1/recommendations"]);
  assert.match(out?.request.headers.find(([name]) => name === "authorization")?.[1] ?? "", /^Bearer [0-9a-f]{40}$/);
  assert.ok(byId.get("deser-java#1")?.request.body === undefined, "bytes that are no text are in base64");
});
