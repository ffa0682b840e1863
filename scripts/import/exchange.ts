/** What an importer makes of one record of a log: a line for `scan` and `tune`, and what the record did not say. */
import { BadLine } from "../scan/exchange-line.ts";

/** Parts of a request that a log may lack. */
export const PARTS = ["host", "headers", "body", "address", "time"] as const;
export type Part = (typeof PARTS)[number];

/** What another firewall said about the request. */
export interface OtherVerdict {
  denied: boolean;
  /** Its rules that matched, at most 64. */
  rules: string[];
}

export interface Imported {
  id?: string | undefined;
  method: string;
  path: string;
  headers: [string, string][];
  body?: string | undefined;
  /** The body is base64. */
  isEncoded?: boolean;
  address?: string | undefined;
  time?: string | undefined;
  other?: OtherVerdict;
  lacks: Part[];
}

/** Counts over a whole log. */
export interface ImportSummary {
  records: number;
  masked: number;
  lacking: Map<Part, number>;
}

/** Headers and parameters whose values are secrets. */
const SECRET =
  /^(?:.*[-_.])?(?:authorization|cookie|set-cookie|api-?key|x-csrf-token|csrf|token|access_?token|refresh_?token|id_?token|auth|secret|client_?secret|pass|passwd|password|pwd|pin|otp|session|sessionid|sid|jsessionid|phpsessid)$/i;

/** A secret by its shape: letters become `a`, digits `9`; what could be an attack's structure stays. */
const shapeOf = (secret: string): string => secret.replace(/\p{L}/gu, "a").replace(/\p{N}/gu, "9");

/** The text with the values of secret parameters masked: `name=value` in a query or form, `"name": "value"` in JSON. */
function maskParameters(text: string): string {
  return text
    .replace(/(^|[?&;])([^=&;?#\s]{1,64})=([^&;#\s]*)/g, (whole, before: string, name: string, value: string) =>
      SECRET.test(name) ? `${before}${name}=${maskEncoded(value)}` : whole,
    )
    .replace(/("([^"\\]{1,64})"\s*:\s*")((?:[^"\\]|\\.)*)"/g, (whole, before: string, name: string, value: string) =>
      SECRET.test(name)
        ? `${before}${value.replace(/\\.|[^\\]+/g, (part) => (part.startsWith("\\") ? part : shapeOf(part)))}"`
        : whole,
    );
}

/** Percent escapes stay as they are. */
const maskEncoded = (value: string): string =>
  value.replace(/%[0-9A-Fa-f]{2}|[^%]+/g, (part) => (part.startsWith("%") ? part : shapeOf(part)));

function maskHeader(name: string, value: string): string {
  if (!SECRET.test(name)) return name.toLowerCase() === "referer" ? maskParameters(value) : value;
  // Names of cookies say where a finding is; they are no secret.
  if (!/cookie$/i.test(name)) return shapeOf(value);
  return value.replace(/=([^;]*)/g, (_, secret: string) => `=${maskEncoded(secret)}`);
}

/** The line of a record, with its secrets masked; adds to `summary`. */
export function lineOf(record: Imported, number: number, summary: ImportSummary): string {
  const { method, address, time, other } = record;
  const path = maskParameters(record.path);
  const headers = record.headers.map(([name, value]): [string, string] => [name, maskHeader(name, value)]);
  const body = record.body === undefined || record.isEncoded ? record.body : maskParameters(record.body);
  const isMasked =
    path !== record.path ||
    body !== record.body ||
    headers.some(([, value], index) => value !== record.headers[index]![1]);
  summary.records++;
  if (isMasked) summary.masked++;
  for (const part of record.lacks) summary.lacking.set(part, (summary.lacking.get(part) ?? 0) + 1);
  return JSON.stringify({
    id: record.id ?? number,
    request: {
      method,
      path,
      headers,
      ...(body === undefined ? {} : record.isEncoded ? { body_base64: body } : { body }),
    },
    ...(address === undefined ? {} : { source: { address } }),
    ...(time === undefined ? {} : { time }),
    ...(other === undefined ? {} : { other }),
  });
}

/** A member of an object that should be one. */
export function member(value: unknown, ...path: string[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<string, unknown>)[key];
  }
  return current;
}

export const textAt = (value: unknown, ...path: string[]): string | undefined => {
  const found = member(value, ...path);
  return typeof found === "string" && found !== "" && found !== "-"
    ? found
    : typeof found === "number"
      ? String(found)
      : undefined;
};

/** The time as scan takes it, or undefined. */
export function timeOf(text: string | number | undefined): string | undefined {
  if (text === undefined) return undefined;
  const milliseconds = typeof text === "number" ? text * 1000 : Date.parse(text);
  return Number.isFinite(milliseconds) && Math.abs(milliseconds) < 8e15
    ? new Date(milliseconds).toISOString()
    : undefined;
}

/** Headers of a map from names to one value or several. */
export function headersOf(value: unknown): [string, string][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, values]: [string, unknown]) =>
    (Array.isArray(values) ? values : [values]).map((one): [string, string] => [name, String(one)]),
  );
}

/** The value, or a fault that names what is missing. */
export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new BadLine(`${name} is missing`);
  return value;
}

/** Parts that a record lacks; a request that has no body by its method lacks none. */
export function lacking(record: Omit<Imported, "lacks">): Part[] {
  const names = new Set(record.headers.map(([name]) => name.toLowerCase()));
  const length = Number(record.headers.find(([name]) => name.toLowerCase() === "content-length")?.[1] ?? NaN);
  const mayHaveBody = length > 0 || (Number.isNaN(length) && /^(?:POST|PUT|PATCH)$/.test(record.method));
  return PARTS.filter((part) => {
    if (part === "host") return !names.has("host") && !names.has(":authority");
    if (part === "headers")
      return record.headers.every(([name]) => /^(?:host|user-agent|:authority|x-forwarded-for)$/i.test(name));
    if (part === "body") return record.body === undefined && mayHaveBody;
    return record[part] === undefined;
  });
}
