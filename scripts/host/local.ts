// The reply that Envoy makes itself (http/utility.cc, prepareLocalReply): the module's headers are added, then content-length and
// a content-type where none was given, but neither without a body. A gRPC request gets a trailers-only answer with status 200.

import { HeaderMap } from "./headers.ts";

export interface LocalReply {
  readonly status: number;
  /** `response.code_details`. */
  readonly details: string;
  readonly body: Uint8Array;
  readonly headers: HeaderMap;
  readonly grpcStatus: number | null;
}

/** gRPC status by HTTP status (grpc/status.cc); others are 2, Unknown. */
const GRPC_STATUS: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};

/** A reply of the proxy's own, without headers. */
export function ownReply(status: number, details: string, body: string): LocalReply {
  return { status, details, body: Buffer.from(body), headers: new HeaderMap(), grpcStatus: null };
}

/** The response message of a local reply to a request: headers and body. */
export function localMessage(reply: LocalReply, request: HeaderMap | null): { headers: HeaderMap; body: Uint8Array } {
  const headers = new HeaderMap();
  const type = request?.text("content-type") ?? "";
  if (/^application\/grpc($|[;+])/.test(type)) {
    headers.add(":status", "200");
    reply.headers.names.forEach((name, i) => headers.add(name, reply.headers.values[i]!));
    headers.set("content-type", "application/grpc");
    headers.add("grpc-status", String(reply.grpcStatus ?? GRPC_STATUS[reply.status] ?? 2));
    if (reply.body.length > 0) headers.add("grpc-message", grpcMessage(reply.body));
    return { headers, body: new Uint8Array(0) };
  }
  headers.add(":status", String(reply.status));
  reply.headers.names.forEach((name, i) => headers.add(name, reply.headers.values[i]!));
  if (reply.body.length > 0) {
    headers.set("content-length", String(reply.body.length));
    if (headers.get("content-type") === null) headers.add("content-type", "text/plain");
  } else {
    headers.remove("content-type");
  }
  return { headers, body: request?.text(":method") === "HEAD" ? new Uint8Array(0) : reply.body };
}

/** Percent-encoding of the gRPC protocol: printable ASCII but `%` stays. */
function grpcMessage(body: Uint8Array): string {
  let text = "";
  for (const byte of body) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    text += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}
