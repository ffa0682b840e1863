/** What the collector knows of components, and what it tells of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findingsQuerySchema } from "../../collector/api.ts";
import { dependencyFlaws } from "../../collector/dependencies/checks.ts";
import { createLibraries } from "../../collector/dependencies/libraries.ts";
import { HIJACKED_DOMAINS, LIBRARIES, PRODUCTS } from "../../collector/dependencies/library-facts.ts";
import { readLibraries } from "../../collector/dependencies/retire.ts";
import { hasVersion, libraryIn } from "../../collector/dependencies/urls.ts";
import { compareVersions, isIn, parseRange, parseVersion } from "../../collector/dependencies/versions.ts";
import { listFindings } from "../../collector/findings.ts";
import { createIngest } from "../../collector/ingest.ts";
import type { ComponentKind, Observation } from "../../collector/observation.ts";
import { observationOf } from "../../collector/observation.ts";
import { readLogs } from "../../collector/otlp.ts";
import { startBench } from "../events/bench.ts";
import { onBoth } from "./databases.ts";
import { inventoryIn } from "./examples.ts";
import { observationRequest, protobufRequest, type Attributes } from "./otlp-request.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const DAY = 86_400_000;

test("versions are told apart as their projects count", () => {
  const rising = [
    ["1.0.0-alpha", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.1.0", "1.10.0"],
    ["1.9.0a1", "1.9.0b1", "1.9.0b2", "1.9.0", "1.9.0.1"],
    ["1.1.1", "1.1.1a", "1.1.1k", "1.1.1z", "1.1.1za", "1.1.2"],
    ["8.1.0-dev", "8.1.0RC2", "8.1.0", "9.0.0.M1", "9.0.0"],
  ];
  for (const versions of rising) {
    for (const [at, version] of versions.entries()) {
      for (const [other, text] of versions.entries()) {
        const order = Math.sign(compareVersions(parseVersion(version)!, parseVersion(text)!));
        assert.equal(order, Math.sign(at - other), `${version} and ${text}`);
      }
    }
  }
  for (const [a, b] of [
    ["1.12.1", "1.12.1.custom"],
    ["9.4.31", "9.4.31.v20200723"],
    ["1.0.2k", "1.0.2k-fips"],
    ["v3.4.1", "3.4.1"],
    ["2.4.49", "2.4.49+unix"],
    ["1.2", "1.2.0"],
  ] as const) {
    assert.equal(compareVersions(parseVersion(a)!, parseVersion(b)!), 0, `${a} and ${b}`);
  }
  for (const none of ["", "-", "latest", "x1.2", "1.2.3.4.5.6.7", "99999999999.1"]) {
    assert.equal(parseVersion(none), null, none);
  }
});

test("a version is in a range where all that it may stand for are", () => {
  const cases: [string, string, boolean][] = [
    ["3.4.1", ">=1.2.0 <3.5.0", true],
    ["3.5.0", ">=1.2.0 <3.5.0", false],
    ["1.1.9", ">=1.2.0 <3.5.0", false],
    ["3.5.0-rc.1", "<3.5.0", true],
    ["4.0.1", "<3.4.0 || >=4.0.0 <4.1.2", true],
    ["3.9.0", "<3.4.0 || >=4.0.0 <4.1.2", false],
    // Whatever is the newest of 3.4, of 3, of 2.
    ["3.4", "<3.4.1", false],
    ["3", "<3.5.0", false],
    ["2", "<3.0.0", true],
    ["2.6", ">=2.0.0 <3.0.0", true],
    ["8", ">=8.0.0 <8.5.1", false],
    ["2.4.49", "2.4.49 || 2.4.50", true],
    ["2.4.51", "2.4.49 || 2.4.50", false],
    ["8.1.0", "8.1.0-dev", false],
    ["8.1.0-dev", "8.1.0-dev", true],
    ["1.1.1", ">=1.1.1 <1.1.1k", true],
  ];
  for (const [version, range, expected] of cases) {
    assert.equal(isIn(parseVersion(version)!, parseRange(range)), expected, `${version} in ${range}`);
  }
  assert.throws(() => parseRange("below 3"), RangeError);
});

test("facts can be read, name things once, and end on a day", () => {
  for (const all of [LIBRARIES, PRODUCTS]) {
    const names = all.flatMap((one) => one.names);
    assert.equal(new Set(names).size, names.length);
    for (const { names: own, flaws = [], ended = [], hijacked = [] } of all) {
      for (const name of own) assert.match(name, /^[a-z@][a-z0-9@/._-]*$/);
      assert.ok(flaws.length + ended.length + hijacked.length > 0, own[0]);
      for (const [range, , ids, what] of [...flaws, ...hijacked]) {
        assert.ok(parseRange(range).length > 0);
        assert.ok(ids !== "" && what !== "");
        for (const id of ids.match(/\b(CVE|GHSA)\S+/g) ?? [])
          assert.match(id, /^(CVE-\d{4}-\d{4,}|GHSA(-[a-z0-9]{4}){3}),?$/);
      }
      for (const [below, since] of ended) {
        assert.ok(parseVersion(below) !== null, below);
        assert.ok(Number.isFinite(Date.parse(since)) && /^\d{4}-\d\d-\d\d$/.test(since), since);
      }
    }
  }
  assert.ok(LIBRARIES.length >= 60 && PRODUCTS.length >= 30);
  for (const [domains, what, source] of HIJACKED_DOMAINS) {
    for (const domain of domains) assert.match(domain, /^[a-z0-9-]+(\.[a-z0-9-]+)+$/);
    assert.ok(what !== "" && source.startsWith("https://"));
  }
});

const libraries = createLibraries();
const known = (line: string, now = NOW, by = libraries): string[] => {
  const [kind, name, version] = line.split(" ") as [ComponentKind, string, string];
  return by
    .knowledgeOf({ kind, name, version: version === "-" ? "" : version }, now)
    .map((one) => `${one.what} ${one.severity}`);
};

test("a component is known by its kind, name and version", () => {
  const cases: [string, string[]][] = [
    ["library jquery 3.4.1", ["vulnerable medium"]],
    ["library jquery-javascript-library 1.12.4", ["vulnerable medium", "ended low"]],
    ["library jquery 3.7.1", []],
    ["library jquery -", []],
    ["library jquery 3", []],
    ["library lodash 4.17.11", ["vulnerable critical"]],
    ["library angular 1.8.3", ["vulnerable medium", "ended low"]],
    ["library angular 17.1.0", ["ended low"]],
    ["library angular 20.0.0", []],
    ["library ua-parser-js 0.7.29", ["vulnerable high", "hijacked critical"]],
    ["library bootstrap 4.6.2", ["ended low"]],
    // Another of that name.
    ["server jquery 3.4.1", []],
    ["library nginx 1.4.0", []],
    ["server apache 2.4.49+unix", ["vulnerable critical"]],
    ["server apache 2.4.49+win64", ["vulnerable critical"]],
    ["server apache 2.4.62", []],
    // Vendors mend without a new version.
    ["server apache 2.4.52+ubuntu", []],
    ["server apache 2.4.6+centos", []],
    ["server openssl 1.0.2k-fips+unix", []],
    ["server openssl 1.0.2k-fips", []],
    ["framework php 7.4.3-4ubuntu2.18", []],
    ["framework php 7.4.3", ["ended low"]],
    ["framework php 8.1.0-dev", ["hijacked critical", "ended low"]],
    ["server openssl 1.0.1f", ["vulnerable high", "ended low"]],
    ["server openssl 1.0.1g", ["ended low"]],
    ["server microsoft-iis 10.0", []],
    ["server microsoft-iis 8.5", ["ended low"]],
    ["framework drupal 9", ["ended low"]],
    ["framework drupal 10", []],
    ["framework next.js 14.2.24", ["vulnerable critical"]],
    ["script-host jquery 3.4.1", []],
  ];
  for (const [line, expected] of cases) assert.deepEqual(known(line), expected, line);
  // What ends one day has not ended before.
  assert.deepEqual(known("framework php 8.2.30"), []);
  assert.deepEqual(known("framework php 8.2.30", Date.parse("2027-01-02")), ["ended low"]);
});

test("a URL names a library where a folder or the host is called as the file is", () => {
  for (const [url, expected] of [
    ["maxcdn.bootstrapcdn.com/bootstrap/3.3.7/js/bootstrap.min.js", "bootstrap 3.3.7"],
    ["cdn.example/angularjs/1.5.8/angular-route.min.js", "angularjs 1.5.8"],
    ["code.jquery.com/ui/1.12.1/jquery-ui.js", "jquery-ui 1.12.1"],
    ["cdn.jsdelivr.net/jquery.slick/1.6.0/slick.min.js", "jquery.slick 1.6.0"],
    ["code.angularjs.org/1.5.8/angular.min.js", "angular 1.5.8"],
    ["cdn.ckeditor.com/4.16.0/standard/ckeditor.js", "ckeditor 4.16.0"],
    ["/vendor/tinymce-4.1.0/tinymce.min.js", "tinymce 4.1.0"],
    ["/lib/vue/v2.6.10/vue.global.js", "vue 2.6.10"],
    ["/lib/vue/3.0.0-beta.2/vue.js", "vue 3.0.0-beta.2"],
    // Releases of a site, here or on its other host.
    ["/static/1.4.2/jquery.js", null],
    ["/1.4.2/jquery.js", null],
    ["assets.shop.example/1.4.2/jquery.js", null],
    ["/app-1.4.2/jquery.js", null],
    // The plugin's version is not that of what it plugs into.
    ["cdn.datatables.net/1.10.24/js/jquery.datatables.min.js", null],
    ["/2021.10.12/app.js", null],
    ["/", null],
    ["", null],
  ] as const) {
    const found = libraryIn(url);
    assert.equal(found === null ? null : `${found.name} ${found.version}`, expected, url);
  }
  for (const url of ["/main.3.4f8e.js", "/c4.5.js", "/a1.2/b.js"]) assert.ok(!hasVersion(url), url);
  assert.ok(hasVersion("/static/1.4.2/jquery.js"));
  const [known, hash] = [
    observed({ "meshward.components": ["script /ui/1.12.1/jquery-ui.js -"] }),
    observed({ "meshward.components": ["script /main.3.4f8e.js -"] }),
  ];
  assert.deepEqual(known.components, [{ kind: "library", name: "jquery-ui", version: "1.12.1" }]);
  assert.deepEqual(hash.components, []);
});

/** A file as retire.js has it, of our own. */
const FILE = {
  "carousel-pro": {
    npmname: "carousel-pro-js",
    bowername: ["CarouselPro"],
    vulnerabilities: [
      { below: "2.3.0", severity: "high", identifiers: { CVE: ["CVE-2099-0001"], summary: "scripts in\n captions" } },
      {
        ranges: [{ atOrAbove: "3.0.0-rc.1", below: "3.0.2" }],
        severity: "low",
        summary: "more",
        info: ["https://a.example/1"],
      },
      { atOrAbove: "1.0.0", severity: "high", identifiers: {} },
    ],
    extractors: {
      uri: ["/(§§version§§)/carousel(\\.min)?\\.js", "/(?=a)(§§version§§)/"],
      filename: ["carousel[.-]pro-(§§version§§)(.min)?\\.js", "((a+)+)+§§version§§(\\d)\\2"],
      filecontent: ["/\\*! Carousel (§§version§§)"],
      func: ["carousel.version"],
    },
  },
};

