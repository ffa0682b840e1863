/**
 * The policy, `meshward.yaml`: the only definition of its keys, values, bounds and defaults. Types are inferred from it,
 * the JSON Schema for editors is emitted from it (`emit-schemas.ts`), and what it yields is what the module is given
 * (`compile.ts`): sizes in bytes, durations in milliseconds, dates as the second at which they are over.
 *
 * A key is here only if the module acts on it.
 */
import { z } from "zod";
import { LIST_BYTES } from "./footprint.ts";
import { MAX_PATTERNS, expressionPatterns, globPattern, literalPatterns } from "./pattern.ts";
import { CLASSES, RULE_PATTERN } from "./rule-ids.ts";
import {
  DATE_PATTERN,
  DURATION_PATTERN,
  SIZE_PATTERN,
  SHARE_PATTERN,
  formatSize,
  parseDuration,
  parseExpiry,
  parseShare,
  parseSize,
} from "./units.ts";

/** The version of the compiled form; a module ignores keys that it does not know, so it changes only with a break. */
export const SCHEMA_VERSION = 1;

export const MODES = ["off", "detect", "block"] as const;
export const SENSITIVITIES = ["low", "balanced", "high"] as const;
/** Which way an internal failure goes. */
export const FAIL_DIRECTIONS = ["allow", "deny"] as const;
/** What a pod's label may do to its mode. */
export const MODE_LABELS = ["raise", "any", "ignore"] as const;
/** What happens to a stream at the limit of what can be held or read. */
export const LIMIT_ACTIONS = ["continue", "deny"] as const;
export const IDENTITY_SOURCES = ["mtls", "jwt"] as const;
/** What a field is declared to hold. */
export const FIELD_KINDS = ["html", "sql", "code", "url", "text", "id"] as const;
/** Where a value stood; the names that findings carry. */
export const PARTS = [
  "query",
  "path",
  "header",
  "cookie",
  "form",
  "json",
  "body",
  "xml",
  "multipart",
  "graphql",
  "grpc",
] as const;

export type Mode = (typeof MODES)[number];

/**
 * Envoy answers 413 by itself when a held body outgrows the connection's buffer, 1 MiB by default, so the filter has to
 * let go before: the last 64 KiB are kept for the read that is under way when the limit is reached.
 */
export const MAX_HOLD_BYTES = 1024 * 1024 - 64 * 1024;
/** A held stream waits this long at most: beyond it clients and Envoy's own timeouts give up first. */
export const MAX_HOLD_MILLIS = 60_000;
/** Levels of JSON that the module's explicit stack can follow. */
export const MAX_DEPTH = 64;
/** Most units of work that a policy may allow a body: what fits the module's number, with room to count beyond it. */
export const MAX_WORK = 1024 * 1024 * 1024;
/** Proxies in front that can be trusted to have written X-Forwarded-For. */
export const MAX_TRUSTED_HOPS = 16;
/** Rules of its own that a policy can have in one proxy: the module keeps a bit for each. */
export const MAX_RULES = 64;
const MAX_CWES = 4;
export const SEVERITIES = ["info", "low", "medium", "high", "critical"] as const;
/** Entries of one list. How much a policy may hold in all, `footprint.ts` says. */
export const MAX_ENTRIES = 1024;
/** Seconds of the last day that the module can read as the end of an exception (unsigned, 32 bits). */
const LAST_EXPIRY = 2 ** 32 - 1;

/** A whole number in a unit: written as a number or as text, yielding the number. */
function measure(
  parse: (value: number | string) => number | null,
  pattern: RegExp,
  [least, most]: [number, number],
  form: string,
  show: (value: number) => string,
) {
  return z
    .union(
      [z.int().meta({ minimum: least, maximum: most }), z.string().regex(pattern, { error: `expected ${form}` })],
      {
        error: `expected ${form}`,
      },
    )
    .transform((value, context) => {
      const number = parse(value);
      if (number !== null && number >= least && number <= most) return number;
      const range = `from ${show(least)} to ${show(most)}`;
      context.addIssue(number === null ? `expected ${form}` : `expected ${range}, got ${show(number)}`);
      return z.NEVER;
    });
}

