// Which route, exception and rules speak of a request: what the module finds through its tries, against a twin that asks each entry in
// turn; that the cost of finding does not grow with their number, in steps; and that the tool knows how much room a policy takes.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ARENA_BYTES, policyBytes } from "../../scripts/policy/footprint.ts";
import { policySchema } from "../../scripts/policy/schema.ts";
import { compilePolicy } from "../../scripts/policy/compile.ts";
import { compacted } from "../../istio/compact.ts";
import { GROWTHS, growthSource } from "../../scripts/bench/growth-policies.ts";
import { buildProbe } from "../probe/build.ts";

interface PolicyProbe {
  read(start: number, end: number): number;
  request(...spans: number[]): void;
  route(decoded: number): number;
  rules(): bigint;
  exception(rule: number, part: number, name: number, nameEnd: number): number;
  field(part: number, name: number, nameEnd: number): number;
  oneWay(start: number, end: number): number;
  normalize(start: number, end: number): number;
  normalized(): number;
  path(decoded: number): number;
  pathEnd(decoded: number): number;
  steps(): number;
}

const probe = await buildProbe<PolicyProbe>("policy");
const { exports: module } = probe;

interface Place {
  host?: string;
  path?: string;
  methods?: readonly string[];
}
interface Declared {
  part?: string;
  name?: string;
}
interface Routed extends Place {
  fields?: readonly Declared[];
}
interface Excepted extends Place {
  class?: string;
  rules?: readonly string[];
  part?: string;
  name?: string;
}
interface Entries {
  routes: Routed[];
  fields: readonly Declared[];
  exceptions: Excepted[];
  rules: Place[];
}
interface Request {
  host: string;
  method: string;
  path: string;
}

/** The slow twin: each entry as a regular expression, asked in the order of the policy. */
function templateExpression(template: string): RegExp {
  const segments = template.slice(1).split("/");
  const source = segments.map((segment) => {
    if (segment === "**") return "(?:/[^/]*)*";
    if (segment === "*" || /^\{.+\}$/.test(segment)) return "/[^/]+";
    return `/${segment.replace(/[^\w]/g, (character) => `\\${character}`)}`;
  });
  return new RegExp(`^${source.join("")}$`);
}

function speaksOf({ host, path, methods }: Place, request: Request, reading: string): boolean {
  const asked = host?.includes(":") ? request.host : request.host.replace(/:\d*$/, "");
  return (
    (host === undefined || host.toLowerCase() === asked.toLowerCase()) &&
    (methods === undefined || methods.includes(request.method)) &&
    // The first byte of a path is taken for the slash that it is.
    (path === undefined || templateExpression(path).test(reading && `/${reading.slice(1)}`))
  );
}

const matchesPattern = (pattern: string, text: string): boolean =>
  pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern;

const standsIn = ({ part, name }: Declared, finding: Finding): boolean =>
  (part === undefined || part === finding.part) && (name === undefined || matchesPattern(name, finding.name));

function covers(exception: Excepted, finding: Finding): boolean {
  return (
    standsIn(exception, finding) &&
    (exception.class === undefined || exception.class === finding.class) &&
    (exception.rules === undefined || exception.rules.some((pattern) => matchesPattern(pattern, finding.rule)))
  );
}

interface Finding {
  class: string;
  rule: string;
  part: string;
  name: string;
}
const CODES: Record<string, number> = { "sqli-union-select": 101, "xss-script-element": 200 };
const PARTS: Record<string, number> = { query: 0, json: 5 };

