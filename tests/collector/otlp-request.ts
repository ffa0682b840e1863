/** OTLP requests as sidecars send them, in both forms. */
import protobuf from "protobufjs/minimal.js";

export type AttributeValue = string | number | boolean | readonly (string | number)[];
export type Attributes = Record<string, AttributeValue>;

export interface TestRecord {
  /** Milliseconds. */
  time: number;
  eventName?: string;
  traceId?: string;
  spanId?: string;
  attributes: Attributes;
}

export interface TestResource {
  attributes: Attributes;
  records: readonly TestRecord[];
}

/** Attributes of a finding; `changes` stand above. */
export const findingAttributes = (changes: Attributes = {}): Attributes => ({
  "security_rule.name": "sqli-tautology",
  "security_rule.category": "sqli",
  "security_rule.ruleset.name": "meshward",
  "meshward.stage": "attempted",
  "meshward.confidence": 80,
  "meshward.severity": "high",
  "meshward.cwe": [89],
  "meshward.part": "query",
  "meshward.parameter": "q",
  "meshward.evidence": "a{3}' or 9{1}=9{1}",
  "meshward.outcome": "denied",
  "meshward.mode": "block",
  "meshward.request_id": "0b5c1d0e-0000-4000-8000-000000000001",
  "meshward.principal": "spiffe://mesh/ns/shop/sa/edge",
  "meshward.direction": "inbound",
  "http.request.method": "GET",
  "http.route": "/search",
  "http.response.status_code": 403,
  "server.address": "shop.example",
  "url.scheme": "http",
  ...changes,
});

export const resourceAttributes = (changes: Attributes = {}): Attributes => ({
  "service.name": "cart",
  "service.namespace": "shop",
  "service.instance.id": "sidecar~10.0.0.1~cart",
  "meshward.version": "0.1.0",
  "meshward.policy": "0123456789ab",
  ...changes,
});

/** Attributes of an observation; `changes` stand above. */
export const observationAttributes = (changes: Attributes = {}): Attributes => ({
  "http.request.method": "GET",
  "http.route": "/orders/{number}",
  "server.address": "cart.example",
  "url.scheme": "https",
  "meshward.direction": "inbound",
  "meshward.count": 1,
  "meshward.status_classes": ["2xx 1"],
  "meshward.authentication": ["bearer 1"],
  "meshward.response.content_types": ["application/json"],
  ...changes,
});

/** A request with one observation for each of `changes`. */
export const observationRequest = (
  time: number,
  changes: readonly Attributes[],
  resource: Attributes = {},
): TestResource[] => [
  {
    attributes: resourceAttributes(resource),
    records: changes.map((one) => ({
      time,
      eventName: "meshward.endpoint",
      attributes: observationAttributes(one),
    })),
  },
];

/** A request with one finding. */
export const findingRequest = (time: number, changes: Attributes = {}, resource: Attributes = {}): TestResource[] => [
  { attributes: resourceAttributes(resource), records: [{ time, attributes: findingAttributes(changes) }] },
];

const nanoseconds = (time: number): bigint => BigInt(time) * 1_000_000n;

type Writer = protobuf.Writer;

function writeValue(writer: Writer, value: AttributeValue): void {
  if (typeof value === "string") writer.uint32(10).string(value);
  else if (typeof value === "boolean") writer.uint32(16).bool(value);
  else if (typeof value === "number") {
    if (Number.isInteger(value)) writer.uint32(24).int64(value);
    else writer.uint32(33).double(value);
  } else {
    writer.uint32(42).fork();
    for (const one of value) {
      writer.uint32(10).fork();
      writeValue(writer, one);
      writer.ldelim();
    }
    writer.ldelim();
  }
}

function writeAttributes(writer: Writer, field: number, attributes: Attributes): void {
  for (const [key, value] of Object.entries(attributes)) {
    writer.uint32((field << 3) | 2).fork();
    writer.uint32(10).string(key).uint32(18).fork();
    writeValue(writer, value);
    writer.ldelim().ldelim();
  }
}

export function protobufRequest(resources: readonly TestResource[]): Buffer {
  const writer = protobuf.Writer.create();
  for (const { attributes, records } of resources) {
    writer.uint32(10).fork();
    writer.uint32(10).fork();
    writeAttributes(writer, 1, attributes);
    writer.ldelim();
    writer.uint32(18).fork();
    writer.uint32(10).fork().uint32(10).string("meshward").ldelim();
    for (const record of records) {
      writer.uint32(18).fork();
      const time = nanoseconds(record.time);
      writer.uint32(9).fixed64(String(time) as unknown as number);
      writer.uint32(16).int32(17).uint32(26).string("ERROR").uint32(42).fork().uint32(10).string("sentence").ldelim();
      writeAttributes(writer, 6, record.attributes);
      if (record.traceId !== undefined) writer.uint32(74).bytes(Buffer.from(record.traceId, "hex"));
      if (record.spanId !== undefined) writer.uint32(82).bytes(Buffer.from(record.spanId, "hex"));
      writer.uint32(98).string(record.eventName ?? "meshward.finding");
      writer.ldelim();
    }
    writer.ldelim().ldelim();
  }
  return Buffer.from(writer.finish());
}

function jsonValue(value: AttributeValue): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { arrayValue: { values: value.map(jsonValue) } };
}

const jsonAttributes = (attributes: Attributes): object[] =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: jsonValue(value) }));

export function jsonRequest(resources: readonly TestResource[]): Buffer {
  const resourceLogs = resources.map(({ attributes, records }) => ({
    resource: { attributes: jsonAttributes(attributes) },
    scopeLogs: [
      {
        scope: { name: "meshward" },
        logRecords: records.map((record) => ({
          timeUnixNano: String(nanoseconds(record.time)),
          severityNumber: 17,
          body: { stringValue: "sentence" },
          attributes: jsonAttributes(record.attributes),
          traceId: record.traceId,
          spanId: record.spanId,
          eventName: record.eventName ?? "meshward.finding",
        })),
      },
    ],
  }));
  return Buffer.from(JSON.stringify({ resourceLogs }));
}
