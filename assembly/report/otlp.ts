// Findings as OpenTelemetry log records, and batches of them as the body of an OTLP/HTTP request:
//
//   ExportLogsServiceRequest
//     1 ResourceLogs ┬ 1 Resource   who says it: the service, the instance, the policy
//                    └ 2 ScopeLogs ┬ 1 scope "meshward"
//                                  └ 2 LogRecord, LogRecord …      one a finding
//
// A record is written once, as it goes into a batch, when its stream has ended. It has no byte of a client that is not masked or a
// placeholder, but host, method and the field's name; those are made well-formed text, and cut.
// https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto/logs/v1

import { byteAt, findByte, hexValue, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { partName } from "../core/field";
import { Finding, findingEvidence, findingName, NAME_CAPACITY } from "../core/findings";
import { VERSION } from "../generated/version";
import {
  className,
  classNameEnd,
  ruleClass,
  ruleCwe,
  ruleCweCount,
  ruleId,
  ruleIdEnd,
  ruleSeverity,
  severityName,
  severityNameEnd,
} from "../match/rules";
import { Mode } from "../policy/layout";
import { Outcome, outcomeName } from "./counters";
import { SPAN_ID_SIZE, TRACE_ID_SIZE, UUID_SIZE } from "./ids";
import { pushDecimal, pushFixed64, pushLength, pushNumber, pushSafe, pushText } from "./protobuf";
import {
  ACCESS_KINDS,
  accessOf,
  callersOf,
  componentsOf,
  Endpoint,
  endpointHost,
  endpointMethod,
  endpointRoute,
  requestTypesOf,
  responseTypesOf,
  STATUS_CLASSES,
  statusOf,
  parametersOf,
} from "../observe/endpoints";
import {
  nextParameter,
  openParameters,
  parameterName,
  parameterNameEnd,
  parameterPart,
  parameterTypes,
  typeName,
  TYPES,
} from "../observe/parameters";
import { personal } from "../inspect/ids";
import { self, staff, subjectName, subject, subjectKind } from "../inspect/subject";
import { hashingId } from "../observe/hop-keys";
import {
  Form,
  handedAt,
  handedCount,
  Id,
  idCollection,
  idName,
  lostExchanges,
  unseen,
  usedAt,
  usedCount,
} from "../observe/ids";
import { modeName, stageName } from "./verdict";

/** What the records of one stream have in common. Empty spans are left out. */
// @ts-ignore: decorator
@unmanaged
export class About {
  /** Nanoseconds since the epoch. */
  time: u64;
  method: usize;
  methodEnd: usize;
  /** The template of its path: placeholders where a client chose. */
  route: usize;
  routeEnd: usize;
  /** With its port. */
  host: usize;
  hostEnd: usize;
  principal: usize;
  principalEnd: usize;
  /** UUID in text. */
  requestId: usize;
  /** `TRACE_ID_SIZE` and `SPAN_ID_SIZE` hex digits; 0 for none. */
  traceId: usize;
  spanId: usize;
  /** 0 for none. */
  status: u32;
  outcome: u8;
  mode: u8;
  outbound: bool;
  https: bool;
  /** The scheme is known. */
  schemed: bool;
}

/** Bytes of the longest record. */
export const RECORD_CAPACITY: usize = 4096;
/** Bytes of the texts in it. */
const METHOD_ROOM: usize = 16;
const HOST_ROOM: usize = 128;
const ROUTE_ROOM: usize = 160;
const PRINCIPAL_ROOM: usize = 160;
const EXCEPTION_ROOM: usize = 64;

/** Fields of LogRecord. */
const enum Record {
  Time = 1,
  SeverityNumber = 2,
  SeverityText = 3,
  Body = 5,
  Attributes = 6,
  TraceId = 9,
  SpanId = 10,
  EventName = 12,
}

/** Fields of AnyValue. */
const enum Value {
  String = 1,
  Int = 3,
  Array = 5,
}

/** Of Resource. */
const ATTRIBUTES: u32 = 1;
/** The one attribute list of a record, in which most of these functions write. */
const RECORD_ATTRIBUTES: u32 = Record.Attributes;

/** Makes the AnyValue at `out..end` an attribute of the list in field `list`. */
function pushAttribute(out: usize, list: u32, key: string, end: usize): usize {
  out = pushLength(out, 2, end);
  const keyEnd = out;
  out = pushLength(pushText(out, key), 1, keyEnd);
  return pushLength(out, list, end);
}

/** Makes what stands at `out..end` an attribute: a text, and the items of an array, of which there may be none. */
function pushTextAs(out: usize, key: string, end: usize): usize {
  return pushAttribute(pushLength(out, Value.String, end), RECORD_ATTRIBUTES, key, end);
}

function pushItemsAs(out: usize, key: string, end: usize): usize {
  return out == end ? out : pushAttribute(pushLength(out, Value.Array, end), RECORD_ATTRIBUTES, key, end);
}

/** `string` attributes: of bytes that anybody chose, and of a fixed text. */
function pushString(out: usize, key: string, start: usize, end: usize, room: usize): usize {
  return start == end ? out : pushTextAs(pushSafe(out, start, end, room), key, out);
}

function pushWord(out: usize, key: string, word: string): usize {
  return pushTextAs(pushText(out, word), key, out);
}

function pushInt(out: usize, key: string, value: u32): usize {
  return pushAttribute(pushNumber(out, Value.Int, value), RECORD_ATTRIBUTES, key, out);
}

function pushCwes(out: usize, rule: u32): usize {
  const last = out;
  for (let i: u32 = ruleCweCount(rule); i > 0; i--) {
    const value = out;
    out = pushLength(pushNumber(out, Value.Int, ruleCwe(rule, i - 1)), 1, value);
  }
  return pushItemsAs(out, "meshward.cwe", last);
}

/** Writes the lines `start..end` as an array of strings. */
function pushHops(out: usize, start: usize, end: usize): usize {
  const last = out;
  while (end > start) {
    let line = end;
    while (line > start && byteAt(line - 1) != Char.LineFeed) line--;
    out = pushItem(pushSafe(out, line, end, end - line), out);
    end = max(line, start + 1) - 1;
  }
  return pushItemsAs(out, "meshward.hops", last);
}

/** An item of an array: what was written since `last` as a string. */
function pushItem(out: usize, last: usize): usize {
  return pushLength(pushLength(out, Value.String, last), 1, last);
}

/** Writes an id of `size` hex digits as its bytes. */
function pushId(out: usize, field: u32, hex: usize, size: usize): usize {
  const end = out;
  out -= size >> 1;
  for (let i: usize = 0; i < size; i += 2) {
    putByte(out + (i >> 1), (hexValue(byteAt(hex + i)) << 4) | hexValue(byteAt(hex + i + 1)));
  }
  return pushLength(out, field, end);
}

/** What each record ends with, which is its beginning: its name. */
function pushName(out: usize, name: string): usize {
  return pushLength(pushText(out, name), Record.EventName, out);
}

/** Where it happened. */
function pushPlace(out: usize, about: About): usize {
  out = pushString(out, "server.address", about.host, about.hostEnd, HOST_ROOM);
  out = pushString(out, "http.route", about.route, about.routeEnd, ROUTE_ROOM);
  return pushString(out, "http.request.method", about.method, about.methodEnd, METHOD_ROOM);
}

/** The same in words: "access GET /orders/{number}". */
function pushLine(out: usize, word: string, about: About): usize {
  out = pushText(pushSafe(out, about.route, about.routeEnd, ROUTE_ROOM), " ");
  return pushText(pushSafe(out, about.method, about.methodEnd, METHOD_ROOM), word);
}

/** Writes the fields in front of the attributes, and makes all of it, up to `end`, a record: its line in words stands at `out..line`. */
function pushHead(out: usize, line: usize, severity: u32, time: u64, end: usize): usize {
  out = pushLength(pushLength(out, Value.String, line), Record.Body, line);
  const name = severityName(severity);
  out = pushLength(pushSafe(out, name, severityNameEnd(severity), 16), Record.SeverityText, out);
  out = pushNumber(out, Record.SeverityNumber, severityNumber(severity));
  return pushLength(pushFixed64(out, Record.Time, time), 2, end);
}

/** The `SeverityNumber` of a rule: INFO, INFO2, WARN, ERROR, FATAL. */
function severityNumber(severity: u32): u32 {
  return severity == 0 ? 9 : severity == 1 ? 10 : 5 + (severity << 2);
}

/**
 * Writes the record of one finding in front of `out`, as an item of `ScopeLogs.log_records`, and returns its start: at most
 * `RECORD_CAPACITY` bytes. `exception`: the id of what excuses it, an empty span for none.
 */
export function pushRecord(out: usize, about: About, finding: Finding, exception: usize, exceptionEnd: usize): usize {
  const end = out;
  const rule = finding.rule;
  const severity = ruleSeverity(rule);
  const stage = stageName(finding.stage);

  out = pushName(out, "meshward.finding");
  if (about.spanId != 0) out = pushId(out, Record.SpanId, about.spanId, SPAN_ID_SIZE);
  if (about.traceId != 0) out = pushId(out, Record.TraceId, about.traceId, TRACE_ID_SIZE);

  if (about.schemed) out = pushWord(out, "url.scheme", about.https ? "https" : "http");
  if (about.status != 0) out = pushInt(out, "http.response.status_code", about.status);
  out = pushPlace(out, about);
  out = pushWord(out, "meshward.direction", about.outbound ? "outbound" : "inbound");
  out = pushString(out, "meshward.principal", about.principal, about.principalEnd, PRINCIPAL_ROOM);
  out = pushString(out, "meshward.request_id", about.requestId, about.requestId + UUID_SIZE, UUID_SIZE);
  out = pushString(out, "meshward.exception", exception, exceptionEnd, EXCEPTION_ROOM);
  out = pushWord(out, "meshward.mode", modeName(<Mode>about.mode));
  out = pushWord(out, "meshward.outcome", outcomeName(<Outcome>about.outcome));
  if (finding.hopsSize != 0) out = pushHops(out, finding.hops, finding.hops + finding.hopsSize);
  const evidence = findingEvidence(finding);
  out = pushString(out, "meshward.evidence", evidence, evidence + finding.evidenceLength, finding.evidenceLength);
  const name = findingName(finding);
  out = pushString(out, "meshward.parameter", name, name + finding.nameLength, NAME_CAPACITY);
  out = pushWord(out, "meshward.part", partName(finding.part));
  out = pushCwes(out, rule);
  out = pushString(out, "meshward.severity", severityName(severity), severityNameEnd(severity), 16);
  out = pushInt(out, "meshward.confidence", finding.confidence);
  out = pushWord(out, "meshward.stage", stage);
  out = pushWord(out, "security_rule.ruleset.name", "meshward");
  const ruleKind = ruleClass(rule);
  out = pushString(out, "security_rule.category", className(ruleKind), classNameEnd(ruleKind), 64);
  out = pushString(out, "security_rule.name", ruleId(rule), ruleIdEnd(rule), 64);

  // "sqli-union-select: sqli attempted"
  const line = out;
  out = pushText(pushText(out, stage), " ");
  out = pushSafe(out, className(ruleKind), classNameEnd(ruleKind), 64);
  out = pushSafe(pushText(out, ": "), ruleId(rule), ruleIdEnd(rule), 64);
  out = pushHead(out, line, severity, about.time, end);
  if (isDefined(CHECKED)) assert(end - out <= RECORD_CAPACITY); // its keys and their lengths take less than 900, its texts 900
  return out;
}

// --- what was seen of an endpoint ---------------------------------------------------------------------------------------

/** Bytes of the longest record of an endpoint. */
export const ENDPOINT_CAPACITY: usize = 8192;
/** Bytes that a text of a list may take. */
const ITEM_ROOM: usize = 256;

/** Writes the texts of a list (observe/endpoints.ts) as an array of strings. */
function pushTexts(out: usize, key: string, texts: usize): usize {
  const last = out;
  const end = texts + 4 + load<u32>(texts);
  for (let at = texts + 4; at < end;) {
    const lineEnd = findByte(at, end, Char.LineFeed);
    const item = out;
    out = pushItem(pushSafe(out, at, lineEnd, ITEM_ROOM), item);
    at = lineEnd + 1;
  }
  return pushItemsAs(out, key, last);
}

/** Writes what was counted, each as a name and a number, where it is not 0. */
function pushCounts(out: usize, key: string, counts: usize, kinds: u32, access: bool): usize {
  const last = out;
  for (let i = kinds; i > 0; i--) {
    const count = load<u32>(counts + ((i - 1) << 2));
    if (count == 0) continue;
    const item = out;
    out = pushText(pushDecimal(out, count), " ");
    out = access ? pushText(out, accessName(i - 1)) : pushDecimal(pushText(out, "xx"), i);
    out = pushItem(out, item);
  }
  return pushItemsAs(out, key, last);
}

function accessName(index: u32): string {
  switch (index) {
    case 0:
      return "none";
    case 1:
      return "basic";
    case 2:
      return "bearer";
    case 3:
      return "cookie";
    case 4:
      return "api-key";
    case 5:
      return "mtls";
  }
  return "refused";
}

/** Writes the parameters of a list (observe/parameters.ts): "query integer|text page". */
function pushParameters(out: usize, list: usize): usize {
  const last = out;
  openParameters(list);
  while (nextParameter()) {
    const item = out;
    out = pushText(pushSafe(out, parameterName, parameterNameEnd, ITEM_ROOM), " ");
    const types = out;
    for (let i = TYPES; i > 0; i--) {
      if (((parameterTypes >> (i - 1)) & 1) == 0) continue;
      if (out != types) out = pushText(out, "|");
      out = pushText(out, typeName(i - 1));
    }
    out = pushItem(pushText(pushText(out, " "), partName(parameterPart)), item);
  }
  return pushItemsAs(out, "meshward.parameters", last);
}

const SEEN: usize = memory.data(128, 8);

/** The same as `pushRecord`, of what was seen of an endpoint: at most `ENDPOINT_CAPACITY` bytes. `time`: nanoseconds. */
export function pushEndpoint(out: usize, endpoint: Endpoint, time: u64): usize {
  const end = out;
  const about = changetype<About>(SEEN);
  about.method = endpointMethod(endpoint);
  about.methodEnd = about.method + endpoint.methodSize;
  about.route = endpointRoute(endpoint);
  about.routeEnd = about.route + endpoint.routeSize;
  about.host = endpointHost(endpoint);
  about.hostEnd = about.host + endpoint.hostSize;
  out = pushName(out, "meshward.endpoint");
  out = pushTexts(out, "meshward.components", componentsOf(endpoint));
  out = pushTexts(out, "meshward.callers", callersOf(endpoint));
  out = pushCounts(out, "meshward.authentication", accessOf(endpoint), ACCESS_KINDS, true);
  out = pushTexts(out, "meshward.response.content_types", responseTypesOf(endpoint));
  out = pushTexts(out, "meshward.request.content_types", requestTypesOf(endpoint));
  out = pushParameters(out, parametersOf(endpoint));
  out = pushCounts(out, "meshward.status_classes", statusOf(endpoint), STATUS_CLASSES, false);
  out = pushInt(out, "meshward.count", endpoint.count);
  out = pushWord(out, "meshward.direction", endpoint.outbound ? "outbound" : "inbound");
  out = pushWord(out, "url.scheme", endpoint.https ? "https" : "http");
  out = pushPlace(out, about);
  out = pushHead(pushLine(out, "endpoint ", about), out, 0, time, end);
  if (isDefined(CHECKED)) assert(end - out <= ENDPOINT_CAPACITY); // 32 × (64 + 80 + 16) + 768 + 512 + 2 × 160 + 900
  return out;
}

// --- who used which ids ------------------------------------------------------------------------------------------------

/** Bytes of the longest record of an exchange's ids. */
export const ACCESS_CAPACITY: usize = 4096;
/** Ids that were handed out, of one record; of more there are several. */
export const HANDED_AT_ONCE: u32 = 32;

/** Writes the lowest `digits` of a number in hex, bare. */
function pushHex(out: usize, value: u64, digits: u32): usize {
  for (; digits > 0; digits--, value >>= 4) {
    const digit = (<u32>value) & 15;
    putByte(--out, digit < 10 ? Char._0 + digit : Char.a + digit - 10);
  }
  return out;
}

function formName(form: u32): string {
  return form == Form.Small ? "small" : form == Form.Number ? "number" : form == Form.Short ? "short" : "long";
}

/** "order 0123456789abcdef" */
function pushId16(out: usize, id: Id): usize {
  out = pushText(pushHex(out, id.hash, 16), " ");
  return pushSafe(out, idCollection(id), idCollection(id) + id.collectionSize, ITEM_ROOM);
}

/** Writes what was used: "path order 0123456789abcdef number+1 orders". */
function pushUsed(out: usize): usize {
  const last = out;
  for (let i = usedCount; i > 0; i--) {
    const id = usedAt(i - 1);
    const item = out;
    out = pushText(pushSafe(out, idName(id), idName(id) + id.nameSize, ITEM_ROOM), " ");
    if (id.near) out = pushText(out, "+1");
    out = pushId16(pushText(pushText(out, formName(id.form)), " "), id);
    out = pushItem(pushText(pushText(out, " "), partName(id.part)), item);
  }
  return pushItemsAs(out, "meshward.used", last);
}

/** Writes what was handed out from the place `from` on: "order 0123456789abcdef own". */
function pushHanded(out: usize, from: u32): usize {
  const last = out;
  for (let i = min(from + HANDED_AT_ONCE, handedCount); i > from; i--) {
    const id = handedAt(i - 1);
    const item = out;
    if (id.own) out = pushText(out, " own");
    out = pushItem(pushId16(out, id), item);
  }
  return pushItemsAs(out, "meshward.handed", last);
}

function pushHexWord(out: usize, key: string, value: u64, digits: u32): usize {
  return pushTextAs(pushHex(out, value, digits), key, out);
}

/**
 * The same as `pushRecord`, of the ids of the exchange at work (observe/ids.ts): at most `ACCESS_CAPACITY` bytes. Of those that were
 * handed out the ones from the place `from` on; those that were used, where `used`.
 */
export function pushAccess(out: usize, about: About, from: u32, used: bool): usize {
  const end = out;
  out = pushName(out, "meshward.access");
  if (about.traceId != 0) out = pushId(out, Record.TraceId, about.traceId, TRACE_ID_SIZE);
  out = pushHanded(out, from);
  if (used) out = pushUsed(out);
  if (unseen) out = pushInt(out, "meshward.unseen", 1);
  if (staff) out = pushInt(out, "meshward.staff", 1);
  if (personal && used) out = pushInt(out, "meshward.personal", 1);
  if (self != 0) out = pushHexWord(out, "meshward.self", self, 16);
  if (lostExchanges != 0) out = pushInt(out, "meshward.lost", lostExchanges);
  out = pushHexWord(out, "meshward.key", hashingId(), 8);
  if (subject != 0) out = pushHexWord(out, "meshward.subject", subject, 16);
  out = pushWord(out, "meshward.subject.kind", subjectName(subjectKind));
  out = pushString(out, "meshward.request_id", about.requestId, about.requestId + UUID_SIZE, UUID_SIZE);
  out = pushPlace(out, about);
  out = pushHead(pushLine(out, "access ", about), out, 0, about.time, end);
  if (isDefined(CHECKED)) assert(end - out <= ACCESS_CAPACITY); // 32 × (32 + 21 + 6) + 8 × (32 + 40 + 36) + 1000
  return out;
}

// --- batches ------------------------------------------------------------------------------------------------------------

/** Attributes of the resource that a VM has for good, as items of `Resource.attributes`. */
const RESOURCE: usize = memory.data(1280, 8);
const RESOURCE_END: usize = RESOURCE + 1280;
let resource: usize = RESOURCE_END;
/** Bytes that a text of it may take. */
const NODE_ROOM: usize = 256;

/** Forgets who says it; each text is added then, the last one first. */
export function openResource(): void {
  resource = RESOURCE_END;
  const end = resource;
  resource = pushAttribute(pushLength(pushText(end, VERSION), Value.String, end), ATTRIBUTES, "meshward.version", end);
}

/** Adds an attribute to the resource: one of at most three, of at most 256 bytes. */
export function addToResource(key: string, start: usize, end: usize): void {
  const last = resource;
  const value = pushLength(pushSafe(resource, start, end, NODE_ROOM), Value.String, last);
  resource = pushAttribute(value, ATTRIBUTES, key, last);
  if (isDefined(CHECKED)) assert(resource >= RESOURCE);
}

/** Bytes that a batch needs in front of the records of one policy. */
export const GROUP_CAPACITY: usize = 1280 + 128;

/**
 * Puts what records need in front of those at `out..end`: all of them were made under one policy, `policy` its `POLICY_ID` hex
 * digits. What stands behind `end` is not of them.
 */
export function pushGroup(out: usize, end: usize, policy: usize): usize {
  const scopeEnd = out;
  out = pushLength(pushText(out, VERSION), 2, scopeEnd);
  const name = out;
  out = pushLength(pushText(out, "meshward"), 1, name);
  out = pushLength(out, 1, scopeEnd);
  out = pushLength(out, 2, end);
  const resourceEnd = out;
  if (byteAt(policy) != 0) {
    out = pushSafe(out, policy, policy + POLICY_ID, POLICY_ID);
    out = pushAttribute(pushLength(out, Value.String, resourceEnd), ATTRIBUTES, "meshward.policy", resourceEnd);
  }
  const size = RESOURCE_END - resource;
  out -= size;
  memory.copy(out, resource, size);
  out = pushLength(out, 1, resourceEnd);
  return pushLength(out, 1, end);
}

/** Bytes of a policy's id. */
export const POLICY_ID: usize = 12;

/**
 * How many records an ExportLogsServiceResponse says were rejected: `{1: partial_success {1: int64}}`. What cannot be read as that
 * says none.
 */
export function rejectedRecords(start: usize, end: usize): u64 {
  return findFirst(start, end, true) && findFirst(given, givenEnd, false) ? number : 0;
}

/** What `findFirst` found: the content of a field, or a number. */
let given: usize = 0;
let givenEnd: usize = 0;
let number: u64 = 0;

/** Finds field 1 of a message, of type 2 where `content`, else of type 0; false where there is none, or where the message is torn. */
function findFirst(start: usize, end: usize, content: bool): bool {
  at = start;
  while (readVarint(end)) {
    const tag = number;
    const type = (<u32>tag) & 7;
    let size: u64 = type == 1 ? 8 : type == 5 ? 4 : 0;
    if (type == 3 || type == 4 || type > 5) return false;
    if ((type == 0 || type == 2) && !readVarint(end)) return false;
    if (type == 2) size = number;
    if (size > <u64>(end - at)) return false;
    if (tag == (content ? 10 : 8)) {
      given = at;
      givenEnd = at + <usize>size;
      return true;
    }
    at += <usize>size;
  }
  return false;
}

let at: usize = 0;

/** Reads a varint at `at` into `number`; false where it does not end before `end` and within 10 bytes. */
function readVarint(end: usize): bool {
  number = 0;
  for (let shift: u64 = 0; shift < 70 && at < end; shift += 7) {
    const byte = byteAt(at++);
    number |= (<u64>(byte & 0x7f)) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}
