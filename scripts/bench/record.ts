/**
 * One record of a labelled corpus (a line of JSON) and the request that carries its value: where the value stands and
 * how it is encoded there is what a browser or a client library would make of it.
 */
import { z } from "zod";
import type { ExchangeLine } from "../scan/exchange-line.ts";
import { BadLine, faultOf, parseJsonLine } from "../scan/exchange-line.ts";

const PLACES = [
  "query",
  "body-form",
  "body-json",
  "body-xml",
  "body-multipart",
  "body-raw",
  "header",
  "cookie",
  "path",
  "raw",
] as const;

const headerList = z.union([z.array(z.tuple([z.string(), z.string()])), z.record(z.string(), z.string())]);

/** A whole request, the value of a record of place `raw`. */
const rawRequest = z.object({
  method: z.string().nullish(),
  path: z.string().nullish(),
  headers: headerList.nullish(),
  body: z.string().nullish(),
  latin1: z.boolean().nullish(),
});

const recordSchema = z.object({
  id: z.unknown().optional(),
  class: z.string().optional(),
  label: z.enum(["attack", "benign"]),
  where: z.enum(PLACES),
  name: z.string().nullish(),
  value: z.unknown(),
  source: z.string().default(""),
  /** Of benign records: their kind. */
  sub: z.string().nullish(),
  /** Of attacks: only `clear` ones count. */
  tier: z.string().nullish(),
  /** `url`: the value is percent-encoded already. */
  enc: z.string().nullish(),
  /** The value is the whole body. */
  full: z.boolean().nullish(),
  filename: z.string().nullish(),
  ctype: z.string().nullish(),
});

export interface CorpusRecord {
  isAttack: boolean;
  /** The class of an attack, the kind of a benign record. */
  group: string;
  /** Where it comes from. */
  source: string;
  /** False for what is too weak to be asked for. */
  counts: boolean;
  request: ExchangeLine["request"];
  /** The line as it parsed. */
  value: object;
}

type Request = ExchangeLine["request"];
type Header = [string, string];

const BROWSER: readonly Header[] = [
  ["host", "shop.example.com"],
  ["user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"],
  ["accept", "*/*"],
  ["accept-language", "en-US,en;q=0.5"],
];
/** Sources whose raw requests come with all the headers that they mean to have. */
const WHOLE_REQUESTS = "coreruleset:";
const BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

/** The bytes of `text`: UTF-8, where a lone surrogate has the three bytes that a lenient encoder gives it; or Latin-1. */
function bytesOf(text: string, latin1 = false): Buffer {
  if (!latin1 && !/\p{Surrogate}/u.test(text)) return Buffer.from(text, "utf8");
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (latin1 && code < 256) bytes.push(code);
    else if (code >= 0xd800 && code <= 0xdfff)
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(...Buffer.from(character, "utf8"));
  }
  return Buffer.from(bytes);
}

/** `text` as a form has it: a space is a plus, all but letters, digits and `_.-~` is percent-encoded. */
function formEncoded(text: string): string {
  let encoded = "";
  for (const byte of bytesOf(text)) {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9_.~-]/.test(character)) encoded += character;
    else encoded += byte === 0x20 ? "+" : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

function formDecoded(text: string): string {
  return text.replaceAll("+", " ").replace(/[\x00-\x7f]+/g, (ascii) => {
    const latin1 = ascii.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    return Buffer.from(latin1, "latin1").toString("utf8");
  });
}

/** A JSON text as programs write it that do not escape what they need not. */
function jsonText(text: string): string {
  return `"${text.replace(/["\\\u0000-\u001f]/g, (character) => JSON.stringify(character).slice(1, -1))}"`;
}

function withBody(method: string, path: string, headers: Header[], body: Buffer): Request {
  return { method, path, headers, body_base64: body.toString("base64") };
}

