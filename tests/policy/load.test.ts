import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PolicyError, formatIssue, loadPolicy, parsePolicy, policyFrom } from "../../scripts/policy/load.ts";
import { largest } from "./largest.ts";

const NOW = new Date("2026-11-21T12:00:00Z");

/** The issues of a text, each on one line. */
function issuesOf(text: string): string[] {
  return loadPolicy(text, NOW).issues.map((issue) => formatIssue(issue, "p"));
}

/** Text, and what must be said of it: the start of each issue. */
const REFUSED: [id: string, text: string, ...issues: string[]][] = [
  ["unknown key", "mod: block\n", 'p:1:1: mod: unknown key (did you mean "mode"?)'],
  ["unknown key with an escape", '"\\e[31mkey": 1\n', "p:1:1: \\u{1b}[31mkey: unknown key;"],
  ["unknown key, nothing near", "zzz: 1\n", "p:1:1: zzz: unknown key; the keys here are version, mode,"],
  [
    "unknown key inside",
    "detectors:\n  xss: {mod: off}\n",
    'p:2:9: detectors.xss.mod: unknown key (did you mean "mode"?)',
  ],
  [
    "share of more than all",
    "observe: {sample: 101%}\n",
    'p:1:19: observe.sample: expected a share such as "10%", at most',
  ],
  ["share without a unit", "observe: {sample: 10}\n", "p:1:19: observe.sample: expected text, got 10"],
  ["unknown class", "detectors: {sql: {}}\n", 'p:1:13: detectors.sql: unknown key (did you mean "sqli"?)'],
  ["key of another tool", "gateway: {}\n", "p:1:1: gateway: unknown key; the keys here are"],
  ["wrong word", "mode: blok\n", 'p:1:7: mode: expected off, detect or block, got "blok" (did you mean "block"?)'],
  ["wrong type", "mode: [block]\n", "p:1:7: mode: expected off, detect or block, got a list"],
  ["YAML 1.1 thinking", "limits: {onLimit: no}\n", 'p:1:19: limits.onLimit: expected continue or deny, got "no"'],
  ["boolean", "mode: false\n", "p:1:7: mode: expected off, detect or block, got false"],
  ["nothing behind the key", "mode:\n", "p:1:6: mode: expected off, detect or block, got nothing"],
  ["nothing behind a list", "routes:\n", "p:1:8: routes: expected a list, got nothing"],
  ["a map for a list", "routes: {}\n", "p:1:9: routes: expected a list, got a map"],
  ["not a map", "- mode: off\n", "p:1:1: expected a map of keys, got a list"],
  ["text alone", "block\n", 'p:1:1: expected a map of keys, got "block"'],
  ["future version", "version: 2\n", "p:1:10: version: expected 1, the only version there is, got 2"],
  [
    "size too large",
    "limits: {holdBytes: 1MiB}\n",
    "p:1:21: limits.holdBytes: expected from 0 bytes to 960 KiB, got 1 MiB",
  ],
  [
    "size of no unit",
    "limits: {holdBytes: 256KB}\n",
    'p:1:21: limits.holdBytes: expected a size such as "256KiB" or 262144, got "256KB"',
  ],
  ["size with a fraction", "limits: {holdBytes: 1.5}\n", "p:1:21: limits.holdBytes: expected a size such as"],
  ["negative size", "limits: {holdBytes: -1}\n", "p:1:21: limits.holdBytes: expected a size such as"],
  [
    "duration too long",
    "limits: {holdMillis: 61s}\n",
    "p:1:22: limits.holdMillis: expected from 1 ms to 60000 ms, got 61000 ms",
  ],
  ["duration of no unit", "limits: {holdMillis: 1h}\n", "p:1:22: limits.holdMillis: expected a duration such as"],
  ["denial that is no denial", "denial: {status: 200}\n", "p:1:18: denial.status: expected at least 300, got 200"],
  [
    "denial with a header of Envoy's",
    "denial: {headers: {content-length: '3'}}\n",
    "p:1:20: denial.headers.content-length: is Envoy's own to set",
  ],
  [
    "denial with a header in capitals",
    "denial: {headers: {Retry-After: '3'}}\n",
    'p:1:20: denial.headers.Retry-After: expected a header in lower case, such as "retry-after"',
  ],
  [
    "denial with a line break in a header",
    'denial: {headers: {x: "a\\r\\nset-cookie: b"}}\n',
    "p:1:23: denial.headers.x: expected visible ASCII, without spaces around it",
  ],
  [
    "denial with its type in the headers",
    "denial: {headers: {content-type: text/html}}\n",
    'p:1:19: denial.headers: expected the media type as "contentType"',
  ],
  [
    "denial that is too long",
    `denial: {body: ${"x".repeat(8193)}}\n`,
    "p:1:16: denial.body: expected at most 8192 bytes",
  ],
  ["depth zero", "limits: {depth: 0}\n", "p:1:17: limits.depth: expected at least 1, got 0"],
  [
    "too much work",
    "limits: {work: 2048MiB}\n",
    "p:1:16: limits.work: expected from 0 bytes to 1024 MiB, got 2048 MiB",
  ],
  ["depth too large", "limits: {depth: 65}\n", "p:1:17: limits.depth: expected at most 64, got 65"],
  ["hops", "identity: {trustedHops: 1.5}\n", "p:1:25: identity.trustedHops: expected a whole number, got 1.5"],
  ["identity source", "identity: {from: [mtls, oidc]}\n", 'p:1:25: identity.from[1]: expected mtls or jwt, got "oidc"'],
  ["route without match", "routes: [{mode: off}]\n", "p:1:10: routes[0].match: missing: expected a map of keys"],
  [
    "host in capitals",
    "routes: [{match: {host: Shop.example}}]\n",
    "p:1:25: routes[0].match.host: expected a host in lower case",
  ],
  ["host with a star", 'routes: [{match: {host: "*.example"}}]\n', "p:1:25: routes[0].match.host: expected a host"],
  [
    "method in small letters",
    "routes: [{match: {methods: [post]}}]\n",
    "p:1:29: routes[0].match.methods[0]: expected a method in capitals",
  ],
  ["no methods", "routes: [{match: {methods: []}}]\n", "p:1:28: routes[0].match.methods: expected at least one method"],
  [
    "relative path",
    "routes: [{match: {path: blog}}]\n",
    'p:1:25: routes[0].match.path: expected a path template that starts with "/"',
  ],
  [
    "star inside a segment",
    'routes: [{match: {path: "/a*b"}}]\n',
    'p:1:25: routes[0].match.path: "*", "**" and "{name}" stand for whole segments; "a*b"',
  ],
  [
    "path with a query",
    "routes: [{match: {path: /a?b=1}}]\n",
    'p:1:25: routes[0].match.path: expected a path without "?"',
  ],
  [
    "path that Envoy merges",
    "routes: [{match: {path: /a//b}}]\n",
    "p:1:25: routes[0].match.path: can never match: Envoy merges",
  ],
  [
    "path that Envoy resolves",
    "routes: [{match: {path: /a/../b}}]\n",
    "p:1:25: routes[0].match.path: can never match: Envoy resolves",
  ],
  [
    "path with an encoded slash",
    "routes: [{match: {path: /a%2Fb}}]\n",
    "p:1:25: routes[0].match.path: can never match: a path is also read",
  ],
  [
    "path with a broken escape",
    "routes: [{match: {path: /a%2}}]\n",
    "p:1:25: routes[0].match.path: expected two hex digits",
  ],
  ["path outside ASCII", "routes: [{match: {path: /café}}]\n", "p:1:25: routes[0].match.path: expected visible ASCII"],
  [
    "exception without a reason",
    "exceptions: [{id: a, rules: [sqli-*], path: /a}]\n",
    "p:1:14: exceptions[0].why: missing: expected text",
  ],
  [
    "exception with an empty reason",
    'exceptions: [{id: a, rules: [sqli-*], path: /a, why: " "}]\n',
    "p:1:54: exceptions[0].why: expected the reason",
  ],
  [
    "exception of nothing",
    "exceptions: [{id: a, path: /a, why: x}]\n",
    'p:1:14: exceptions[0]: excepts nothing: expected "rules"',
  ],
  [
    "exception of an empty list",
    "exceptions: [{id: a, rules: [], path: /a, why: x}]\n",
    "p:1:29: exceptions[0].rules: excepts nothing",
  ],
  [
    "exception of an unknown rule",
    "exceptions: [{id: a, rules: [sqli-nope], path: /a, why: x}]\n",
    'p:1:30: exceptions[0].rules[0]: excepts nothing: no rule is named "sqli-nope"',
  ],
  [
    "exception of an unknown prefix",
    "exceptions: [{id: a, rules: [foo-*], path: /a, why: x}]\n",
    'p:1:30: exceptions[0].rules[0]: excepts nothing: no rule is named "foo-*"',
  ],
  [
    "rule of another class",
    "exceptions: [{id: a, rules: [xss-*], class: sqli, path: /a, why: x}]\n",
    'p:1:30: exceptions[0].rules[0]: excepts nothing: "xss-*" names no rule of class sqli',
  ],
  [
    "no pattern",
    'exceptions: [{id: a, rules: ["sqli*x"], path: /a, why: x}]\n',
    "p:1:30: exceptions[0].rules[0]: expected a rule id",
  ],
  [
    "two exceptions of one id",
    "exceptions:\n  - {id: a, rules: [sqli-*], path: /a, why: x}\n  - {id: a, rules: [xss-*], path: /a, why: x}\n",
    'p:3:10: exceptions[1].id: "a" is already the id of exceptions[0]',
  ],
  [
    "the same id in a workload",
    "exceptions: [{id: a, rules: [sqli-*], path: /a, why: x}]\nworkloads: [{match: {service: s}, exceptions: [{id: a, rules: [xss-*], path: /a, why: x}]}]\n",
    'p:2:53: workloads[0].exceptions[0].id: "a" is already the id of exceptions[0]',
  ],
  [
    "number as a name",
    "exceptions: [{id: a, rules: [sqli-*], part: query, name: 1, why: x}]\n",
    'p:1:58: exceptions[0].name: expected text, got 1: write "1" in quotes',
  ],
  [
    "name of a body",
    "exceptions: [{id: a, rules: [sqli-*], part: body, name: x, why: x}]\n",
    'p:1:57: exceptions[0].name: a value of part "body" has no name',
  ],
  [
    "name that is no pointer",
    "exceptions: [{id: a, rules: [sqli-*], part: json, name: q, why: x}]\n",
    'p:1:57: exceptions[0].name: expected a JSON Pointer, such as "/q"',
  ],
  [
    "name that is no index",
    "exceptions: [{id: a, rules: [sqli-*], part: path, name: q, why: x}]\n",
    "p:1:57: exceptions[0].name: expected the index",
  ],
  [
    "header in capitals",
    "exceptions: [{id: a, rules: [sqli-*], part: header, name: X-Q, why: x}]\n",
    'p:1:59: exceptions[0].name: expected a header in lower case: "x-q"',
  ],
  [
    "empty name would match all",
    'exceptions: [{id: a, rules: [sqli-*], part: query, name: "", why: x}]\n',
    "p:1:58: exceptions[0].name: expected a name",
  ],
  [
    "day that is no day",
    "exceptions: [{id: a, rules: [sqli-*], path: /a, why: x, expires: 2027-02-29}]\n",
    'p:1:66: exceptions[0].expires: expected a day that exists, got "2027-02-29"',
  ],
  [
    "day of another form",
    "exceptions: [{id: a, rules: [sqli-*], path: /a, why: x, expires: 1.6.2027}]\n",
    'p:1:66: exceptions[0].expires: expected a day such as "2027-06-01"',
  ],
  [
    "day beyond what the module counts",
    "exceptions: [{id: a, rules: [sqli-*], path: /a, why: x, expires: 2106-02-07}]\n",
    "p:1:66: exceptions[0].expires: expected a day from 1970 to 2105",
  ],
  ["workload that selects nothing", "workloads: [{match: {}}]\n", "p:1:21: workloads[0].match: selects nothing"],
  [
    "the same workload twice",
    "workloads:\n  - match: {service: s, labels: {a: b, c: d}}\n  - match: {labels: {c: d, a: b}, service: s}\n",
    "p:3:12: workloads[1].match: selects the same as workloads[0]",
  ],
  [
    "identity in a workload",
    "workloads: [{match: {service: s}, identity: {}}]\n",
    "p:1:35: workloads[0].identity: unknown key",
  ],
  ["key twice", "mode: off\nmode: block\n", "p:2:1: not valid YAML: Map keys must be unique"],
  [
    "bare star",
    "routes:\n  - match: {path: /a}\n    mode: *\n",
    'p:3:11: not valid YAML: Alias cannot be an empty string; text that starts with "*"',
  ],
  [
    "bare two stars",
    "routes:\n  - match:\n      path: **\n",
    'p:3:13: not valid YAML: there is no anchor &*; text that starts with "*" has to stand in quotes: "**"',
  ],
  [
    "template inside of braces",
    "routes:\n  - match: {path: /{id}}\n",
    'p:2:20: not valid YAML: Unexpected flow-map-start at node end; inside of {} and [] a path with "{name}"',
  ],
  [
    "colon in text",
    "exceptions:\n  - why: a: b\n",
    "p:2:10: not valid YAML: Nested mappings are not allowed in compact mappings; text with",
  ],
  ["tab", "\tmode: off\n", "p:1:1: not valid YAML: Tabs are not allowed as indentation"],
  ["unknown tag", "mode: !foo off\n", "p:1:7: not valid YAML: Unresolved tag: !foo"],
  ["two documents", "mode: off\n---\nmode: off\n", 'p:2:1: not valid YAML: expected one document: remove the "---"'],
  ["YAML 1.1", "%YAML 1.1\n---\nmode: off\n", "p:1:1: expected YAML 1.2, got 1.1"],
  ["key that is a list", "? [a]\n: 1\n", "p:1:3: expected text as a key"],
  ["prototype", "__proto__: {mode: off}\n", "p:1:1: __proto__: unknown key"],
  ["merge key", "<<: {mode: off}\n", "p:1:1: <<: unknown key"],
  [
    "alias bomb",
    "a: &a [1,1]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]\n",
    "p:1:1: aliases that expand to more than 100 copies",
  ],
  ["aliases without end", `a: &a 1\nb: [${"*a,".repeat(1000)}]\n`, "p:1:1: not a policy: more than 100 aliases"],
  ["brackets without end", "[".repeat(100_000), "p:1:1: not a policy: nested deeper than 64 levels"],
  ["dashes without end", "- ".repeat(100_000), "p:1:1: not a policy: nested deeper than 64 levels"],
  ["keys without end", "a: ".repeat(100_000), "p:1:1: not a policy: more than 50000 keys"],
  [
    "too many keys",
    Array.from({ length: 50_001 }, (_, i) => `k${i}: 1\n`).join(""),
    "p:1:1: not a policy: more than 50000 keys",
  ],
  ["too large", `# ${"x".repeat(512 * 1024)}\n`, "p:1:1: not a policy: the file is larger than 512 KiB"],
];

