// Open redirects: a target that hides from a check that it leads to another host. It reads the URL that tokenize/url.ts read last; how
// much it counts depends on the field, since "//cdn.example/a.js" is a link and "next=//cdn.example" is none.

import { byteAt, isLetter } from "../core/bytes";
import { Char } from "../core/char";
import { fieldPart, isOwnHost, Part } from "../core/field";
import { textStartsNoCase } from "../core/text";
import { FieldRole } from "../generated/redirect";
import { Rule } from "../generated/rules";
import { TLD, UrlScheme } from "../generated/ssrf";
import { keyword } from "../match/keywords";
import {
  readBareHost,
  readUrl,
  Target,
  urlHasScheme,
  urlHost,
  urlHostEnd,
  urlIsDomain,
  urlPath,
  urlScheme,
  urlSigns,
  UrlSign,
  urlSlashes,
  urlTarget,
} from "../tokenize/url";
import { found, passOnce } from "./finding";
import { Place } from "./url-place";

/** Judges the URL at `start`; `end`: of the value. */
export function judgeRedirect(start: usize, end: usize, place: Place, role: u32): void {
  if (place != Place.Whole || fieldPart == Part.Path) return;
  const named = role == FieldRole.Redirect;
  const either = named || role == FieldRole.Either || role == FieldRole.Search || role == FieldRole.File;
  if (urlHasScheme) {
    if (urlScheme == UrlScheme.Web) judgeScheme(start, end, named, either);
    return;
  }
  const slash = byteAt(start) == Char.Slash;
  const signs = urlSigns;
  if (!namesHost()) return;
  // "//shop.example/cart" at shop.example leads nowhere else, where all read it alike.
  if (signs == 0 && isOwnHost(urlHost, urlHostEnd)) return passOnce();
  if (signs & (UrlSign.UserHost | UrlSign.Disagree | UrlSign.Encoded | UrlSign.LookAlike | UrlSign.OddAddress)) {
    found(Rule.RedirectDisguisedHost, either ? 82 : 68, start, end);
    return;
  }
  let confidence: u32 = named ? 72 : either ? 50 : 40;
  if (signs & UrlSign.Backslash || signs & UrlSign.Controls) {
    // "\\host\share" is a folder, "\/\/host" a URL in JSON.
    if (slash || named) confidence = either ? 82 : isCommon() ? 68 : 50;
  } else if (urlSlashes > 2) confidence = either ? 78 : isCommon() ? 62 : 45;
  if (confidence < 70 && climbsBack(end)) confidence = either ? 72 : 64;
  found(Rule.RedirectNetworkPath, confidence, start, end);
}

/** A web URL with other than two slashes, or with a host that shows another. */
function judgeScheme(start: usize, end: usize, named: bool, either: bool): void {
  const signs = urlSigns;
  if (named && signs & (UrlSign.UserHost | UrlSign.Disagree | UrlSign.LookAlike | UrlSign.Encoded)) {
    found(Rule.RedirectDisguisedHost, 75, start, end);
    return;
  }
  if (!namesHost()) return;
  if (signs & UrlSign.Controls) found(Rule.RedirectBrokenScheme, 78, start, end);
  else if (signs & UrlSign.Backslash && urlPath > start && urlSlashes != 0) {
    // "http:\\www.example" is what people type; with both kinds of slash it is no slip.
    const mixed = hasSlash(start, urlPath);
    found(Rule.RedirectBrokenScheme, mixed ? (either ? 76 : 66) : named ? 66 : 45, start, end);
  } else if (signs & UrlSign.Slashes) {
    found(Rule.RedirectBrokenScheme, named ? 76 : either && urlSlashes > 2 ? 60 : 45, start, end);
  }
}

/** Judges "/https://evil.example" and "//https:evil.example"; true where it is one. */
export function judgeBehindSlash(start: usize, end: usize, role: u32): bool {
  let at = start;
  while (at < end && at < start + 4 && byteAt(at) == Char.Slash) at++;
  if (!textStartsNoCase(at, end, "http:") && !textStartsNoCase(at, end, "https:")) return false;
  const confidence = role == FieldRole.Redirect ? 68 : role == FieldRole.Either || role == FieldRole.Search ? 50 : 35;
  if (readUrl(at, end)) found(Rule.RedirectBrokenScheme, confidence, start, end);
  return true;
}

/** Judges "@evil.example" and ".evil.example": what is appended to a host. */
export function judgeSuffix(start: usize, end: usize, role: u32): void {
  const named = role == FieldRole.Redirect;
  const first = byteAt(start);
  if (first == Char.Colon) {
    // ":80@evil.example", ":pw@evil.example"
    if (named && readBareHost(start + 1, end) && urlPath > start + 1 && hasAt(start, urlPath) && urlIsDomain())
      found(Rule.RedirectSuffix, 70, start, end);
    return;
  }
  if ((first == Char.Dot && !named) || !readBareHost(start + 1, end) || !urlIsDomain() || !isCommon()) return;
  if (urlPath < end && byteAt(urlPath) != Char.Slash && byteAt(urlPath) != Char.Question) return;
  found(Rule.RedirectSuffix, named ? 66 : 30, start, end);
}

/** Whether the last URL names a host of the internet. */
function namesHost(): bool {
  return urlIsDomain() || urlTarget > Target.Name || (urlSigns & (UrlSign.Encoded | UrlSign.LookAlike)) != 0;
}

/** Whether the host of the last URL ends as hosts mostly do. */
function isCommon(): bool {
  let dot = urlHostEnd;
  while (dot > urlHost && isLetter(byteAt(dot - 1))) dot--;
  return dot > urlHost && keyword(TLD, dot, urlHostEnd) != 0;
}

/** Whether the path climbs back to the host, so that it still looks like one of the site: "//evil.example/%2f..". */
function climbsBack(end: usize): bool {
  return end - urlPath > 2 && byteAt(end - 1) == Char.Dot && byteAt(end - 2) == Char.Dot;
}

function hasSlash(at: usize, end: usize): bool {
  for (; at < end; at++) if (byteAt(at) == Char.Slash) return true;
  return false;
}

function hasAt(at: usize, end: usize): bool {
  for (; at < end; at++) if (byteAt(at) == Char.At) return true;
  return false;
}
