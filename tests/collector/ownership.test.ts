/** Who uses what was handed to somebody else, and what only looks like it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { findingsQuerySchema } from "../../collector/api.ts";
import type { Database } from "../../collector/database.ts";
import { exchangeOf, type Exchange } from "../../collector/exchange.ts";
import { listFindings } from "../../collector/findings.ts";
import { createIngest } from "../../collector/ingest.ts";
import { readLogs } from "../../collector/otlp.ts";
import { createOwnership, type Ownership } from "../../collector/ownership.ts";
import { onBoth } from "./databases.ts";
import { exchangesOf } from "./exchanges.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const HOUR = 3_600_000;

const OWNERS = `
  ada GET /orders hands order 1001 1002
  eve GET /orders hands order 2001`;
const THEFT = "eve GET /orders/{number} uses order 1001";

/** What is found, as `RULE METHOD ROUTE`; `changes` are of all exchanges. */
function found(text: string, changes: Partial<Exchange> = {}, ownership: Ownership = createOwnership()): string[] {
  const exchanges = exchangesOf(text, NOW, changes);
  ownership.add(exchanges, NOW);
  return ownership.judge(NOW + 60_000).map(({ rule, method, route }) => `${rule} ${method} ${route}`);
}
const STOLEN = ["auth-bola GET /orders/{number}"];

test("an id that was handed to one, used by another", () => {
  assert.deepEqual(found(`${OWNERS}\n ${THEFT}`), STOLEN);
  const [event] = ((): ReturnType<Ownership["judge"]> => {
    const ownership = createOwnership();
    ownership.add(exchangesOf(`${OWNERS}\n ${THEFT}`, NOW), NOW);
    return ownership.judge(NOW + 60_000);
  })();
  assert.deepEqual(
    [event!.class, event!.service, event!.part, event!.parameter, event!.direction, event!.request_id],
    ["auth", "orders", "path", "orders", "inbound", "2"],
  );
  assert.equal(
    event!.evidence,
    '1 id of "order" that was handed to 1 other user and never to the one who used it (known by jwt); ' +
      "2 have ids of their own there, none of which was handed to two",
  );
  assert.deepEqual(event!.cwe, [639, 863]);
});

test("with doubt nothing is said", () => {
  for (const [why, text] of [
    ["one's own", `${OWNERS}\n eve GET /orders/{number} uses order 2001`],
    ["nobody's", `${OWNERS}\n eve GET /orders/{number} uses order 3001`],
    ["it was handed to both", `${OWNERS}\n ada GET /orders hands order 5\n eve GET /home refers order 1001\n ${THEFT}`],
    ["handed out under another name", `${OWNERS}\n eve GET /search refers result 1001\n ${THEFT}`],
    ["told later in the same moment", `${OWNERS}\n ${THEFT}\n eve GET /orders hands order 1001`],
    ["another is shared", `${OWNERS}\n ada GET /orders hands order 7\n bob GET /orders hands order 7\n ${THEFT}`],
    ["nobody in particular got one", `${OWNERS}\n - GET /orders hands order 9\n ${THEFT}`],
    ["nobody in particular used one", `${OWNERS}\n - GET /orders/{number} uses order 9\n ${THEFT}`],
    ["who has none may be a service", `${OWNERS.replaceAll("eve", "bob")}\n ${THEFT}`],
    [
      "its owner has it by reference alone",
      `ada GET /home refers order 1001\n eve GET /orders hands order 2001\n ${THEFT}`,
    ],
    ["used before it was handed out", `eve GET /orders hands order 2001\n ${THEFT}\n ada GET /orders hands order 1001`],
    ["known in two ways", `${OWNERS.replace("ada", "ada/cookie")}\n ${THEFT}`],
  ] as const) {
    assert.deepEqual(found(text), [], why);
  }
  // A small number may be another thing's, a large one is not.
  const product = (id: number): string =>
    `${OWNERS}\n ada GET /orders hands order ${id}\n eve GET /products hands product ${id}\n` +
    `eve GET /products/{number} uses product ${id}\n eve GET /orders/{number} uses order ${id}`;
  assert.deepEqual(found(product(3)), STOLEN);
  assert.deepEqual(found(product(1_000_003)), []);
});

