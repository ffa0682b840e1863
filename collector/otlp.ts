/**
 * OTLP logs as the collector reads them: an ExportLogsServiceRequest in protobuf or in JSON → log records, and the answer.
 *
 *   ExportLogsServiceRequest
 *     1 ResourceLogs ┬ 1 Resource  1 KeyValue…
 *                    └ 2 ScopeLogs ┬ 1 InstrumentationScope  1 name
 *                                  └ 2 LogRecord
 *
 * Messages are read with protobufjs' reader and nothing of them is kept but what is needed here: no object is made for a field that
 * nobody knows, and no message nests deeper than the picture, whatever the bytes say (lists within values, and maps, are skipped).
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto
 */
import protobuf from "protobufjs/minimal.js";
import { ATTRIBUTES, GROUPS, JSON_DEPTH, JSON_VALUES, LIST, RECORDS, VALUE_BYTES } from "./limits.ts";

/** A value of an attribute; what is of another kind is null. */
export type Value = string | number | boolean | readonly (string | number)[] | null;
export type Attributes = ReadonlyMap<string, Value>;

export interface LogRecord {
  resource: Attributes;
  scope: string;
  /** Milliseconds since the epoch; 0 where it is not told. */
  time: number;
  /** Nanoseconds as digits, to tell records apart. */
  nanoseconds: string;
  eventName: string;
  /** Hex, "" for none. */
  traceId: string;
  spanId: string;
  attributes: Attributes;
}

export interface Logs {
  records: LogRecord[];
  /** Records that were not read: too many, or with too many attributes. */
  rejected: number;
}

/** What cannot be read as OTLP: the sender's fault, and no better the next time. */
export class MalformedError extends Error {}

const NONE: Attributes = new Map();

/** Reads a request. Throws `MalformedError`. */
export function readLogs(body: Buffer, type: "protobuf" | "json"): Logs {
  try {
    return type === "protobuf" ? fromProtobuf(body) : fromJson(body);
  } catch (error) {
    if (error instanceof MalformedError) throw error;
    // The reader's own errors tell offsets, JSON's show the text: neither is for an answer.
    throw new MalformedError(`the body is no OTLP ${type === "json" ? "JSON" : "protobuf"}`);
  }
}

// ---- protobuf ----

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * Calls `field` for each field of the message that ends at `end`. It reads the value and says so, or leaves it to be skipped: a field
 * of another wire type than expected is one that is not known.
 */
function eachField(reader: protobuf.Reader, end: number, field: (number: number, wire: number) => boolean): void {
  if (end > reader.len) throw new MalformedError("a message is longer than the body");
  while (reader.pos < end) {
    const tag = reader.uint32();
    const wire = tag & 7;
    const at = reader.pos;
    if (tag >>> 3 === 0) throw new MalformedError("a field has the number 0");
    if (!field(tag >>> 3, wire)) {
      // Groups are older than OTLP; to skip them would take recursion.
      if (wire === 3 || wire === 4) throw new MalformedError("a group");
      reader.pos = at;
      reader.skipType(wire);
    }
  }
  if (reader.pos !== end) throw new MalformedError("a field ends behind its message");
}

const messageEnd = (reader: protobuf.Reader): number => {
  const length = reader.uint32();
  return reader.pos + length;
};

function fromProtobuf(body: Buffer): Logs {
  const logs: Logs = { records: [], rejected: 0 };
  const reader = protobuf.Reader.create(body);
  let groups = 0;
  const grouped = (): void => {
    if (++groups > GROUPS) throw new MalformedError("too many resources");
  };
  eachField(reader, reader.len, (number, wire) => {
    if (number !== 1 || wire !== WIRE.bytes) return false;
    grouped();
    const end = messageEnd(reader);
    // A resource may stand behind its records.
    const first = logs.records.length;
    let resource: Attributes = NONE;
    eachField(reader, end, (inner, innerWire) => {
      if (innerWire !== WIRE.bytes) return false;
      if (inner === 1) resource = resourceAt(reader, messageEnd(reader));
      else if (inner === 2) {
        grouped();
        scopeAt(reader, messageEnd(reader), logs);
      } else return false;
      return true;
    });
    for (let at = first; at < logs.records.length; at++) logs.records[at]!.resource = resource;
    return true;
  });
  return logs;
}

function resourceAt(reader: protobuf.Reader, end: number): Attributes {
  const attributes = new Map<string, Value>();
  eachField(reader, end, (number, wire) => {
    if (number !== 1 || wire !== WIRE.bytes || attributes.size >= ATTRIBUTES) return false;
    attributeAt(reader, messageEnd(reader), attributes);
    return true;
  });
  return attributes;
}

