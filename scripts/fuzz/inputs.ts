/** What the fuzzer sends: requests, bodies, cuts and configurations, each made from a random source alone. */
import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import type { Random } from "../bench/random.ts";
import type { Header } from "../host/index.ts";

// prettier-ignore
const PIECES = ["1", "a", " ", "+", "%", "%2", "%25", "%00", "%u003c", "%c0%af", "&", "=", ";", ",", "?", "#", "/", "/../", "/..;/", "%2e%2e/", "\\", "\\u", "\\u003c",
  "\\\"", "\"", "'", "`", "{", "}", "[", "]", ":", "<", ">", "<script>", "alert(1)", "&lt;", "&#x3c", "' or 1=1--", "1 UNION SELECT a,b FROM c--", "/*", "*/", "--",
  "$(id)", "; cat /etc/passwd", "|", "../", "..%2f", "etc/passwd", "null", "true", "-1.5e3", "\r\n", "\t", "\u0000", "é", "\ufeff", "＜", "{\"q\":\"", "\"}", "[[[[[[[["];
const TYPES = [
  "application/json",
  "application/x-www-form-urlencoded",
  "text/plain",
  "application/problem+json; charset=utf-16",
  "image/png",
  "application/grpc",
  "application/json, application/x-www-form-urlencoded",
  "",
];
const METHODS = ["GET", "POST", "PUT", "CONNECT", "HEAD", "M".repeat(40)];

/** Up to `pieces` pieces of what means something to some parser, now and then a long run of one or bytes of any kind. */
export function randomBytes(random: Random, pieces: number): Buffer {
  const parts: Buffer[] = [];
  for (let count = random.below(pieces + 1); count > 0; count--) {
    const kind = random.below(24);
    if (kind === 0) parts.push(Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256))));
    else if (kind === 1) parts.push(Buffer.from(random.pick(PIECES).repeat(random.below(700))));
    else if (kind === 2) parts.push(Buffer.alloc(random.below(20_000), random.pick(PIECES)));
    else parts.push(Buffer.from(random.pick(PIECES)));
  }
  return Buffer.concat(parts);
}

export interface FuzzRequest {
  method: string;
  path: Buffer;
  headers: Header[];
  /** Null for a request that ends with its headers. */
  body: Buffer | null;
}

export function randomRequest(random: Random): FuzzRequest {
  const headers: Header[] = [["host", random.pick(["shop", "Shop:80", "[::1]:80", "admin.shop", "x".repeat(300)])]];
  for (let count = random.below(5); count > 0; count--) {
    const name = random.pick([
      "cookie",
      "referer",
      "x-a",
      "content-type",
      "content-encoding",
      "upgrade",
      "x-request-id",
    ]);
    if (name === "content-type") headers.push([name, random.pick(TYPES)]);
    else if (name === "content-encoding")
      headers.push([name, random.pick(["identity", "gzip", "deflate", "gzip, deflate", "x", ""])]);
    else headers.push([name, randomBytes(random, 6)]);
  }
  const path = Buffer.concat([Buffer.from("/"), randomBytes(random, 5), Buffer.from("?q="), randomBytes(random, 5)]);
  return { method: random.pick(METHODS), path, headers, body: random.below(4) === 0 ? null : randomBody(random) };
}

/** Bytes, now and then compressed, and those now and then broken. */
function randomBody(random: Random): Buffer {
  let body = randomBytes(random, 24);
  while (random.below(3) === 0) body = random.pick([gzipSync, deflateSync, deflateRawSync])(body);
  if (random.below(4) === 0 && body.length > 0) body[random.below(body.length)] = random.below(256);
  return body;
}

// prettier-ignore
const VALUES = ["<zq1>", "<script>alert(1)</script>", "\" onx=\"alert(1)", "'zq", "\\\";alert(1)//", "{{1337*1339}}", "zqa{{7*'7'}}zqb", "../../etc/passwd",
  ";id", "|uname -a", "en\r\nX-Zq: yes", "https://evil.example/a", "//evil.example", "http://169.254.169.254/", "javascript:alert(1)", "`${alert(1)}`", "--><zq1>", "&<zq>", "%3Czq%3E"];
// prettier-ignore
const SHOWN = ["<p>", "</p>", "<title>", "</title>", "<script>", "</script>", "<script type=module>", "<!--", "-->", "<a href=\"", "<a onclick='f(\"", "<input value=", "<textarea>", "=\"", "\"", "'",
  "`", "/*", "*/", "//", "/", "\\", "\n", " ", "<", ">", "{\"name\":\"", "\"}", "root:x:0:0:root:/root:/bin/sh\n", "a:x:1:1:b:/c:/d\n", "root:", "uid=0(root) gid=0", "49", "1790243",
  "You have an error in your SQL syntax", "ORA-00933", "near \"*\": syntax error", "<b>Warning</b>: mysqli_query() expects parameter", "Linux a 5.1", "total 8\ndrwxr-xr-x ",
  "-----BEGIN RSA PRIVATE KEY-----\n", "\"AccessKeyId\" : \"AAAAAAAAAAAAAAAAAAAA\" SecretAccessKey", "<meta http-equiv=refresh content=\"0;url=", "&lt;", "&#", "&amp", "%3c", "\\u003c"];

