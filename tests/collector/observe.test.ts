/** What sidecars saw of endpoints: read, stored, bounded. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Database, Row } from "../../collector/database.ts";
import { eventOf } from "../../collector/event.ts";
import { CAPS, createIngest } from "../../collector/ingest.ts";
import { COMPONENTS, PARAMETERS } from "../../collector/limits.ts";
import { migrate, MIGRATIONS } from "../../collector/migrations.ts";
import { observationOf, PARAMETER_TYPES, type Observation } from "../../collector/observation.ts";
import { readLogs } from "../../collector/otlp.ts";
import { removeOld } from "../../collector/retention.ts";
import { onBoth } from "./databases.ts";
import { findingRequest, jsonRequest, observationRequest, protobufRequest, type Attributes } from "./otlp-request.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const MINUTE = 60_000;

function read(changes: Attributes = {}, time = NOW, resource: Attributes = {}): Observation | string {
  const { records } = readLogs(protobufRequest(observationRequest(time, [changes], resource)), "protobuf");
  return observationOf(records[0]!, NOW);
}

/** The observation of one record. */
function observed(changes: Attributes = {}, time = NOW, resource: Attributes = {}): Observation {
  const observation = read(changes, time, resource);
  assert.ok(typeof observation !== "string", String(observation));
  return observation;
}

const bits = (...names: (typeof PARAMETER_TYPES)[number][]): number =>
  names.reduce((all, name) => all | (1 << PARAMETER_TYPES.indexOf(name)), 0);

const operations = (database: Database): Promise<Row[]> =>
  database.query(
    `SELECT s.name, o.* FROM meshward.operation o JOIN meshward.service s ON s.id = o.service ORDER BY o.id`,
  );
const traits = async (database: Database, kind: string): Promise<string[]> =>
  (
    await database.query<{ part: string; name: string; types: number }>(
      "SELECT part, name, types FROM meshward.trait WHERE kind = $1::text ORDER BY operation, part, name",
      [kind],
    )
  ).map(({ part, name, types }) => (kind === "parameter" ? `${part} ${name} ${types}` : name));

test("a record is an observation, in both forms, with all that it tells", () => {
  const changes: Attributes = {
    "meshward.count": 14,
    "meshward.status_classes": ["2xx 12", "4xx 2", "9xx 7", "2xx"],
    "meshward.authentication": ["none 3", "api-key 9", "refused 2", "magic 5"],
    "meshward.parameters": ["query integer|empty page", "json text|colour user.name with spaces", "query", "x y"],
    "meshward.request.content_types": ["Application/JSON"],
    "meshward.response.content_types": ["text/html", "application/json", "text/html"],
    "meshward.callers": ["spiffe://mesh/ns/shop/sa/edge"],
    "meshward.components": ["server nginx 1.25.3", "library jQuery UI 1.12.1", "framework Express -", "toaster x 1"],
  };
  const request = observationRequest(NOW, [changes]);
  const all = [readLogs(protobufRequest(request), "protobuf"), readLogs(jsonRequest(request), "json")].map(
    ({ records }) => observationOf(records[0]!, NOW) as Observation,
  );
  assert.deepEqual(all[0], all[1]);
  const [made] = all;
  assert.match(made!.key, /^[0-9a-f]{32}$/);
  assert.deepEqual(
    [made!.service, made!.namespace, made!.direction, made!.method, made!.route, made!.host, made!.scheme, made!.count],
    ["cart", "shop", "inbound", "GET", "/orders/{number}", "cart.example", "https", 14],
  );
  assert.deepEqual(made!.statuses, { "1xx": 0, "2xx": 12, "3xx": 0, "4xx": 2, "5xx": 0 });
  assert.equal(made!.authentication.none, 3);
  assert.equal(made!.authentication["api-key"], 9);
  assert.equal(made!.authentication.refused, 2);
  assert.deepEqual(made!.parameters, [
    { part: "query", name: "page", types: bits("integer", "empty") },
    { part: "json", name: "user.name with spaces", types: bits("text") },
  ]);
  assert.deepEqual(made!.request_types, ["application/json"]);
  assert.deepEqual(made!.response_types, ["text/html", "application/json"]);
  assert.deepEqual(made!.components, [
    { kind: "server", name: "nginx", version: "1.25.3" },
    { kind: "library", name: "jQuery UI", version: "1.12.1" },
    { kind: "framework", name: "Express", version: "" },
  ]);
});