function scopeAt(reader: protobuf.Reader, end: number, logs: Logs): void {
  const first = logs.records.length;
  let scope = "";
  eachField(reader, end, (number, wire) => {
    if (wire !== WIRE.bytes) return false;
    if (number === 1) {
      eachField(reader, messageEnd(reader), (inner, innerWire) => {
        if (inner !== 1 || innerWire !== WIRE.bytes) return false;
        scope = textAt(reader) ?? "";
        return true;
      });
    } else if (number === 2) {
      if (logs.records.length < RECORDS) {
        const record = recordAt(reader, messageEnd(reader));
        if (record === null) logs.rejected++;
        else logs.records.push(record);
      } else {
        logs.rejected++;
        return false;
      }
    } else return false;
    return true;
  });
  for (let at = first; at < logs.records.length; at++) logs.records[at]!.scope = scope;
}

/** A record; null for one with too many attributes. */
function recordAt(reader: protobuf.Reader, end: number): LogRecord | null {
  const attributes = new Map<string, Value>();
  const record: LogRecord = {
    resource: NONE,
    scope: "",
    time: 0,
    nanoseconds: "0",
    eventName: "",
    traceId: "",
    spanId: "",
    attributes,
  };
  let count = 0;
  eachField(reader, end, (number, wire) => {
    if (number === 1 && wire === WIRE.fixed64) {
      const low = BigInt(reader.fixed32());
      setTime(record, (BigInt(reader.fixed32()) << 32n) | low);
    } else if (wire !== WIRE.bytes) return false;
    else if (number === 6) {
      if (++count > ATTRIBUTES) return false;
      attributeAt(reader, messageEnd(reader), attributes);
    } else if (number === 9) record.traceId = idOf(bytesAt(reader), 16);
    else if (number === 10) record.spanId = idOf(bytesAt(reader), 8);
    else if (number === 12) record.eventName = textAt(reader) ?? "";
    else return false;
    return true;
  });
  return count > ATTRIBUTES ? null : record;
}

function setTime(record: LogRecord, nanoseconds: bigint): void {
  record.nanoseconds = String(nanoseconds);
  record.time = Number(nanoseconds / 1_000_000n);
}

/** KeyValue: the first of a name stays, so that nobody can put another behind it. */
function attributeAt(reader: protobuf.Reader, end: number, attributes: Map<string, Value>): void {
  let key = "";
  let value: Value = null;
  eachField(reader, end, (number, wire) => {
    if (wire !== WIRE.bytes) return false;
    if (number === 1) key = textAt(reader) ?? "";
    else if (number === 2) value = valueAt(reader, messageEnd(reader));
    else return false;
    return true;
  });
  if (key !== "" && !attributes.has(key)) attributes.set(key, value);
}

/** AnyValue: text, a truth value, a number or a list of texts and numbers. */
function valueAt(reader: protobuf.Reader, end: number): Value {
  let value: Value = null;
  eachField(reader, end, (number, wire) => {
    if (number === 5 && wire === WIRE.bytes) value = listAt(reader, messageEnd(reader));
    else {
      const plain = plainAt(reader, number, wire);
      if (plain === undefined) return false;
      value = plain;
    }
    return true;
  });
  return value;
}

/** The scalar kinds of AnyValue; undefined for another, of which nothing was read that is not read again. */
function plainAt(reader: protobuf.Reader, number: number, wire: number): string | number | boolean | null | undefined {
  if (number === 1 && wire === WIRE.bytes) return textAt(reader);
  if (number === 2 && wire === WIRE.varint) return reader.bool();
  if (number === 3 && wire === WIRE.varint) return Number(String(reader.int64()));
  if (number === 4 && wire === WIRE.fixed64) return reader.double();
  return undefined;
}

function listAt(reader: protobuf.Reader, end: number): (string | number)[] {
  const list: (string | number)[] = [];
  eachField(reader, end, (number, wire) => {
    if (number !== 1 || wire !== WIRE.bytes || list.length >= LIST) return false;
    eachField(reader, messageEnd(reader), (inner, innerWire) => {
      const value = plainAt(reader, inner, innerWire);
      if (typeof value === "string" || typeof value === "number") list.push(value);
      return value !== undefined;
    });
    return true;
  });
  return list;
}

