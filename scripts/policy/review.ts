/**
 * What the schema cannot see: settings that contradict each other (errors) and settings that do nothing (warnings).
 * Reads a policy, yields remarks; paths are those of the file, so a route's template is at `routes.0.match.path`.
 */
import { matchesRule, rulesNamed } from "./rule-ids.ts";
import { RULES } from "./rules.generated.ts";
import { ARENA_BYTES, policyBytes } from "./footprint.ts";
import { MAX_RULES, MODES } from "./schema.ts";
import type { CustomRule, Exception, Mode, Policy, Route, Workload } from "./schema.ts";

/** Keys and indices from the top of the file. */
export type Path = (string | number)[];

/** `routes[0].match.path`; empty for the top. */
export function showPath(path: Path): string {
  return path.map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");
}

export interface Remark {
  severity: "error" | "warning";
  path: Path;
  message: string;
}

const isWild = (segment: string): boolean => segment.startsWith("*") || segment.startsWith("{");
const segmentsOf = (template = "/**"): string[] => template.slice(1).split("/");

/** Whether the segments of template `wide` match every path that those of `narrow` match. May miss, never claims falsely. */
function segmentsCover(wide: readonly string[], narrow: readonly string[]): boolean {
  // Most templates differ in their first literals, and a thousand routes are half a million pairs.
  let shared = 0;
  for (; shared < wide.length && !isWild(wide[shared]!); shared++) if (wide[shared] !== narrow[shared]) return false;
  narrow = narrow.slice(shared);
  // covers[j]: whether what is left of `wide` covers narrow[j…]; filled from the end of `wide` to its start.
  let covers = Array.from({ length: narrow.length + 1 }, (_, at) => at === narrow.length);
  for (const segment of wide.slice(shared).toReversed()) {
    const takesAny = segment === "*" || segment.startsWith("{");
    const after = covers;
    covers = new Array<boolean>(narrow.length + 1).fill(false);
    for (let at = narrow.length; at >= 0; at--) {
      const other = narrow[at];
      if (segment === "**") covers[at] = after[at]! || (at < narrow.length && covers[at + 1]!);
      else if (other === undefined || other === "**") covers[at] = false;
      else if (other === "*" || other.startsWith("{")) covers[at] = takesAny && after[at + 1]!;
      else covers[at] = (takesAny ? other !== "" : other === segment) && after[at + 1]!;
    }
  }
  return covers[0]!;
}

/** Whether every path of template `narrow` is one of template `wide`; an absent template is every path. */
export function pathCovers(wide: string | undefined, narrow: string | undefined): boolean {
  return wide === undefined || segmentsCover(segmentsOf(wide), segmentsOf(narrow));
}

function hostAndMethodsCover(wide: Route, narrow: Route): boolean {
  return (
    (wide.host === undefined || wide.host === narrow.host) &&
    (wide.methods === undefined || (narrow.methods?.every((method) => wide.methods!.includes(method)) ?? false))
  );
}

function* reviewRoutes(routes: readonly Route[], at: Path): Generator<Remark> {
  const segments = routes.map(({ path }) => segmentsOf(path));
  for (const [index, route] of routes.entries()) {
    const earlier = routes.findIndex(
      (candidate, before) =>
        before === index ||
        (hostAndMethodsCover(candidate, route) && segmentsCover(segments[before]!, segments[index]!)),
    );
    if (earlier === index) continue;
    const message = `never matches: ${showPath([...at, earlier])} takes every request that it could, and the first match wins`;
    yield { severity: "warning", path: [...at, index], message };
  }
}

/** Rules of the policy's own that an exception, or a finding, may name. */
const ownRules = (policy: Policy): CustomRule[] => [
  ...policy.rules,
  ...policy.workloads.flatMap((workload) => workload.rules ?? []),
];

