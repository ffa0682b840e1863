// One whole exchange in one call: the request in any cuts, then the response, then the end of the stream.

import { parseVerdict } from "../scan/verdict.ts";
import type { LogLine } from "./process.ts";
import type { Header } from "./headers.ts";
import type { Received } from "./half.ts";
import type { Plugin } from "./plugin.ts";
import type { PropertyTree } from "./property.ts";
import type { RequestInit } from "./request.ts";
import type { Outcome, ResponseInit, Stream } from "./stream.ts";

export interface ExchangeOptions {
  body?: string | Uint8Array;
  trailers?: readonly Header[];
  /** Sizes of the body's chunks; the rest comes as one more. A size of 0 is an empty chunk. Default: one chunk. */
  chunkSizes?: readonly number[];
  /** The request has no end: an upgraded connection, CONNECT, a long poll. */
  upgrade?: boolean;
  /** What the upstream answers, in one piece or cut by `chunkSizes` of its own. Default: nothing, the stream just ends. */
  response?: ResponseInit & { chunkSizes?: readonly number[] };
  source?: string;
  destination?: string;
  properties?: PropertyTree;
  worker?: number;
}

export interface Exchange {
  outcome: Outcome;
  /** The local reply, as the module or Envoy made it. */
  local: { status: number; headers: [string, string][]; body: Uint8Array; details: string } | null;
  /** What the upstream received; `reset`: its stream was cut off after `bytes` of body. */
  upstream: { received: Received; headersSeen: boolean; bytes: number; ended: boolean; reset: boolean };
  /** What the client received. */
  client: Received;
  /** `response.code_details`. */
  details: string | null;
  /** Filter state by full key (`wasm.…`). */
  filterState: ReadonlyMap<string, Uint8Array>;
  /** `wasm.meshward.verdict`, parsed; null where it was not set. */
  verdict: unknown;
  logs: LogLine[];
}

export const VERDICT_KEY = "wasm.meshward.verdict";

/** Runs an exchange on a worker. A stream that waits for a tick or a callback that never comes is `hung`, and is ended. */
export function exchange(plugin: Plugin, request: RequestInit, options: ExchangeOptions): Exchange {
  const [[stream, outcome], logs] = plugin.process.recording(() => run(plugin, request, options));
  const { local, filterState, response, details } = stream;
  const received = stream.request.out;
  const verdict = filterState.get(VERDICT_KEY);
  return {
    outcome,
    local: local && {
      status: local.status,
      headers: (response.out.headers ?? local.headers).toJSON(),
      body: local.body,
      details: local.details,
    },
    upstream: {
      received,
      headersSeen: received.headers !== null,
      bytes: received.bytes,
      ended: received.ended,
      reset: stream.upstreamReset,
    },
    client: response.out,
    details,
    filterState,
    verdict: verdict === undefined ? null : parseVerdict(verdict.toString("utf8")),
    logs,
  };
}

function run(plugin: Plugin, request: RequestInit, options: ExchangeOptions): [Stream, Outcome] {
  const { worker, source, destination, properties, trailers, upgrade = false, response } = options;
  const stream = plugin.openStream({
    request,
    ...(worker === undefined ? {} : { worker }),
    ...(source === undefined ? {} : { source }),
    ...(destination === undefined ? {} : { destination }),
    ...(properties === undefined ? {} : { properties }),
  });
  const body = bytesOf(options.body);
  const openEnded = upgrade || trailers !== undefined;
  const empty = body.length === 0 && options.chunkSizes === undefined;
  stream.sendHeaders(empty && !openEnded);
  // After the headers of an upgrade Envoy's codec passes an empty piece of body.
  if (upgrade && empty) stream.sendBody(body, false);
  if (!empty) cut(body, options.chunkSizes, (chunk, last) => stream.sendBody(chunk, last && !openEnded));
  if (trailers !== undefined) stream.sendTrailers(trailers);
  if (response !== undefined) respond(stream, response);
  const outcome = upgrade && stream.outcome === "hung" && reached(stream) ? "upstream" : stream.outcome;
  stream.end();
  return [stream, outcome];
}

/** An endless request has arrived as far as there is one. */
function reached({ request, local }: Stream): boolean {
  return local === null && request.headersPassed && request.held.length === 0;
}

function respond(stream: Stream, { chunkSizes, ...response }: NonNullable<ExchangeOptions["response"]>): void {
  if (chunkSizes === undefined) return stream.respond(response);
  const { trailers } = response;
  stream.respondHeaders(response, false);
  cut(bytesOf(response.body), chunkSizes, (chunk, last) => stream.respondBody(chunk, last && trailers === undefined));
  if (trailers !== undefined) stream.respondTrailers(trailers);
}

/** Hands out a body in chunks of the given sizes, what is left in one more. */
function cut(
  body: Uint8Array,
  sizes: readonly number[] | undefined,
  take: (chunk: Uint8Array, last: boolean) => void,
): void {
  if (sizes === undefined) return take(body, true);
  let at = 0;
  for (let i = 0; i < sizes.length; i++) {
    const end = Math.min(body.length, at + sizes[i]!);
    take(body.subarray(at, end), end === body.length && i === sizes.length - 1);
    at = end;
  }
  if (at < body.length || sizes.length === 0) take(body.subarray(at), true);
}

function bytesOf(body: string | Uint8Array | undefined): Uint8Array {
  return typeof body === "string" ? Buffer.from(body, "utf8") : (body ?? new Uint8Array(0));
}