test("who works there is handed what belongs to others, and it stays theirs", () => {
  const desk = `${OWNERS}\n desk GET /orders hands order 1001 2001`;
  assert.deepEqual(found(`${desk}\n ${THEFT}`), STOLEN);
  assert.deepEqual(found(`${OWNERS}\n desk GET /admin/orders hands order 1001\n ${THEFT}`), STOLEN);
  assert.deepEqual(found(`${desk}\n desk GET /orders/{number} uses order 1001`), []);
  assert.deepEqual(found(`${desk}\n bob GET /orders hands order 1001\n ${THEFT}`), [], "others share, too");
});

test("what an answer tells of the object that was asked for makes it nobody's", () => {
  const exchanges = exchangesOf(`${OWNERS}\n ${THEFT}`, NOW);
  const theft = exchanges.at(-1)!;
  const { collection, hash } = theft.used[0]!;
  const ownership = createOwnership();
  ownership.add([...exchanges.slice(0, -1), { ...theft, handed: [{ collection, hash, own: true }] }], NOW);
  assert.equal(ownership.judge(NOW + 60_000).length, 1);
});

test("what nobody guesses may be shared by link: one alone does not count", () => {
  const long = (letter: string): string => letter.repeat(32);
  const owners = `ada GET /orders hands order ${long("a")}\n bob GET /orders hands order ${long("b")}\n eve GET /orders hands order ${long("e")}`;
  assert.deepEqual(found(`${owners}\n eve GET /orders/{hex} uses order ${long("a")}`), []);
  assert.deepEqual(found(`${owners}\n eve GET /orders/{hex} uses order ${long("a")} ${long("b")}`), [
    "auth-bola GET /orders/{hex}",
  ]);
  const two = `${owners}\n ada GET /orders hands order ${long("c")}`;
  assert.deepEqual(found(`${two}\n eve GET /orders/{hex} uses order ${long("a")} ${long("c")}`), [
    "auth-bola GET /orders/{hex}",
  ]);
});

test("a session may be the next one of the same user, unless both are in use", () => {
  const tokens = (text: string): string => text.replaceAll(/\b(ada|eve)\b/g, "$1/cookie");
  assert.deepEqual(found(tokens(`${OWNERS}\n ${THEFT}`)), []);
  // The proof may come later.
  const ownership = createOwnership();
  assert.deepEqual(found(tokens(`${OWNERS}\n ${THEFT}`), {}, ownership), []);
  ownership.add(exchangesOf(tokens("ada GET /orders hands order 1001"), NOW + 120_000), NOW + 120_000);
  ownership.add(exchangesOf(tokens("eve GET /orders hands order 2001"), NOW + 125_000), NOW + 125_000);
  assert.equal(ownership.judge(NOW + 130_000).length, 1);
});

test("a walk through ids", () => {
  const owners = `${OWNERS}\n bob GET /orders hands order 3001`;
  const walk = (from: number, to: number): string => `eve GET /orders/{number} walks order ${from} ${to}`;
  const expected = ["auth-enumeration GET /orders/{number}"];
  assert.deepEqual(found(`${owners}\n ${walk(4000, 4010)}`), expected);
  assert.deepEqual(found(`${owners}\n ${walk(4000, 4006)}`), [], "too short");
  assert.deepEqual(found(`${owners}\n - GET /orders/{number} uses order 1\n ${walk(4000, 4010)}`), [], "public");
  assert.deepEqual(found(`eve GET /orders hands order 1\n ${walk(4000, 4010)}`), [], "nobody else has any");
  const without = owners.replace(/.*eve.*\n/, "");
  assert.deepEqual(found(`${without}\n ${walk(4000, 4010)}`), [], "a service without any of its own");
  const browsers = `${without}\n ${walk(4000, 4010)}`.replaceAll(/\b(ada|eve|bob)\b/g, "$1/cookie");
  assert.deepEqual(found(browsers), expected, "a browser without any of its own");
  const far = Array.from({ length: 20 }, (_, step) => `eve GET /orders/{number} uses order ${4000 + 100 * step}`);
  assert.deepEqual(found(`${owners}\n ${far.join("\n")}`), [], "here and there");
  const slow = Array.from({ length: 12 }, (_, step) =>
    exchangesOf(walk(4000 + step, 4001 + step), NOW + 20_000 * step),
  );
  const ownership = createOwnership();
  ownership.add([...exchangesOf(owners, NOW), ...slow.flat()], NOW);
  assert.deepEqual(ownership.judge(NOW + 60_000), [], "slowly");
});

