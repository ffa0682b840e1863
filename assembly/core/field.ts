// The field under inspection: which part of the message it stands in and what it is called. Set by `filter` before a value is
// judged, read by detectors (a path detector asks for the part) and copied into a finding. One at a time, never on a heap.

import { byteAt, findByte, isDigit, sameBytesNoCase, withoutPort } from "./bytes";
import { Char } from "./char";
import { textIs, textStartsNoCase } from "./text";

/** Where a value stood. Append-only, since events hold the names. */
export const enum Part {
  Query = 0,
  Path = 1,
  Header = 2,
  Cookie = 3,
  Form = 4,
  Json = 5,
  /** A body that is inspected as text: unknown type, malformed, or nested beyond the limit. */
  Body = 6,
  Xml = 7,
  /** A part of a body in parts: its name, its file name, its content. */
  Multipart = 8,
  /** A document of GraphQL: as a whole, and the strings in it by the names of arguments. */
  Graphql = 9,
  /** A field of a message of protobuf, by its numbers: "1.3.2". */
  Grpc = 10,
  /** A header of the response, where no parameter of the request is to blame. */
  ResponseHeader = 11,
  /** The same of its body. */
  ResponseBody = 12,
}

/** How many parts there are. */
const PARTS: i32 = 13;

/** The part of the message that the current value stands in, or that it is like: detectors go by it. */
export let fieldPart: Part = Part.Query;
/** That part as findings and policies have it. */
export let reportedPart: Part = Part.Query;
/** The field's name as the finding gives it: parameter, header in lower case, JSON Pointer, segment index; empty for none. */
export let fieldName: usize = 0;
export let fieldNameEnd: usize = 0;

/** Names the field that the next judged value belongs to; the bytes of the name stay the caller's. */
export function setField(part: Part, name: usize, nameEnd: usize): void {
  fieldPart = reportedPart = part;
  fieldName = name;
  fieldNameEnd = nameEnd;
}

/** Says that findings in the field just named are told of another part: a document like JSON in a syntax of its own. */
export function reportAs(part: Part): void {
  reportedPart = part;
}

/** Bytes at the end of a name that an operator is looked for in. */
const TAIL: usize = 16;

/** Whether a "$" stands in the last bytes of the field's name: `user[$ne]` may be a query operator, whatever its value. */
export function holdsOperator(): bool {
  return nameHoldsOperator(fieldName, fieldNameEnd);
}

/** The same of any name. */
export function nameHoldsOperator(name: usize, end: usize): bool {
  const size = end - name;
  if (size < 3) return false;
  return findByte(end - min(size, TAIL), end, Char.Dollar) < end;
}

/** The value is a string of a text of JSON that is a value itself. Set by `detect/judge.ts`. */
export let fieldNested: bool = false;

export function setNested(nested: bool): void {
  fieldNested = nested;
}

/** The value stands in the address of another site, where it is a parameter of that one. Set by `filter/values.ts`. */
export let fieldForeign: bool = false;

export function setForeign(foreign: bool): void {
  fieldForeign = foreign;
}

/** The host that the request is for, with its port; empty for none. The bytes stay the caller's. */
export let ownHost: usize = 0;
export let ownHostEnd: usize = 0;

export function setOwnHost(start: usize, end: usize): void {
  ownHost = start;
  ownHostEnd = end;
}

/** Whether `start..end` is the request's own host, or one below it; "www." says nothing. */
export function isOwnHost(start: usize, end: usize): bool {
  let own = ownHost;
  let ownEnd = withoutPort(ownHost, ownHostEnd);
  if (textStartsNoCase(own, ownEnd, "www.")) own += 4;
  const size = ownEnd - own;
  if (size == 0 || end - start < size || !sameBytesNoCase(end - size, end, own, ownEnd)) return false;
  return end - start == size || byteAt(end - size - 1) == Char.Dot;
}

/** Where the last member of the field's pointer that is no index begins and ends, and how deep it lies; set by `readMember`. */
export let member: usize = 0;
export let memberEnd: usize = 0;
export let memberDepth: u32 = 0;
/** The member around it; empty for none. */
export let memberParent: usize = 0;
export let memberParentEnd: usize = 0;

/** Reads the pointer of a field of JSON: of "/steps/0/run/1" the member "run", four deep. */
export function readMember(): void {
  memberDepth = 0;
  memberParent = memberParentEnd = 0;
  for (let at = fieldName; at < fieldNameEnd; at++) if (byteAt(at) == Char.Slash) memberDepth++;
  memberEnd = fieldNameEnd;
  do {
    member = memberEnd;
    while (member > fieldName && byteAt(member - 1) != Char.Slash) member--;
    if (member >= memberEnd || !isDigit(byteAt(member))) break;
    memberEnd = member > fieldName ? member - 1 : member;
  } while (memberEnd > fieldName);
  if (member <= fieldName + 1) return;
  memberParentEnd = memberParent = member - 1;
  while (memberParent > fieldName && byteAt(memberParent - 1) != Char.Slash) memberParent--;
}

/** The name of a part, as events and policies have it. */
export function partName(part: u32): string {
  switch (part) {
    case Part.Query:
      return "query";
    case Part.Path:
      return "path";
    case Part.Header:
      return "header";
    case Part.Cookie:
      return "cookie";
    case Part.Form:
      return "form";
    case Part.Json:
      return "json";
    case Part.Xml:
      return "xml";
    case Part.Multipart:
      return "multipart";
    case Part.Graphql:
      return "graphql";
    case Part.Grpc:
      return "grpc";
    case Part.ResponseHeader:
      return "response-header";
    case Part.ResponseBody:
      return "response-body";
    default:
      return "body";
  }
}

/** The part of that name, or -1. */
export function partNamed(start: usize, end: usize): i32 {
  for (let part: i32 = Part.Query; part < PARTS; part++) {
    if (textIs(start, end, partName(part))) return part;
  }
  return -1;
}

/** Whether people send scripts in the part at work: in documents and forms they do, in addresses and headers lines are padding. */
export function mayHoldScript(): bool {
  return fieldPart != Part.Query && fieldPart != Part.Path && fieldPart != Part.Header && fieldPart != Part.Cookie;
}
