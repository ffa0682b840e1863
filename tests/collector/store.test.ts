import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import {
  auditQuerySchema,
  eventsQuerySchema,
  findingsQuerySchema,
  findingsSchema,
  eventsSchema,
} from "../../collector/api.ts";
import { listAudit } from "../../collector/audit.ts";
import type { Database } from "../../collector/database.ts";
import { eventOf, fingerprintOf, type NewEvent } from "../../collector/event.ts";
import { listEvents } from "../../collector/events.ts";
import { listServices, summarize, trendOf } from "../../collector/figures.ts";
import { changeState, findingAt, listFindings } from "../../collector/findings.ts";
import { CAPS, createIngest, type Caps } from "../../collector/ingest.ts";
import { migrate, MIGRATIONS, NewerDatabaseError } from "../../collector/migrations.ts";
import { readLogs } from "../../collector/otlp.ts";
import { parseRetention, removeOld } from "../../collector/retention.ts";
import { onBoth } from "./databases.ts";
import { findingRequest, protobufRequest, type Attributes } from "./otlp-request.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const DAY = 86_400_000;

/** The event of one record. */
function event(changes: Attributes = {}, time = NOW, resource: Attributes = {}): NewEvent {
  const { records } = readLogs(protobufRequest(findingRequest(time, changes, resource)), "protobuf");
  const made = eventOf(records[0]!, NOW);
  assert.ok(typeof made !== "string", String(made));
  return made;
}

const findings = (database: Database, query: object = {}): ReturnType<typeof listFindings> =>
  listFindings(database, findingsQuerySchema.parse(query));
const events = (database: Database, query: object = {}): ReturnType<typeof listEvents> =>
  listEvents(database, eventsQuerySchema.parse(query));
const audit = async (
  database: Database,
  query: object = {},
): Promise<Awaited<ReturnType<typeof listAudit>>["entries"]> =>
  (await listAudit(database, auditQuerySchema.parse(query))).entries;

onBoth("events of one place are one finding; what is sent again counts once", async (database) => {
  const ingest = createIngest(database);
  const first = event({}, NOW - 2_000);
  const second = event({ "meshward.outcome": "would_deny", "meshward.request_id": "second" }, NOW - 1_000);
  assert.equal((await ingest.store([first, second], NOW)).events.length, 2);
  // The answer was lost: all of it again, with a new one.
  const third = event({ "meshward.parameter": "other-parameter" });
  const stored = await ingest.store([first, second, third], NOW + 5_000);
  assert.equal(stored.events.length, 1);
  assert.equal(stored.duplicates, 2);
  // Twice in one request.
  assert.equal((await ingest.store([third, third], NOW)).duplicates, 2);
  const list = await findings(database, { sort: "recent" });
  assert.ok(findingsSchema.safeParse(list).success);
  assert.equal(list.total, 2);
  const [, found] = list.findings;
  assert.equal(found!.fingerprint, fingerprintOf(first));
  assert.equal(found!.count, 2);
  assert.deepEqual(found!.outcomes, { denied: 1, would_deny: 1 });
  assert.equal(found!.first_seen, new Date(NOW - 2_000).toISOString());
  assert.equal(found!.last_seen, new Date(NOW - 1_000).toISOString());
  assert.equal(found!.request_id, "second");
  assert.deepEqual([found!.service, found!.namespace, found!.cwe], ["cart", "shop", [89]]);
  const all = await events(database);
  assert.ok(eventsSchema.safeParse(all).success);
  assert.equal(all.events.length, 3);
  assert.equal((await events(database, { request_id: "SECOND" })).events[0]!.outcome, "would_deny");
  assert.equal((await events(database, { request_id: "" })).events.length, 0);
  assert.equal((await events(database, { fingerprint: found!.fingerprint })).events.length, 2);
});

