// A response that leads to another site because a value of the request says so: an open redirect.
//
//   Location: https://evil.example/…      Refresh: 0;url=//evil.example       <meta http-equiv=refresh content="0;url=…">
//                     └── host: ends in bytes of the value, or is the host of its address
//
// A site may have checked where it leads: where the request names who asks for it (OAuth, SAML) or carries a signature, nothing is
// said; of what is posted, and of what a page's script says, no more than *likely*. Sites of the same domain are no others.

import { byteAt, findByte, isLetter, isQuote, isSpace, sameBytesNoCase, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { Part } from "../core/field";
import { Stage } from "../core/findings";
import { findText, startsWithOneOf, textIs, textIsNoCase, textStartsNoCase } from "../core/text";
import { Rule, RuleClass } from "../generated/rules";
import { requestMethod, requestMethodEnd } from "../policy/request";
import { Taint, taintAt, taintName, taintNameEnd, taintValue, taintValueEnd, Watch } from "../observe/taint";
import { bearOut, classBit } from "./bear";
import {
  Html,
  htmlAttribute,
  htmlAttributeEnd,
  htmlStart,
  htmlState,
  htmlTag,
  htmlTagEnd,
  openHtml,
  walkHtml,
} from "./html-context";
import { matchStart, nextMatch, openMatches } from "./match";
import { BodyType, reply, replyEnd, replyType } from "./reply";
import { isOwnSite, readSite, site, siteEnd, siteHidden } from "./site";

/** The host that was read is not written as one. */
let hidden: bool = false;

/** Asks whether a value has said where `target..targetEnd`, the value of Location or Refresh, leads; told as `most` at most. */
export function inspectTarget(watch: Watch, target: usize, targetEnd: usize, most: Stage = Stage.Confirmed): void {
  if (watch.vouched || !readSite(target, targetEnd)) return;
  const start = site;
  const end = siteEnd;
  hidden = siteHidden;
  if (isOwnSite()) return;
  for (let i: u32 = 0; i < watch.count; i++) {
    const taint = taintAt(changetype<usize>(watch), i);
    if (taint.part == Part.Header || isCallback(taint)) continue;
    if (!leads(taint, target, targetEnd, start, end)) continue;
    const asked = textIs(requestMethod, requestMethodEnd, "GET") || textIs(requestMethod, requestMethodEnd, "HEAD");
    const open = asked && (taint.part == Part.Query || taint.part == Part.Path);
    const tricked = hidden || (taint.classes & classBit(RuleClass.Redirect)) != 0;
    const stage = open || tricked ? most : Stage.Likely;
    return bearOut(taint, classBit(RuleClass.Redirect), Rule.RedirectOpen, stage, target, targetEnd);
  }
}

/** The address in a Refresh: behind "url=". */
export function refreshTarget(start: usize, end: usize): usize {
  let at = findByte(start, end, Char.Semicolon) + 1;
  while (at < end && isSpace(byteAt(at))) at++;
  if (at >= end || !textStartsNoCase(at, end, "url=")) return end;
  at += 4;
  return at < end && (byteAt(at) == Char.Quote || byteAt(at) == Char.DoubleQuote) ? at + 1 : at;
}

/** Asks the same of a page's own refresh. */
export function inspectMeta(watch: Watch): void {
  if (replyType != BodyType.Html || watch.vouched) return;
  for (let i: u32 = 0; i < watch.count; i++) {
    const taint = taintAt(changetype<usize>(watch), i);
    if (!readSite(taintValue(taint), taintValueEnd(taint)) || !openMatches(taintValue(taint), taintValueEnd(taint)))
      continue;
    openHtml(reply, replyEnd);
    if (!nextMatch()) continue;
    walkHtml(matchStart);
    if (htmlState != Html.Value || !textIsNoCase(htmlTag, htmlTagEnd, "meta")) continue;
    if (!textIsNoCase(htmlAttribute, htmlAttributeEnd, "content")) continue;
    if (refreshTarget(htmlStart, replyEnd) != matchStart) continue;
    let end = matchStart;
    while (end < replyEnd && byteAt(end) != Char.Greater && byteAt(end) != Char.DoubleQuote) end++;
    inspectTarget(watch, matchStart, end);
  }
}

/** Places in a page where a script says where to go that are looked at. */
const MAX_PLACES: u32 = 16;

/** Asks the same of a page's script: `location = "…"`, `location.href = "…"`, `location.replace("…")`. */
export function inspectScript(watch: Watch): void {
  if (replyType != BodyType.Html || watch.vouched) return;
  let at = reply;
  for (let places: u32 = 0; places < MAX_PLACES; places++) {
    at = findText(at, replyEnd, "location") + 8;
    if (at >= replyEnd) return;
    while (at < replyEnd && (isLetter(byteAt(at)) || byteAt(at) == Char.Dot || isSpace(byteAt(at)))) at++;
    const sign = byteAt(at);
    if (at >= replyEnd || (sign != Char.Equals && sign != Char.ParenOpen)) continue;
    const start = skipSpaces(at + 1, replyEnd) + 1;
    if (start >= replyEnd || !isQuote(byteAt(start - 1))) continue;
    const end = findByte(start, min(replyEnd, start + LONGEST), byteAt(start - 1));
    // A script may never come to the place.
    inspectTarget(watch, start, end, Stage.Likely);
    at = end;
  }
}

/** Bytes of an address in a script that are read. */
const LONGEST: usize = 1024;

/** Whether the host `start..end` of the address is what the value says. */
function leads(taint: Taint, target: usize, targetEnd: usize, start: usize, end: usize): bool {
  const value = taintValue(taint);
  const valueEnd = taintValueEnd(taint);
  const size = valueEnd - value;
  // The host's last letters are the value's: whatever stands before them.
  for (let at = target; at < end && at + size <= targetEnd; at++) {
    if (at + size >= end && size > 3 && memory.compare(at, value, size) == 0) {
      hidden = !textStartsNoCase(value, valueEnd, "http");
      // A name alone, such as a language's, is put into an address by many.
      return hidden ? at < end - 4 && findByte(value, valueEnd, Char.Dot) < valueEnd : true;
    }
  }
  if (!readSite(value, valueEnd)) return false;
  hidden = siteHidden;
  return sameBytesNoCase(site, siteEnd, start, end);
}

/** Whether a parameter is the address of a registered client. */
function isCallback(taint: Taint): bool {
  const name = taintName(taint);
  const end = taintNameEnd(taint);
  return startsWithOneOf(name, end, "redirect_uri post_logout_redirect_uri wreply relaystate ");
}
