/**
 * From a policy to the configuration of the plugin: JSON with every default said, keys in a fixed order, nothing that is
 * only for people. Equal policies give equal text, and its hash names the policy in metrics.
 */
import { createHash } from "node:crypto";
import { globPattern, rulePatterns } from "./pattern.ts";
import { SCHEMA_VERSION, SEVERITIES } from "./schema.ts";
import type { CustomRule, Denial, Exception, Field, Policy, Route, Workload } from "./schema.ts";

export interface CompileOptions {
  /** Whether Envoy gets `allow_on_headers_stop_iteration`: without it a module that holds headers hangs requests. */
  holdHeaders: boolean;
  /** Judge everything, even where the mode is off, refuse nothing and send no events; what `scan` asks for. Default false. */
  dryRun?: boolean;
  /** Log what is done with each value; only the checked build of the module can. Default false. */
  explain?: boolean;
}

/** What `JSON.stringify` gives to `proxy_on_configure`. Keys that say nothing are left out. */
export interface PluginConfiguration extends NormalizedPolicy {
  schema: number;
  /** The first 12 hex digits of the sha256 of the policy's normalized text. */
  policy: string;
  holdHeaders: boolean;
  dryRun?: true;
  explain?: true;
}

type Scope = Pick<Route, "mode" | "sensitivity" | "detectors" | "fields">;
/** Conditions on values are in the module's form (`pattern.ts`). */
type NormalizedException = Omit<Exception, "why">;
type NormalizedRule = Omit<CustomRule, "why" | "severity" | "contains" | "value" | "pattern"> & {
  /** The place of its severity among all. */
  severity: number;
  patterns?: string[];
};
/** Its media type is one of its headers. */
type NormalizedDenial = Omit<Denial, "contentType">;
type NormalizedWorkload = Omit<Workload, "denial" | "rules" | "exceptions"> & {
  denial?: NormalizedDenial;
  rules?: NormalizedRule[];
  exceptions?: NormalizedException[];
};

export interface NormalizedPolicy extends Omit<
  Policy,
  "version" | "modeLabel" | "denial" | "events" | "fields" | "rules" | "exceptions" | "workloads"
> {
  /** Where it is not the default. */
  modeLabel?: Policy["modeLabel"];
  events?: NormalizedEvents;
  denial?: NormalizedDenial;
  fields?: Field[];
  rules?: NormalizedRule[];
  exceptions: NormalizedException[];
  workloads: NormalizedWorkload[];
}

/** Where events go: what Envoy calls it, and what the module's requests say. */
export interface NormalizedEvents {
  cluster: string;
  authority: string;
  path: string;
  tls?: true;
}

/** The object without its undefined members. */
function said<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/** Detectors about which something is said; undefined where there is none. */
function normalizeDetectors(detectors: Policy["detectors"] | undefined): Policy["detectors"] | undefined {
  const named = Object.entries(detectors ?? {}).flatMap(([name, settings]) => {
    const { mode, sensitivity } = settings ?? {};
    return mode === undefined && sensitivity === undefined ? [] : [[name, said({ mode, sensitivity })]];
  });
  return named.length === 0 ? undefined : (Object.fromEntries(named) as Policy["detectors"]);
}

function normalizeFields(fields: readonly Field[] | undefined): Field[] | undefined {
  return fields?.length ? fields.map(({ part, name, kind }) => said({ part, name, kind })) : undefined;
}

function normalizeScope({ mode, sensitivity, detectors, fields }: Scope): Scope {
  return { mode, sensitivity, detectors: normalizeDetectors(detectors), fields: normalizeFields(fields) };
}

function normalizeRoute(route: Route): Route {
  const { host, path, methods } = route;
  return said({ host, path, methods, ...normalizeScope(route) });
}

function normalizeException(entry: Exception): NormalizedException {
  const { id, rules, class: attackClass, host, path, methods, part, name, identity, expires } = entry;
  const value = entry.value === undefined ? undefined : globPattern(entry.value, false);
  return said({ id, rules, class: attackClass, host, path, methods, part, name, identity, value, expires });
}