onBoth("a stage only rises; the evidence is the newest of the highest stage", async (database) => {
  const ingest = createIngest(database);
  const fingerprint = fingerprintOf(event());
  const at = async (stage: string, evidence: string, time: number): Promise<string> => {
    await ingest.store([event({ "meshward.stage": stage, "meshward.evidence": evidence }, time)], NOW);
    const found = (await findingAt(database, fingerprint, new Date(NOW)))!;
    return `${found.stage} ${found.evidence}`;
  };
  assert.equal(await at("attempted", "a", NOW - 9_000), "attempted a");
  assert.equal(await at("likely", "b", NOW - 8_000), "likely b");
  assert.equal(await at("attempted", "c", NOW - 7_000), "likely b");
  assert.equal(await at("confirmed", "d", NOW - 9_500), "confirmed d");
  assert.equal(await at("likely", "e", NOW - 6_000), "confirmed d");
  assert.equal(await at("confirmed", "f", NOW - 9_900), "confirmed d");
  assert.equal(await at("confirmed", "g", NOW - 9_000), "confirmed g");
  // In one request the order does not matter either.
  const mixed = ["attempted", "confirmed", "likely"].map((stage) =>
    event({ "meshward.stage": stage, "meshward.evidence": stage, "meshward.parameter": "mixed" }),
  );
  await ingest.store(mixed, NOW);
  const found = (await findingAt(database, fingerprintOf(mixed[0]!), new Date(NOW)))!;
  assert.deepEqual([found.stage, found.evidence, found.count], ["confirmed", "confirmed", 3]);
});

onBoth("decisions hold, are audited, end with their time, and do not outlast a higher stage", async (database) => {
  const ingest = createIngest(database);
  await ingest.store([event()], NOW);
  const fingerprint = fingerprintOf(event());
  const change = (body: Parameters<typeof changeState>[2], who = "ada"): ReturnType<typeof changeState> =>
    changeState(database, fingerprint, body, who, new Date(NOW));
  assert.equal((await change({ state: "accepted", note: "known\0 since May" }))!.state, "accepted");
  assert.equal((await findings(database, { state: "open" })).total, 0);
  const accepted = (await findings(database, { state: "accepted,muted" })).findings[0]!;
  assert.equal(accepted.note, "known\ufffd since May");
  await ingest.store([event({ "meshward.request_id": "again" })], NOW);
  assert.equal((await findingAt(database, fingerprint, new Date(NOW)))!.state, "accepted");
  // Muted for a moment: the database's clock decides.
  const until = new Date(Date.now() + 700).toISOString();
  const muted = (await change({ state: "muted", until }, "ci"))!;
  assert.deepEqual([muted.state, muted.until], ["muted", until]);
  assert.equal(muted.note, "known\ufffd since May");
  await sleep(800);
  const after = (await findingAt(database, fingerprint, new Date(NOW)))!;
  assert.deepEqual([after.state, after.until], ["open", null]);
  assert.equal((await findings(database, { state: "muted" })).total, 0);
  assert.equal((await change({ state: "false-positive" }))!.state, "false-positive");
  await ingest.store([event({ "meshward.stage": "confirmed" })], NOW);
  assert.equal((await findingAt(database, fingerprint, new Date(NOW)))!.state, "open");
  const log = await audit(database, { fingerprint });
  assert.deepEqual(
    log.map(({ who, action, detail }) => [who, action, (JSON.parse(detail) as { to: string }).to]),
    [
      ["collector", "state", "open"],
      ["ada", "state", "false-positive"],
      ["ci", "state", "muted"],
      ["ada", "state", "accepted"],
    ],
  );
  assert.equal(await changeState(database, "0".repeat(32), { state: "open" }, "ada", new Date(NOW)), null);
  assert.equal((await audit(database)).length, 4);
});