/** Reads the entries, and a section of our own; `form` is what is done with the configuration on its way to the module. */
function load(
  entries: Entries,
  section?: Entries,
  form: (configuration: Configured) => object = (same) => same,
): number {
  const names = section === undefined ? [] : ["m", "n"];
  const workloads = names.map((namespace) => ({ namespace, ...configured(section!) }));
  const configuration = { schema: 1, policy: "0", mode: "block", ...configured(entries), workloads };
  const plain = JSON.parse(JSON.stringify(configuration)) as Configured;
  return module.read(...probe.write(JSON.stringify(form(plain))));
}
type Configured = ReturnType<typeof configured> & { workloads: ReturnType<typeof configured>[] };
const configured = ({ routes, fields, exceptions, rules }: Entries) => ({
  routes,
  fields,
  exceptions: exceptions.map((entry, index) => ({ id: `e${index}`, ...entry })),
  rules: rules.map((entry, index) => ({
    id: `r${index}`,
    class: "sqli",
    severity: 1,
    confidence: 90,
    name: "q",
    ...entry,
  })),
});

function ask({ host, method, path }: Request): [routed: string, decoded: string] {
  module.request(...probe.write(host), ...probe.write(method), ...probe.write(path));
  return [0, 1].map((decoded) => probe.text(module.path(decoded), module.pathEnd(decoded))) as [string, string];
}

function agree(entries: Entries, request: Request, findings: readonly Finding[]): void {
  const readings = ask(request);
  for (const decoded of [0, 1])
    assert.equal(
      module.route(decoded),
      entries.routes.findIndex((route) => speaksOf(route, request, readings[decoded]!)),
      `the route of ${readings[decoded]}`,
    );
  const rules = entries.rules.reduce(
    (bits, rule, index) =>
      readings.some((path) => speaksOf(rule, request, path)) ? bits | (1n << BigInt(index)) : bits,
    0n,
  );
  assert.equal(BigInt.asUintN(64, module.rules()), rules, `the rules of ${readings.join(" and ")}`);
  for (const finding of findings) {
    const expected = entries.exceptions.findIndex(
      (exception) => covers(exception, finding) && readings.every((path) => speaksOf(exception, request, path)),
    );
    const found = module.exception(CODES[finding.rule]!, PARTS[finding.part]!, ...probe.write(finding.name));
    const own = entries.routes[module.route(0)]?.fields?.findIndex((one) => standsIn(one, finding)) ?? -1;
    const all = entries.fields.findIndex((one) => standsIn(one, finding));
    assert.equal(
      module.field(PARTS[finding.part]!, ...probe.write(finding.name)),
      own >= 0 ? own : all < 0 ? -1 : 1000 + all,
      `the field of ${JSON.stringify(finding)}`,
    );
    assert.equal(found, expected, `the exception for ${JSON.stringify(finding)} on ${readings.join(" and ")}`);
  }
}

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 3 });
const joined = (segment: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<string> =>
  fc.array(segment, { minLength: 1, maxLength }).map((segments) => `/${segments.join("/")}`);
const template = joined(fc.constantFrom("a", "b", "a", "b", "c.d", "", "*", "**", "{id}", "%7Ea"), 5);
const place = {
  host: optional(fc.constantFrom("a.example", "b.example", "b.example:8080", "A.example")),
  path: optional(template),
  methods: optional(fc.constantFrom(["GET"], ["POST", "PUT"])),
};
const NAMES = ["q", "q2", "/a", "/a/b", "/a/b/c", "/a/", "a/b", "", "/"];
const fieldPlace = {
  part: optional(fc.constantFrom("query", "json")),
  name: optional(fc.constantFrom(...NAMES.slice(0, 7), "*", "q*", "/a/*", "/a/b*", "/*", "a*", "/a/b/*")),
};
const fields = fc.array(fc.record({ ...fieldPlace, kind: fc.constant("id") }), { maxLength: 4 });
const exception = fc.record(
  {
    ...place,
    ...fieldPlace,
    class: optional(fc.constantFrom("sqli", "xss")),
    rules: optional(fc.constantFrom(["sqli-*"], ["xss-script-element", "sqli-union-select"])),
  },
  { requiredKeys: [] },
);
const entries = (most: number): fc.Arbitrary<Entries> =>
  fc.record({
    // Some differ from the one before in their path alone, as those of a service often do.
    routes: fc
      .array(
        fc.record({ ...place, fields: fc.option(fields, { nil: [] }), paths: fc.array(template, { maxLength: 2 }) }),
        { maxLength: Math.ceil(most / 2) },
      )
      .map((routes) =>
        routes.flatMap(({ paths, ...route }) => [route, ...paths.map((path) => ({ ...route, path }))]).slice(0, most),
      ),
    fields,
    exceptions: fc.array(exception, { maxLength: most }),
    rules: fc.array(fc.record(place), { maxLength: Math.min(most, 32) }),
  });
const path = fc.oneof(
  joined(fc.constantFrom("a", "b", "a", "b", "c.d", "", "x", "%61", "a%2Fb", ".", "..", "a;v=1", "%7Ea", "b%5ca"), 7),
  fc.constantFrom("", "*", "/", "//a", "a/b", `/a/${"b".repeat(8200)}`),
);
const request = fc.record({
  host: fc.constantFrom("a.example", "b.example", "B.EXAMPLE:8080", "b.example:80", "c.example", "", "[::1]:80"),
  method: fc.constantFrom("GET", "POST", "PUT", "DELETE"),
  path,
});
const finding = fc.record({
  rule: fc.constantFrom(...Object.keys(CODES)),
  part: fc.constantFrom(...Object.keys(PARTS)),
  name: fc.constantFrom(...NAMES),
});
const withClass = (found: Omit<Finding, "class">): Finding => ({ ...found, class: found.rule.split("-")[0]! });
const requests = fc.array(fc.tuple(request, fc.array(finding, { minLength: 3, maxLength: 3 })), {
  minLength: 6,
  maxLength: 6,
});

describe("a path with but one reading", () => {
  it("is one that neither Envoy nor a server changes", () => {
    const byte = fc.constantFrom(..."aZ0_-~.//..%;\\\\?:é ", "%2F", "%61", "/a", "/b.c");
    let plain = 0;
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 6 }), (pieces) => {
        const text = `/${pieces.join("")}`;
        if (module.oneWay(...probe.write(text)) === 0) return;
        plain++;
        const end = module.normalize(...probe.write(text));
        assert.equal(probe.text(module.normalized(), end), text);
        assert.doesNotMatch(text, /[%;\\]/, "and nothing in it is left to decode");
      }),
      { numRuns: 5000, seed: 14 },
    );
    assert.ok(plain > 200, `${plain} were`);
    for (const text of ["/", "/shop/v1/a.b-c_d~e", "/a/"]) assert.ok(module.oneWay(...probe.write(text)), text);
    for (const text of ["", "*", "a", "//", "/.a", "/a/..", "/a%20", "/a;b"])
      assert.ok(!module.oneWay(...probe.write(text)), text);
  });
});

