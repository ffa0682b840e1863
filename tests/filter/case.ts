// The filter's cases (cases.yaml; responses.yaml has those with a response that shows something): one request each, under one policy, and all that must be decided about it. The same cases run on
// the TypeScript host (cases.test.ts) and through a real Envoy (tests/envoy/filter.test.ts), and the two decisions must be equal.

import { readFileSync } from "node:fs";
import zlib from "node:zlib";
import { parse } from "yaml";
import { compilePolicy, type PluginConfiguration } from "../../scripts/policy/compile.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import type { PolicySource } from "../../scripts/policy/schema.ts";
import { field, frame } from "../protobuf/encode.ts";
import { deflated, frame as frameOfSocket, type Frame } from "../websocket/encode.ts";

/**
 * Text means its UTF-8 bytes; `repeat` times `times`; `bytes` is base64, and `base64` what it is made of. `coded` is `of` in a
 * content coding, `first` and `last` so many bytes of `of`. `field` is one of protobuf
 * with that number, `frame` a message of gRPC with its head (`flags`, default 0). `socket` is a client's frame of a WebSocket (a
 * message of text where nothing else is said), and `deflated` one message after another, as compressed frames.
 */
export type Content =
  | string
  | { repeat: string; times: number }
  | { bytes: string }
  | { base64: Content }
  | { field: [number: number, content: Content] }
  | { frame: Content; flags?: number }
  | { coded: keyof typeof CODINGS; of: Content }
  | { first: number; of: Content }
  | { last: number; of: Content }
  | ({ socket: Content } & Frame)
  | { deflated: Content[] }
  | Content[];

const CODINGS = {
  gzip: (content: Buffer) => zlib.gzipSync(content),
  /** With nothing compressed. */
  "gzip-stored": (content: Buffer) => zlib.gzipSync(content, { level: 0 }),
  deflate: (content: Buffer) => zlib.deflateSync(content),
  "deflate-bare": (content: Buffer) => zlib.deflateRawSync(content),
  "deflate-dictionary": (content: Buffer) => zlib.deflateSync(content, { dictionary: content }),
  /** With a checksum that is not its own. */
  "gzip-wrong": (content: Buffer) => Buffer.concat([zlib.gzipSync(content).subarray(0, -8), Buffer.alloc(8, 0xaa)]),
  /** Bare, in blocks none of which says that it is the last. */
  "deflate-open": (content: Buffer) => deflated([content])[0]!,
  br: (content: Buffer) => zlib.brotliCompressSync(content),
} as const;

/**
 * What a client does while its body is under way: sends a chunk, or waits. `passed`: the upstream has all that was sent so far, at
 * once; `released`: the same, but only as time goes by; `answered`: the proxy has answered; `opened`: the upstream has opened
 * the tunnel.
 */
export type Step = { chunk: Content } | { until: "passed" | "released" | "answered" | "opened" };

export interface Expected {
  outcome: "allowed" | "denied" | "would_deny" | "partial" | "error";
  /** Default: deny where the outcome is not allowed or error. */
  verdict?: "allow" | "deny";
  /** Default: block. */
  mode?: "off" | "detect" | "block";
  /** Default: 403 where denied, 0 (no answer) where partial, unless it had been opened, else 200. */
  status?: number;
  /** Where the answer is no problem document: header by header, and its text. `{request_id}` is the request's id. */
  answer?: { headers: Record<string, string>; body: string };
  rule?: string;
  /**
   * `part:name:class`, with `!exception` where one covers it, and with `=likely` or `=confirmed` where the response bears it out; each
   * once, in any order.
   */
  findings?: string[];
  route?: string;
  /** Default: the client's address where there are findings, else null: it is looked up only then. */
  identity?: string;
  /** Default `made`. */
  request_id?: "kept" | "made";
  trace_id?: string;
  /**
   * What the upstream has received: nothing, the whole request, or a part that was cut off. Default by outcome. `any`: nothing or its
   * headers, which is a matter of time; where the body is cut it has the chunks before the one that was refused (`partial`).
   */
  upstream?: "none" | "whole" | "part" | "any";
  /** Body bytes that the upstream has received. Default: all of them where it has the whole request. */
  bytes?: number;
  /** Bounds that were met, as in `meshward_overflow_total{what}`. */
  overflow?: string[];
  /** The module says nothing at all: the mode at the top is off. */
  silent?: boolean;
}