const holdBytes = measure(
  parseSize,
  SIZE_PATTERN,
  [0, MAX_HOLD_BYTES],
  'a size such as "256KiB" or 262144',
  formatSize,
);
const holdMillis = measure(
  parseDuration,
  DURATION_PATTERN,
  [1, MAX_HOLD_MILLIS],
  'a duration such as "500ms", "1s" or 1000 (milliseconds)',
  (value) => `${value} ms`,
);

const work = measure(parseSize, SIZE_PATTERN, [0, MAX_WORK], 'a number of bytes such as "64MiB"', formatSize);

const limits = {
  holdBytes: holdBytes.describe("Bytes of a request that are held back until it is judged"),
  holdMillis: holdMillis.describe("How long a request is held, counted from its headers"),
  onLimit: z.enum(LIMIT_ACTIONS).describe("What happens to a request that outgrows holdBytes or holdMillis"),
  onOverflow: z
    .enum(FAIL_DIRECTIONS)
    .describe(
      "What happens when there is no room for a body, a compressed one holds too much, or one costs too much work",
    ),
  onEncoded: z.enum(LIMIT_ACTIONS).describe("What happens to a body whose content coding cannot be read"),
  depth: z
    .int()
    .min(1)
    .max(MAX_DEPTH)
    .describe("Levels of JSON that are followed; deeper text is inspected as plain text"),
  work: work.describe("Bytes of values of a body that are read again, once each of them has been read four times"),
};

/** What the module has room for: report/answer.ts, policy/read.ts. */
const MAX_DENIAL_BODY = 8192;
const MAX_DENIAL_HEADERS = 16;
const MAX_DENIAL_HEADERS_BYTES = 2048;
/** Headers that Envoy sets for the answer, or that say how a message ends. */
const RESERVED_HEADERS = new Set([
  "content-length",
  "transfer-encoding",
  "connection",
  "upgrade",
  "trailer",
  "date",
  "server",
]);