onBoth("names beyond the caps are put to other, and nothing grows", async (database) => {
  const caps: Caps = { services: 3, endpoints: 5, fingerprints: 20 };
  const ingest = createIngest(database, caps);
  const other = { services: 0, endpoints: 0, fingerprints: 0, operations: 0 };
  for (let batch = 0; batch < 10; batch++) {
    const many = Array.from({ length: 50 }, (_, at) =>
      event(
        { "meshward.parameter": `p${batch}-${at}`, "http.route": `/r${at % 12}`, "http.request.method": `M${at % 3}` },
        NOW,
        { "service.name": `s${at % 9}` },
      ),
    );
    const stored = await ingest.store(many, NOW);
    assert.equal(stored.events.length, 50);
    for (const kind of ["services", "endpoints", "fingerprints"] as const) other[kind] += stored.other[kind];
    // A restart knows what is there.
    if (batch === 4) ingest.forget();
  }
  const count = async (table: string): Promise<number> =>
    (await database.query<{ n: number }>(`SELECT count(*) AS n FROM meshward.${table}`))[0]!.n;
  // And one `other` each: of services; of endpoints in each service; of fingerprints in each service.
  assert.equal(await count("service"), caps.services + 1);
  assert.ok((await count("endpoint")) <= caps.endpoints + caps.services + 1, String(await count("endpoint")));
  assert.ok((await count("finding")) <= caps.fingerprints + caps.services + 1, String(await count("finding")));
  assert.equal(await count("event"), 500);
  const services = (await listServices(database)).services;
  assert.equal(
    services.reduce((sum, { events: stored }) => sum + stored, 0),
    500,
  );
  assert.ok(services.some(({ service, namespace }) => service === "other" && namespace === null));
  const summary = await summarize(database, new Date(NOW), 60, {});
  assert.deepEqual(summary.limits.other, other);
  assert.ok(other.services > 0 && other.endpoints > 0 && other.fingerprints > 0);
  // What was put together has no exception.
  const { findings: list } = await findings(database, { class: "other" });
  assert.equal((await findingAt(database, list[0]!.fingerprint, new Date(NOW)))!.exception, null);
});

onBoth("pages of a list have each entry once, in order", async (database) => {
  const ingest = createIngest(database);
  const stages = ["attempted", "likely", "confirmed"];
  const severities = ["info", "low", "medium", "high", "critical"];
  const many = Array.from({ length: 95 }, (_, at) =>
    event(
      { "meshward.parameter": `p${at}`, "meshward.stage": stages[at % 3]!, "meshward.severity": severities[at % 5]! },
      NOW - (at % 7) * 1000 - (at % 2),
    ),
  );
  await ingest.store(many, NOW);
  for (const sort of ["rank", "recent"]) {
    const seen: string[] = [];
    const order: number[][] = [];
    let cursor: string | null = null;
    do {
      const page = await findings(database, { sort, limit: 10, ...(cursor === null ? {} : { cursor }) });
      assert.equal(page.total, 95);
      for (const found of page.findings) {
        seen.push(found.fingerprint);
        const rank = sort === "rank" ? [stages.indexOf(found.stage), severities.indexOf(found.severity)] : [];
        order.push([...rank, Date.parse(found.last_seen)]);
      }
      cursor = page.next_cursor;
    } while (cursor !== null);
    assert.equal(new Set(seen).size, 95, sort);
    assert.equal(seen.length, 95, sort);
    for (const [at, keys] of order.slice(1).entries()) {
      const differs = keys.findIndex((key, place) => key !== order[at]![place]);
      assert.ok(differs < 0 || keys[differs]! < order[at]![differs]!, `${sort} ${at}`);
    }
  }
  let before: string | null = null;
  let total = 0;
  do {
    const page = await events(database, { limit: 40, ...(before === null ? {} : { cursor: before }) });
    total += page.events.length;
    before = page.next_cursor;
  } while (before !== null);
  assert.equal(total, 95);
  await assert.rejects(findings(database, { cursor: "AAAA" }), /cursor/);
  await assert.rejects(events(database, { cursor: Buffer.from('["x"]').toString("base64url") }), /cursor/);
});

onBoth("filters find what they say, and text is text", async (database) => {
  const ingest = createIngest(database);
  await ingest.store(
    [
      event({ "meshward.parameter": "100%_a'b\\" }),
      event({ "meshward.parameter": "b", "security_rule.category": "xss", "meshward.stage": "likely" }),
      event({ "meshward.parameter": "c" }, NOW, { "service.name": "edge", "service.namespace": "" }),
    ],
    NOW,
  );
  const total = async (query: object): Promise<number> => (await findings(database, query)).total;
  assert.equal(await total({}), 3);
  assert.equal(await total({ text: "%_A'B\\" }), 1);
  assert.equal(await total({ text: "%" }), 1);
  assert.equal(await total({ text: "'; DROP TABLE meshward.finding; --" }), 0);
  assert.equal(await total({ class: "xss" }), 1);
  assert.equal(await total({ stage: "likely,confirmed" }), 1);
  assert.equal(await total({ severity: "high" }), 3);
  assert.equal(await total({ severity: "critical,info" }), 0);
  assert.equal(await total({ service: "edge" }), 1);
  assert.equal(await total({ namespace: "shop" }), 2);
  assert.equal(await total({ text: "a\0b" }), 0);
});

