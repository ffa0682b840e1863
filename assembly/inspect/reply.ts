// The response at work: its status, how a browser takes its body, the beginning of that body in one piece, and which values of the
// request may show in it. Set by filter/response.ts before a check is asked; one at a time, never on a heap.

import { byteAt, isLetter, isSpace, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { isOneOf, startsWithOneOf, textEndsNoCase, textIsNoCase } from "../core/text";
import { essenceEnd } from "./exchange";

/** How the body of a response is taken. */
export const enum BodyType {
  /** Not read: there is none, or it is sound, pictures or messages in frames. */
  None = 0,
  /** A browser renders it. */
  Html = 1,
  Json = 2,
  /** Any other. */
  Text = 3,
  /** No type, and nothing that forbids to guess: told from its first bytes. */
  Unsaid = 4,
  /** Pages run it where they load it. */
  Script = 5,
}

export let replyStatus: u32 = 0;
export let replyType: BodyType = BodyType.None;
/** The beginning of its body, with 64 bytes to read behind it. */
export let reply: usize = 0;
export let replyEnd: usize = 0;

export function setReply(status: u32, type: BodyType, start: usize, end: usize): void {
  replyStatus = status;
  reply = start;
  replyEnd = end;
  replyType = type == BodyType.Unsaid ? (looksLikeHtml(start, end) ? BodyType.Html : BodyType.Text) : type;
}

/** How a body of that content type is taken; an empty one is none. */
export function bodyTypeOf(type: usize, end: usize, nosniff: bool): BodyType {
  end = essenceEnd(type, end);
  if (type == end) return nosniff ? BodyType.Text : BodyType.Unsaid;
  if (isOneOf(type, end, "text/html application/xhtml+xml image/svg+xml ")) return BodyType.Html;
  if (textIsNoCase(type, end, "application/json") || textEndsNoCase(type, end, "+json")) return BodyType.Json;
  // "text/javascript", "application/x-javascript", "text/ecmascript" …
  if (textEndsNoCase(type, end, "javascript") || textEndsNoCase(type, end, "ecmascript")) return BodyType.Script;
  if (startsWithOneOf(type, end, "image/ video/ audio/ font/ multipart/ text/event-stream application/grpc "))
    return BodyType.None;
  return BodyType.Text;
}

/** Whether a body without a type begins as browsers take it for HTML (WHATWG MIME Sniffing, 7.1): a tag, maybe behind blanks. */
function looksLikeHtml(start: usize, end: usize): bool {
  start = skipSpaces(start, end);
  if (end - start < 3 || byteAt(start) != Char.Less) return false;
  return isLetter(byteAt(start + 1)) || byteAt(start + 1) == Char.Bang;
}

/** Where in the body something stands. */
export const enum Place {
  /** In the middle of a line. */
  Inside,
  /** Where a line begins. */
  Line,
  /** Where a text of HTML or XML begins, behind a tag. */
  Text,
  /** Where the body begins, or a string of JSON. */
  Start,
}

/** The place of `at`. */
export function placeOf(at: usize): Place {
  let before = at;
  while (before > reply && isSpace(byteAt(before - 1)) && byteAt(before - 1) != Char.LineFeed) before--;
  if (before == reply) return Place.Start;
  const byte = byteAt(before - 1);
  if (replyType == BodyType.Json) {
    if (before == at && byte == Char.DoubleQuote && byteAt(before - 2) != Char.Backslash) return Place.Start;
    return before == at && byte == Char.n && byteAt(before - 2) == Char.Backslash ? Place.Line : Place.Inside;
  }
  if (byte == Char.Greater) return Place.Text;
  if (byte != Char.LineFeed) return Place.Inside;
  const first = skipSpaces(reply, at);
  if (first == at) return Place.Start;
  // `<pre>` and a line end.
  while (before > reply && isSpace(byteAt(before - 1))) before--;
  return byteAt(before - 1) == Char.Greater ? Place.Text : Place.Line;
}