const headerName = z
  .string()
  .max(64)
  .regex(/^[a-z0-9!#$%&'*+.^_`|~-]+$/, { error: 'expected a header in lower case, such as "retry-after"' })
  .refine((name) => !RESERVED_HEADERS.has(name), { error: "is Envoy's own to set" });
const headerValue = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, { error: "expected visible ASCII, without spaces around it" });

const denial = z
  .strictObject({
    status: z.int().min(300).max(599).default(403).describe("The HTTP status"),
    contentType: headerValue.max(128).default("text/plain; charset=utf-8").describe("The media type of body"),
    headers: z
      .record(headerName, headerValue)
      .default({})
      .refine((headers) => Object.keys(headers).length <= MAX_DENIAL_HEADERS, {
        error: `expected at most ${MAX_DENIAL_HEADERS} headers`,
      })
      .refine((headers) => Object.entries(headers).flat().join("").length <= MAX_DENIAL_HEADERS_BYTES, {
        error: `expected at most ${MAX_DENIAL_HEADERS_BYTES} bytes of names and values`,
      })
      .refine((headers) => !("content-type" in headers), { error: 'expected the media type as "contentType"' })
      .describe("Headers besides content-type; cache-control is no-store unless it is here"),
    body: z
      .string()
      .refine((body) => Buffer.byteLength(body) <= MAX_DENIAL_BODY, {
        error: `expected at most ${MAX_DENIAL_BODY} bytes`,
      })
      .default("")
      .describe("The text of the answer; {request_id} stands for the request's id"),
  })
  .describe("What a refused request is answered with, instead of problem details, GraphQL errors or a page");

/** What the module has room for: policy/read.ts. */
const MAX_EVENTS_NAME = 512;
/** Envoy's cluster for events, as generated configuration calls it. */
export const EVENTS_CLUSTER = "meshward_otlp";
/** Where OTLP/HTTP takes logs, below its endpoint. */
const LOGS_PATH = "/v1/logs";

/** The parts of an OTLP/HTTP endpoint, or what is wrong with it. */
function otlpEndpoint(text: string): { authority: string; path: string; tls: boolean } | string {
  const form = 'expected the URL of an OTLP/HTTP endpoint, such as "http://127.0.0.1:4318"';
  if (!URL.canParse(text)) return form;
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return form;
  if (url.username !== "" || url.password !== "") {
    return "expected no credentials in it: a token comes from the environment, as MESHWARD_OTLP_TOKEN";
  }
  if (url.search !== "" || url.hash !== "") return "expected a URL without query and fragment";
  const base = url.pathname.replace(/\/+$/, "");
  const path = base.endsWith(LOGS_PATH) ? base : `${base}${LOGS_PATH}`;
  if (path.length > MAX_EVENTS_NAME || url.host.length > MAX_EVENTS_NAME) return "expected a shorter URL";
  return { authority: url.host, path, tls: url.protocol === "https:" };
}

const events = z
  .strictObject({
    otlp: z
      .string()
      .transform((text, context) => {
        const endpoint = otlpEndpoint(text);
        if (typeof endpoint !== "string") return endpoint;
        context.addIssue(endpoint);
        return z.NEVER;
      })
      .describe("An OpenTelemetry collector's OTLP/HTTP endpoint; /v1/logs is added to it"),
    evidence: z
      .literal("masked", { error: 'expected "masked", the only form that leaves the proxy' })
      .default("masked")
      .describe("How what was found is shown"),
    cluster: z
      .string()
      .max(MAX_EVENTS_NAME)
      .regex(/^[\x21-\x7e]+$/, { error: "expected the name of a cluster of Envoy" })
      .default(EVENTS_CLUSTER)
      .describe("Envoy's cluster that leads there, for configuration that Meshward does not make"),
  })
  .describe("Sends each finding to an OpenTelemetry collector, as a log record");

const mode = z.enum(MODES).describe("off: not judged; detect: judged and reported; block: attacks are refused");
const modeLabel = z
  .enum(MODE_LABELS)
  .describe("What the pod's label meshward.dev/mode may do: raise the mode, set any, or nothing");
const sensitivity = z
  .enum(SENSITIVITIES)
  .describe("How sure the module must be: low needs the most evidence, high the least");
const onError = z.enum(FAIL_DIRECTIONS).describe("What happens to a request when the module itself fails");

const detector = z.strictObject({ mode: mode.optional(), sensitivity: sensitivity.optional() });
const detectors = z
  .strictObject(
    Object.fromEntries(CLASSES.map((name) => [name, detector.optional()])) as Record<
      (typeof CLASSES)[number],
      z.ZodOptional<typeof detector>
    >,
  )
  .describe("Settings of one class of attack; a class that is not named takes those around it");

const host = z
  .string()
  .max(255)
  .regex(/^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*)(?::\d{1,5})?$/, {
    error: 'expected a host in lower case, such as "shop.example" or "shop.example:8080"; leave it out for every host',
  })
  .describe("The host of the request, in lower case; a port is compared only where one is given");