function wholeRequest(value: unknown, source: string): Request {
  const result = rawRequest.safeParse(typeof value === "string" ? JSON.parse(value) : value);
  if (!result.success) throw new BadLine(faultOf(result.error, ["value"]));
  const { method, path, headers: given, body, latin1 } = result.data;
  const pairs = Array.isArray(given) ? given : Object.entries(given ?? {});
  const headers = pairs.map(([name, text]): Header => [name.toLowerCase(), text]);
  const names = new Set(headers.map(([name]) => name));
  if (!source.includes(WHOLE_REQUESTS)) headers.push(...BROWSER.filter(([name]) => !names.has(name)));
  const line = { method: method ?? "GET", path: path ?? "/", headers };
  if (!body) return line;
  const bytes = bytesOf(body, latin1 ?? false);
  if (!names.has("content-length") && !names.has("transfer-encoding")) {
    headers.push(["content-length", String(bytes.length)]);
  }
  return withBody(line.method, line.path, headers, bytes);
}

function multipart(name: string, value: string, filename: string, type: string): Buffer {
  const quoted = (text: string): string => text.replaceAll('"', "%22");
  const file =
    filename === "" ? "" : `; filename="${quoted(filename).replaceAll("\0", "%00")}"\r\nContent-Type: ${type}`;
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${quoted(name)}"${file}\r\n\r\n`;
  return Buffer.concat([bytesOf(head), bytesOf(value, filename !== ""), bytesOf(`\r\n--${BOUNDARY}--\r\n`)]);
}

function requestOf(record: z.output<typeof recordSchema>): Request {
  if (record.where === "raw") return wholeRequest(record.value, record.source);
  if (typeof record.value !== "string") throw new BadLine("value: expected text");
  const { value } = record;
  const isEncoded = record.enc === "url";
  const name = record.name || "q";
  const headers = BROWSER.map(([header, text]): Header => [header, text]);
  const url = "/api/v1/items";
  const get = (path: string): Request => ({ method: "GET", path, headers });
  const post = (type: string, body: string | Buffer): Request => {
    const bytes = typeof body === "string" ? bytesOf(body) : body;
    headers.push(["content-type", type], ["content-length", String(bytes.length)]);
    return withBody("POST", url, headers, bytes);
  };
  const pair = (): string => `${formEncoded(name)}=${isEncoded ? value : formEncoded(value)}`;
  switch (record.where) {
    case "query":
      return get(`${url}?${pair()}`);
    case "path":
      return get(value.startsWith("/") ? value : `/${value}`);
    case "body-form":
      return post("application/x-www-form-urlencoded", pair());
    case "body-raw":
      return post("application/x-www-form-urlencoded", value);
    case "body-xml":
      return post("text/xml", value);
    case "body-json": {
      if (record.full) return post("application/json", value);
      return post("application/json", `{${jsonText(name)}: ${jsonText(isEncoded ? formDecoded(value) : value)}}`);
    }
    case "body-multipart": {
      const body = multipart(name, value, record.filename ?? "", record.ctype || "application/octet-stream");
      return post(`multipart/form-data; boundary=${BOUNDARY}`, body);
    }
    case "cookie":
      headers.push(["cookie", `${formEncoded(name)}=${formEncoded(value).replaceAll("+", "%20")}`]);
      return get(url);
    case "header": {
      const text = value.replaceAll("\r", "").replaceAll("\n", " ");
      const known = headers.find(([header]) => header === name.toLowerCase());
      if (known === undefined) headers.push([name.toLowerCase(), text]);
      else known[1] = text;
      return get(url);
    }
  }
}

/** The record on a line; throws BadLine. */
export function parseRecord(bytes: Uint8Array): CorpusRecord {
  const { value } = parseJsonLine(bytes);
  const result = recordSchema.safeParse(value);
  if (!result.success) throw new BadLine(faultOf(result.error));
  const record = result.data;
  const isAttack = record.label === "attack";
  if (isAttack && record.class === undefined) throw new BadLine("class: missing: expected the class of the attack");
  return {
    isAttack,
    group: isAttack ? record.class! : (record.sub ?? "misc"),
    source: record.source,
    counts: (record.tier || "clear") === "clear",
    request: requestOf(record),
    value,
  };
}
