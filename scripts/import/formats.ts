/** One record of each log format → what it says of a request. */
import { BadLine } from "../scan/exchange-line.ts";
import { headersOf, lacking, member, required, textAt, timeOf } from "./exchange.ts";
import type { Imported } from "./exchange.ts";

const MAX_RULES = 64;

const complete = (record: Omit<Imported, "lacks">): Imported => ({ ...record, lacks: lacking(record) });

/** Path and query of a URL, as it was written. */
function targetOf(url: string): string {
  const path = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "").replace(/#.*$/s, "");
  return path.startsWith("/") ? path : `/${path}`;
}

/** An entry of a HAR file (http://www.softwareishard.com/blog/har-12-spec). */
export function fromHar(entry: unknown): Imported {
  const url = required(textAt(entry, "request", "url"), "request.url");
  const list = member(entry, "request", "headers");
  const headers = (Array.isArray(list) ? list : []).flatMap((header): [string, string][] => {
    const name = textAt(header, "name");
    // Pseudo headers of HTTP/2 say what method and URL say.
    return name === undefined || name.startsWith(":") ? [] : [[name, String(member(header, "value") ?? "")]];
  });
  const host = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1];
  if (host && !headers.some(([name]) => name.toLowerCase() === "host")) headers.unshift(["host", host]);
  const body = textAt(entry, "request", "postData", "text");
  return complete({
    method: required(textAt(entry, "request", "method"), "request.method"),
    path: targetOf(url),
    headers,
    body,
    isEncoded: textAt(entry, "request", "postData", "encoding") === "base64",
    time: timeOf(textAt(entry, "startedDateTime")),
    address: textAt(entry, "clientIPAddress") ?? textAt(entry, "_clientAddress"),
  });
}

/** A transaction of ModSecurity (2 or 3) or Coraza in JSON. */
export function fromAuditJson(value: unknown): Imported {
  const transaction = member(value, "transaction");
  if (transaction === undefined) throw new BadLine("transaction is missing");
  const request = member(transaction, "request") ?? member(value, "request");
  const line = /^(\S+) (.+?)(?: HTTP\/[\d.]+)?$/s.exec(textAt(request, "request_line") ?? "");
  const body = member(request, "body");
  const response = member(transaction, "response") ?? member(value, "response");
  const status = Number(textAt(response, "http_code") ?? textAt(response, "status") ?? 0);
  const listed =
    member(value, "messages") ?? member(transaction, "messages") ?? member(value, "audit_data", "messages");
  const rules = (Array.isArray(listed) ? listed : []).flatMap((message): string[] => {
    if (typeof message === "string") return /\[id "([^"]+)"\]/.exec(message)?.slice(1) ?? [];
    const id = textAt(message, "details", "ruleId") ?? textAt(message, "data", "id");
    return id === undefined ? [] : [id];
  });
  const isInterrupted =
    member(transaction, "is_interrupted") === true || member(value, "audit_data", "action", "intercepted") === true;
  const unix = Number(textAt(transaction, "unix_timestamp") ?? NaN);
  return complete({
    id: textAt(transaction, "id") ?? textAt(transaction, "unique_id") ?? textAt(transaction, "transaction_id"),
    method: required(textAt(request, "method") ?? line?.[1], "request.method"),
    path: targetOf(required(textAt(request, "uri") ?? line?.[2], "request.uri")),
    headers: headersOf(member(request, "headers")),
    body: Array.isArray(body) ? body.join("") : typeof body === "string" && body !== "" ? body : undefined,
    address: textAt(transaction, "client_ip") ?? textAt(transaction, "remote_address"),
    // Coraza counts nanoseconds.
    time: Number.isNaN(unix)
      ? timeOf(textAt(transaction, "time_stamp") ?? textAt(transaction, "timestamp"))
      : timeOf(unix > 1e12 ? unix / 1e9 : unix),
    other: { denied: isInterrupted || status === 403, rules: [...new Set(rules)].slice(0, MAX_RULES) },
  });
}