describe("what speaks of a request", () => {
  const property = (most: number): void =>
    fc.assert(
      fc.property(entries(most), requests, (policy, asked) => {
        for (const form of [undefined, compacted]) {
          assert.ok(load(policy, undefined, form) > 0);
          for (const [one, findings] of asked) agree(policy, one, findings.map(withClass));
        }
      }),
      { numRuns: most > 20 ? 200 : 1000, seed: 11 },
    );
  it("is what asking each entry of a small policy finds", () => property(8));
  it("is what asking each entry of a large policy finds", () => property(120));

  it("is the section's of a workload before that of all", () => {
    fc.assert(
      fc.property(entries(6), entries(6), requests, (all, section, asked) => {
        const merged: Entries = {
          routes: [...section.routes, ...all.routes],
          fields: [...section.fields, ...all.fields],
          exceptions: [...section.exceptions, ...all.exceptions],
          rules: [...section.rules, ...all.rules],
        };
        for (const form of [undefined, compacted]) {
          assert.ok(load(all, section, form) > 0);
          for (const [one, findings] of asked) agree(merged, one, findings.map(withClass));
        }
      }),
      { numRuns: 300, seed: 12 },
    );
  });
});

describe("the cost of finding it", () => {
  /** The most steps that the module takes for any of the requests of a policy with `count` entries. */
  const steps = (growth: (typeof GROWTHS)[number], count: number): number => {
    const { policy, requests: asked } = growthSource(growth, count);
    assert.ok(
      module.read(...probe.write(JSON.stringify(compilePolicy(policySchema.parse(policy), { holdHeaders: true })))) > 0,
    );
    return Math.max(
      ...asked.map(({ host, method, path: target, route, exception: excepted, name }) => {
        const before = module.steps();
        ask({ host, method, path: target });
        assert.equal(module.route(0), route, target);
        const found = module.exception(CODES["sqli-union-select"]!, PARTS.query!, ...probe.write(name));
        assert.equal(found, excepted, `${target} ${name}`);
        return module.steps() - before;
      }),
    );
  };
  for (const growth of GROWTHS)
    it(`does not grow with their number: ${growth}`, () => {
      const few = steps(growth, 10);
      const many = steps(growth, 1000);
      assert.ok(few > 0 && many <= 2 * few + 10, `${few} steps with 10, ${many} with 1,000`);
    });

  it("does not grow with their number: declared fields", () => {
    const fields = Array.from({ length: 1000 }, (_, index) => ({ name: `field-${index}`, kind: "id" }));
    load({ routes: [], fields, exceptions: [], rules: [] });
    ask({ host: "a", method: "GET", path: "/" });
    for (const index of [0, 999]) {
      const before = module.steps();
      assert.equal(module.field(PARTS.query!, ...probe.write(`field-${index}`)), 1000 + index);
      assert.ok(module.steps() - before < 10, `${module.steps() - before} steps`);
    }
  });

  it("does not grow beyond the path, however many ways templates leave open", () => {
    const routes = ["/**/a/**/b", "/**/b/**/a", "/*/**/a", "/**/*/*/b", "/**"].map((template) => ({ path: template }));
    load({ routes, fields: [], exceptions: [], rules: [] });
    const before = module.steps();
    ask({ host: "a", method: "GET", path: "/a/b".repeat(500) });
    assert.ok(module.steps() - before < 40 * 1000, `${module.steps() - before} steps for 1,000 segments`);
  });
});

