/**
 * A log record → what a sidecar has seen of an endpoint since its last record of it, or why it is none. Nothing of what comes is
 * believed: all is cleaned and bounded.
 */
import { clean } from "./clean.ts";
import { countIn, digestOf, listIn, senderOf, textIn, timeOf, type Sender } from "./event.ts";
import { hasVersion, libraryIn } from "./dependencies/urls.ts";
import type { LogRecord } from "./otlp.ts";

/** The name of the records that are observations. */
export const OBSERVATION_NAME = "meshward.endpoint";

export const DIRECTIONS = ["inbound", "outbound"] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** Types that the values of a parameter may have; a set of them is stored as bits, so the list only grows at its end. */
export const PARAMETER_TYPES = [
  "integer",
  "number",
  "boolean",
  "uuid",
  "date",
  "email",
  "url",
  "token",
  "text",
  "empty",
] as const;
export type ParameterType = (typeof PARAMETER_TYPES)[number];

export const STATUS_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;
export type StatusClass = (typeof STATUS_CLASSES)[number];

/** How a request that was answered with less than 400 was authenticated; `refused` counts 401 and 403. */
export const AUTHENTICATIONS = ["none", "basic", "bearer", "cookie", "api-key", "mtls", "refused"] as const;
export type Authentication = (typeof AUTHENTICATIONS)[number];

export const COMPONENT_KINDS = ["server", "framework", "library", "script-host", "script"] as const;
export type ComponentKind = (typeof COMPONENT_KINDS)[number];

/** Texts are cleaned; "" stands for what was not told. */
export interface Observation extends Sender {
  /** Tells it from every other, and the same when it is sent again: 32 hex digits. */
  key: string;
  /** Milliseconds since the epoch. */
  time: number;
  direction: Direction;
  /** Inbound: by which name the service was asked. Outbound: who was called. In lower case. */
  host: string;
  scheme: string;
  method: string;
  route: string;
  /** Responses of the interval; so are the counts below. */
  count: number;
  statuses: Record<StatusClass, number>;
  authentication: Record<Authentication, number>;
  /** `types` are bits, the places in PARAMETER_TYPES. */
  parameters: { part: string; name: string; types: number }[];
  request_types: string[];
  response_types: string[];
  callers: string[];
  /** `version` is "" where it is unknown. */
  components: { kind: ComponentKind; name: string; version: string }[];
}

const MOST_COUNT = 1_000_000_000;

/** Reads an observation; "unknown" where the record is none, "invalid" where it lacks what every one has. */
export function observationOf(record: LogRecord, now: number): Observation | "unknown" | "invalid" {
  const { attributes } = record;
  if (record.eventName !== OBSERVATION_NAME) return "unknown";
  const text = (name: string, most: number): string => textIn(attributes.get(name), most);
  const texts = (name: string, most: number): string[] => [
    ...new Set(
      listIn(attributes.get(name))
        .filter((value) => typeof value === "string")
        .map((value) => clean(value, most))
        .filter((value) => value !== ""),
    ),
  ];
  const counts = <Name extends string>(name: string, names: readonly Name[]): Record<Name, number> => {
    const found = Object.fromEntries(names.map((one) => [one, 0])) as Record<Name, number>;
    for (const value of texts(name, 64)) {
      const [, kind, count] = /^(\S+) (\d{1,9})$/.exec(value) ?? [];
      const known = names.find((one) => one === kind);
      if (known !== undefined) found[known] = Number(count);
    }
    return found;
  };
  const direction = DIRECTIONS.find((one) => one === text("meshward.direction", 16));
  const method = text("http.request.method", 64);
  const route = text("http.route", 256);
  const host = text("server.address", 256).toLowerCase();
  if (direction === undefined || method === "" || route === "" || (direction === "outbound" && host === "")) {
    return "invalid";
  }
  const observation: Observation = {
    key: "",
    time: timeOf(record, now),
    ...senderOf(record.resource),
    direction,
    host,
    scheme: ["http", "https"].find((one) => one === text("url.scheme", 16)) ?? "",
    method,
    route,
    count: countIn(attributes.get("meshward.count"), MOST_COUNT),
    statuses: counts("meshward.status_classes", STATUS_CLASSES),
    authentication: counts("meshward.authentication", AUTHENTICATIONS),
    parameters: texts("meshward.parameters", 256).flatMap((value) => parameterOf(value) ?? []),
    request_types: texts("meshward.request.content_types", 128).map((type) => type.toLowerCase()),
    response_types: texts("meshward.response.content_types", 128).map((type) => type.toLowerCase()),
    callers: texts("meshward.callers", 512),
    components: texts("meshward.components", 256).flatMap((value) => componentOf(value) ?? []),
  };
  // A sender that got no answer sends the same bytes again: the same key.
  const { key: _key, time: _time, ...content } = observation;
  observation.key = digestOf([record.nanoseconds, JSON.stringify(content)]);
  return observation;
}

/** `query integer|text page`; types that this version does not know are left out. */
function parameterOf(value: string): Observation["parameters"][number] | null {
  const [, part, given, name] = /^(\S{1,32}) (\S{1,128}) (.+)$/.exec(value) ?? [];
  if (part === undefined) return null;
  const names = given!.split("|");
  const types = PARAMETER_TYPES.reduce((bits, type, place) => (names.includes(type) ? bits | (1 << place) : bits), 0);
  return { part, name: name!, types };
}

/** `server nginx 1.25.3`; a name may have spaces. `script URL -` is the library that the URL names, if it names one. */
function componentOf(value: string): Observation["components"][number] | null {
  const [, given, name, version] = /^(\S+) (.+) (\S{1,64})$/.exec(value) ?? [];
  const kind = COMPONENT_KINDS.find((one) => one === given);
  if (kind === undefined) return null;
  if (kind !== "script") return { kind, name: name!, version: version === "-" ? "" : version! };
  const library = libraryIn(name!);
  if (library !== null) return { kind: "library", ...library };
  return hasVersion(name!) ? { kind, name: name!, version: "" } : null;
}