test("a user's file of libraries is read, and what cannot be is told", () => {
  const user = readLibraries(JSON.stringify(FILE));
  assert.equal(user.count, 1);
  assert.deepEqual(user.unread, [
    "a range of carousel-pro",
    "uri of carousel-pro: /(?=a)(§§version§§)/",
    "filename of carousel-pro: ((a+)+)+§§version§§(\\d)\\2",
  ]);
  const both = createLibraries(user);
  const cases: [string, string[]][] = [
    ["library carousel-pro 2.2.9", ["vulnerable high"]],
    ["library carousel-pro-js 2.2.9", ["vulnerable high"]],
    ["library carouselpro 3.0.1", ["vulnerable low"]],
    ["library carousel-pro 2.3.0", []],
    ["library carousel.pro 2.2.9", ["vulnerable high"]],
    ["script /static/2.2.9/carousel.min.js -", ["vulnerable high"]],
    ["script cdn.example/2.3.0/carousel.js -", []],
    ["script /other/2.2.9/x.js -", []],
    ["library jquery 3.4.1", ["vulnerable medium"]],
    ["server carousel-pro 2.2.9", []],
  ];
  for (const [line, expected] of cases) assert.deepEqual(known(line, NOW, both), expected, line);
  const [first] = both.knowledgeOf({ kind: "library", name: "carousel-pro", version: "1.0.0" }, NOW);
  assert.equal(first!.text, "carousel-pro 1.0.0: CVE-2099-0001 (scripts in captions)");
});