test("a walk through what is by its path one's own", () => {
  const walk = "eve GET /my/tickets/{number} walks ticket 301 312";
  const others = "ada GET /my/tickets/{number} uses ticket 303";
  assert.deepEqual(found(`${others}\n ${walk}`), ["auth-enumeration GET /my/tickets/{number}"]);
  assert.deepEqual(found(`${others}\n ${walk}`.replaceAll(/\b(ada|eve)\b/g, "$1/cookie")), [
    "auth-enumeration GET /my/tickets/{number}",
  ]);
  const handed = "eve GET /my/tickets hands ticket 301 302 303 304 305 306 307 308 309 310 311 312";
  assert.deepEqual(found(`${others}\n ${handed}\n ${walk}`), [], "they were handed to this one");
  assert.deepEqual(found(walk), [], "nobody else uses any");
  assert.deepEqual(found(`${others}\n ${walk.replace("312", "306")}`), [], "too short");
  assert.deepEqual(found(`${others}\n ${walk}`.replaceAll("/my/", "/the/")), [], "anybody's");
  assert.deepEqual(found(`${others}\n ${walk.replace("eve", "desk!")}`), [], "who works there");
});

test("strangers, and users with nothing of their own, who count through what tells of people", () => {
  const expected = ["auth-enumeration GET /receipts/{number}"];
  const reads = (who: string, from = 7000, to = 7009): string =>
    `${who} GET /receipts/{number} reads receipt ${from} ${to}`;
  const others = "ada GET /receipts/{number} uses receipt 7003";
  assert.deepEqual(found(reads("-")), expected);
  assert.deepEqual(found(`${others}\n ${reads("eve")}`), expected);
  assert.deepEqual(found(`${others}\n ${reads("eve/cookie")}`), expected);
  for (const [why, text] of [
    ["a catalogue tells of nobody", reads("-").replace("reads", "walks")],
    ["a catalogue tells of nobody, whoever asks", `${others}\n ${reads("eve").replace("reads", "walks")}`],
    ["nobody else uses any", reads("eve")],
    ["they were handed to strangers", `- GET /receipts refers receipt 7000 7001 7002 7003 7004\n ${reads("-")}`],
    ["strangers have made them", `- POST /orders hands receipt 7000 7001 7002 7003 7004\n ${reads("-")}`],
    [
      "somebody has just made them, and a worker gets each",
      `ada POST /receipts hands receipt 7000 7001 7002 7003 7004\n ${reads("eve")}`,
    ],
    ["who works there", `${others}\n ${reads("desk!")}`],
    ["where people work", `${others}\n ${reads("desk").replace("/receipts", "/admin/receipts")}`],
    ["a key of an API", `${others}\n ${reads("job/key")}`],
    ["strangers get them as well", `${others}\n - GET /receipts/{number} uses receipt 1\n ${reads("eve")}`],
    ["years", `${others}\n eve GET /calendar/{number} reads calendar 2010 2026`],
    ["the same again", `${others}\n ${reads("eve", 7000, 7005)}\n ${reads("eve", 7000, 7005)}`],
  ] as const) {
    assert.deepEqual(found(text), [], why);
  }
});