test("what is no observation is none, and what attackers wrote is bounded", () => {
  const { records } = readLogs(protobufRequest(findingRequest(NOW)), "protobuf");
  assert.equal(observationOf(records[0]!, NOW), "unknown");
  const own = readLogs(protobufRequest(observationRequest(NOW, [{}])), "protobuf");
  assert.equal(eventOf(own.records[0]!, NOW), "unknown");
  assert.equal(read({ "meshward.direction": "sideways" }), "invalid");
  assert.equal(read({ "http.route": "" }), "invalid");
  assert.equal(read({ "meshward.direction": "outbound", "server.address": "" }), "invalid");
  const hostile = observed({
    "http.route": `/a\0\u202e${"x".repeat(5_000)}`,
    "server.address": `A\n${"b".repeat(5_000)}`,
    "meshward.count": -5,
    "meshward.status_classes": ["2xx 99999999999", "3xx -1"],
    "meshward.parameters": Array.from({ length: 100 }, (_, at) => `query text ${at}${"n".repeat(3_000)}`),
  });
  assert.ok(hostile.route.startsWith("/a\ufffd\ufffd") && hostile.route.length === 256);
  assert.ok(hostile.host.startsWith("a\ufffdb") && hostile.host.length === 256);
  assert.equal(hostile.count, 0);
  assert.deepEqual(Object.values(hostile.statuses), [0, 0, 0, 0, 0]);
  assert.ok(hostile.parameters.length === 32 && hostile.parameters.every(({ name }) => name.length < 256));
});

onBoth("observations add up; what is sent again counts once", async (database) => {
  const ingest = createIngest(database);
  const first = observed({
    "meshward.parameters": ["query integer page"],
    "meshward.callers": ["spiffe://mesh/ns/shop/sa/edge"],
  });
  const second = observed(
    {
      "meshward.count": 5,
      "meshward.status_classes": ["2xx 3", "4xx 2"],
      "meshward.authentication": ["bearer 3", "refused 2"],
      "meshward.parameters": ["query text page", "query text q"],
    },
    NOW + MINUTE,
  );
  const stored = await ingest.store([], NOW, [first]);
  assert.deepEqual(
    { ...stored.observed, services: stored.observed.services.size },
    {
      ...{ stored: 1, duplicates: 0, unanswered: 0, other: 0, services: 1 },
    },
  );
  const again = await ingest.store([], NOW, [first, second, second]);
  assert.deepEqual([again.observed.stored, again.observed.duplicates], [1, 2]);
  const [operation, ...more] = await operations(database);
  assert.equal(more.length, 0);
  assert.deepEqual(
    ["name", "direction", "host", "method", "route", "count", "status_2xx", "status_4xx", "bearer", "refused"].map(
      (name) => operation![name],
    ),
    ["cart", "inbound", "", "GET", "/orders/{number}", 6, 4, 2, 4, 2],
  );
  const time = (name: string): number => (operation![name] as Date).getTime() - NOW;
  assert.deepEqual([time("first_seen"), time("last_seen")], [0, 0]);
  assert.deepEqual(await traits(database, "parameter"), [
    `query page ${bits("integer", "text")}`,
    `query q ${bits("text")}`,
  ]);
  assert.deepEqual(await traits(database, "host"), ["cart.example"]);
  assert.deepEqual(await traits(database, "caller"), ["spiffe://mesh/ns/shop/sa/edge"]);
});

onBoth("an endpoint has changed when something new was seen of it, and not before", async (database) => {
  const ingest = createIngest(database);
  const changed = async (minute: number, changes: Attributes): Promise<number> => {
    const time = NOW - 60 * MINUTE + minute * MINUTE;
    await ingest.store([], NOW, [observed({ "meshward.parameters": ["query integer page"], ...changes }, time)]);
    const [operation] = await operations(database);
    return ((operation!.changed as Date).getTime() - NOW) / MINUTE + 60;
  };
  assert.equal(await changed(0, {}), 0);
  assert.equal(await changed(1, {}), 0);
  assert.equal(await changed(2, { "meshward.parameters": ["query text page"] }), 2);
  assert.equal(await changed(3, { "meshward.parameters": ["query text page"] }), 2);
  assert.equal(await changed(4, { "meshward.response.content_types": ["text/csv"] }), 4);
  assert.equal(await changed(40, {}), 4);
});

onBoth("what is not there is no endpoint, whatever clients ask for", async (database) => {
  const ingest = createIngest(database);
  const missing = {
    "http.route": "/wp-login.php",
    "meshward.status_classes": ["4xx 3"],
    "meshward.authentication": [],
  };
  const stored = await ingest.store([], NOW, [observed(missing)]);
  assert.deepEqual([stored.observed.stored, stored.observed.unanswered], [0, 1]);
  assert.equal((await operations(database)).length, 0);
  // A refusal shows that something is there; from then on its 404 count too.
  const refused = { ...missing, "meshward.authentication": ["refused 1"] };
  await ingest.store([], NOW, [observed(refused), observed(missing, NOW - 1)]);
  const [operation] = await operations(database);
  assert.deepEqual([operation!.refused, operation!.status_4xx], [1, 6]);
});