/** A value that checks of responses look for, maybe with something around it. */
export function randomValue(random: Random): string {
  const value = random.pick(VALUES);
  return random.below(3) === 0 ? value + randomBytes(random, 2).toString("latin1").slice(0, 300) : value;
}

const ENCODINGS: readonly ((value: string) => string)[] = [
  (value) => value,
  (value) => value,
  (value) => value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;"),
  (value) => JSON.stringify(value).slice(1, -1),
  (value) => encodeURIComponent(value),
  (value) => value.slice(0, -1),
];

/** A response that may show `value`. */
export function randomResponse(random: Random, value: string): { status: number; headers: Header[]; body: Buffer } {
  const headers: Header[] = [];
  const type = random.pick(["text/html", "text/html", "application/json", "text/plain", "image/png", ""]);
  if (type !== "") headers.push(["content-type", type]);
  if (random.below(6) === 0) headers.push(["location", value], ["x-zq", "yes"], ["refresh", `0;url=${value}`]);
  let text = "";
  for (let count = random.below(30); count > 0; count--) {
    const kind = random.below(20);
    if (kind === 0) text += random.pick(SHOWN).repeat(random.below(9000));
    else text += kind < 6 ? random.pick(ENCODINGS)(value) : random.pick(SHOWN);
  }
  let body: Buffer = Buffer.from(text, "latin1");
  const coding = random.below(8);
  if (coding < 2) {
    headers.push(["content-encoding", coding === 0 ? "gzip" : "deflate"]);
    body = coding === 0 ? gzipSync(body) : deflateSync(body);
    if (random.below(4) === 0 && body.length > 20) body[random.below(body.length)]! ^= 1 << random.below(8);
  }
  return { status: random.pick([200, 200, 200, 302, 404, 500, 204]), headers, body };
}

/** `body` in pieces, empty ones among them. */
export function randomPieces(random: Random, body: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const size = random.pick([0, 1, 2, 7, 100, 5000, 70_000]);
    pieces.push(body.subarray(at, at + size));
    at += size;
  }
  return pieces.length === 0 ? [body] : pieces;
}

const MODES = ["off", "detect", "block"];
const SENSITIVITIES = ["low", "balanced", "high"];
const PATHS = ["/**", "/a/**", "/*", "/{id}/a", "/**/**/**/a", "/1/**/etc/**"];

/** A plugin configuration that the module accepts. */
export function randomConfiguration(random: Random): Record<string, unknown> {
  const settings = () => ({
    mode: random.pick(MODES),
    sensitivity: random.pick(SENSITIVITIES),
    detectors: { [random.pick(["sqli", "xss", "cmdi", "traversal"])]: { mode: random.pick(MODES) } },
  });
  const list = <T>(most: number, make: () => T) => Array.from({ length: random.below(most + 1) }, make);
  return {
    schema: 1,
    policy: "0123456789ab",
    holdHeaders: true,
    ...settings(),
    mode: random.pick(["detect", "block", "block"]),
    onError: random.pick(["allow", "deny"]),
    limits: {
      holdBytes: random.pick([1, 64, 262_144]),
      holdMillis: random.pick([1, 1000, 30_000]),
      onLimit: random.pick(["continue", "deny"]),
      onOverflow: random.pick(["allow", "deny"]),
      onEncoded: random.pick(["continue", "deny"]),
      depth: random.pick([1, 4, 64]),
      work: random.pick([0, 100, 67_108_864]),
    },
    identity: { from: random.pick([[], ["mtls"], ["jwt", "mtls"]]), trustedHops: 0 },
    routes: list(4, () => ({ path: random.pick(PATHS), methods: ["GET", "POST"], ...settings() })),
    exceptions: list(4, () => ({
      id: "e",
      class: random.pick(["sqli", "xss"]),
      path: random.pick(PATHS),
      name: random.pick(["q", "a*", "/q", "*"]),
      ...(random.below(2) === 0 ? { identity: "10.*" } : {}),
    })),
    workloads: list(2, () => ({ service: random.pick(["cart", "other"]), ...settings() })),
  };
}

/** A configuration as text, or what is left of it after a few cuts, repeats and changed bytes. */
export function randomConfigurationText(random: Random): Buffer {
  let text = Buffer.from(JSON.stringify(randomConfiguration(random)));
  for (let changes = random.below(4); changes > 0; changes--) {
    const at = random.below(text.length + 1);
    const to = Math.min(text.length, at + random.below(60));
    const middle = random.pick([
      Buffer.alloc(0),
      randomBytes(random, 3),
      Buffer.concat([text.subarray(at, to), text.subarray(at, to)]),
      Buffer.from("[".repeat(random.below(100))),
      Buffer.from(`"x":"${"y".repeat(random.below(random.pick([10, 20_000, 300_000])))}",`),
    ]);
    text = Buffer.concat([text.subarray(0, at), middle, text.subarray(to)]);
  }
  return text;
}
