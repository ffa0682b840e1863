// What a Content-Type says of how a body is read.

import { byteAt, findByte } from "../core/bytes";
import { Char } from "../core/char";
import { textIsNoCase, textStartsNoCase } from "../core/text";
import { boundary, boundaryEnd, readBoundary } from "../parse/part";
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
  if (kind == BodyKind.Probe) return other;
  return other == BodyKind.Probe ? kind : BodyKind.Sniff;
}

/** How a body of that one type, with its parameters, is read. */
export function kindOfType(type: usize, typeEnd: usize): BodyKind {
  while (type < typeEnd && byteAt(type) <= <u32>Char.Space) type++;
  let end = type;
  while (end < typeEnd && byteAt(end) != Char.Semicolon && byteAt(end) > <u32>Char.Space) end++;
  if (textIsNoCase(type, end, "application/x-www-form-urlencoded")) return BodyKind.Form;
  if (textIsNoCase(type, end, "application/json") || textIsNoCase(type, end, "text/json")) return BodyKind.Json;
  // Streams of messages, also those with messages of JSON.
  if (textStartsNoCase(type, end, "application/grpc")) return BodyKind.None;
  if (textIsNoCase(type, end, "application/graphql")) return BodyKind.Text;
  if (textStartsNoCase(type, end, "application/") && end - type > 5 && textIsNoCase(end - 5, end, "+json")) {
    return BodyKind.Json;
  }
  if (textIsNoCase(type, end, "image/svg+xml") || textIsNoCase(type, end, "application/xhtml+xml"))
    return BodyKind.Markup;
  if (textIsNoCase(type, end, "text/xml") || textIsNoCase(type, end, "application/xml")) return BodyKind.Xml;
  if (end - type > 4 && textIsNoCase(end - 4, end, "+xml")) return BodyKind.Xml;
  if (textStartsNoCase(type, end, "multipart/")) return BodyKind.Multipart;
  if (type == end || textIsNoCase(type, end, "text/plain")) return BodyKind.Sniff;
  if (end - type > 5 && textIsNoCase(end - 4, end, "yaml")) return BodyKind.Sniff;
  return BodyKind.Probe;
}