onBoth("names beyond the caps are put to other, and nothing grows", async (database) => {
  const ingest = createIngest(database, CAPS, { operations: 8, operationsOfService: 3 });
  const many = Array.from({ length: 40 }, (_, at) =>
    observed({ "http.route": `/r${at}`, "meshward.parameters": [`query text p${at}`] }),
  );
  const first = await ingest.store([], NOW, many);
  assert.deepEqual([first.observed.stored, first.observed.other, first.other.operations], [40, 37, 37]);
  const services = Array.from({ length: 10 }, (_, at) => observed({}, NOW, { "service.name": `s${at}` }));
  await ingest.store([], NOW, services);
  const calls = observed({ "meshward.direction": "outbound", "server.address": "orders" });
  await ingest.store([], NOW, [calls]);
  const rows = (await operations(database)).map(
    ({ name, direction, route }) => `${name as string} ${direction as string} ${route as string}`,
  );
  assert.equal(rows.filter((row) => row === "cart inbound other").length, 1);
  // The one of what was put together takes a place itself.
  assert.equal(rows.filter((row) => !row.endsWith(" other")).length, 7);
  const forgetful = createIngest(database, CAPS, { operations: 8, operationsOfService: 3 });
  assert.equal((await forgetful.store([], NOW, [observed({ "http.route": "/new" })])).observed.other, 1);
  assert.equal((await traits(database, "parameter")).length, 3);
  // Parameters of one endpoint, and components of one service.
  const wide = createIngest(database);
  for (let at = 0; at < 8; at++) {
    const names = Array.from({ length: 32 }, (_, one) => `query text n${at}-${one}`);
    const components = Array.from({ length: 32 }, (_, one) => `library l${at}-${one} 1.0`);
    const changes = { "http.route": "/wide", "meshward.parameters": names, "meshward.components": components };
    await wide.store([], NOW, [observed(changes)]);
  }
  assert.equal((await traits(database, "parameter")).filter((name) => name.includes(" n")).length, PARAMETERS);
  const [{ count }] = (await database.query("SELECT count(*) AS count FROM meshward.component")) as [{ count: number }];
  assert.equal(count, COMPONENTS);
});

onBoth("components are those of the service, or of the host that it calls", async (database) => {
  const ingest = createIngest(database);
  const own = { "meshward.components": ["server nginx 1.25.3", "framework Express -"] };
  const called = {
    "meshward.direction": "outbound",
    "server.address": "Orders:3000",
    "meshward.components": ["server nginx 1.19.0"],
  };
  await ingest.store([], NOW, [observed(own), observed(called)]);
  await ingest.store([], NOW, [observed(own, NOW - 30 * MINUTE)]);
  const rows = await database.query<{ host: string; kind: string; name: string; version: string; first_seen: Date }>(
    "SELECT * FROM meshward.component ORDER BY host, name, version",
  );
  assert.deepEqual(
    rows.map(({ host, kind, name, version }) => [host, kind, name, version]),
    [
      ["", "framework", "Express", ""],
      ["", "server", "nginx", "1.25.3"],
      ["orders:3000", "server", "nginx", "1.19.0"],
    ],
  );
});

onBoth("a failed request leaves nothing, and two collectors agree", async (database) => {
  const ingest = createIngest(database);
  const broken: Database = {
    kind: database.kind,
    query: (text, parameters) => database.query(text, parameters),
    transaction: (work) =>
      database.transaction(async (sql) => {
        await work(sql);
        throw new Error("no room");
      }),
    maintain: (isThorough) => database.maintain(isThorough),
    close: () => database.close(),
  };
  const failing = createIngest(broken);
  await assert.rejects(failing.store([], NOW, [observed()]), /no room/);
  assert.equal((await operations(database)).length, 0);
  const other = createIngest(database);
  await Promise.all([
    ingest.store([], NOW, [observed(), observed({ "http.route": "/b" })]),
    other.store([], NOW, [observed({ "http.route": "/b" }, NOW - 1), observed({}, NOW - 1)]),
  ]);
  assert.deepEqual(
    (await operations(database)).map(({ count }) => count),
    [2, 2],
  );
  // What another removed comes again.
  await database.query("DELETE FROM meshward.operation");
  await ingest.store([], NOW, [observed({}, NOW - 5)]);
  assert.equal((await operations(database)).length, 1);
});

onBoth("retention removes what was not seen of late, and the tables come from those before", async (database) => {
  const ingest = createIngest(database);
  const old = observed({ "http.route": "/old", "meshward.components": ["server nginx 1.0"] }, NOW - 5 * 86_400_000);
  const kept = observed({ "meshward.components": ["server nginx 2.0"] });
  await ingest.store([], NOW - 5 * 86_400_000, [old]);
  await ingest.store([], NOW, [kept]);
  await removeOld(database, 86_400, new Date(NOW));
  assert.deepEqual(
    (await operations(database)).map(({ route }) => route),
    ["/orders/{number}"],
  );
  assert.equal((await traits(database, "host")).length, 1);
  const [{ versions }] = (await database.query(
    "SELECT string_agg(version, ',') AS versions FROM meshward.component",
  )) as [{ versions: string }];
  assert.equal(versions, "2.0");
  // The key of the new one is still known.
  assert.equal((await ingest.store([], NOW, [kept])).observed.duplicates, 1);
  await database.query("DROP SCHEMA meshward CASCADE");
  await migrate(database, MIGRATIONS.slice(0, 1));
  await migrate(database);
  await createIngest(database).store([], NOW, [kept]);
  assert.equal((await operations(database)).length, 1);
});
