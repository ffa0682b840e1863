// Properties: what a path such as "request\0headers\0host" names, and how its value reaches the module (context.cc,
// serializeValue): text and bytes as they are; whole numbers, times and durations (ns) as 8 bytes little-endian; doubles, and so
// every number inside metadata, as 8 bytes IEEE 754; bool as one byte; maps as pairs, lists as pairs without values.

import { STATUS } from "./abi.ts";
import { HeaderMap, pairsSize, writePairs } from "./headers.ts";
import type { RootContext } from "./root.ts";
import type { Stream } from "./stream.ts";

/** A value in a property tree: bigint is Envoy's int64 or uint64, number its double (all numbers of metadata are doubles). */
export type PropertyValue =
  | string
  | Uint8Array
  | bigint
  | number
  | boolean
  | null
  | readonly PropertyValue[]
  | { readonly [key: string]: PropertyValue };

export interface PropertyTree {
  readonly [name: string]: PropertyValue;
}

/** The value of a path for a context, `undefined` where Envoy says NotFound. */
export function findProperty(context: RootContext | Stream, path: string): PropertyValue | undefined {
  const segments = path.split("\0");
  if (segments.at(-1) === "") segments.pop();
  let value = findTop(context, segments[0] ?? "", segments.length > 1 ? segments[1]! : null);
  for (let i = 1; i < segments.length && value !== undefined; i++) value = child(value, segments[i]!);
  return value;
}

/** Bytes of a value, or the status with which Envoy answers instead. */
export function serializeProperty(value: PropertyValue): Uint8Array | number {
  if (typeof value === "string") return Buffer.from(value, "utf8");
  if (value instanceof Uint8Array) return value;
  if (typeof value === "boolean") return Buffer.from([value ? 1 : 0]);
  const word = Buffer.alloc(8);
  if (typeof value === "bigint") {
    word.writeBigUInt64LE(BigInt.asUintN(64, value));
    return word;
  }
  if (typeof value === "number") {
    word.writeDoubleLE(value);
    return word;
  }
  if (value === null) return STATUS.serializationFailure;
  const pairs = new HeaderMap();
  const entries: [string | Uint8Array, PropertyValue][] = Array.isArray(value)
    ? value.map((item: PropertyValue) => [EMPTY, item])
    : Object.entries(value);
  for (const [key, item] of entries) {
    const bytes = serializeProperty(item);
    if (typeof bytes === "number") return bytes;
    if (typeof key === "string") pairs.append(Buffer.from(key, "utf8").toString("latin1"), bytes);
    else pairs.append(Buffer.from(bytes).toString("latin1"), EMPTY);
  }
  const out = Buffer.alloc(pairsSize(pairs));
  writePairs(pairs, out, 0);
  return out;
}

const EMPTY = new Uint8Array(0);

function child(value: PropertyValue, name: string): PropertyValue | undefined {
  if (Array.isArray(value)) return /^\d+$/.test(name) ? (value[Number(name)] as PropertyValue | undefined) : undefined;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return undefined;
  return Object.hasOwn(value, name) ? (value as PropertyTree)[name] : undefined;
}

/**
 * A top-level name; `next` is the segment after it, so that only the asked part of a request or response is built. Names that
 * the host does not compute (connection, xds, metadata, upstream, …) come from the stream's own tree.
 */
function findTop(context: RootContext | Stream, name: string, next: string | null): PropertyValue | undefined {
  const { stream, root } = context;
  switch (name) {
    case "plugin_name":
      return root.plugin.name;
    case "plugin_root_id":
      return root.plugin.rootId;
    case "plugin_vm_id":
      return root.plugin.vmId;
    case "xds":
      // Envoy 1.40 has no top-level `node`, `route_name`, `cluster_name` or `listener_direction` any more: they moved in here.
      if (stream === null) return { node: root.plugin.node };
      return {
        listener_direction: 0n,
        filter_chain_name: "",
        ...subtree(root.plugin.properties, name),
        ...subtree(stream.properties, name),
        node: root.plugin.node,
      };
  }
  if (stream === null) return undefined;
  switch (name) {
    case "request":
      return next === null ? {} : part(next, requestField(stream, next));
    case "response":
      return next === null ? {} : part(next, responseField(stream, next));
    case "source":
    case "destination":
      return { ...peer(stream[name]), ...subtree(stream.properties, name) };
    case "connection":
      return { mtls: false, id: BigInt(stream.id), ...subtree(stream.properties, name) };
    case "metadata":
      return { filter_metadata: {}, ...subtree(stream.properties, name) };
    case "connection_id":
      return child(stream.properties, name) ?? BigInt(stream.id);
    case "filter_state":
      return next === null ? {} : part(next, stream.filterState.get(next));
  }
  return (
    child(stream.properties, name) ?? child(root.plugin.properties, name) ?? stream.filterState.get(`wasm.${name}`)
  );
}