for (const [id, text, ...expected] of REFUSED) {
  test(`refused: ${id}`, () => {
    const issues = issuesOf(text);
    assert.equal(loadPolicy(text, NOW).policy, null);
    for (const [index, start] of expected.entries()) {
      assert.ok(issues[index]?.startsWith(start), `expected "${start}", got "${issues[index]}"`);
    }
  });
}

const WARNED: [id: string, text: string, issue: string][] = [
  [
    "expired",
    "exceptions: [{id: a, rules: [sqli-*], path: /a, why: x, expires: 2026-11-20}]\n",
    "p:1:66: warning: exceptions[0].expires: expired: 2026-11-20 is over in UTC",
  ],
  [
    "exception everywhere",
    "exceptions: [{id: a, rules: [sqli-*], why: x}]\n",
    "p:1:14: warning: exceptions[0]: applies to every request",
  ],
  [
    "SPIFFE id without mTLS",
    'identity: {from: [jwt]}\nexceptions: [{id: a, rules: [sqli-*], identity: "spiffe://a/b", why: x}]\n',
    "p:2:49: warning: exceptions[0].identity: never applies",
  ],
  [
    "shadowed route",
    "routes:\n  - match: {path: /a/**}\n  - match: {path: /a/b, methods: [GET]}\n",
    "p:3:5: warning: routes[1]: never matches: routes[0] takes every request",
  ],
  [
    "shadowed by one for all",
    "routes:\n  - match: {}\n  - match: {host: a.example}\n",
    "p:3:5: warning: routes[1]: never matches",
  ],
  [
    "shadowed in a workload",
    "workloads:\n  - match: {service: s}\n    routes: [{match: {path: /a}}, {match: {path: /a}}]\n",
    "p:3:35: warning: workloads[0].routes[1]: never matches: workloads[0].routes[0]",
  ],
  [
    "shadowed workload",
    "workloads:\n  - match: {namespace: n}\n  - match: {namespace: n, service: s}\n",
    "p:3:5: warning: workloads[1]: never selected: workloads[0]",
  ],
  [
    "detector above the mode",
    "mode: detect\ndetectors: {sqli: {mode: block}}\n",
    "p:2:26: warning: detectors.sqli.mode: does nothing: the mode here is detect",
  ],
  [
    "detector of a route above its mode",
    "mode: block\nroutes: [{match: {path: /a}, mode: detect, detectors: {xss: {mode: block}}}]\n",
    "p:2:68: warning: routes[0].detectors.xss.mode: does nothing",
  ],
  [
    "off with settings",
    "mode: off\nroutes: [{match: {path: /a}, mode: block}]\n",
    "p:1:7: warning: mode: nothing is judged",
  ],
  [
    "nothing may be held",
    "limits: {holdBytes: 0, onLimit: deny}\n",
    "p:1:33: warning: limits.onLimit: every request with a body is refused",
  ],
];