test("a file that is none says why, and a hostile one takes no time", () => {
  for (const [text, expected] of [
    ["{", /no JSON/],
    ["[]", /none of retire.js/],
    ['{"a":{"vulnerabilities":[{"below":7}]}}', /a\.vulnerabilities\.0\.below/],
    [JSON.stringify({ a: { extractors: { uri: Array.from({ length: 1_001 }, () => "x") } } }), /a\.extractors\.uri/],
  ] as const) {
    assert.throws(() => readLibraries(text), expected);
  }
  const slow = { a: { extractors: { uri: ["(([a-z]+)*)*(§§version§§)$"], filename: ["(a|aa|a?)+(§§version§§)"] } } };
  const both = createLibraries(readLibraries(JSON.stringify(slow)));
  const before = performance.now();
  known(`script /${"a".repeat(100)}1.2! -`, NOW, both);
  assert.ok(performance.now() - before < 500);
});

const flaws = (example: string): string[] =>
  dependencyFlaws(libraries)(inventoryIn(example), NOW).map(({ rule, stage, parameter }) =>
    [rule.replace("dependency-", ""), stage, parameter].join(" "),
  );

test("hijacked domains and those below are told, others are not", () => {
  for (const [line, expected] of [
    ["shows script-host polyfill.io -", ["hijacked confirmed polyfill.io"]],
    ["shows script-host cdn.polyfill.io -", ["hijacked confirmed cdn.polyfill.io"]],
    ["shows script-host notpolyfill.io -", []],
    ["shows script-host polyfill.io.example -", []],
    ["shows server polyfill.io -", []],
  ] as const) {
    assert.deepEqual(flaws(line), expected, line);
  }
});