test("what is in the body or the query: an address of somebody else", () => {
  const owners = "ada GET /addresses hands address 17\n eve GET /addresses hands address 23";
  for (const part of ["query", "json", "form"]) {
    const put = `ada PUT /address uses ${part}:address 17\n eve PUT /address uses ${part}:address 17`;
    assert.deepEqual(found(`${owners}\n ${put}`), ["auth-bola PUT /address"], part);
    assert.deepEqual(found(`${owners}\n eve PUT /address uses ${part}:address 17`), [], "nobody else says it there");
    assert.deepEqual(found(`${owners}\n ${put.replace(/17$/, "23")}`), [], part);
  }
  // Nothing of that is eve's, but orders are; and who has nothing at all may be anybody.
  const orders = "ada GET /orders hands order 1001\n eve GET /orders hands order 2001";
  const put = "ada PUT /address uses json:address 17\n eve PUT /address uses json:address 17";
  assert.deepEqual(found(`${owners.split("\n")[0]}\n ${orders}\n ${put}`), ["auth-bola PUT /address"]);
  assert.deepEqual(
    found(`${owners.split("\n")[0]}\n ${orders.replace("eve", "eve!")}\n ${put.replace("eve", "eve!")}`),
    [],
  );
  assert.deepEqual(found(`${owners.split("\n")[0]}\n ${put}`), []);
});

test("a stranger who signs in, or orders as a guest, makes nothing public", () => {
  const guest = "- POST /orders hands order 9001\n - POST /login refers user 41";
  assert.deepEqual(found(`${OWNERS}\n ${guest}\n ${THEFT}`), STOLEN);
  assert.deepEqual(
    found(
      `${guest}\n ada GET /orders hands order 9001\n eve GET /orders hands order 2001\n eve GET /orders/{number} uses order 9001`,
    ),
    STOLEN,
  );
});

test("the list of somebody else, by the id of a person", () => {
  const list = (who: string, id: number, at = "/users/{number}/orders", as = "user"): string =>
    `${who} GET ${at} uses ${as} ${id}`;
  const named = `${list("ada#41", 41)}\n ${list("eve#42", 42)}`;
  const expected = ["auth-bola GET /users/{number}/orders"];
  assert.deepEqual(found(`${named}\n ${list("eve#42", 41)}`), expected);
  // Whose it is may be known later.
  assert.deepEqual(found(`${list("eve#42", 42)}\n ${list("eve#42", 41)}\n ${list("ada#41", 41)}`), expected);
  assert.deepEqual(
    found(
      [
        list("ada#41", 41, "/orders", "query:customer"),
        list("eve#42", 42, "/orders", "query:customer"),
        list("eve#42", 41, "/orders", "query:customer"),
      ].join("\n"),
    ),
    ["auth-bola GET /orders"],
  );
  // By what /me hands out, or by use alone.
  const me = (who: string, id: number): string => `${who} GET /me hands user ${id}`;
  const cookies = [me("ada/cookie", 41), me("eve/cookie", 42), list("ada/cookie", 41), list("eve/cookie", 42)];
  const both = [...cookies, ...cookies, list("eve/cookie", 41), ...cookies].join("\n");
  assert.deepEqual(found(both), expected);
  const used = [
    ["ada", 41],
    ["bob", 43],
    ["eve", 42],
    ["eve", 42],
  ].map(([who, id]) => list(`${who}`, Number(id)));
  assert.deepEqual(found([...used, list("eve", 41)].join("\n")), expected);
  for (const [why, lines] of [
    ["only their own", [named, named]],
    ["who works there", [named, list("eve#42!", 42), list("eve#42!", 41)]],
    ["who never asks for its own", [named, list("desk#7", 41)]],
    ["who never asks for its own, and is unnamed", [...used, list("desk", 41), list("desk", 43)]],
    ["which was handed to the one who asks", [named, "eve#42 GET /feed refers author 41", list("eve#42", 41)]],
    ["where strangers ask", [named, list("-", 9), list("eve#42", 41)]],
    ["where others do so, too", [named, list("bob#43", 43), list("bob#43", 42), list("eve#42", 41)]],
    [
      "where people work",
      [named, list("eve#42", 42, "/admin/users/{number}"), list("eve#42", 41, "/admin/users/{number}")],
    ],
    ["what several ask for", [...used, list("bob", 41), list("eve", 41)]],
    [
      "a tenant of several",
      [
        ["ada", 7],
        ["eve", 7],
        ["eve", 8],
        ["bob", 8],
        ["eve", 7],
        ["dan", 9],
      ].map(([who, id]) => list(`${who}`, Number(id), "/accounts/{number}/orders", "account")),
    ],
    ["two tokens that say they are the same", [named, list("mal#41", 41), list("eve#42", 41)]],
    [
      "an object, not a person",
      [named.replaceAll("uses user", "uses order"), list("eve#42", 41).replace("user ", "order ")],
    ],
  ] as [string, string[]][]) {
    assert.deepEqual(found(lines.join("\n")), [], why);
  }
});

