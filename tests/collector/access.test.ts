/** Flaws of access that the inventory shows, and what only looks like one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessFlaws } from "../../collector/access.ts";
import type { Database } from "../../collector/database.ts";
import { findingsQuerySchema } from "../../collector/api.ts";
import { listFindings, changeState } from "../../collector/findings.ts";
import { createIngest } from "../../collector/ingest.ts";
import { judge } from "../../collector/judge.ts";
import { observationOf, type Observation } from "../../collector/observation.ts";
import { readLogs } from "../../collector/otlp.ts";
import { onBoth } from "./databases.ts";
import { inventoryOf, linesOf, operationOf } from "./examples.ts";
import { observationRequest, protobufRequest, type Attributes } from "./otlp-request.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");

/** What is found in an example, as `RULE METHOD ROUTE`. */
const found = (example: string): string[] =>
  accessFlaws(inventoryOf(linesOf(example).map(operationOf))).map(({ rule, method, route }) =>
    [rule.replace("auth-", ""), method, route].join(" "),
  );

const PROTECTED = `
  GET /api/orders bearer 20 refused 2
  GET /api/orders/{number} bearer 20 refused 1
  DELETE /api/orders/{number} bearer 2 refused 1`;

test("the one open endpoint among protected ones is told, and nothing beside it", () => {
  for (const [line, expected] of [
    ["GET /api/orders/export none 3", ["missing-authentication GET /api/orders/export"]],
    ["GET /api/orders/{number}/invoice bearer 5 none 2", ["missing-authentication GET /api/orders/{number}/invoice"]],
    ["PUT /api/orders/{number}/state none 2", ["missing-authentication PUT /api/orders/{number}/state"]],
    // The mesh's certificate says which workload asks, not who.
    ["GET /api/orders/export mtls 3", ["missing-authentication GET /api/orders/export"]],
    ["GET /api/orders/export bearer 9 mtls 9", []],
    // Once is enough, since a service decides the same each time; a redirect leads to where one signs in.
    ["GET /api/orders/export none 1 bearer 4", ["missing-authentication GET /api/orders/export"]],
    ["GET /api/orders/export none 4 redirected 4", []],
    // Strangers order, subscribe, sign up.
    ["POST /api/orders none 9", []],
    ["POST /api/orders/{number}/cancel none 9", ["missing-authentication POST /api/orders/{number}/cancel"]],
    // What names itself, what pages are made of, what servers answer.
    ["GET /api/orders/health none 9", []],
    ["POST /api/orders/{number}/webhook none 9", []],
    ["GET /api/orders/{number}/label none 9 answers image/png", []],
    ["GET /api/orders/app.js none 9", []],
    ["OPTIONS /api/orders none 9", []],
    // Nothing but the API's prefix in common.
    ["GET /api/catalogue none 9", []],
    ["GET / none 9", []],
    ["calls payments GET /api/orders/export none 9", []],
  ] as const) {
    assert.deepEqual(found(`${PROTECTED}\n${line}`), expected, line);
  }
});

test("with doubt nothing is said", () => {
  // Two are open: so it is meant.
  assert.deepEqual(found(`${PROTECTED}\n GET /api/orders/a none 3\n GET /api/orders/b none 3`), []);
  // Nobody was ever refused: clients that have a token send it everywhere.
  assert.deepEqual(found("GET /o/a bearer 9\n GET /o/b bearer 9\n GET /o/c none 3"), []);
  // Refused by a redirect to where one signs in.
  assert.deepEqual(found("GET /o/a cookie 9 none 2 redirected 2\n GET /o/b cookie 9\n GET /o/c none 3"), [
    "missing-authentication GET /o/c",
  ]);
  // An open page with closed ones below it; one that many read and few write.
  assert.deepEqual(
    found(
      "GET /products/{number} none 9\n GET /products/{number}/cost bearer 9 refused 2\n GET /products/{number}/margin bearer 9 refused 1",
    ),
    [],
  );
  assert.deepEqual(
    found("GET /articles none 9\n POST /articles bearer 9 refused 2\n PUT /articles/{number} bearer 9 refused 2"),
    [],
  );
  assert.deepEqual(found("GET /o/a bearer 9 refused 1\n GET /o/c none 3"), []);
});

test("where everything is by its name one's own, pages that strangers alone ask for are put aside", () => {
  const mine = (own: string): string => `
    GET /${own}/orders cookie 5 none 2 redirected 2
    GET /${own}/addresses cookie 5 none 1 redirected 1
    GET /${own}/cards cookie 5 none 1 redirected 1
    GET /${own}/zone none 4`;
  const open = (own: string): string => `GET /${own}/invoices cookie 3 none 1`;
  assert.deepEqual(found(`${mine("my")}\n ${open("my")}`), ["missing-authentication GET /my/invoices"]);
  assert.deepEqual(found(`${mine("shop")}\n ${open("shop")}`), []);
  assert.deepEqual(found(`${mine("my")}\n GET /my/area none 3`), [], "strangers alone ask for either");
  assert.deepEqual(found(`${mine("my")}\n ${open("my")}\n GET /my/offers cookie 9 none 9`), [], "two are open to both");
  const few = mine("my").replace(/.*addresses.*\n/, "");
  assert.deepEqual(found(`${few}\n ${open("my")}`), [], "few refuse");
});

