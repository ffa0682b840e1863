// The answer to a request that does not reach its service, in the form that its client reads. No byte of the request is in it but
// the request id, which is a UUID.

import { byteAt, findByte, putByte, putBytes, putDecimal } from "../core/bytes";
import { Char } from "../core/char";
import { putText, textStarts, textBytes } from "../core/text";
import { Policy } from "../policy/layout";
import { UUID_SIZE } from "./ids";

export const enum AnswerKind {
  /** Problem details (RFC 9457). */
  Problem = 0,
  /** A page for people. */
  Html = 1,
  /** An error of GraphQL over HTTP. */
  GraphQl = 2,
  /** Envoy makes a gRPC response of status and text. */
  Grpc = 3,
  /** A response without messages; text is base64. */
  GrpcWeb = 4,
  GrpcWebText = 5,
}

/** Room for a body: one of a policy with nothing in it but request ids. */
const BODY: usize = memory.data(32768, 8);
/** The serialized header map: sizes first, then the texts with a NUL behind each. */
const HEADERS: usize = memory.data(8192, 8);
const TEXTS: usize = memory.data(6144, 8);
/** Headers of an answer: those of a policy, and room to spare. */
const MAX_HEADERS: u32 = 24;

export let answerStatus: u32 = 0;
export const answerBody: usize = BODY;
export let answerBodyEnd: usize = BODY;
export const answerHeaders: usize = HEADERS;
export let answerHeadersEnd: usize = HEADERS;
/** -1: there is none, or Envoy derives it from the HTTP status. */
export let answerGrpcStatus: i32 = -1;

let count: u32 = 0;
let textsEnd: usize = TEXTS;

/**
 * Writes the answer with `status` to a client that reads `kind`, for the request `requestId` (36 bytes). Where the policy has a
 * denial of its own it is what a 403 becomes; not for gRPC, whose clients could not read it.
 */
export function writeAnswer(kind: AnswerKind, status: u32, requestId: usize, policy: Policy): void {
  count = 0;
  textsEnd = TEXTS;
  answerStatus = status;
  answerGrpcStatus = -1;
  answerBodyEnd = BODY;
  if (kind >= AnswerKind.Grpc) writeGrpc(kind, status, requestId);
  else if (status == 403 && policy.denialStatus != 0) writeOwn(policy, requestId);
  else if (kind == AnswerKind.Html) writePage(status, requestId);
  else if (kind == AnswerKind.GraphQl) writeErrors(status, requestId);
  else writeProblem(status, requestId);
  writeHeaders();
}

function titleOf(status: u32): string {
  if (status == 413) return "Content Too Large";
  if (status == 415) return "Unsupported Media Type";
  return status == 503 ? "Service Unavailable" : "Forbidden";
}

function detailOf(status: u32): string {
  if (status == 413) return "The body is larger than what is inspected before it is passed on.";
  if (status == 415) return "The body has a content coding that cannot be inspected.";
  return status == 503 ? "The request could not be inspected." : "The request was refused by policy.";
}

/** RFC 9457. */
function writeProblem(status: u32, requestId: usize): void {
  beginAnswer("application/problem+json");
  let out = putText(BODY, '{"type":"about:blank","title":"');
  out = putText(out, titleOf(status));
  out = putText(out, '","status":');
  out = putDecimal(out, status);
  out = putText(out, ',"detail":"');
  out = putText(out, detailOf(status));
  out = putText(out, '","instance":"urn:uuid:');
  out = putBytes(out, requestId, requestId + UUID_SIZE);
  answerBodyEnd = putText(out, '"}');
}

/** https://spec.graphql.org/draft/#sec-Errors, in the media type of https://graphql.github.io/graphql-over-http/draft/ */
function writeErrors(status: u32, requestId: usize): void {
  beginAnswer("application/graphql-response+json; charset=utf-8");
  let out = putText(BODY, '{"errors":[{"message":"');
  out = putText(out, detailOf(status));
  out = putText(out, '","extensions":{"code":"');
  out = putText(out, status == 403 ? "FORBIDDEN" : status == 503 ? "SERVICE_UNAVAILABLE" : "BAD_REQUEST");
  out = putText(out, '","status":');
  out = putDecimal(out, status);
  out = putText(out, ',"instance":"urn:uuid:');
  out = putBytes(out, requestId, requestId + UUID_SIZE);
  answerBodyEnd = putText(out, '"}}]}');
}