test("what a client says makes nothing its own, makes no flaw, and blinds nobody", () => {
  const stolen = `${OWNERS}\n bob GET /orders hands order 3001`;
  // Links that an answer says again: bob had it from himself, and eve's theft is told of all the same.
  assert.deepEqual(found(`${stolen}\n bob GET /search refers order 2001 1002\n ${THEFT}`), STOLEN);
  assert.deepEqual(found(`${stolen}\n - POST /search refers order 2001 1002\n ${THEFT}`), STOLEN);
  // An endpoint that looks at no parameter answers whatever stands there.
  assert.deepEqual(found(`${OWNERS}\n eve GET /health uses query:order 1001`), []);
  const named = "ada#41 GET /orders hands order 1001\n eve#42 GET /orders hands order 2001";
  assert.deepEqual(
    found(`${named}\n eve#42 GET /health uses query:customer 42\n eve#42 GET /health uses query:customer 41`),
    [],
  );
  // Somebody else's name on a token of another issuer takes nothing from other people.
  const list = (who: string, id: number): string => `${who} GET /users/{number}/orders uses user ${id}`;
  assert.deepEqual(
    found(
      [
        list("ada#41", 41),
        list("bob#43", 43),
        list("eve#42", 42),
        "mal#41 GET /health refers x 1",
        list("eve#42", 43),
      ].join("\n"),
    ),
    ["auth-bola GET /users/{number}/orders"],
  );
});

test("floods of subjects, places and walks take bounded room and time", () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const ownership = createOwnership();
  collectGarbage();
  const started = process.memoryUsage().heapUsed;
  const begun = performance.now();
  const [example] = exchangesOf("eve#42 GET /users/{number}/orders uses user 41", NOW);
  const hash = (id: number): string => id.toString(16).padStart(16, "0");
  for (let batch = 0; batch < 20; batch++) {
    const flood = Array.from({ length: 5_000 }, (_, place): Exchange => {
      const id = batch * 5_000 + place;
      const used = [
        { ...example!.used[0]!, hash: hash(id), name: `p${id % 7_000}`, part: "query" as const, near: true },
      ];
      const handed = [{ collection: "user", hash: hash(id + 1), own: true }];
      return {
        ...example!,
        subject: hash(id >> 1),
        self: hash(id),
        route: `/r${id % 900}`,
        used,
        handed,
        personal: true,
      };
    });
    ownership.add(flood, NOW + batch);
    ownership.judge(NOW + batch + 60_000);
  }
  collectGarbage();
  assert.ok(process.memoryUsage().heapUsed - started < 150e6, `${process.memoryUsage().heapUsed - started} bytes`);
  assert.equal(ownership.counts().kept, 100_000);
  assert.ok(performance.now() - begun < 60_000);
});

