// Each part of the engine by itself, for `meshward bench engine --scale`: decoders and detectors over windows of 16 KiB, as values
// come to them, parsers over chunks of 16 KiB, as bodies do. The order of `Unit` is that of UNITS in scripts/bench/engine-scale.ts.

import { classify } from "./core/classify";
import { Part, setField } from "./core/field";
import { closeFindings, findingCount, freeFindings, openFindings } from "./core/findings";
import { unwrap } from "./decode/base64";
import { decodeContent } from "./decode/content";
import { decodeEntities } from "./decode/entity";
import { decodeEscapes } from "./decode/escape";
import { decodePercent } from "./decode/percent";
import { decodeUnicode } from "./decode/unicode";
import { decodeUtf7 } from "./decode/utf7";
import { detectAuth } from "./detect/auth";
import { detectCmdi } from "./detect/cmdi";
import { detectCrlf } from "./detect/crlf";
import { detectDeser } from "./detect/deser";
import { detectExpression } from "./detect/expression";
import { detectGraphql } from "./detect/graphql";
import { detectJndi } from "./detect/jndi";
import { judge } from "./detect/judge";
import { detectLdapi } from "./detect/ldapi";
import { detectNosqli } from "./detect/nosqli";
import { detectHeader } from "./detect/protocol";
import { detectPrototype } from "./detect/prototype";
import { detectProbe, detectScanner } from "./detect/scanner";
import { detectSqli } from "./detect/sqli";
import { detectSsi } from "./detect/ssi";
import { detectTraversal } from "./detect/traversal";
import { detectFile, detectFileName, detectSkipped } from "./detect/upload";
import { detectUrls } from "./detect/url";
import { detectXpath } from "./detect/xpath";
import { detectXss } from "./detect/xss";
import { detectXxe } from "./detect/xxe";
import { nextCookie, openCookies } from "./parse/cookie";
import { feedForm, FormEvent, formName, formNameEnd, nextForm, openForm } from "./parse/form";
import { jsonFeed, JsonEvent, jsonNext, jsonOpen, jsonPointer, jsonPointerEnd } from "./parse/json";
import { feedMultipart, MultipartEvent, nextMultipart, openMultipart, partName, partNameEnd } from "./parse/multipart";
import { openPart } from "./parse/part";
import { nextSegment, normalizePath, openSegments, unescapeSlashes } from "./parse/path";
import { nextQuery, openQuery } from "./parse/query";
import { feedText, nextText, openText, TextEvent } from "./parse/text";
import {
  Coding,
  keepValue,
  nextWindow,
  openSpan,
  resumeValue,
  unfinishedSize,
  valueEnd,
  valueStart,
  valueWindowed,
} from "./parse/value";
import { feedXml, nextXml, openXml, XmlEvent, xmlName, xmlNameEnd } from "./parse/xml";

export const enum Unit {
  Percent,
  Entities,
  Escapes,
  Unicode,
  Utf7,
  Content,
  Base64,
  Query,
  Cookies,
  Segments,
  Path,
  Json,
  Form,
  Text,
  Xml,
  Multipart,
  Sqli,
  Xss,
  Cmdi,
  Traversal,
  Xxe,
  Deser,
  Jndi,
  Expression,
  Ssi,
  Urls,
  Nosqli,
  Ldapi,
  Xpath,
  Graphql,
  Prototype,
  Crlf,
  Auth,
  Headers,
  Upload,
  /** All detectors and layers: 9 units, one for each `Part`. */
  Judged,
  /** A body, parsed and judged. */
  JsonJudged = 44,
  FormJudged,
  TextJudged,
  XmlJudged,
  MultipartJudged,
  Count,
}

const WINDOW: usize = 16384;
const STATE: usize = memory.data(4096, 16);
const SLOT: usize = memory.data(16448, 16);
/** Room for a path of three times the longest input. */
const OUT: usize = memory.data(3145792, 16);
/** "B", which is a boundary, a name and a type here. */
const NAME: usize = memory.data<u8>([66]);
const DEPTH: u32 = 64;