/** The parts of a transaction in ModSecurity's own format: by letter, the lines between two boundaries. */
export function fromAuditParts(parts: ReadonlyMap<string, string>): Imported {
  const [, time, id, address] = /^\[([^\]]+)\] (\S+) (\S+)/.exec(parts.get("A") ?? "") ?? [];
  const [first = "", ...lines] = (parts.get("B") ?? "").split("\n");
  const [, method, path] = /^(\S+) (.+?)(?: HTTP\/[\d.]+)?$/.exec(first) ?? [];
  if (method === undefined) throw new BadLine("part B has no request line");
  const headers = lines.flatMap((line): [string, string][] => {
    const colon = line.indexOf(":");
    return colon <= 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()]];
  });
  const told = parts.get("H") ?? "";
  const rules = [...told.matchAll(/\[id "([^"]{1,64})"\]/g)].map(([, rule]) => rule!);
  const clock = /^(\d+)\/(\w+)\/(\d+):(\d+:\d+:\d+)(?:\.\d+)? ([+-]\d{4})$/.exec(time ?? "");
  return complete({
    id,
    method,
    path: targetOf(path!),
    headers,
    body: parts.get("C")?.replace(/\n$/, ""),
    address,
    time: clock === null ? undefined : timeOf(`${clock[1]} ${clock[2]} ${clock[3]} ${clock[4]} ${clock[5]}`),
    other: { denied: /Access denied|^Action: Intercepted/m.test(told), rules: [...new Set(rules)].slice(0, MAX_RULES) },
  });
}

/** Envoy's default line: [time] "METHOD path protocol" status flags … "xff" "user agent" "id" "authority" "upstream". */
const ENVOY_TEXT =
  /^\[([^\]]+)\] "(\S+) (.*?) (HTTP\/[\d.]+|-)" (\d+) .*?"([^"]*)" "((?:[^"\\]|\\.)*)" "([^"]*)" "([^"]*)" "([^"]*)"\s*$/;

/** A line of Envoy's access log: its default text, or JSON with the names that Meshward's generator or Istio gives. */
export function fromEnvoyAccess(line: string): Imported {
  if (!line.startsWith("{")) {
    const found = ENVOY_TEXT.exec(line);
    if (found === null) throw new BadLine("neither JSON nor Envoy's default format");
    const [, time, method, path, , , forwarded, agent, id, authority] = found;
    const headers = [
      ["host", authority!],
      ["user-agent", agent!],
      ["x-forwarded-for", forwarded!],
    ] as [string, string][];
    return complete({
      id: id === "-" ? undefined : id,
      method: method!,
      path: path!,
      headers: headers.filter(([, value]) => value !== "-" && value !== ""),
      address: forwarded === "-" ? undefined : forwarded!.split(",")[0]!.trim(),
      time: timeOf(time),
    });
  }
  const value = JSON.parse(line) as unknown;
  const pick = (...names: string[]): string | undefined =>
    names.map((name) => textAt(value, name)).find((text) => text !== undefined);
  const headers: [string, string][] = [];
  const add = (name: string, text: string | undefined): void => void (text !== undefined && headers.push([name, text]));
  add("host", pick("authority", ":authority", "host"));
  add("user-agent", pick("user_agent", "user-agent"));
  add("referer", pick("referer"));
  add("x-forwarded-for", pick("x_forwarded_for", "x-forwarded-for"));
  const address = pick("downstream_remote_address", "source", "client", "source_address", "x_forwarded_for");
  return complete({
    id: pick("request_id", "x_request_id", "x-request-id"),
    method: required(pick("method", "request_method"), "method"),
    path: required(pick("path", "x_envoy_original_path", "uri"), "path"),
    headers,
    address: address
      ?.split(",")[0]!
      .trim()
      .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1"),
    time: timeOf(pick("start_time", "time", "timestamp")),
  });
}