function bytesAt(reader: protobuf.Reader): Buffer {
  const bytes = reader.bytes();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Text; what is no UTF-8 in it becomes U+FFFD. Cut where it is too long. */
function textAt(reader: protobuf.Reader): string {
  const bytes = bytesAt(reader);
  return bytes.toString("utf8", 0, Math.min(bytes.length, VALUE_BYTES));
}

function idOf(bytes: Buffer, length: number): string {
  return bytes.length === length && bytes.some((byte) => byte !== 0) ? bytes.toString("hex") : "";
}

// ---- JSON ----

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The members of a list that are objects; an absent list is empty. */
function objects(value: unknown): Json[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new MalformedError("a list was expected");
  return value.filter(isObject);
}

const textOf = (value: unknown): string => (typeof value === "string" ? value.slice(0, VALUE_BYTES) : "");

/**
 * Refuses what nests deeper, or has more values, than OTLP has need of: two bytes of brackets are sixty of memory once parsed. It counts
 * what stands outside strings, one step a byte; whether it is JSON, the parser says.
 */
function checkJson(body: Buffer): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]!;
    if (byte === 0x22) {
      for (at++; at < body.length && body[at] !== 0x22; at++) if (body[at] === 0x5c) at++;
    } else if (byte === 0x2c) values++;
    else if (byte === 0x5b || byte === 0x7b) {
      values++;
      if (++depth > JSON_DEPTH) throw new MalformedError(`the body nests deeper than ${JSON_DEPTH}`);
    } else if (byte === 0x5d || byte === 0x7d) depth--;
    if (values > JSON_VALUES) throw new MalformedError(`the body has more than ${JSON_VALUES} values`);
  }
}

function fromJson(body: Buffer): Logs {
  checkJson(body);
  const root: unknown = JSON.parse(body.toString("utf8"));
  if (!isObject(root)) throw new MalformedError("an object was expected");
  const logs: Logs = { records: [], rejected: 0 };
  let groups = 0;
  for (const group of objects(root.resourceLogs)) {
    const resource = new Map<string, Value>();
    if (isObject(group.resource)) addAttributes(resource, objects(group.resource.attributes).slice(0, ATTRIBUTES));
    for (const scoped of objects(group.scopeLogs)) {
      if (++groups > GROUPS) throw new MalformedError("too many resources");
      const scope = isObject(scoped.scope) ? textOf(scoped.scope.name) : "";
      for (const entry of objects(scoped.logRecords)) {
        const given = objects(entry.attributes);
        if (logs.records.length >= RECORDS || given.length > ATTRIBUTES) {
          logs.rejected++;
          continue;
        }
        const attributes = new Map<string, Value>();
        addAttributes(attributes, given);
        const record: LogRecord = {
          resource,
          scope,
          time: 0,
          nanoseconds: "0",
          eventName: textOf(entry.eventName),
          traceId: hexOf(entry.traceId, 32),
          spanId: hexOf(entry.spanId, 16),
          attributes,
        };
        // 64 bits are told as digits in a string; numbers are taken too.
        const time = String(entry.timeUnixNano ?? "");
        if (/^\d{1,20}$/.test(time)) setTime(record, BigInt(time));
        logs.records.push(record);
      }
    }
  }
  return logs;
}

function addAttributes(attributes: Map<string, Value>, given: readonly Json[]): void {
  for (const { key, value } of given) {
    const name = textOf(key);
    if (name !== "" && !attributes.has(name)) attributes.set(name, isObject(value) ? valueOf(value) : null);
  }
}

function valueOf(value: Json): Value {
  const plain = plainOf(value);
  if (plain !== null || !isObject(value.arrayValue)) return plain;
  const list: (string | number)[] = [];
  for (const entry of objects(value.arrayValue.values).slice(0, LIST)) {
    const one = plainOf(entry);
    if (typeof one === "string" || typeof one === "number") list.push(one);
  }
  return list;
}

function plainOf({ stringValue, boolValue, intValue, doubleValue }: Json): string | number | boolean | null {
  if (typeof stringValue === "string") return textOf(stringValue);
  if (typeof boolValue === "boolean") return boolValue;
  if (typeof intValue === "number") return intValue;
  if (typeof intValue === "string" && /^-?\d{1,19}$/.test(intValue)) return Number(intValue);
  return typeof doubleValue === "number" ? doubleValue : null;
}

/** Ids are hex in OTLP's JSON, not base64. */
function hexOf(value: unknown, length: number): string {
  const text = textOf(value).toLowerCase();
  return text.length === length && /^[0-9a-f]+$/.test(text) && !/^0+$/.test(text) ? text : "";
}

// ---- answers ----

/** An ExportLogsServiceResponse: how many records were not stored, and why; none where all were. */
export function answerLogs(type: "protobuf" | "json", rejected: number, message: string): Buffer {
  if (type === "json") {
    const answer =
      rejected === 0 ? {} : { partialSuccess: { rejectedLogRecords: String(rejected), errorMessage: message } };
    return Buffer.from(JSON.stringify(answer));
  }
  const writer = protobuf.Writer.create();
  if (rejected > 0) writer.uint32(10).fork().uint32(8).int64(rejected).uint32(18).string(message).ldelim();
  return Buffer.from(writer.finish());
}

/** A google.rpc.Status, the body of an answer from 400 on. */
export function answerStatus(type: "protobuf" | "json", code: number, message: string): Buffer {
  if (type === "json") return Buffer.from(JSON.stringify({ code, message }));
  return Buffer.from(protobuf.Writer.create().uint32(8).int32(code).uint32(18).string(message).finish());
}