test("a method that is open where GET is not", () => {
  const strict = "GET /admin/users cookie 8 refused 3";
  assert.deepEqual(found(`${strict}\n HEAD /admin/users none 2`), ["verb-tampering HEAD /admin/users"]);
  assert.deepEqual(found(`${strict}\n FOO /admin/users none 2`), ["verb-tampering FOO /admin/users"]);
  assert.deepEqual(found(`${strict}\n DELETE /admin/users none 2`), ["verb-tampering DELETE /admin/users"]);
  assert.deepEqual(found(`${strict}\n OPTIONS /admin/users none 2`), []);
  assert.deepEqual(found(`${strict}\n POST /admin/users none 2`), []);
  assert.deepEqual(found(`${strict}\n PUT /admin/users cookie 2`), []);
  assert.deepEqual(found("GET /comments none 8\n DELETE /comments none 4\n POST /comments cookie 8 refused 3"), []);
  assert.deepEqual(found("POST /import bearer 8 refused 3\n JEFF /import none 4"), ["verb-tampering JEFF /import"]);
});

test("a flaw is an event with the texts of its rule, one a day", () => {
  const inventory = inventoryOf(linesOf(`${PROTECTED}\n GET /api/orders/export none 3`).map(operationOf));
  const [event, ...more] = judge(inventory, [accessFlaws], NOW);
  assert.equal(more.length, 0);
  assert.deepEqual(
    [event!.rule, event!.class, event!.service, event!.namespace, event!.method, event!.route, event!.part],
    ["auth-missing-authentication", "auth", "cart", "shop", "GET", "/api/orders/export", "authentication"],
  );
  assert.match(event!.evidence, /^answered 3 times without a credential; the 2 others of \/api\/orders were never/);
  assert.deepEqual(event!.cwe, [306, 862]);
  const at = (time: number): string => judge(inventory, [accessFlaws], time)[0]!.key;
  assert.equal(at(NOW + 1_000), event!.key);
  assert.notEqual(at(NOW + 86_400_000), event!.key);
  assert.throws(
    () => judge(inventory, [() => [{ ...event!, rule: "no-rule", stage: "likely", severity: "low" }]], NOW),
    /no rule/,
  );
});

/** The observation of one record. */
function observed(changes: Attributes, time = NOW): Observation {
  const { records } = readLogs(protobufRequest(observationRequest(time, [changes])), "protobuf");
  return observationOf(records[0]!, NOW) as Observation;
}

const record = (route: string, authentication: readonly string[], statuses: readonly string[]): Observation =>
  observed({
    "http.route": route,
    "meshward.authentication": authentication,
    "meshward.status_classes": statuses,
    "meshward.count": 4,
  });

onBoth(
  "what the inventory shows becomes a finding, once a day, and a decision on it holds",
  async (database: Database) => {
    const ingest = createIngest(database, undefined, undefined, [accessFlaws]);
    assert.equal((await ingest.judge(NOW)).events.length, 0);
    await ingest.store([], NOW, [
      record("/api/orders", ["bearer 4", "refused 1"], ["2xx 4", "4xx 1"]),
      record("/api/orders/{number}", ["bearer 4"], ["2xx 4"]),
      record("/api/orders/{number}/invoice", ["none 2", "bearer 2"], ["2xx 4"]),
    ]);
    assert.equal((await ingest.judge(NOW)).events.length, 1);
    // Nothing new was observed.
    assert.equal((await ingest.judge(NOW)).duplicates, 0);
    const list = (): ReturnType<typeof listFindings> => listFindings(database, findingsQuerySchema.parse({}));
    const [finding] = (await list()).findings;
    assert.deepEqual(
      [finding!.rule, finding!.stage, finding!.severity, finding!.service, finding!.route, finding!.count],
      ["auth-missing-authentication", "likely", "high", "cart", "/api/orders/{number}/invoice", 1],
    );
    const detail = (await changeState(database, finding!.fingerprint, { state: "accepted" }, "ada", new Date(NOW)))!;
    assert.equal(detail.exception, null);
    assert.match(detail.rule_text!.summary, /without a credential/);
    // Restarted, all is looked at again: the same event, then another day's.
    const again = createIngest(database, undefined, undefined, [accessFlaws]);
    assert.equal((await again.judge(NOW)).events.length, 0);
    await again.store([], NOW, [record("/api/orders", ["bearer 2"], ["2xx 2"])]);
    assert.equal((await again.judge(NOW + 86_400_000)).events.length, 1);
    const [later] = (await list()).findings;
    assert.deepEqual([later!.count, later!.state, later!.fingerprint], [2, "accepted", finding!.fingerprint]);
    // The version that sidecars told of stays.
    const [{ version }] = (await database.query("SELECT version FROM meshward.service")) as [{ version: string }];
    assert.equal(version, "0.1.0");
  },
);