test("what is new is told after the first day, for a week, once for a domain", () => {
  const old = "calls a.example GET / none 1 since 40d\nshows server nginx 1.28.0 since 40d";
  for (const [lines, expected] of [
    ["calls b.example GET / none 1", ["new-outbound likely b.example"]],
    ["calls b.example GET / none 1\ncalls c.b.example GET /x none 1", ["new-outbound likely b.example"]],
    ["calls b.example GET / none 1 since 8d", []],
    ["calls b.example GET / none 1 since 39d", []],
    ["calls api.a.example GET / none 1", []],
    ["calls 10.1.2.3 GET / none 1\ncalls ::1 GET / none 1\ncalls orders GET / none 1\ncalls x.svc GET / none 1", []],
    ["calls 203.0.113.9 GET / none 1", ["new-outbound likely 203.0.113.9"]],
    ["GET /b none 1", []],
    ["shows server nginx 1.28.1", ["changed likely nginx 1.28.1"]],
    ["shows server nginx -", []],
    ["shows framework express -", ["changed likely express"]],
    ["shows script-host b.example -", ["new-script-host likely b.example"]],
    // Hosts by the dozen are named by somebody, not deployed.
    [Array.from({ length: 11 }, (_, at) => `calls h${at}.example GET / none 1`).join("\n"), []],
  ] as const) {
    assert.deepEqual(flaws(`${old}\n${lines}`), expected, lines);
  }
  // All is new on the first day.
  assert.deepEqual(flaws("calls a.example GET / none 1\nshows server nginx 1.28.0\nshows script-host b.example -"), []);
});

test("no component is too odd to be judged", () => {
  const name = fc.oneof(fc.constantFrom("jquery", "php", "constructor", "__proto__", "apache"), fc.string());
  const version = fc.oneof(fc.constantFrom("1.2.3", "99999999999999.1", "1.1.1zzz", "-"), fc.string());
  const kind = fc.constantFrom<ComponentKind>("server", "framework", "library", "script-host", "script");
  const both = createLibraries(readLibraries(JSON.stringify(FILE)));
  fc.assert(
    fc.property(kind, name, version, (ofKind, ofName, ofVersion) => {
      for (const { text } of both.knowledgeOf({ kind: ofKind, name: ofName, version: ofVersion }, NOW)) {
        assert.ok(text.length < 2_000);
      }
    }),
  );
});