onBoth("what attackers wrote is stored and comes back bounded, whole and without what hides", async (database) => {
  const ingest = createIngest(database);
  const hostile = [
    "nul\0nul",
    "\u202egnp.exe",
    "tab\tline\nbreak",
    "lone \ud83d surrogate \ude00",
    "😀".repeat(3_000),
    "'\"\\;--",
    "$1 {} null",
  ];
  for (const text of hostile) {
    const given = { ...event(), parameter: "", evidence: "" };
    const made = eventOf(
      {
        resource: new Map([["service.name", text]]),
        scope: "",
        time: NOW,
        nanoseconds: `${NOW}000000`,
        eventName: "meshward.finding",
        traceId: "",
        spanId: "",
        attributes: new Map<string, string>([
          ["security_rule.name", text],
          ["security_rule.category", text],
          ["meshward.stage", "attempted"],
          ["meshward.severity", "low"],
          ...[
            "meshward.parameter",
            "meshward.evidence",
            "http.route",
            "http.request.method",
            "meshward.request_id",
          ].map((name): [string, string] => [name, text]),
          ...["server.address", "meshward.principal", "meshward.mode", "url.scheme", "meshward.part"].map(
            (name): [string, string] => [name, text],
          ),
        ]),
      },
      NOW,
    );
    assert.ok(typeof made !== "string");
    assert.equal((await ingest.store([made], NOW)).events.length, 1, JSON.stringify(text.slice(0, 20)));
    const found = (await findingAt(database, fingerprintOf(made), new Date(NOW)))!;
    for (const shown of [found.rule, found.parameter!, found.evidence, found.route, found.service]) {
      assert.ok(Buffer.from(shown).toString() === shown && shown.length <= 1_024);
      assert.doesNotMatch(shown, /[\0-\x1f\u202e]/);
    }
    assert.notEqual(given.key, made.key);
  }
  assert.ok(findingsSchema.safeParse(await findings(database)).success);
  assert.ok(eventsSchema.safeParse(await events(database)).success);
});

onBoth("the trend and the summary add up", async (database) => {
  const ingest = createIngest(database);
  const many = Array.from({ length: 30 }, (_, at) =>
    event({ "meshward.request_id": `r${at}` }, NOW - at * 60_000 * 10),
  );
  await ingest.store(many, NOW);
  await ingest.store(
    [event({ "meshward.stage": "confirmed", "meshward.outcome": "allowed" }, NOW, { "service.name": "edge" })],
    NOW,
  );
  const sum = async (window: string, service?: string): Promise<number[]> => {
    const trend = await trendOf(database, { window: window as "1h", service }, new Date(NOW + 1));
    assert.equal(trend.points.length, { "1h": 60, "24h": 48, "7d": 42, "30d": 30 }[window]);
    const add = (name: "events" | "denied" | "confirmed"): number =>
      trend.points.reduce((all, point) => all + point[name], 0);
    return [add("events"), add("denied"), add("confirmed")];
  };
  assert.deepEqual(await sum("1h"), [7, 6, 1]);
  assert.deepEqual(await sum("24h"), [31, 30, 1]);
  assert.deepEqual(await sum("7d"), [31, 30, 1]);
  assert.deepEqual(await sum("30d"), [31, 30, 1]);
  assert.deepEqual(await sum("24h", "edge"), [1, 0, 1]);
  const summary = await summarize(database, new Date(NOW + 1), 60, { unknown: 2 });
  assert.deepEqual(summary.events, {
    minute: 2,
    hour: 7,
    day: 31,
    outcomes: { allowed: 1, denied: 30, would_deny: 0, partial: 0, error: 0 },
  });
  assert.deepEqual(summary.findings.stages, { attempted: 1, likely: 0, confirmed: 1 });
  assert.equal(summary.services, 2);
  assert.equal(summary.limits.dropped.unknown, 2);
});

