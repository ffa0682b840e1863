/**
 * How much of the module's arena a policy takes (assembly/policy/arenas.ts and layout.ts): a configuration that does not
 * fit is refused by the module, so the tool says so before. Rounded up; may say a little too much, never too little.
 */
import { globPattern, patternBytes, rulePatterns } from "./pattern.ts";
import type { CustomRule, Denial, Exception, Field, Policy, Route, Workload } from "./schema.ts";

/** Bytes of one arena, less its head. */
export const ARENA_BYTES = 1024 * 1024 - 16;
/** The fixed parts: a policy, a route, what routes say that say the same, a declared field, a rule, an exception. */
const POLICY_BYTES = 368;
const ROUTE_BYTES = 48;
const SCOPE_BYTES = 152;
const FIELD_BYTES = 32;
const RULE_BYTES = 72;
/** What must be free while a pattern is read (assembly/match/pattern.ts). */
const PATTERN_ROOM = 2432;
const EXCEPTION_BYTES = 96;
/** The most that a list of methods or rules may take, which must be free while one is read. */
export const LIST_BYTES = 512;

/** The lists of a policy or of a section that the module keeps. */
type Entries = Pick<Policy, "denial" | "observe" | "routes" | "exceptions" | "fields" | "rules">;

const text = (value: string | undefined): number => (value === undefined ? 0 : (Buffer.byteLength(value) + 7) & ~7);
const list = (values: readonly string[] | undefined): number => text(values?.map((value) => `${value},`).join(""));
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const fieldBytes = (fields: readonly Field[] = []): number =>
  sum(fields.map(({ name }) => FIELD_BYTES + text(name))) + trieBytes(fields.map(({ name }) => namePieces(name)));

const routeBytes = ({ host, path, methods, fields }: Route): number =>
  ROUTE_BYTES + text(host) + text(path) + list(methods) + fieldBytes(fields);

const scopeText = ({ mode, sensitivity, detectors = {} }: Route): string =>
  JSON.stringify([mode, sensitivity, Object.entries(detectors).sort(([left], [right]) => (left < right ? -1 : 1))]);

/** A trie of assembly/policy/trie.ts: its head, a node, and for each entry a place in its list and up to four in its table. */
const TRIE_BYTES = 96;
const NODE_BYTES = 32 + 4;
const ENTRY_BYTES = 4 + 4 * 4;

/** The steps by which an entry of a list is filed. */
type Steps = readonly string[];

function trieBytes(filed: readonly Steps[]): number {
  if (filed.length === 0) return 0;
  const nodes = new Set<string>();
  for (const steps of filed) {
    let node = "";
    for (const step of steps) nodes.add((node += `/${step}`));
  }
  return TRIE_BYTES + NODE_BYTES * (nodes.size + 1) + ENTRY_BYTES * filed.length;
}

const placeSteps = ({ host, path }: Pick<Route, "host" | "path">): Steps => [
  host?.replace(/:\d*$/, "") ?? "",
  ...(path ?? "/**")
    .split("/")
    .slice(1)
    .map((segment) => (segment.startsWith("{") ? "*" : segment)),
];

/** No segment begins as these do. */
function namePieces(name: string | undefined): Steps {
  const pieces = name?.split("/").map((piece) => `\n${piece}`) ?? [];
  return name?.endsWith("*") ? pieces.slice(0, -1) : pieces;
}

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

const entriesBytes = ({
  denial,
  observe,
  routes = [],
  exceptions = [],
  fields = [],
  rules = [],
}: Partial<Entries>): number =>
  denialBytes(denial) +
  list(observe?.hops) +
  sum(routes.map(routeBytes)) +
  SCOPE_BYTES * new Set(routes.map(scopeText)).size +
  sum(exceptions.map(exceptionBytes)) +
  fieldBytes(fields) +
  sum(rules.map(ruleBytes)) +
  trieBytes(routes.map(placeSteps)) +
  trieBytes(exceptions.map((entry) => [...placeSteps(entry), ...namePieces(entry.name)])) +
  trieBytes(rules.map(placeSteps));

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