function writePage(status: u32, requestId: usize): void {
  beginAnswer("text/html; charset=utf-8");
  addHeader("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  addHeader("x-content-type-options", "nosniff");
  let out = putText(BODY, '<!doctype html>\n<html lang="en"><meta charset="utf-8">');
  out = putText(out, '<meta name="viewport" content="width=device-width, initial-scale=1"><title>');
  out = putText(out, titleOf(status));
  out = putText(
    out,
    "</title><style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;",
  );
  out = putText(out, "margin:15vh auto;padding:0 1rem}code{overflow-wrap:anywhere}</style><h1>");
  out = putText(out, titleOf(status));
  out = putText(out, "</h1><p>");
  out = putText(out, detailOf(status));
  out = putText(out, "<p>If you did nothing wrong, tell the site's operators this request ID:<p><code>");
  out = putBytes(out, requestId, requestId + UUID_SIZE);
  answerBodyEnd = putText(out, "</code></html>\n");
}

/** What a gRPC client reads: Envoy makes the response, but for gRPC-Web, where trailers are the last frame of the body. */
function writeGrpc(kind: AnswerKind, status: u32, requestId: usize): void {
  answerGrpcStatus = status == 403 ? 7 : status == 413 ? 8 : status == 415 ? 12 : 14;
  if (kind == AnswerKind.Grpc) {
    answerBodyEnd = putMessage(BODY, status, requestId);
    return;
  }
  const isText = kind == AnswerKind.GrpcWebText;
  beginAnswer(isText ? "application/grpc-web-text+proto" : "application/grpc-web+proto");
  const frame = isText ? FRAME : BODY;
  let out = putText(frame + 5, "grpc-status:");
  out = putDecimal(out, answerGrpcStatus);
  out = putText(putMessage(putText(out, "\r\ngrpc-message:"), status, requestId), "\r\n");
  const length = <u32>(out - frame - 5);
  store<u8>(frame, TRAILERS);
  store<u32>(frame + 1, bswap<u32>(length));
  answerStatus = 200;
  answerBodyEnd = isText ? putBase64(BODY, frame, out) : out;
}

/** Base64 (RFC 4648) with padding. */
function putBase64(out: usize, start: usize, end: usize): usize {
  const digits = textBytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
  for (; start < end; start += 3) {
    const left = end - start;
    const bits = (byteAt(start) << 16) | (left > 1 ? byteAt(start + 1) << 8 : 0) | (left > 2 ? byteAt(start + 2) : 0);
    out = putByte(out, load<u8>(digits + ((bits >> 18) & 63)));
    out = putByte(out, load<u8>(digits + ((bits >> 12) & 63)));
    out = putByte(out, left > 1 ? <u32>load<u8>(digits + ((bits >> 6) & 63)) : Char.Equals);
    out = putByte(out, left > 2 ? <u32>load<u8>(digits + (bits & 63)) : Char.Equals);
  }
  return out;
}

/** The flag of a frame that holds trailers: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md */
const TRAILERS: u8 = 0x80;
const FRAME: usize = memory.data(256, 8);

function putMessage(out: usize, status: u32, requestId: usize): usize {
  out = putText(putText(out, detailOf(status)), " urn:uuid:");
  return putBytes(out, requestId, requestId + UUID_SIZE);
}

/** The policy's own denial: its headers are pairs of texts with a NUL behind each, its body has `{request_id}` in it. */
function writeOwn(policy: Policy, requestId: usize): void {
  answerStatus = policy.denialStatus;
  for (let at = policy.denialHeaders; at < policy.denialHeadersEnd && count < MAX_HEADERS; count++) {
    const name = findByte(at, policy.denialHeadersEnd, 0);
    const value = findByte(name + 1, policy.denialHeadersEnd, 0);
    noteSizes(name - at, value - name - 1);
    textsEnd = putBytes(textsEnd, at, value + 1);
    at = value + 1;
  }
  let out = BODY;
  for (let at = policy.denialBody; at < policy.denialBodyEnd;) {
    if (byteAt(at) == Char.BraceOpen && textStarts(at, policy.denialBodyEnd, "{request_id}")) {
      out = putBytes(out, requestId, requestId + UUID_SIZE);
      at += 12;
    } else {
      out = putByte(out, byteAt(at++));
    }
  }
  answerBodyEnd = out;
}

/** The headers of all answers but a policy's own. */
function beginAnswer(type: string): void {
  addHeader("content-type", type);
  addHeader("cache-control", "no-store");
}

function addHeader(name: string, value: string): void {
  const nameEnd = putText(textsEnd, name);
  const valueEnd = putText(putByte(nameEnd, 0), value);
  noteSizes(nameEnd - textsEnd, valueEnd - nameEnd - 1);
  textsEnd = putByte(valueEnd, 0);
  count++;
}

function noteSizes(name: usize, value: usize): void {
  store<u32>(HEADERS + 4 + (count << 3), <u32>name);
  store<u32>(HEADERS + 8 + (count << 3), <u32>value);
}

function writeHeaders(): void {
  store<u32>(HEADERS, count);
  answerHeadersEnd = putBytes(HEADERS + 4 + (count << 3), TEXTS, textsEnd);
}