describe("the room that a policy takes", () => {
  const named = fc.constantFrom("q", "/items/*", "/items/0/name", "token");
  const source = fc.record({
    routes: fc.array(
      fc.record({
        match: fc.record({ host: fc.constantFrom("a.example", "b.example:80"), path: template.filter(isTaken) }),
        mode: fc.constantFrom("block" as const, "detect" as const),
        fields: fc.array(fc.record({ name: named, kind: fc.constant("id" as const) }), { maxLength: 2 }),
      }),
      { maxLength: 200 },
    ),
    exceptions: fc.array(
      fc.record({
        id: fc.constantFrom("an-exception", "b"),
        class: fc.constant("sqli" as const),
        path: template.filter(isTaken),
        name: named,
        why: fc.constant("x"),
      }),
      { maxLength: 200 },
    ),
  });
  function isTaken(text: string): boolean {
    return policySchema.safeParse({ routes: [{ match: { path: text } }] }).success;
  }

  it("is at most what the tool says, and not much less", () => {
    fc.assert(
      fc.property(source, (text) => {
        const policy = policySchema.parse(text);
        const taken = module.read(...probe.write(JSON.stringify(compilePolicy(policy, { holdHeaders: true }))));
        const said = policyBytes(policy);
        assert.ok(taken > 0 && taken <= said, `${taken} bytes, said ${said}`);
        assert.ok(said < 1.15 * taken + 4096, `${said} said, ${taken} taken`);
      }),
      { numRuns: 200, seed: 13 },
    );
  });

  it("is there for 1,000 routes and 1,000 exceptions, in any of the shapes that are measured", () => {
    for (const growth of GROWTHS) {
      const bytes = policyBytes(policySchema.parse(growthSource(growth, 1000).policy));
      assert.ok(bytes < ARENA_BYTES, `${growth}: ${bytes}`);
    }
  });
});