for (const [id, text, issue] of WARNED) {
  test(`warned: ${id}`, () => {
    const { policy } = loadPolicy(text, NOW);
    assert.notEqual(policy, null);
    const issues = issuesOf(text);
    assert.equal(issues.length, 1, issues.join("\n"));
    assert.ok(issues[0]!.startsWith(issue), `expected "${issue}", got "${issues[0]}"`);
  });
}

const CLEAN: [id: string, text: string][] = [
  ["empty", ""],
  ["comments alone", "# nothing yet\n"],
  ["byte order mark and CRLF", "\ufeffmode: block\r\nsensitivity: low\r\n"],
  ["detector lowered", "mode: block\ndetectors: {sqli: {mode: detect}, xss: {}}\n"],
  [
    "detector for a route that raises the mode",
    "detectors: {sqli: {mode: block}}\nroutes: [{match: {path: /a}, mode: block}]\n",
  ],
  [
    "off at the top, on in a workload",
    "mode: off\nroutes: [{match: {path: /a}}]\nworkloads: [{match: {service: s}, mode: block}]\n",
  ],
  [
    "routes that only look alike",
    "routes:\n  - match: {path: /a/*}\n  - match: {path: /a/**}\n  - match: {path: /b, methods: [GET]}\n  - match: {path: /b}\n",
  ],
  ["words of YAML 1.1 as text", "exceptions: [{id: n, rules: [sqli-*], part: query, name: n, why: no}]\n"],
  ["many brackets in text", `exceptions: [{id: a, rules: [sqli-*], path: /a, why: "${"[".repeat(200)}"}]\n`],
  ["the last day", "exceptions: [{id: a, rules: [sqli-*], path: /a, why: x, expires: 2026-11-21}]\n"],
  [
    "anchors",
    "routes:\n  - match: {path: /a}\n    detectors: &quiet {xss: {sensitivity: low}}\n  - match: {path: /b}\n    detectors: *quiet\n",
  ],
];