test("who was handed what is not known: nothing is said, and it is counted", () => {
  const judged = (change: (exchanges: Exchange[]) => void): [number, Record<string, number>] => {
    const exchanges = exchangesOf(`${OWNERS}\n ${THEFT}`, NOW);
    change(exchanges);
    const ownership = createOwnership();
    ownership.add(exchanges, NOW);
    return [ownership.judge(NOW + 60_000).length, ownership.counts()];
  };
  assert.deepEqual(
    judged(() => {}),
    [1, { kept: 3, unseen: 0, keys: 0, full: 0 }],
  );
  assert.deepEqual(
    judged(([, eve]) => (eve!.unseen = true)),
    [0, { kept: 3, unseen: 1, keys: 0, full: 0 }],
  );
  assert.equal(judged(([ada]) => (ada!.unseen = true))[0], 1);
  assert.deepEqual(
    judged(([ada]) => (ada!.lost = 1)),
    [0, { kept: 3, unseen: 1, keys: 0, full: 0 }],
  );
  // Another key at the same time, of another replica; before it, of the one that was restarted.
  const other = (time: number): Exchange[] => exchangesOf("bob GET /orders hands order 5", time, { key: "2" });
  assert.deepEqual(
    judged((all) => all.push(...other(NOW - 60_000), ...other(NOW + 60_000))),
    [0, { kept: 5, unseen: 0, keys: 1, full: 0 }],
  );
  assert.equal(judged((all) => all.push(...other(NOW - 60_000), ...other(NOW)))[0], 1);
});

test("it waits for what comes late, says each flaw once a day, and forgets", () => {
  const ownership = createOwnership();
  ownership.add(exchangesOf(`${OWNERS}\n ${THEFT}`, NOW), NOW);
  assert.deepEqual(ownership.judge(NOW + 1_000), []);
  const [event] = ownership.judge(NOW + 10_000);
  // Not stored: it comes again.
  assert.equal(ownership.judge(NOW + 20_000)[0]!.key, event!.key);
  ownership.settle([event!]);
  ownership.add(exchangesOf(THEFT, NOW + 30_000), NOW + 30_000);
  assert.deepEqual(ownership.judge(NOW + 60_000), []);
  ownership.add(exchangesOf(THEFT, NOW + 2 * HOUR), NOW + 2 * HOUR);
  assert.deepEqual(ownership.judge(NOW + 2 * HOUR + 60_000), []);
});

test("what is kept is bounded, and what had to go makes nobody a thief", () => {
  const ownership = createOwnership(1_000);
  ownership.add(exchangesOf(`eve GET /orders hands order 1001 2001\n ada GET /orders hands order 1`, NOW), NOW);
  for (let page = 0; page < 60; page++) {
    const ids = Array.from({ length: 32 }, (_, place) => `p${page}-${place}`).join(" ");
    ownership.add(exchangesOf(`bob GET /orders hands order ${ids}`, NOW + page), NOW + page);
  }
  // That eve was handed 1001 is forgotten, and it is known that it is.
  ownership.add(
    exchangesOf(`ada GET /orders hands order 1001\n eve GET /orders hands order 2001\n ${THEFT}`, NOW + 1000),
    NOW + 4000,
  );
  assert.deepEqual(ownership.judge(NOW + 60_000), []);
  assert.equal(ownership.counts().unseen, 1);
  const many = createOwnership();
  for (let each = 0; each < 200; each++) {
    const text = `s${each} GET /c${each} hands c${each} 1\n s${each} GET /c uses c${each} ${Array.from({ length: 100 }, (_, id) => id).join(" ")}`;
    many.add(exchangesOf(text, NOW + each), NOW + each);
  }
  assert.deepEqual(many.judge(NOW + 60_000), []);
  assert.equal(many.counts().full, 10_000);
});

