/**
 * How much of the module's arena a policy takes (assembly/policy/arenas.ts and layout.ts): a configuration that does not
 * fit is refused by the module, so the tool says so before. Rounded up; may say a little too much, never too little.
 */
import { globPattern, patternBytes, rulePatterns } from "./pattern.ts";
import type { CustomRule, Denial, Exception, Field, Policy, Route, Workload } from "./schema.ts";

/** Bytes of one arena, less its head. */
export const ARENA_BYTES = 256 * 1024 - 16;
/** The fixed parts: a policy, a route with its effective settings, an exception. */
const POLICY_BYTES = 280;
const ROUTE_BYTES = 192;
const FIELD_BYTES = 24;
const RULE_BYTES = 80;
/** What must be free while a pattern is read (assembly/match/pattern.ts). */
const PATTERN_ROOM = 2432;
const EXCEPTION_BYTES = 96;
/** The most that a list of methods or rules may take, which must be free while one is read. */
export const LIST_BYTES = 512;

/** The lists of a policy or of a section that the module keeps. */
type Entries = Pick<Policy, "denial" | "routes" | "exceptions" | "fields" | "rules">;

const text = (value: string | undefined): number => (value === undefined ? 0 : (Buffer.byteLength(value) + 7) & ~7);
const list = (values: readonly string[] | undefined): number => text(values?.map((value) => `${value},`).join(""));
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const fieldBytes = (fields: readonly Field[] = []): number => sum(fields.map(({ name }) => FIELD_BYTES + text(name)));

const routeBytes = ({ host, path, methods, fields }: Route): number =>
  ROUTE_BYTES + text(host) + text(path) + list(methods) + fieldBytes(fields);

const exceptionBytes = (entry: Exception): number =>
  EXCEPTION_BYTES +
  sum([entry.id, entry.host, entry.path, entry.name, entry.identity].map(text)) +
  (entry.value === undefined ? 0 : patternBytes(globPattern(entry.value, false))) +
  list(entry.rules) +
  list(entry.methods);

const ruleBytes = (rule: CustomRule): number =>
  RULE_BYTES +
  sum([rule.id, rule.host, rule.path, rule.name].map(text)) +
  list(rule.methods) +
  4 * rule.cwe.length +
  sum((rulePatterns(rule) ?? []).map(patternBytes));

/** The most that the headers of a denial may take, which must be free while they are read. */
const HEADERS_ROOM = 4096;

const denialBytes = (denial: Denial | undefined): number =>
  denial === undefined ? 0 : HEADERS_ROOM + text(denial.body);

/** What the module copies of each section, its own or not, to see whether it is its own. */
const selectorBytes = ({ namespace, service, labels }: Workload): number =>
  text(namespace) + text(service) + sum(Object.entries(labels ?? {}).map(([key, value]) => text(key) + text(value)));

const entriesBytes = ({ denial, routes = [], exceptions = [], fields = [], rules = [] }: Partial<Entries>): number =>
  denialBytes(denial) +
  sum(routes.map(routeBytes)) +
  sum(exceptions.map(exceptionBytes)) +
  fieldBytes(fields) +
  sum(rules.map(ruleBytes));

/** The most that a proxy can need: what holds for all, every selector twice (two walks), and the largest section. */
export function policyBytes(policy: Policy): number {
  const sections = policy.workloads.map(entriesBytes);
  return (
    POLICY_BYTES +
    LIST_BYTES +
    PATTERN_ROOM +
    entriesBytes(policy) +
    2 * sum(policy.workloads.map(selectorBytes)) +
    Math.max(0, ...sections)
  );
}
