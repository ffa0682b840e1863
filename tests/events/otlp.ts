// Reads and answers OTLP, for tests: with protobufjs and a schema written down from
// https://github.com/open-telemetry/opentelemetry-proto, so that it shares nothing with the module's encoder.

import protobuf from "protobufjs";

const SCHEMA = `
syntax = "proto3";
message AnyValue {
  oneof value {
    string string_value = 1;
    bool bool_value = 2;
    int64 int_value = 3;
    double double_value = 4;
    ArrayValue array_value = 5;
    KeyValueList kvlist_value = 6;
    bytes bytes_value = 7;
  }
}
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message InstrumentationScope { string name = 1; string version = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
message LogRecord {
  fixed64 time_unix_nano = 1;
  uint32 severity_number = 2;
  string severity_text = 3;
  AnyValue body = 5;
  repeated KeyValue attributes = 6;
  uint32 dropped_attributes_count = 7;
  fixed32 flags = 8;
  bytes trace_id = 9;
  bytes span_id = 10;
  fixed64 observed_time_unix_nano = 11;
  string event_name = 12;
}
message ScopeLogs { InstrumentationScope scope = 1; repeated LogRecord log_records = 2; string schema_url = 3; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; string schema_url = 3; }
message ExportLogsServiceRequest { repeated ResourceLogs resource_logs = 1; }
message ExportLogsPartialSuccess { int64 rejected_log_records = 1; string error_message = 2; }
message ExportLogsServiceResponse { ExportLogsPartialSuccess partial_success = 1; }
`;

const { root } = protobuf.parse(SCHEMA, { keepCase: true });
const Request = root.lookupType("ExportLogsServiceRequest");
const Response = root.lookupType("ExportLogsServiceResponse");

/** The answer of a collector that took all, or all but `rejected`. */
export function answerBody(rejected = 0, message = ""): Buffer {
  const partial = rejected === 0 ? {} : { partial_success: { rejected_log_records: rejected, error_message: message } };
  return Buffer.from(Response.encode(partial).finish());
}

/** How many records an answer says were rejected; null where it cannot be read. */
export function rejectedIn(body: Uint8Array): number | null {
  try {
    const answer = Response.toObject(Response.decode(body), { longs: Number }) as {
      partial_success?: { rejected_log_records?: number };
    };
    return answer.partial_success?.rejected_log_records ?? 0;
  } catch {
    return null;
  }
}

interface Attribute {
  key: string;
  value: { string_value?: string; int_value?: string; array_value?: { values: Attribute["value"][] } };
}

/** A batch in OTLP's own form: strings for 64-bit numbers, hex for bytes. */
interface Batch {
  resource_logs: {
    resource: { attributes: Attribute[] };
    scope_logs: { scope: { name: string; version: string }; log_records: LogRecord[] }[];
  }[];
}

interface LogRecord {
  time_unix_nano: string;
  severity_number: number;
  severity_text: string;
  body: Attribute["value"];
  attributes: Attribute[];
  trace_id?: Uint8Array;
  span_id?: Uint8Array;
  event_name: string;
}

/**
 * The events of a batch, as schemas/event.schema.json has them. Throws where the bytes are no such message: torn, with a field twice
 * that may stand once, with fields that OTLP does not know, or with lengths that are longer than they need be.
 */
export function eventsOf(body: Uint8Array): Record<string, unknown>[] {
  const decoded = Request.decode(body);
  // What was left out or written in another form would make another text.
  if (Request.encode(decoded).finish().length !== body.length) throw new Error("the batch has bytes that nobody reads");
  const batch = Request.toObject(decoded, { longs: String }) as Batch;
  return batch.resource_logs.flatMap(({ resource, scope_logs }) =>
    scope_logs.flatMap(({ scope, log_records }) => {
      if (scope.name !== "meshward" || !/^\d+\.\d+/.test(scope.version)) throw new Error("the scope is another");
      return log_records.map((record) => eventOf(record, resource.attributes));
    }),
  );
}

function eventOf(record: LogRecord, resource: readonly Attribute[]): Record<string, unknown> {
  const nanoseconds = BigInt(record.time_unix_nano);
  const seconds = new Date(Number(nanoseconds / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const hex = (bytes: Uint8Array | undefined): string | undefined =>
    bytes === undefined || bytes.length === 0 ? undefined : Buffer.from(bytes).toString("hex");
  return JSON.parse(
    JSON.stringify({
      time: `${seconds}.${String(nanoseconds % 1_000_000_000n).padStart(9, "0")}Z`,
      event_name: record.event_name,
      severity_number: record.severity_number,
      severity_text: record.severity_text,
      body: valueOf(record.body),
      trace_id: hex(record.trace_id),
      span_id: hex(record.span_id),
      resource: objectOf(resource),
      attributes: objectOf(record.attributes),
    }),
  ) as Record<string, unknown>;
}

function objectOf(attributes: readonly Attribute[]): Record<string, unknown> {
  const names = attributes.map(({ key }) => key);
  if (new Set(names).size !== names.length) throw new Error(`an attribute stands twice: ${names.join(" ")}`);
  return Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]));
}

function valueOf({ string_value, int_value, array_value }: Attribute["value"]): unknown {
  if (array_value !== undefined) return array_value.values.map(valueOf);
  return int_value === undefined ? string_value : Number(int_value);
}
