// What a Content-Type says of how a body is read, and Accept of the answer that a client reads.

import { byteAt, findByte, isDigit } from "../core/bytes";
import { Char } from "../core/char";
import { textEndsNoCase, textIs, textIsNoCase, textStartsNoCase } from "../core/text";
import { boundary, boundaryEnd, readBoundary } from "../parse/part";
import { AnswerKind } from "../report/answer";
import { isRpc } from "./rpc";
import { BodyKind } from "./stream";

/** The boundary that the Content-Type of the request at work declares; empty where there is none, or where there are two. */
export let declared: usize = 0;
export let declaredEnd: usize = 0;
export let declarations: u32 = 0;

/** Begins with a request whose Content-Type was not looked at. */
export function forgetType(): void {
  declared = declaredEnd = 0;
  declarations = 0;
}

/** Notes the boundary of a multipart type. */
function declareBoundary(types: usize, typesEnd: usize): void {
  readBoundary(types, typesEnd);
  declared = boundary;
  declaredEnd = declarations++ == 0 ? boundaryEnd : boundary;
}

/**
 * How a body of that Content-Type is read; an empty or plain one is looked at when its first byte is there. A list (Envoy joins
 * repeated headers with commas) is read as all of its types can be: servers cut it at the comma, or take the last.
 */
export function bodyKindOf(types: usize, typesEnd: usize): BodyKind {
  let end = findByte(types, typesEnd, Char.Comma);
  let kind = kindOfType(types, end);
  let multipart = kind == BodyKind.Multipart;
  while (end < typesEnd) {
    const start = end + 1;
    end = findByte(start, typesEnd, Char.Comma);
    kind = eitherKind(kind, kindOfType(start, end));
    if (kind == BodyKind.Multipart) multipart = true;
  }
  if (multipart) declareBoundary(types, typesEnd);
  return kind;
}

/** How a body is read that may be of either kind: the one that is read, and told from its first byte where both are. */
export function eitherKind(kind: BodyKind, other: BodyKind): BodyKind {
  if (kind == other || other == BodyKind.None) return kind;
  if (kind == BodyKind.None) return other;
  if (isRpc(kind)) return kind;
  if (kind == BodyKind.Probe || isRpc(other)) return other;
  return other == BodyKind.Probe ? kind : BodyKind.Sniff;
}

/** How a body of that one type, with its parameters, is read. */
export function kindOfType(type: usize, typeEnd: usize): BodyKind {
  while (type < typeEnd && byteAt(type) <= <u32>Char.Space) type++;
  let end = type;
  while (end < typeEnd && byteAt(end) != Char.Semicolon && byteAt(end) > <u32>Char.Space) end++;
  if (textIsNoCase(type, end, "application/x-www-form-urlencoded")) return BodyKind.Form;
  if (textIsNoCase(type, end, "application/json") || textIsNoCase(type, end, "text/json")) return BodyKind.Json;
  if (textStartsNoCase(type, end, "application/grpc"))
    return textStartsNoCase(type, end, "application/grpc-web-text") ? BodyKind.GrpcText : BodyKind.Grpc;
  if (textIsNoCase(type, end, "application/protobuf") || textIsNoCase(type, end, "application/x-protobuf"))
    return BodyKind.Protobuf;
  if (textIsNoCase(type, end, "application/vnd.google.protobuf")) return BodyKind.Protobuf;
  if (textIsNoCase(type, end, "application/graphql")) return BodyKind.Graphql;
  if (textStartsNoCase(type, end, "application/") && textEndsNoCase(type, end, "+json")) {
    return BodyKind.Json;
  }
  if (textIsNoCase(type, end, "image/svg+xml") || textIsNoCase(type, end, "application/xhtml+xml"))
    return BodyKind.Markup;
  if (textIsNoCase(type, end, "text/xml") || textIsNoCase(type, end, "application/xml")) return BodyKind.Xml;
  if (textEndsNoCase(type + 1, end, "+xml")) return BodyKind.Xml;
  if (textStartsNoCase(type, end, "multipart/")) return BodyKind.Multipart;
  if (textEndsNoCase(type + 1, end, "msgpack")) return BodyKind.MessagePack;
  if (textEndsNoCase(type + 1, end, "cbor")) return BodyKind.Cbor;
  if (type == end || textIsNoCase(type, end, "text/plain")) return BodyKind.Sniff;
  if (textEndsNoCase(type + 2, end, "yaml")) return BodyKind.Sniff;
  return BodyKind.Probe;
}

/** The form of an answer that the client of a request reads, told from its Content-Type, Accept and path (without the query). */
export function answerKindOf(
  type: usize,
  typeEnd: usize,
  accept: usize,
  acceptEnd: usize,
  path: usize,
  pathEnd: usize,
): AnswerKind {
  if (textStartsNoCase(type, typeEnd, "application/grpc-web-text")) return AnswerKind.GrpcWebText;
  if (textStartsNoCase(type, typeEnd, "application/grpc-web")) return AnswerKind.GrpcWeb;
  if (textStartsNoCase(type, typeEnd, "application/grpc")) return AnswerKind.Grpc;
  if (textStartsNoCase(type, typeEnd, "application/graphql")) return AnswerKind.GraphQl;
  let html: u32 = 0;
  let json: u32 = 0;
  for (let range = accept; range < acceptEnd;) {
    const end = findByte(range, acceptEnd, Char.Comma);
    while (range < end && byteAt(range) <= <u32>Char.Space) range++;
    const quality = qualityOf(range, end);
    if (textStartsNoCase(range, end, "application/graphql-response+json")) return AnswerKind.GraphQl;
    if (textStartsNoCase(range, end, "text/html")) html = max(html, quality);
    else if (isJsonRange(range, end)) json = max(json, quality);
    range = end + 1;
  }
  if (html > json) return AnswerKind.Html;
  // The path that GraphQL services have by convention; their clients ask for JSON, or for anything.
  const graphql = pathEnd - path >= 8 && textIs(pathEnd - 8, pathEnd, "/graphql");
  return graphql ? AnswerKind.GraphQl : AnswerKind.Problem;
}

/** Whether a media range is JSON, of whatever kind. */
function isJsonRange(range: usize, end: usize): bool {
  const type = min(findByte(range, end, Char.Semicolon), findByte(range, end, Char.Space));
  return textEndsNoCase(range + 1, type, "json");
}

/** The weight of a media range (RFC 9110, section 12.4.2), in thousandths; 1000 where there is none that can be read. */
function qualityOf(range: usize, end: usize): u32 {
  for (let at = findByte(range, end, Char.Semicolon); at < end; at = findByte(at, end, Char.Semicolon)) {
    at++;
    while (at < end && byteAt(at) <= <u32>Char.Space) at++;
    if (!textStartsNoCase(at, end, "q=")) continue;
    at += 2;
    if (at >= end || byteAt(at) != Char._0) return 1000;
    let quality: u32 = 0;
    let scale: u32 = 100;
    for (at += 2; at < end && isDigit(byteAt(at)) && scale > 0; at++, scale /= 10)
      quality += (byteAt(at) - Char._0) * scale;
    return quality;
  }
  return 1000;
}