/** The observation of one record. */
function observed(changes: Attributes, time = NOW): Observation {
  const { records } = readLogs(protobufRequest(observationRequest(time, [changes])), "protobuf");
  return observationOf(records[0]!, NOW) as Observation;
}

onBoth("a component becomes a finding at the endpoint that showed it first", async (database) => {
  const ingest = createIngest(database, undefined, undefined, [dependencyFlaws(libraries)]);
  const components = [
    "library jquery 3.4.1",
    "script-host cdn.polyfill.io -",
    "script /static/1.4.2/x.js -",
    "server nginx -",
  ];
  const shown = (route: string, time: number): Observation =>
    observed({ "http.route": route, "meshward.components": components }, time);
  await ingest.store([], NOW, [shown("/first", NOW - 1_000)]);
  await ingest.store([], NOW, [shown("/second", NOW)]);
  await ingest.judge(NOW);
  await ingest.store([], NOW + DAY, [shown("/second", NOW + DAY)]);
  await ingest.judge(NOW + DAY);
  const { findings } = await listFindings(database, findingsQuerySchema.parse({}));
  assert.deepEqual(
    findings.map(({ rule, severity, stage, route, part, parameter, count }) =>
      [rule, severity, stage, route, part, parameter, count].join(" "),
    ),
    [
      "dependency-hijacked critical confirmed /first component cdn.polyfill.io 2",
      "dependency-vulnerable medium likely /first component jquery 3.4.1 2",
    ],
  );
  assert.match(findings[1]!.evidence, /^jquery 3\.4\.1: CVE-2020-11022, CVE-2020-11023 \(/);
  const rows = await database.query<{ kind: string; route: string }>("SELECT kind, route FROM meshward.component");
  assert.deepEqual(new Set(rows.map(({ route }) => route)), new Set(["/first"]));
  assert.equal(rows.length, components.length);
});

test("what passes a sidecar is told, kept and judged", async () => {
  const bench = await startBench({ observe: { sample: "100%" } });
  const answers: [path: string, headers: [string, string][], body: string][] = [
    [
      "/",
      [
        ["server", "Apache/2.4.49 (Unix) OpenSSL/1.1.1w"],
        ["content-type", "text/html; charset=utf-8"],
      ],
      `<!doctype html><script src="https://cdn.polyfill.io/v3/polyfill.min.js"></script>
       <script type="importmap">{"imports": {"vue": "https://unpkg.com/vue@2.6.14/dist/vue.esm.browser.js"}}</script>
       <p>jquery-1.2.3.js</p>`,
    ],
    [
      "/js/vendor.js",
      [["content-type", "text/javascript"]],
      "/*! jQuery v3.4.1 | (c) JS Foundation */ (function(){})()",
    ],
    ["/js/missing-1.12.4.js", [["content-type", "text/html"]], "<!doctype html><p>the page of an application</p>"],
  ];
  for (const [path, headers, body] of answers) {
    const request = { path, headers: [["host", "shop.example"]] as [string, string][] };
    bench.plugin.exchange(request, { response: { status: 200, headers, body } });
  }
  bench.envoy.advance(1_000);
  const records = bench.calls.flatMap(({ body }) => readLogs(body, "protobuf").records);
  const observations = records.map((one) => observationOf(one, NOW)).filter((one) => typeof one !== "string");
  const components = observations.flatMap((one) => one.components);
  assert.deepEqual(components.map(({ kind, name, version }) => `${kind} ${name} ${version || "-"}`).toSorted(), [
    "library jquery 3.4.1",
    "library vue 2.6.14",
    "script-host cdn.polyfill.io -",
    "script-host unpkg.com -",
    "server apache 2.4.49+unix",
    "server openssl 1.1.1w+unix",
  ]);
  const shown = components.map(({ kind, name, version }) => `shows ${kind} ${name} ${version || "-"}`).join("\n");
  assert.deepEqual(flaws(shown).toSorted(), [
    "end-of-life likely openssl 1.1.1w+unix",
    "end-of-life likely vue 2.6.14",
    "hijacked confirmed cdn.polyfill.io",
    "vulnerable likely apache 2.4.49+unix",
    "vulnerable likely jquery 3.4.1",
    "vulnerable likely vue 2.6.14",
  ]);
});