onBoth("retention removes by age and by number, and keeps what was decided on", async (database) => {
  const ingest = createIngest(database);
  const old = Array.from({ length: 30 }, (_, at) => event({ "meshward.parameter": `p${at}` }, NOW - 6 * DAY));
  await ingest.store(old, NOW - 6 * DAY);
  await ingest.store([event({ "meshward.parameter": "new" }), event({ "meshward.parameter": "p0" })], NOW);
  await changeState(database, fingerprintOf(old[1]!), { state: "accepted" }, "ada", new Date(NOW));
  const removed = await removeOld(database, (2 * DAY) / 1000, new Date(NOW));
  assert.deepEqual(removed, { events: 30, findings: 28 });
  assert.equal((await events(database)).events.length, 2);
  const left = (await findings(database)).findings;
  assert.deepEqual(left.map(({ parameter, state, count }) => [parameter, state, count]).sort(), [
    ["new", "open", 1],
    ["p0", "open", 2],
    ["p1", "accepted", 1],
  ]);
  ingest.forget();
  await ingest.store(
    Array.from({ length: 20 }, (_, at) => event({ "meshward.request_id": `n${at}` })),
    NOW,
  );
  assert.equal((await removeOld(database, (2 * DAY) / 1000, new Date(NOW), 10)).events, 12);
  assert.equal((await events(database)).events.length, 10);
  // A service that is long gone, and a muted finding whose time is over.
  await changeState(
    database,
    fingerprintOf(old[1]!),
    { state: "muted", until: new Date(NOW + DAY).toISOString() },
    "ada",
    new Date(NOW),
  );
  await removeOld(database, 60, new Date(NOW + 60 * DAY));
  assert.equal((await findings(database)).total, 0);
  assert.deepEqual((await listServices(database)).services, []);
  assert.equal((await audit(database))[0]!.who, "collector");
  await database.maintain(true);
  await database.maintain(false);
});

onBoth("another collector's deletions and additions are met", async (database) => {
  const [one, two] = [createIngest(database), createIngest(database)];
  await one.store([event()], NOW);
  await two.store([event({ "meshward.request_id": "two" })], NOW);
  for (const table of ["event", "finding", "service"]) await database.query(`DELETE FROM meshward.${table}`);
  await one.store([event({ "meshward.request_id": "three" })], NOW);
  await two.store([event({ "meshward.request_id": "four" })], NOW);
  assert.equal((await findings(database)).findings[0]!.count, 2);
});

onBoth("a failed transaction leaves nothing", async (database) => {
  const ingest = createIngest(database);
  await database.query("ALTER TABLE meshward.trend ADD CONSTRAINT never CHECK (false)");
  await assert.rejects(ingest.store([event()], NOW));
  assert.deepEqual((await events(database)).events, []);
  assert.equal((await findings(database)).total, 0);
  assert.deepEqual((await listServices(database)).services, []);
  await database.query("ALTER TABLE meshward.trend DROP CONSTRAINT never");
  assert.equal((await ingest.store([event()], NOW)).events.length, 1);
});

onBoth("migrations are applied once, all or none, and a newer database is refused", async (database) => {
  // Two at once, and again.
  await database.query("DROP SCHEMA meshward CASCADE");
  await Promise.all([migrate(database), migrate(database)]);
  await migrate(database);
  const versions = await database.query<{ version: number }>("SELECT version FROM meshward.migration ORDER BY 1");
  assert.deepEqual(
    versions.map(({ version }) => version),
    MIGRATIONS.map((_, at) => at + 1),
  );
  const next = [...MIGRATIONS, "CREATE TABLE meshward.next (id integer)", "SELECT 1 / 0"];
  await assert.rejects(migrate(database, next), /division by zero/);
  await assert.rejects(database.query("SELECT * FROM meshward.next"), /does not exist/);
  await migrate(database, next.slice(0, -1));
  await database.query("SELECT * FROM meshward.next");
  await assert.rejects(migrate(database), (error) => {
    assert.ok(error instanceof NewerDatabaseError);
    const [tables, known] = [next.length - 1, MIGRATIONS.length];
    assert.ok(
      error.message.includes(`newer version of Meshward (tables ${tables}, this program knows up to ${known})`),
    );
    return true;
  });
});

test("retention is read from a time", () => {
  assert.equal(parseRetention("30d"), 2_592_000);
  assert.equal(parseRetention("12h"), 43_200);
  assert.equal(parseRetention("1m"), 60);
  for (const wrong of ["", "30", "d", "-1d", "0d", "1.5d", "9999d", "30D", "30 d"])
    assert.equal(parseRetention(wrong), null, wrong);
  assert.deepEqual(Object.keys(CAPS), ["services", "endpoints", "fingerprints"]);
});