for (const [id, text] of CLEAN) {
  test(`clean: ${id}`, () => assert.deepEqual(issuesOf(text), []));
}

test("an issue inside of an alias is told where the alias leads", () => {
  const text = "routes:\n  - match: &m {path: a}\n  - match: *m\n";
  assert.deepEqual(
    issuesOf(text).map((line) => line.split(": expected")[0]),
    ["p:2:22: routes[0].match.path", "p:2:22: routes[1].match.path"],
  );
});

test("at most fifty faults are told", () => {
  const text = Array.from({ length: 500 }, (_, i) => `k${i}: 1\n`).join("");
  assert.equal(issuesOf(text).length, 50);
});

test("a policy as an object is checked like a file", () => {
  assert.equal(policyFrom({ mode: "block", limits: { holdBytes: "1KiB" } }).limits.holdBytes, 1024);
  assert.throws(
    () => policyFrom({ mode: "blok" } as unknown as { mode: "block" }),
    (error: unknown) => error instanceof PolicyError && error.message.startsWith("policy:1:7: mode: expected off"),
  );
});

test("what is thrown has a line for each error, and no warnings", () => {
  const text = "mod: 1\nrouts: []\n";
  assert.throws(
    () => parsePolicy(text, "m.yaml"),
    (error: unknown) =>
      error instanceof PolicyError && /^m\.yaml:1:1: mod: .*\nm\.yaml:2:1: routs: .*$/.test(error.message),
  );
});