test("records are read, and believed no further than their form", () => {
  const attributes = {
    "http.request.method": "GET",
    "http.route": "/orders/{number}",
    "meshward.subject": "0123456789abcdef",
    "meshward.subject.kind": "jwt",
    "meshward.key": "00c0ffee",
    "meshward.used": [
      "path order 0123456789abcdef number+1 my orders",
      "path order xyz number orders",
      "form order 0123456789abcdef number x",
      "cookie order 0123456789abcdef number x",
    ],
    "meshward.handed": ["order 0123456789abcdef own", "line 0123456789abcdee", "line", "a b c d"],
    "meshward.lost": 3,
    "meshward.self": "0123456789abcdea",
    "meshward.personal": 1,
  };
  const read = (changes: Record<string, unknown>, eventName = "meshward.access"): ReturnType<typeof exchangeOf> => {
    const all = Object.entries({ ...attributes, ...changes }).filter(([, value]) => value !== undefined);
    const request = {
      resource: { "service.name": "orders" },
      records: [
        { eventName, time: NOW, attributes: Object.fromEntries(all) as Record<string, string | string[] | number> },
      ],
    };
    return exchangeOf(readLogs(bodyOf(request), "json").records[0]!, NOW);
  };
  const exchange = read({}) as Exchange;
  assert.deepEqual(exchange.used, [
    { part: "path", collection: "order", hash: "0123456789abcdef", form: "number", near: true, name: "my orders" },
    { part: "form", collection: "order", hash: "0123456789abcdef", form: "number", near: false, name: "x" },
  ]);
  assert.deepEqual([exchange.self, exchange.staff, exchange.personal], ["0123456789abcdea", false, true]);
  assert.equal((read({ "meshward.self": "ada", "meshward.staff": 1 }) as Exchange).self, "");
  assert.deepEqual(exchange.handed, [
    { collection: "order", hash: "0123456789abcdef", own: true },
    { collection: "line", hash: "0123456789abcdee", own: false },
  ]);
  assert.deepEqual([exchange.lost, exchange.unseen, exchange.kind, exchange.service], [3, false, "jwt", "orders"]);
  assert.equal(read({}, "meshward.other"), "unknown");
  for (const changes of [
    { "meshward.subject.kind": "king" },
    { "meshward.subject": undefined },
    { "meshward.subject.kind": "anonymous" },
    { "meshward.key": undefined },
    { "http.route": undefined },
  ]) {
    assert.equal(read(changes), "invalid", JSON.stringify(changes));
  }
});

/** A request in JSON with one record. */
function bodyOf({
  resource,
  records,
}: {
  resource: Record<string, string>;
  records: { eventName: string; time: number; attributes: Record<string, string | number | string[]> }[];
}): Buffer {
  const value = (given: string | number | string[]): object =>
    typeof given === "number"
      ? { intValue: String(given) }
      : typeof given === "string"
        ? { stringValue: given }
        : { arrayValue: { values: given.map((one) => ({ stringValue: one })) } };
  const list = (given: Record<string, string | number | string[]>): object[] =>
    Object.entries(given).map(([key, one]) => ({ key, value: value(one) }));
  const logRecords = records.map(({ eventName, time, attributes }) => ({
    ...{ eventName, timeUnixNano: `${time}000000`, attributes: list(attributes) },
  }));
  return Buffer.from(
    JSON.stringify({ resourceLogs: [{ resource: { attributes: list(resource) }, scopeLogs: [{ logRecords }] }] }),
  );
}

onBoth("what is found is stored as any other finding, once a day", async (database: Database) => {
  const ingest = createIngest(database);
  const again = createIngest(database);
  for (const each of [ingest, again]) {
    const ownership = createOwnership();
    ownership.add(exchangesOf(`${OWNERS}\n ${THEFT}`, NOW), NOW);
    await each.store(ownership.judge(NOW + 60_000), NOW);
  }
  const { findings } = await listFindings(database, findingsQuerySchema.parse({}));
  assert.deepEqual(
    findings.map(({ rule, stage, severity, service, route, parameter, count }) => [
      rule,
      stage,
      severity,
      service,
      route,
      parameter,
      count,
    ]),
    [["auth-bola", "likely", "high", "orders", "/orders/{number}", "orders", 1]],
  );
});