function* reviewRules(rules: readonly CustomRule[], at: Path, policy: Policy, now: number): Generator<Remark> {
  for (const [index, { id, expires }] of rules.entries()) {
    const path = [...at, index];
    if (RULES.some((known) => known.id === id)) {
      yield { severity: "error", path: [...path, "id"], message: `"${id}" is a rule of Meshward's own` };
    } else if (
      rules.findIndex((rule) => rule.id === id) < index ||
      (at.length > 1 && policy.rules.some((rule) => rule.id === id))
    ) {
      yield { severity: "error", path: [...path, "id"], message: `"${id}" is the id of another rule` };
    }
    if (expires !== undefined && expires <= now) {
      yield { severity: "warning", path: [...path, "expires"], message: "expired: it finds nothing any more" };
    }
  }
  const count = rules.length + (at.length > 1 ? policy.rules.length : 0);
  if (count > MAX_RULES) {
    yield {
      severity: "error",
      path: at,
      message: `expected at most ${MAX_RULES} rules with those at the top, got ${count}`,
    };
  }
}

function* reviewExceptions(
  exceptions: readonly Exception[],
  at: Path,
  policy: Policy,
  seen: Map<string, string>,
  now: number,
): Generator<Remark> {
  for (const [index, entry] of exceptions.entries()) {
    const path = [...at, index];
    const first = seen.get(entry.id);
    if (first !== undefined) {
      yield { severity: "error", path: [...path, "id"], message: `"${entry.id}" is already the id of ${first}` };
    }
    seen.set(entry.id, first ?? showPath(path));
    for (const [position, pattern] of (entry.rules ?? []).entries()) {
      const where = [...path, "rules", position];
      if (ownRules(policy).some(({ id }) => matchesRule(pattern, id))) continue;
      if (rulesNamed([pattern]).length === 0) {
        yield { severity: "error", path: where, message: `excepts nothing: no rule is named "${pattern}"` };
      } else if (entry.class !== undefined && rulesNamed([pattern], entry.class).length === 0) {
        const message = `excepts nothing: "${pattern}" names no rule of class ${entry.class}`;
        yield { severity: "error", path: where, message };
      }
    }
    const { host, path: template, methods, part, name, identity, value } = entry;
    if ([host, template, methods, part, name, identity, value].every((limit) => limit === undefined)) {
      const message = "applies to every request: name a host, path, part, name or identity, or set the detector's mode";
      yield { severity: "warning", path, message };
    }
    if (identity?.startsWith("spiffe://") && !policy.identity.from.includes("mtls")) {
      const message = 'never applies: a SPIFFE id comes from mTLS, which "identity.from" does not have';
      yield { severity: "warning", path: [...path, "identity"], message };
    }
    if (entry.expires !== undefined && entry.expires <= now) {
      const day = new Date((entry.expires - 86_400) * 1000).toISOString().slice(0, 10);
      const message = `expired: ${day} is over in UTC, so its findings count again`;
      yield { severity: "warning", path: [...path, "expires"], message };
    }
  }
}

/** The selector of a workload as text that is equal for equal selectors. */
function selectorKey({ namespace, service, labels }: Workload): string {
  return JSON.stringify([namespace ?? null, service ?? null, Object.entries(labels ?? {}).sort()]);
}

function selectorCovers(wide: Workload, narrow: Workload): boolean {
  return (
    (wide.namespace === undefined || wide.namespace === narrow.namespace) &&
    (wide.service === undefined || wide.service === narrow.service) &&
    Object.entries(wide.labels ?? {}).every(([key, value]) => narrow.labels?.[key] === value)
  );
}

function* reviewWorkloads(workloads: readonly Workload[]): Generator<Remark> {
  for (const [index, workload] of workloads.entries()) {
    const earlier = workloads.slice(0, index);
    const path = ["workloads", index];
    const same = earlier.findIndex((candidate) => selectorKey(candidate) === selectorKey(workload));
    const wider = earlier.findIndex((candidate) => selectorCovers(candidate, workload));
    if (same >= 0) {
      yield { severity: "error", path: [...path, "match"], message: `selects the same as workloads[${same}]` };
    } else if (wider >= 0) {
      const message = `never selected: workloads[${wider}] takes everything that it could, and the first match wins`;
      yield { severity: "warning", path, message };
    }
  }
}