/** Takes `start..end` through one unit; returns what came of it, so that nothing is left out. */
export function scaleOnce(unit: i32, start: usize, end: usize): u32 {
  openFindings(0);
  setField(unit >= Unit.Judged && unit < Unit.JsonJudged ? unit - Unit.Judged : 0, NAME, NAME + 1);
  let sum = parsePlace(unit, start, end);
  if (unit >= Unit.JsonJudged) sum += parseBody(unit - Unit.JsonJudged, start, end, true);
  else if (unit >= Unit.Json && unit <= Unit.Multipart) sum += parseBody(unit - Unit.Json, start, end, false);
  else if (unit < Unit.Query || unit > Unit.Path) {
    openSpan(start, end, Coding.None);
    first = true;
    while (nextWindow()) {
      sum += window(unit, valueStart, valueEnd);
      first = false;
    }
  }
  const list = closeFindings();
  sum += findingCount(list);
  freeFindings(list);
  return sum;
}

/** A place that is taken apart whole: a header map holds it. */
function parsePlace(unit: i32, start: usize, end: usize): u32 {
  let sum: u32 = 0;
  switch (unit) {
    case Unit.Query:
      openQuery(start, end);
      while (nextQuery()) sum++;
      break;
    case Unit.Cookies:
      openCookies(start, end);
      while (nextCookie()) sum++;
      break;
    case Unit.Segments:
      openSegments(start, end);
      while (nextSegment()) sum++;
      break;
    case Unit.Path:
      sum = <u32>normalizePath(start, end, OUT) + <u32>unescapeSlashes(start, end, OUT);
  }
  return sum;
}

/** Whether it is the first window of the input. */
let first: bool = false;

/** One window through a decoder or detector. */
function window(unit: i32, start: usize, end: usize): u32 {
  if (unit >= Unit.Judged) {
    judge(start, end);
    return 0;
  }
  switch (unit) {
    case Unit.Percent:
      return <u32>decodePercent(start, end, OUT, true);
    case Unit.Entities:
      return <u32>decodeEntities(start, end, OUT);
    case Unit.Escapes:
      return <u32>decodeEscapes(start, end, OUT);
    case Unit.Unicode:
      return <u32>decodeUnicode(start, end, OUT);
    case Unit.Utf7:
      return <u32>decodeUtf7(start, end, OUT);
    case Unit.Content:
      return <u32>decodeContent(start, end, OUT);
    case Unit.Base64:
      return u32(unwrap(start, end));
  }
  const kinds = classify(start, end);
  switch (unit) {
    case Unit.Sqli:
      detectSqli(start, end, kinds);
      break;
    case Unit.Xss:
      detectXss(start, end, kinds);
      break;
    case Unit.Cmdi:
      detectCmdi(start, end, kinds);
      break;
    case Unit.Traversal:
      detectTraversal(start, end, kinds);
      break;
    case Unit.Xxe:
      detectXxe(start, end, kinds);
      break;
    case Unit.Deser:
      detectDeser(start, end, kinds);
      break;
    case Unit.Jndi:
      detectJndi(start, end, kinds);
      break;
    case Unit.Expression:
      detectExpression(start, end, kinds);
      break;
    case Unit.Ssi:
      detectSsi(start, end, kinds);
      break;
    case Unit.Urls:
      detectUrls(start, end, kinds);
      break;
    case Unit.Nosqli:
      detectNosqli(start, end, kinds);
      break;
    case Unit.Ldapi:
      detectLdapi(start, end, kinds);
      break;
    case Unit.Xpath:
      detectXpath(start, end, kinds);
      break;
    case Unit.Graphql:
      detectGraphql(start, end, kinds);
      break;
    case Unit.Prototype:
      detectPrototype(start, end, kinds);
      break;
    case Unit.Crlf:
      detectCrlf(start, end, kinds);
      break;
    case Unit.Auth:
      detectAuth(start, end, kinds);
      break;
    case Unit.Headers:
      detectHeader(NAME, NAME + 1, start, end);
      detectScanner(NAME, NAME + 1, start, end);
      detectProbe(start, end);
      break;
    case Unit.Upload:
      detectFile(0, start, end, first, !valueWindowed);
      return detectSkipped(0, start, end) + detectFileName(start, end);
  }
  return 0;
}