export interface Case {
  id: string;
  why: string;
  policy: string;
  /** Places at which the host's test cuts the body. Default: each; for those that take long, some. */
  cuts?: number;
  request: {
    method?: string;
    path?: string;
    /** The path as the upstream receives it, where Envoy changes it. */
    routed?: string;
    host?: string;
    headers?: [string, string][];
    body?: Content;
    send?: Step[];
    trailers?: [string, string][];
    protocol?: "http1" | "http2";
    /** An upgraded connection or a tunnel: it has no end of its own. */
    endless?: boolean;
  };
  /** What the upstream answers; default: 200 and a short text. `chunks` come one after the other. */
  response?: {
    status?: number;
    headers?: [string, string][];
    body?: Content;
    chunks?: Content[];
    trailers?: [string, string][];
    /** It is cut off behind its chunks. */
    broken?: boolean;
  };
  expect: Expected;
}

interface File {
  policies: Record<string, PolicySource>;
  cases: Case[];
}

const files = ["cases.yaml", "responses.yaml"].map(
  (name) => parse(readFileSync(new URL(name, import.meta.url), "utf8")) as File,
);
const file: File = {
  policies: Object.assign({}, ...files.map(({ policies }) => policies)) as File["policies"],
  cases: files.flatMap(({ cases }) => cases),
};

export const CASES: readonly Case[] = file.cases;

/** The compiled policy of a case. */
export function configurationOf({ id, policy }: Case): PluginConfiguration {
  const source = file.policies[policy];
  if (source === undefined) throw new Error(`case ${id}: there is no policy ${policy}`);
  return compilePolicy(policyFrom(source), { holdHeaders: true });
}

export function bytesOf(content: Content | undefined): Buffer {
  if (content === undefined) return Buffer.alloc(0);
  if (typeof content === "string") return Buffer.from(content, "utf8");
  if (Array.isArray(content)) return Buffer.concat(content.map(bytesOf));
  if ("bytes" in content) return Buffer.from(content.bytes, "base64");
  if ("base64" in content) return Buffer.from(bytesOf(content.base64).toString("base64"));
  if ("field" in content) return field(content.field[0], bytesOf(content.field[1]));
  if ("frame" in content) return frame(bytesOf(content.frame), content.flags);
  if ("coded" in content) return CODINGS[content.coded](bytesOf(content.of));
  if ("socket" in content) return frameOfSocket(bytesOf(content.socket), content);
  if ("deflated" in content) {
    return Buffer.concat(
      deflated(content.deflated.map(bytesOf)).map((one) => frameOfSocket(one, { compressed: true })),
    );
  }
  if ("last" in content) return bytesOf(content.of).subarray(-content.last);
  if ("first" in content) return bytesOf(content.of).subarray(0, content.first);
  return Buffer.from(content.repeat.repeat(content.times), "utf8");
}

/** The pieces of the body of the response. */
export function responseChunks({ response }: Case): Buffer[] {
  if (response?.chunks !== undefined) return response.chunks.map(bytesOf);
  return response?.body === undefined ? [] : [bytesOf(response.body)];
}

/** The whole body, whatever pieces it is sent in. */
export function bodyOf({ request }: Case): Buffer {
  const chunks = (request.send ?? []).flatMap((step) => ("chunk" in step ? [bytesOf(step.chunk)] : []));
  return request.send === undefined ? bytesOf(request.body) : Buffer.concat(chunks);
}