function subtree(tree: PropertyTree, name: string): PropertyTree | undefined {
  return child(tree, name) as PropertyTree | undefined;
}

function part(name: string, value: PropertyValue | undefined): PropertyTree {
  return value === undefined ? {} : { [name]: value };
}

/** "10.0.0.1:80" or "[::1]:80" with its port as a number; an address without a port stands alone. */
function peer(address: string): PropertyTree {
  const port = /:(\d+)$/.exec(address);
  const bare = address.includes(":") && !address.startsWith("[") && address.indexOf(":") !== address.lastIndexOf(":");
  return port === null || bare ? { address } : { address, port: BigInt(port[1]!) };
}

function requestField(stream: Stream, name: string): PropertyValue | undefined {
  switch (name) {
    case "time":
      return BigInt(stream.startTime) * 1_000_000n;
    case "protocol":
      return stream.protocol;
  }
  // Envoy reads the rest from the map that the module could read now; after Continue on headers there is none.
  const headers = stream.readableRequestHeaders;
  switch (name) {
    case "size": {
      const length = headers?.text("content-length");
      if (length === null || length === undefined) return BigInt(stream.request.received);
      return /^\d{1,18}$/.test(length) ? BigInt(length) : undefined;
    }
    case "total_size":
      return BigInt(stream.request.received + (headers?.byteSize ?? 0));
    case "headers_bytes":
      return BigInt(headers?.byteSize ?? 0);
  }
  if (headers === null) return undefined;
  const path = headers.get(":path");
  const text = path === null ? "" : Buffer.from(path).toString("latin1");
  switch (name) {
    case "headers":
      return joined(headers);
    case "path":
      return path ?? undefined;
    case "url_path":
      return Buffer.from(text.split("?", 1)[0]!, "latin1");
    case "query":
      return text.includes("?") ? Buffer.from(text.slice(text.indexOf("?") + 1).split("#", 1)[0]!, "latin1") : "";
    case "host":
      return headers.get(":authority") ?? undefined;
    case "scheme":
      return headers.get(":scheme") ?? undefined;
    case "method":
      return headers.get(":method") ?? undefined;
    case "referer":
      return headers.get("referer") ?? undefined;
    case "useragent":
      return headers.get("user-agent") ?? undefined;
    case "id":
      return headers.get("x-request-id") ?? undefined;
  }
  return undefined;
}

function responseField(stream: Stream, name: string): PropertyValue | undefined {
  const headers = stream.readableResponseHeaders;
  switch (name) {
    case "code":
      return stream.code === null ? undefined : BigInt(stream.code);
    case "code_details":
      return stream.details ?? undefined;
    case "flags":
      return 0n;
    case "size":
      return BigInt(stream.response.out.bytes);
    case "headers_bytes":
      return BigInt(headers?.byteSize ?? 0);
    case "headers":
      return headers === null ? {} : joined(headers);
  }
  return undefined;
}

/** A header map as properties show it: repeated names joined by commas. */
function joined(headers: HeaderMap): PropertyTree {
  const values: Record<string, Buffer> = {};
  headers.names.forEach((name, i) => {
    const value = headers.values[i]!;
    const before = values[name];
    values[name] = before === undefined ? Buffer.from(value) : Buffer.concat([before, COMMA, value]);
  });
  return values;
}

const COMMA = Buffer.from(",");