function* reviewScope(
  { detectors, routes }: { detectors?: Policy["detectors"] | undefined; routes?: Route[] | undefined },
  mode: Mode,
  at: Path,
): Generator<Remark> {
  // A route below may raise the mode, so a detector is only too high if it is for all of them.
  const highest = [mode, ...(routes ?? []).map((route) => route.mode ?? mode)].sort(
    (left, right) => MODES.indexOf(right) - MODES.indexOf(left),
  )[0]!;
  yield* reviewDetectors(highest, detectors, [...at, "detectors"]);
  for (const [index, route] of (routes ?? []).entries()) {
    yield* reviewDetectors(route.mode ?? mode, route.detectors, [...at, "routes", index, "detectors"]);
  }
}

/** Detectors that ask for more than the mode around them: a detector's own mode can only lower it. */
function* reviewDetectors(mode: Mode, detectors: Policy["detectors"] | undefined, at: Path): Generator<Remark> {
  for (const [name, settings] of Object.entries(detectors ?? {})) {
    if (settings?.mode === undefined || MODES.indexOf(settings.mode) <= MODES.indexOf(mode)) continue;
    const message = `does nothing: the mode here is ${mode}, which a detector can only lower`;
    yield { severity: "warning", path: [...at, name, "mode"], message };
  }
}

function* reviewModes(policy: Policy): Generator<Remark> {
  const workloads = policy.workloads.map((workload) => ({ ...workload, mode: workload.mode ?? policy.mode }));
  const hasSettings = Object.keys(policy.detectors).length + policy.routes.length + policy.exceptions.length > 0;
  if (policy.mode === "off" && hasSettings && workloads.every(({ mode }) => mode === "off")) {
    const message = "nothing is judged: the mode is off, which no route and no detector can raise";
    yield { severity: "warning", path: ["mode"], message };
  }
  // A section may raise the mode of what holds for all.
  const highest = MODES[Math.max(...[policy, ...workloads].map(({ mode }) => MODES.indexOf(mode)))]!;
  if (highest !== "off") {
    yield* reviewScope(policy, highest, []);
    for (const [index, workload] of workloads.entries())
      yield* reviewScope(workload, workload.mode, ["workloads", index]);
  }
}

function* reviewLimits(limits: Partial<Policy["limits"]>, at: Path): Generator<Remark> {
  if (limits.holdBytes === 0 && limits.onLimit === "deny") {
    const message = "every request with a body is refused: none may be held, and onLimit is deny";
    yield { severity: "warning", path: [...at, "onLimit"], message };
  }
}

function* reviewSize(policy: Policy): Generator<Remark> {
  const bytes = policyBytes(policy);
  if (bytes <= ARENA_BYTES) return;
  const message = `too large: needs ${Math.ceil(bytes / 1024)} KiB of the module's ${Math.floor(ARENA_BYTES / 1024)}; use fewer routes and exceptions`;
  yield { severity: "error", path: [], message };
}

/** All remarks on a policy. `now` is Unix time in seconds. */
export function reviewPolicy(policy: Policy, now: number): Remark[] {
  const ids = new Map<string, string>();
  return [
    ...reviewSize(policy),
    ...reviewModes(policy),
    ...reviewLimits(policy.limits, ["limits"]),
    ...reviewRoutes(policy.routes, ["routes"]),
    ...reviewRules(policy.rules, ["rules"], policy, now),
    ...reviewExceptions(policy.exceptions, ["exceptions"], policy, ids, now),
    ...reviewWorkloads(policy.workloads),
    ...policy.workloads.flatMap((workload, index) => [
      ...reviewLimits({ ...policy.limits, ...workload.limits }, ["workloads", index, "limits"]),
      ...reviewRoutes(workload.routes ?? [], ["workloads", index, "routes"]),
      ...reviewRules(workload.rules ?? [], ["workloads", index, "rules"], policy, now),
      ...reviewExceptions(workload.exceptions ?? [], ["workloads", index, "exceptions"], policy, ids, now),
    ]),
  ];
}