/** What makes a path template unusable, or null. Segments: literal, `*` (one), `**` (any number), `{name}` (one). */
function templateFault(template: string): string | null {
  if (!template.startsWith("/")) return 'expected a path template that starts with "/"';
  if (/[?#]/.test(template)) return 'expected a path without "?" or "#": a query is not part of it';
  if (/[\u0000-\u0020\u007f-\uffff\\]/.test(template)) {
    return 'expected visible ASCII without "\\"; write other bytes as Envoy sees them, "é" as %C3%A9';
  }
  if (/%(?![0-9A-Fa-f]{2})/.test(template)) return 'expected two hex digits after "%"';
  if (/%(?:2f|5c|00)/i.test(template))
    return "can never match: a path is also read with %2F and %5C decoded, and %00 is refused";
  const segments = template.slice(1).split("/");
  for (const [index, segment] of segments.entries()) {
    if (segment === "" && index < segments.length - 1) return 'can never match: Envoy merges "//" before';
    if (segment === "." || segment === "..") return `can never match: Envoy resolves "${segment}" before`;
    const isWild = segment === "*" || segment === "**" || /^\{[A-Za-z_][A-Za-z0-9_]*\}$/.test(segment);
    if (!isWild && /[*{}]/.test(segment)) {
      return `"*", "**" and "{name}" stand for whole segments; "${segment}" mixes them with text`;
    }
  }
  return null;
}

const path = z
  .string()
  .max(512)
  .superRefine((template, context) => {
    const fault = templateFault(template);
    if (fault !== null) context.addIssue(fault);
  })
  .describe("A path template: literal segments, * and {name} for one segment, ** for any number of them");

/** The module keeps a list as text, a comma behind each entry. */
const fitsList = (entries: readonly string[]): boolean => entries.join(",").length < LIST_BYTES;
const LIST_FULL = `expected at most ${LIST_BYTES} bytes in all, with a comma behind each entry`;

/** A host whose sidecar is told of values: `orders`, `10.1.1.1:8080`, `*.shop.example`. */
const hopHost = z
  .string()
  .max(255)
  .regex(/^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*(?::\d{1,5})?$/, {
    error: 'expected a host in lower case, such as "orders", "orders:8080" or "*.shop.example"',
  })
  .refine((host) => !/^\*.*:/.test(host), { error: "a name that begins with * has no port" });

const sample = z
  .string({ error: 'expected a share such as "10%"' })
  .regex(SHARE_PATTERN, { error: 'expected a share such as "10%", at most 100%' })
  .transform(parseShare);
const observe = z
  .strictObject({
    sample: sample.prefault("10%").describe("The share of responses that are inspected at most; 0% for none"),
    hops: z
      .array(hopHost)
      .min(1)
      .max(MAX_ENTRIES)
      .refine(fitsList, { error: LIST_FULL })
      .optional()
      .describe(
        "Hosts whose sidecars are told which values came in; without it names without a dot, *.svc and *.cluster.local",
      ),
  })
  .describe("What is watched without stopping anything");

const methods = z
  .array(
    z
      .string()
      .max(32)
      .regex(/^[A-Z][A-Z0-9_-]*$/, { error: 'expected a method in capitals, such as "POST"' }),
  )
  .min(1, { error: "expected at least one method; leave the key out for every method" })
  .refine(fitsList, { error: LIST_FULL })
  .describe("Methods of the request");

const place = { host: host.optional(), path: path.optional(), methods: methods.optional() };

const routeMatch = z.strictObject(place).describe("What the request must be; what is left out matches everything");

/** Findings carry at most 128 bytes of a name; a longer one could never be met. */
const fieldName = z
  .string()
  .min(1, { error: "expected a name; leave the key out for every field" })
  .refine((name) => Buffer.byteLength(name) <= 128, { error: "expected at most 128 bytes" });

/** What a value stands in, for fields, exceptions and rules. */
const fieldPlace = {
  part: z.enum(PARTS).optional().describe("The part of the request that the value stands in"),
  name: fieldName
    .optional()
    .describe(
      "The field: a parameter, a header in lower case, a JSON Pointer, the index of a path segment; may end in *",
    ),
};

const field = z
  .strictObject({ ...fieldPlace, kind: z.enum(FIELD_KINDS).describe("What people are meant to write into it") })
  .superRefine(({ part, name }, context) => {
    if (part === undefined && name === undefined) context.addIssue('expected "part" or "name": which field it is');
    const fault = fieldFault(part, name);
    if (fault !== null) context.addIssue({ code: "custom", path: ["name"], message: fault });
  });
const fields = z
  .array(field)
  .max(MAX_ENTRIES)
  .describe("What fields hold, which changes how sure a finding in them must be; the first that matches counts");

/** The settings that a route may change. */
const scopeSettings = { mode: mode.optional(), sensitivity: sensitivity.optional(), detectors: detectors.optional() };
const routeSettings = { ...scopeSettings, fields: fields.optional() };

const route = z
  .strictObject({ match: routeMatch, ...routeSettings })
  .transform(({ match, ...settings }) => ({ ...match, ...settings }));
const routes = z
  .array(route)
  .max(MAX_ENTRIES)
  .describe("The first route that matches a request sets its mode, sensitivity and detectors");

/** A reason, for people. */
const why = (of: string) =>
  z
    .string()
    .max(500)
    .regex(/\S/, { error: `expected the reason for this ${of}: whoever reads it later has to know` })
    .describe("The reason, for people");

const expires = z
  .string()
  .regex(DATE_PATTERN, { error: 'expected a day such as "2027-06-01"' })
  .transform((date, context) => {
    const end = parseExpiry(date);
    if (end !== null && end > 0 && end <= LAST_EXPIRY) return end;
    context.addIssue(`expected a day ${end === null ? "that exists" : "from 1970 to 2105"}, got "${date}"`);
    return z.NEVER;
  })
  .optional()
  .describe("The last day, in UTC, on which it counts");

/** Text that becomes patterns of the module; why it cannot is the issue. */
function condition<T extends z.ZodType<string | string[]>>(schema: T, compile: (value: z.output<T>) => unknown) {
  return schema.superRefine((value, context) => {
    try {
      compile(value);
    } catch (error) {
      context.addIssue((error as Error).message);
    }
  });
}

const conditionText = z.string().min(1, { error: "expected text; leave the key out for any value" }).max(256);

const rule = z
  .strictObject({
    id: z
      .string()
      .max(64)
      .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, { error: "expected a name of lower-case letters, digits and hyphens" })
      .describe("The rule's name in findings, metrics and exceptions"),
    class: z.enum(CLASSES).describe("The class of attack that it belongs to"),
    cwe: z.array(z.int().min(1).max(65535)).max(MAX_CWES).default([]).describe("Weaknesses, by their CWE numbers"),
    severity: z.enum(SEVERITIES).default("high"),
    confidence: z.int().min(20).max(100).default(90).describe("How sure a match is: compared as that of any finding"),
    mode: mode.optional().describe("The most that happens about it"),
    ...place,
    ...fieldPlace,
    contains: condition(z.array(conditionText).min(1).max(MAX_PATTERNS), literalPatterns)
      .optional()
      .describe("Texts, any of which the value holds"),
    value: condition(conditionText, (glob) => globPattern(glob, true))
      .optional()
      .describe("What the whole value is: * stands for any bytes, ? for one"),
    pattern: condition(conditionText, expressionPatterns)
      .optional()
      .describe("A regular expression that the value holds; without back references and look-around"),
    why: why("rule"),
    expires,
  })
  .superRefine((entry, context) => {
    const { contains, value, pattern, part, name } = entry;
    const said = [contains, value, pattern].filter((one) => one !== undefined).length;
    if (said > 1) context.addIssue('expected one of "contains", "value" and "pattern"');
    if (said === 0 && name === undefined)
      context.addIssue('finds every request: expected "contains", "value", "pattern" or "name"');
    const fault = fieldFault(part, name);
    if (fault !== null) context.addIssue({ code: "custom", path: ["name"], message: fault });
  });
const rules = z.array(rule).max(MAX_RULES).describe("Rules of your own, such as virtual patches");

const exception = z
  .strictObject({
    id: z
      .string()
      .max(64)
      .regex(/^[a-z0-9][a-z0-9._-]*$/, { error: "expected a name of lower-case letters, digits, dots and hyphens" })
      .describe("The name of the exception in logs and findings"),
    rules: z
      .array(
        z
          .string()
          .max(64)
          .regex(RULE_PATTERN, { error: 'expected a rule id, or the start of one and a star such as "sqli-*"' }),
      )
      .min(1, { error: "excepts nothing: expected at least one rule; leave the key out for every rule of the class" })
      .refine(fitsList, { error: LIST_FULL })
      .optional()
      .describe("The rules that do not count here: ids, or prefixes such as sqli-*"),
    class: z.enum(CLASSES).optional().describe("The class of attack that does not count here"),
    ...place,
    ...fieldPlace,
    identity: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe("The caller: a SPIFFE id, issuer/subject of a token, or an address; may end in *"),
    value: condition(conditionText, (glob) => globPattern(glob, false))
      .optional()
      .describe("What the whole value is, letter by letter: * stands for any bytes, ? for one"),
    why: why("exception"),
    expires,
  })
  .superRefine((entry, context) => {
    if (entry.rules === undefined && entry.class === undefined) {
      context.addIssue('excepts nothing: expected "rules" (such as [sqli-*]) or "class"');
    }
    const fault = fieldFault(entry.part, entry.name);
    if (fault !== null) context.addIssue({ code: "custom", path: ["name"], message: fault });
  });

/** Why no finding can have this part and name, or null. */
function fieldFault(part: (typeof PARTS)[number] | undefined, name: string | undefined): string | null {
  if (name === undefined || part === undefined) return null;
  if (part === "body") return 'a value of part "body" has no name; leave it out';
  if (part === "json" && name !== "*" && !name.startsWith("/")) return `expected a JSON Pointer, such as "/${name}"`;
  if (part === "xml" && name !== "*" && !name.startsWith("/"))
    return `expected the path of an element, such as "/${name}"`;
  if (part === "path" && !/^\d{1,4}\*?$/.test(name)) return 'expected the index of a path segment, from "0"';
  if (part === "header" && name !== name.toLowerCase())
    return `expected a header in lower case: "${name.toLowerCase()}"`;
  return null;
}

const exceptions = z.array(exception).max(MAX_ENTRIES).describe("Findings that do not count, each with its reason");

const label = z.string().max(253).min(1);
const selector = z
  .strictObject({
    namespace: label.optional(),
    service: label.optional(),
    labels: z.record(label, z.string().max(63)).optional(),
  })
  .refine(
    (match) =>
      match.namespace !== undefined || match.service !== undefined || Object.keys(match.labels ?? {}).length > 0,
    {
      error: 'selects nothing: expected "namespace", "service" or "labels"; settings for everything stand at the top',
    },
  )
  .describe("What Envoy's node metadata must say: namespace, service, labels");

const workload = z
  .strictObject({
    match: selector,
    ...routeSettings,
    modeLabel: modeLabel.optional(),
    onError: onError.optional(),
    denial: denial.optional(),
    observe: observe.optional(),
    limits: z
      .strictObject({
        holdBytes: limits.holdBytes.optional(),
        holdMillis: limits.holdMillis.optional(),
        onLimit: limits.onLimit.optional(),
        onOverflow: limits.onOverflow.optional(),
        onEncoded: limits.onEncoded.optional(),
        depth: limits.depth.optional(),
        work: limits.work.optional(),
      })
      .optional(),
    routes: routes.optional(),
    rules: rules.optional(),
    exceptions: exceptions.optional(),
  })
  .transform(({ match, ...settings }) => ({ ...match, ...settings }));

/** The whole file. Everything has a default, so an empty file is a policy: judge and report, refuse nothing. */
export const policySchema = z
  .strictObject({
    version: z
      .literal(SCHEMA_VERSION, { error: `expected ${SCHEMA_VERSION}, the only version there is` })
      .default(SCHEMA_VERSION)
      .describe("The version of this format"),
    mode: mode.default("detect"),
    modeLabel: modeLabel.default("raise"),
    sensitivity: sensitivity.default("balanced"),
    onError: onError.default("allow"),
    denial: denial.optional(),
    observe: observe.prefault({}),
    limits: z
      .strictObject({
        holdBytes: limits.holdBytes.default(256 * 1024),
        holdMillis: limits.holdMillis.default(1000),
        onLimit: limits.onLimit.default("continue"),
        onOverflow: limits.onOverflow.default("deny"),
        onEncoded: limits.onEncoded.default("continue"),
        depth: limits.depth.default(64),
        work: limits.work.default(64 * 1024 * 1024),
      })
      .prefault({}),
    identity: z
      .strictObject({
        from: z
          .array(z.enum(IDENTITY_SOURCES))
          .max(IDENTITY_SOURCES.length)
          .default([...IDENTITY_SOURCES])
          .describe("What may name the caller: mTLS before a token; else its address"),
        trustedHops: z
          .int()
          .min(0)
          .max(MAX_TRUSTED_HOPS)
          .default(0)
          .describe("Proxies in front whose entries of X-Forwarded-For are believed"),
      })
      .prefault({}),
    detectors: detectors.default({}),
    events: events.optional(),
    fields: fields.default([]),
    routes: routes.default([]),
    rules: rules.default([]),
    exceptions: exceptions.default([]),
    workloads: z
      .array(workload)
      .max(MAX_ENTRIES)
      .default([])
      .describe("Other settings for a service, a namespace or labels"),
  })
  .describe("Meshward's policy");

/** A policy with all defaults in it, in the module's units. */
export type Policy = z.output<typeof policySchema>;
export type Route = Policy["routes"][number];
export type Field = Policy["fields"][number];
export type CustomRule = Policy["rules"][number];
export type Exception = Policy["exceptions"][number];
export type Denial = z.output<typeof denial>;
export type Workload = Policy["workloads"][number];
/** A policy as a person writes it. */
export type PolicySource = z.input<typeof policySchema>;