/** A body in chunks; what is unfinished at the end of one is kept as the filter keeps it. */
function parseBody(kind: u32, start: usize, end: usize, judging: bool): u32 {
  switch (kind) {
    case 0:
      jsonOpen(STATE, DEPTH);
      break;
    case 1:
      openForm(STATE);
      break;
    case 2:
      openText(STATE);
      break;
    case 3:
      openXml(STATE);
      break;
    default:
      openMultipart(STATE, NAME, NAME + 1);
  }
  let sum: u32 = 0;
  over = false;
  for (; start < end && !over; start += WINDOW) {
    const next = min(end, start + WINDOW);
    if (unfinishedSize(STATE) != 0) resumeValue(STATE, SLOT);
    feed(kind, start, next, next == end);
    while (nextValue(kind)) {
      sum += <u32>(valueEnd - valueStart);
      if (!judging) continue;
      setField(kind == 0 ? Part.Json : kind == 3 ? Part.Xml : Part.Body, name, nameEnd);
      judge(valueStart, valueEnd);
    }
    if (unfinishedSize(STATE) != 0) keepValue(STATE, SLOT);
  }
  return sum;
}

/** Whether the body is at its end, or none of its kind from here on. */
let over: bool = false;
let name: usize = 0;
let nameEnd: usize = 0;

function feed(kind: u32, start: usize, end: usize, last: bool): void {
  switch (kind) {
    case 0:
      jsonFeed(STATE, start, end, last);
      break;
    case 1:
      feedForm(STATE, start, end, last);
      break;
    case 2:
      feedText(STATE, start, end, last);
      break;
    case 3:
      feedXml(STATE, start, end, last);
      break;
    default:
      feedMultipart(STATE, start, end, last);
  }
}

/** Takes the next value of the chunk, with its name. */
function nextValue(kind: u32): bool {
  switch (kind) {
    case 0: {
      let event = jsonNext(STATE);
      while (event >= JsonEvent.ObjectOpen && event <= JsonEvent.ArrayClose) event = jsonNext(STATE);
      over = event >= JsonEvent.Done;
      name = jsonPointer(STATE);
      nameEnd = jsonPointerEnd(STATE);
      return event > JsonEvent.NeedMore && event <= JsonEvent.Literal;
    }
    case 1: {
      const event = nextForm(STATE);
      name = formName(STATE);
      nameEnd = formNameEnd(STATE);
      return event != FormEvent.NeedMore && event != FormEvent.Done;
    }
    case 2: {
      const event = nextText(STATE);
      name = nameEnd = 0;
      return event != TextEvent.NeedMore && event != TextEvent.Done;
    }
    case 3: {
      const event = nextXml(STATE);
      over = event == XmlEvent.Malformed;
      name = xmlName(STATE);
      nameEnd = xmlNameEnd(STATE);
      return !over && event != XmlEvent.NeedMore && event != XmlEvent.Done;
    }
    default: {
      let event = nextMultipart(STATE);
      for (; event == MultipartEvent.Malformed || event == MultipartEvent.Part; event = nextMultipart(STATE)) {
        if (event == MultipartEvent.Part) openPart(valueStart, valueEnd);
      }
      name = partName(STATE);
      nameEnd = partNameEnd(STATE);
      return event != MultipartEvent.NeedMore && event != MultipartEvent.Done;
    }
  }
}