function normalizeRules(rules: readonly CustomRule[] | undefined): NormalizedRule[] | undefined {
  if (!rules?.length) return undefined;
  return rules.map((rule) => {
    const { id, class: attackClass, cwe, confidence, mode, host, path, methods, part, name, expires } = rule;
    const severity = SEVERITIES.indexOf(rule.severity);
    const patterns = rulePatterns(rule);
    return said({
      id,
      class: attackClass,
      cwe,
      severity,
      confidence,
      mode,
      host,
      path,
      methods,
      part,
      name,
      patterns,
      expires,
    });
  });
}

function normalizeDenial(denial: Denial | undefined): NormalizedDenial | undefined {
  if (denial === undefined) return undefined;
  const { status, contentType, headers, body } = denial;
  const own = Object.entries(headers).sort(([left], [right]) => (left < right ? -1 : 1));
  return {
    status,
    headers: { "content-type": contentType, "cache-control": "no-store", ...Object.fromEntries(own) },
    body,
  };
}

function normalizeEvents(events: Policy["events"]): NormalizedEvents | undefined {
  if (events === undefined) return undefined;
  const { authority, path, tls } = events.otlp;
  return { cluster: events.cluster, authority, path, ...(tls ? { tls } : {}) };
}

function normalizeObserve({ sample, hops }: Policy["observe"]): Policy["observe"] {
  return said({ sample, hops });
}

function normalizeWorkload(workload: Workload): NormalizedWorkload {
  const { namespace, service, labels, modeLabel, onError, denial, observe, limits, routes, rules, exceptions } =
    workload;
  return said({
    namespace,
    service,
    labels: labels && Object.fromEntries(Object.entries(labels).sort(([left], [right]) => (left < right ? -1 : 1))),
    ...normalizeScope(workload),
    modeLabel,
    onError,
    denial: normalizeDenial(denial),
    observe: observe && normalizeObserve(observe),
    limits: limits && said(limits),
    routes: routes?.map(normalizeRoute),
    rules: normalizeRules(rules),
    exceptions: exceptions?.map(normalizeException),
  });
}

/** The policy with its keys in a fixed order and without what only people read. */
export function normalizePolicy(policy: Policy): NormalizedPolicy {
  const { holdBytes, holdMillis, onLimit, onOverflow, onEncoded, depth, work } = policy.limits;
  return {
    mode: policy.mode,
    sensitivity: policy.sensitivity,
    onError: policy.onError,
    observe: normalizeObserve(policy.observe),
    limits: { holdBytes, holdMillis, onLimit, onOverflow, onEncoded, depth, work },
    identity: { from: policy.identity.from, trustedHops: policy.identity.trustedHops },
    detectors: normalizeDetectors(policy.detectors) ?? {},
    ...said({
      modeLabel: policy.modeLabel === "raise" ? undefined : policy.modeLabel,
      denial: normalizeDenial(policy.denial),
      events: normalizeEvents(policy.events),
      fields: normalizeFields(policy.fields),
      rules: normalizeRules(policy.rules),
    }),
    routes: policy.routes.map(normalizeRoute),
    exceptions: policy.exceptions.map(normalizeException),
    workloads: policy.workloads.map(normalizeWorkload),
  };
}

/** The first 12 hex digits of the policy's hash. */
export function policyHash(policy: Policy): string {
  return createHash("sha256")
    .update(JSON.stringify(normalizePolicy(policy)))
    .digest("hex")
    .slice(0, 12);
}

/** The plugin's configuration for `policy`. */
export function compilePolicy(policy: Policy, options: CompileOptions): PluginConfiguration {
  const { holdHeaders, dryRun = false, explain = false } = options;
  const { events, ...normalized } = normalizePolicy(policy);
  return {
    schema: SCHEMA_VERSION,
    policy: policyHash(policy),
    holdHeaders,
    ...(dryRun ? { dryRun } : {}),
    ...(explain ? { explain } : {}),
    ...normalized,
    ...(events === undefined || dryRun ? {} : { events }),
  };
}
