/** What runs against an OpenAPI document. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { driftsSchema } from "../../collector/api.ts";
import { documentedAs, DocumentError, readDocument } from "../../collector/document.ts";
import { documentedBy, driftFlaws, driftOf } from "../../collector/drift.ts";
import { documentOf, inventoryOf, linesOf, operationOf } from "./examples.ts";

const text = `
openapi: 3.1.0
info: {title: shop, version: "1"}
servers:
  - url: https://shop.example/{stage}/
    variables: {stage: {default: api}}
security: [{token: []}]
components:
  securitySchemes:
    token: {type: http, scheme: bearer}
    link: {type: apiKey, in: query, name: sig}
    own: {type: apiKey, in: header, name: X-Shop-Key}
    known: {type: apiKey, in: header, name: X-Api-Key}
  parameters:
    page: {name: page, in: query, schema: {type: integer}}
  responses:
    list:
      description: a list
      content:
        application/json; charset=utf-8: {}
  pathItems:
    stock:
      get: {responses: {200: {$ref: "#/components/responses/none"}}, security: []}
paths:
  /orders:
    parameters: [{$ref: "#/components/parameters/page"}]
    get: {responses: {200: {$ref: "#/components/responses/list"}, 404: {description: none, content: {text/plain: {}}}}}
    post: {responses: {201: {description: made}}, security: [{link: []}]}
  /orders/{id}:
    get: {deprecated: true, responses: {200: {description: one}}, security: [{token: []}, {}]}
    delete: {responses: {204: {description: gone}}, security: [{own: []}, {token: []}]}
    put: {responses: {204: {description: gone}}, security: [{known: []}]}
  /orders/mine:
    get: {responses: {200: {description: own}}}
  /reports/2024-q1:
    get: {responses: {200: {description: old}}}
  /files/{name}.csv:
    get: {responses: {200: {description: file}}}
  /users/{id}:
    parameters: [{name: id, in: path, schema: {type: integer}}]
    get: {responses: {200: {description: one}}}
  /stock:
    $ref: "#/components/pathItems/stock"
`;
const shop = readDocument(text);

test("a document is read, references and servers among it", () => {
  assert.deepEqual(shop.bases, ["", "/api"]);
  const told = shop.operations.map(({ method, path, isDeprecated, isSecured, responseTypes, parameters }) =>
    [
      `${method} ${path}`,
      isDeprecated ? "deprecated" : "",
      isSecured ? "secured" : "",
      responseTypes === null ? "?" : [...responseTypes].join(),
      [...(parameters ?? [])].filter((name) => !/sig|-key/.test(name)).join(),
    ].join("|"),
  );
  assert.deepEqual(told, [
    "GET /orders||secured|application/json|query page",
    "POST /orders|||?|query page",
    "GET /orders/{id}|deprecated||?|",
    "PUT /orders/{id}||secured|?|",
    "DELETE /orders/{id}|||?|",
    "GET /orders/mine||secured|?|",
    "GET /reports/2024-q1||secured|?|",
    "GET /files/{name}.csv||secured|?|",
    "GET /users/{id}||secured|?|path id",
    "GET /stock|||?|",
  ]);
  const old = readDocument(
    JSON.stringify({
      ...{ swagger: "2.0", basePath: "/v1/", produces: ["text/csv"], security: [{ key: [] }] },
      securityDefinitions: { key: { type: "apiKey", in: "header", name: "X-API-Key" } },
      paths: { "/a": { get: { responses: { 200: { description: "" } } } } },
    }),
  );
  assert.deepEqual(old.bases, ["", "/v1"]);
  assert.ok(old.operations[0]!.isSecured && old.operations[0]!.responseTypes!.has("text/csv"));
});

test("what is no document is refused with why", () => {
  for (const [given, why] of [
    ["", /no OpenAPI document/],
    ["[1]", /no OpenAPI document/],
    ["{a: [", /./],
    ["openapi: 4.0.0\npaths: {/: {get: {}}}", /2\.0, 3\.0 or 3\.1/],
    ["openapi: 3.1.0\npaths: {}", /no operations/],
    ["a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]", /alias/i],
    [`openapi: 3.1.0\n#${"x".repeat(9 * 1024 * 1024)}`, /longer than 8 MiB/],
  ] as const) {
    assert.throws(
      () => readDocument(given),
      (error) => {
        assert.ok(error instanceof DocumentError);
        assert.match(error.message, why);
        return true;
      },
    );
  }
  // References in a circle, and to what objects have of themselves.
  for (const reference of ["#/paths/~1a", "#/constructor/prototype", "other.yaml#/x"]) {
    const paths = { "/a": { $ref: reference }, "/b": { get: { responses: { 200: { $ref: reference } } } } };
    const made = readDocument(JSON.stringify({ openapi: "3.0.3", paths }));
    assert.deepEqual(
      made.operations.map(({ path }) => path),
      ["/b"],
    );
  }
});

test("an observed route is the operation that it is of", () => {
  for (const [line, expected] of [
    ["GET /orders", "/orders"],
    ["GET /api/orders", "/orders"],
    ["GET /orders/", "/orders"],
    ["HEAD /orders", "/orders"],
    ["HEAD /orders/{number}", "/orders/{id}"],
    ["GET /orders/{uuid}", "/orders/{id}"],
    ["GET /orders/mine", "/orders/mine"],
    ["GET /orders/others", "/orders/{id}"],
    ["GET /reports/{id}", "/reports/2024-q1"],
    ["GET /files/{text}", "/files/{name}.csv"],
    ["GET /files/a.csv", "/files/{name}.csv"],
    ["GET /files/a.exe", null],
    ["GET /{number}", null],
    ["GET /orders/{number}/items", null],
    ["GET /users/{number}", "/users/{id}"],
    ["GET /users/7a", "/users/{id}"],
    ["GET /users/export", null],
    ["GET /orders/{more}", "/orders/{id}"],
    ["PATCH /orders", null],
    ["get /orders", null],
    ["GET /v2/orders", null],
  ] as const) {
    const [method = "", route = ""] = line.split(" ");
    assert.equal(documentedAs(shop, { method, route })?.path ?? null, expected, line);
  }
});

const found = (example: string): string[] =>
  driftFlaws(new Map([["shop/cart", documentOf(example)!]]))(inventoryOf(linesOf(example).map(operationOf)), 0).map(
    ({ rule, method, route, parameter }) => [rule.replace("inventory-", ""), method, route, parameter].join(" ").trim(),
  );

test("what differs is told once, and nothing that servers answer beside", () => {
  const document = "document secured GET /orders answers application/json\n document GET /products";
  for (const [line, expected] of [
    ["GET /orders bearer 5 answers application/json", []],
    ["GET /orders bearer 5 none 3", ["auth-documented-authentication GET /orders"]],
    ["GET /orders bearer 5 none 1", []],
    ["GET /orders none 5 redirected 5", []],
    ["GET /orders mtls 5", []],
    ["GET /orders refused 5", []],
    ["GET /orders bearer 5 answers text/csv application/problem+json", ["undocumented-type GET /orders text/csv"]],
    ["GET /orders bearer 5 redirected 1 answers application/json text/html", []],
    ["GET /products none 5 answers text/csv", []],
    ["GET /secret bearer 1", ["shadow GET /secret"]],
    ["POST /orders bearer 1", ["shadow POST /orders"]],
    ["GET /secret refused 7", []],
    ["GET /secret none 3 redirected 3", []],
    ["OPTIONS /secret none 3", []],
    ["GET /healthz none 3", []],
    ["GET /app.js none 3", []],
    ["GET /a/logo none 3 answers image/png", []],
    ["GET / none 3", []],
    ["calls stock GET /secret none 3", []],
  ] as const) {
    assert.deepEqual(found(`${document}\n ${line}`), expected, line);
  }
  const many = Array.from({ length: 150 }, (_, at) => `GET /r${at} none 1`).join("\n");
  assert.equal(found(`${document}\n${many}`).length, 100);
});

test("all that differs is listed, and the document counts for its own service", () => {
  const inventory = inventoryOf(
    [
      "GET /orders bearer 3 answers text/csv",
      "GET /orders/{number} bearer 1",
      "GET /debug none 1",
      "OPTIONS /x none 1",
    ].map(operationOf),
  );
  const [orders] = inventory.operations;
  const seen = { first_seen: orders!.first_seen, last_seen: orders!.last_seen, types: [] };
  orders!.parameters.push({ part: "query", name: "page", ...seen }, { part: "query", name: "debug", ...seen });
  orders!.parameters.push({ part: "header", name: "X-API-KEY", ...seen }, { part: "json", name: "/a", ...seen });
  const documents = new Map([["shop/cart", shop]]);
  const drift = driftOf(documents, inventory)!;
  driftsSchema.parse({ services: [drift] });
  assert.deepEqual(
    drift.undocumented.map(({ method, route }) => `${method} ${route}`),
    ["GET /debug"],
  );
  assert.deepEqual(
    drift.deprecated.map(({ route }) => route),
    ["/orders/{number}"],
  );
  assert.deepEqual(drift.differing, [
    { method: "GET", route: "/orders", parameters: [{ part: "query", name: "debug" }], types: ["text/csv"] },
  ]);
  assert.equal(drift.unseen.length, shop.operations.length - 2);
  assert.equal(driftOf(new Map([["other/cart", shop]]), inventory), null);
  assert.equal(driftOf(new Map([["cart", shop]]), inventory)!.documented, shop.operations.length);
  const documented = documentedBy(documents);
  const at = (method: string, route: string): unknown =>
    documented({ service: "cart", namespace: "shop" }, { method, route });
  assert.deepEqual(
    [at("GET", "/orders"), at("GET", "/orders/{number}"), at("GET", "/debug"), at("OPTIONS", "/orders")],
    ["documented", "deprecated", "undocumented", null],
  );
  assert.equal(documented({ service: "mail", namespace: "shop" }, { method: "GET", route: "/orders" }), null);
});