test("the largest policy that is taken fits the module; one more entry is told", () => {
  const exception = (i: number): string =>
    `  - {id: e${i}, rules: [sqli-*], path: "/${i}${"/p".repeat(100)}", methods: [GET], why: x}\n`;
  const list = (count: number): string =>
    `exceptions:\n${Array.from({ length: count }, (_, i) => exception(i)).join("")}`;
  const count = largest(1024, (candidate) => loadPolicy(list(candidate), NOW).policy !== null);
  assert.ok(count > 100, `only ${count} exceptions fit`);
  assert.match(issuesOf(list(count + 1))[0] ?? "", /^p:1:1: too large: needs \d+ KiB of the module's 1023/);
});

test("no text makes it throw, and whatever is wrong has a place in the text", () => {
  const pieces = fc.constantFrom(
    ...[
      "mode: block",
      "routes:",
      "- ",
      "match: {",
      "}",
      "[",
      "]",
      "path: /a",
      "&a ",
      "*a",
      ": ",
      "? ",
      "\n",
      "\n  ",
      "#",
      "'",
      '"',
    ],
    ...[
      "| ",
      "> ",
      "!!map ",
      "---",
      "...",
      "%YAML 1.2",
      "\t",
      "\r",
      "\ufeff",
      "é",
      "\u0000",
      "\ud800",
      "<<: ",
      "limits: ",
      "~",
      "exceptions:",
    ],
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 24 }), (parts) => {
      const text = parts.join("");
      const { policy, issues } = loadPolicy(text, NOW);
      assert.equal(
        policy === null,
        issues.some(({ severity }) => severity === "error"),
      );
      const lines = text.split("\n");
      for (const { line, column } of issues) {
        assert.ok(line >= 1 && line <= lines.length && column >= 1 && column <= lines[line - 1]!.length + 1);
      }
    }),
    { numRuns: 3000 },
  );
});
