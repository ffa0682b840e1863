// Server-side request forgery: where the URL that was read last (tokenize/url.ts) leads, and how that is spelled. A URL of localhost or
// of a private network is ordinary in what developers send (webhooks, OAuth); it takes a second sign.

import { byteAt, isLetter } from "../core/bytes";
import { Char } from "../core/char";
import { fieldPart, Part } from "../core/field";
import { startsWithOneOf, textEndsNoCase, textStartsNoCase } from "../core/text";
import { FieldRole } from "../generated/redirect";
import { Rule } from "../generated/rules";
import { SERVICE, UrlScheme } from "../generated/ssrf";
import { keyword } from "../match/keywords";
import {
  readBareHost,
  Target,
  urlHasScheme,
  urlAddress,
  urlPath,
  urlPort,
  urlScheme,
  urlSigns,
  UrlSign,
  urlTarget,
} from "../tokenize/url";
import { found } from "./finding";
import { Place } from "./url-place";

/** The confidence from which on a finding stops a request in `balanced`. */
const BLOCKS: u32 = 60;
/** The lowest port that programs of developers listen on. */
const DEVELOPERS_PORT: u32 = 1024;

let rule: u32 = 0;
let confidence: u32 = 0;

/** Keeps the surest of what speaks for an attack. */
function weigh(ofRule: u32, value: u32): void {
  if (value <= confidence) return;
  rule = ofRule;
  confidence = value;
}

/** Judges the URL at `start`; `end`: of the value. True where a finding is sure enough to stop the request. */
export function judgeRequest(start: usize, end: usize, place: Place, spaces: u32, role: u32): bool {
  rule = 0;
  confidence = 0;
  // Without a scheme it is a path of the site, or a redirect.
  if (urlScheme == UrlScheme.Web || urlScheme == UrlScheme.Ftp) judgeWeb(start, end, role);
  else if (!urlHasScheme) judgeRelative();
  else judgeOther(end);
  if (confidence == 0) return false;
  let loss: u32 = 0;
  if (place == Place.Inside) loss = 10;
  // Commands behind gopher: and confusion of parsers have spaces; links in a text have them, too.
  else if (urlScheme != UrlScheme.Gopher && urlScheme != UrlScheme.Dict) {
    if (place == Place.Text) loss = 45;
    else if (spaces != 0 && (urlSigns & UrlSign.Disagree) == 0) loss = 15;
  }
  confidence = confidence > loss ? confidence - loss : 0;
  if (confidence != 0) found(rule, confidence, start, end);
  return confidence >= BLOCKS;
}

/** Judges `start..end` that begins with a host: only what names a metadata service and a path of it counts. */
export function judgeBareRequest(start: usize, end: usize): void {
  if (!readBareHost(start, end) || urlTarget != Target.Metadata) return;
  if (end - urlPath > 2 && byteAt(urlPath) == Char.Slash && isLetter(byteAt(urlPath + 1)))
    found(Rule.SsrfMetadata, 80, start, end);
}

function judgeWeb(start: usize, end: usize, role: u32): void {
  const inside = isInside(urlTarget);
  const signs = urlSigns;
  if (urlTarget == Target.Metadata) weigh(Rule.SsrfMetadata, 90);
  else if (urlTarget == Target.Probe) weigh(Rule.SsrfProbeHost, 72);
  else if (urlTarget == Target.LinkLocal) weigh(Rule.SsrfInternalService, urlAddress != 0 ? 62 : 45);
  if (signs & (UrlSign.OddAddress | UrlSign.LookAlike)) weigh(Rule.SsrfAddressSpelling, inside ? 88 : 72);
  if (signs & UrlSign.Encoded) weigh(Rule.SsrfAddressSpelling, inside ? 82 : 62);
  if (signs & UrlSign.OddPort) weigh(Rule.SsrfParserConfusion, inside ? 80 : 50);
  if (signs & UrlSign.Disagree && !isRepository(end)) weigh(Rule.SsrfParserConfusion, inside ? 85 : 75);
  // What hides its host in a redirect is judged there.
  if (signs & UrlSign.UserHost && !isRepository(end)) {
    weigh(Rule.SsrfParserConfusion, inside ? 85 : role == FieldRole.Redirect ? 58 : 70);
  }
  if (inside && signs & (UrlSign.Slashes | UrlSign.Backslash | UrlSign.Controls) && fieldPart != Part.Path)
    weigh(Rule.SsrfParserConfusion, 80);
  if (isMetadataPath(end)) weigh(Rule.SsrfMetadata, inside ? 82 : 62);
  if (!inside || fieldPart == Part.Header) return;
  if (signs & UrlSign.Alias) weigh(Rule.SsrfAlias, urlPort < DEVELOPERS_PORT ? 66 : 55);
  judgeInside(start, end, role);
}

/** A URL of this host or its network, spelled as people spell it: what else is odd about it? */
function judgeInside(start: usize, end: usize, role: u32): void {
  const here = urlTarget == Target.Loopback || urlTarget == Target.Unspecified;
  const plain = end - urlPath < 2;
  weigh(Rule.SsrfInternalService, urlTarget == Target.Inside ? 25 : 40);
  // Programs print [::1] with their port.
  if (urlTarget == Target.Loopback && urlPort == 0 && byteAt(urlPath - 1) == Char.BracketClose)
    weigh(Rule.SsrfInternalService, role == FieldRole.Redirect ? 52 : 62);
  if (urlTarget == Target.Unspecified && urlPort < DEVELOPERS_PORT) weigh(Rule.SsrfInternalService, 68);
  if (isOtherProtocol(urlPort)) weigh(Rule.SsrfInternalService, 75);
  // A link that somebody writes down, or looks for: it has to be odd by itself.
  if (isShown(role)) return;
  if (isApiPort(urlPort) && !plain) weigh(Rule.SsrfInternalService, 68);
  if (here) {
    if (urlScheme == UrlScheme.Ftp && fieldPart != Part.Json) weigh(Rule.SsrfInternalService, 62);
    // No program writes the port that its scheme has.
    if (urlPort == 80 || urlPort == 443) weigh(Rule.SsrfInternalService, 62);
    const host = urlAddress & 0xff_ffff;
    if (urlAddress >> 24 == 127 && host != 1 && host != 53 && host != 0x101) weigh(Rule.SsrfInternalService, 66);
    if (urlSigns & UrlSign.Credentials) weigh(Rule.SsrfInternalService, 62);
  }
  if (urlPort == 0 || urlPort == 80 || urlPort == 443 || urlPort == 8080) {
    const segment = urlPath + 1;
    let segmentEnd = segment;
    while (segmentEnd < end && !endsSegment(byteAt(segmentEnd))) segmentEnd++;
    if (!plain && keyword(SERVICE, segment, segmentEnd) != 0)
      weigh(Rule.SsrfInternalService, role == FieldRole.Redirect ? 52 : 63);
  }
  if (urlTarget == Target.Inside && textStartsNoCase(urlPath, end, "/api")) weigh(Rule.SsrfInternalService, 62);
}

/** "//10.1.1.1/": of no scheme only what nobody needs. */
function judgeRelative(): void {
  if (urlSlashes() && urlTarget == Target.Metadata) weigh(Rule.SsrfMetadata, 75);
  else if (isInside(urlTarget) && urlSigns & (UrlSign.OddAddress | UrlSign.LookAlike))
    weigh(Rule.SsrfAddressSpelling, 75);
}

/** Schemes that are no web. */
function judgeOther(end: usize): void {
  const inside = isInside(urlTarget);
  switch (urlScheme) {
    case UrlScheme.Gopher:
      if (inside) weigh(Rule.SsrfScheme, 90);
      // RFC 4266: one character of type. "_" is none; it is the one that gets lost, before bytes for another protocol.
      if (end - urlPath > 2 && byteAt(urlPath + 1) == Char.Underscore) weigh(Rule.SsrfScheme, 88);
      weigh(Rule.SsrfScheme, urlPort != 0 && urlPort != 70 ? 66 : 40);
      return;
    case UrlScheme.Dict:
      weigh(Rule.SsrfScheme, inside ? 85 : urlPort != 0 && urlPort != 2628 ? 70 : 40);
      return;
    case UrlScheme.Ldap:
      if (inside && urlPort != 0 && urlPort % 1000 != 389 && urlPort % 1000 != 636 && urlPort / 10 != 326)
        weigh(Rule.SsrfScheme, 70);
      // As with mail: a setting in a document, but not in a query.
      if (urlTarget == Target.Loopback && fieldPart != Part.Json) weigh(Rule.SsrfScheme, 62);
      break;
    case UrlScheme.Transfer:
      if (urlPort >= 10000) weigh(Rule.SsrfScheme, 62);
      if (urlTarget == Target.Loopback) weigh(Rule.SsrfScheme, 62);
      break;
    case UrlScheme.Mail:
      // "smtp://localhost" is how programs are set up, but not in a query.
      if (urlTarget == Target.Loopback && fieldPart != Part.Json) weigh(Rule.SsrfScheme, 62);
      break;
    default:
      if (urlTarget == Target.Metadata) weigh(Rule.SsrfMetadata, 75);
      return;
  }
  if (urlTarget == Target.Metadata) weigh(Rule.SsrfMetadata, 85);
  if (inside && isOtherProtocol(urlPort) && (urlPort == 6379 || urlPort == 11211 || urlPort == 3306))
    weigh(Rule.SsrfScheme, 75);
  if (hasLineEnd(urlPath, end)) weigh(Rule.SsrfScheme, 85);
  if (urlTarget == Target.Probe) weigh(Rule.SsrfProbeHost, 72);
}

/** Whether people read what the field holds, where a service that fetches has a field for the address. */
function isShown(role: u32): bool {
  return role == FieldRole.Talk || role == FieldRole.Search || role == FieldRole.Query || role == FieldRole.Label;
}

function urlSlashes(): bool {
  return (urlSigns & UrlSign.Slashes) == 0;
}

// @ts-ignore: decorator
@inline
function isInside(target: Target): bool {
  return target >= Target.PrivateAddress && target <= Target.Inside;
}

/** Ports of protocols that are not HTTP; browsers refuse most of them (https://fetch.spec.whatwg.org/#port-blocking). */
function isOtherProtocol(port: u32): bool {
  if (port < 80) return port != 0 && port != 70;
  switch (port) {
    case 110:
    case 111:
    case 135:
    case 139:
    case 143:
    case 389:
    case 445:
    case 465:
    case 514:
    case 587:
    case 636:
    case 873:
    case 993:
    case 995:
    case 1433:
    case 1521:
    case 2049:
    case 2181:
    case 3306:
    case 3389:
    case 5432:
    case 5900:
    case 6379:
    case 11211:
    case 27017:
      return true;
    default:
      return false;
  }
}

/** Ports of Docker, etcd, kubelet, Consul and Elasticsearch. */
function isApiPort(port: u32): bool {
  return (
    port == 2375 ||
    port == 2376 ||
    port == 4243 ||
    port == 2379 ||
    port == 10250 ||
    port == 10255 ||
    port == 8500 ||
    port == 9200
  );
}

/** Whether the URL's path is one of a metadata service. */
function isMetadataPath(end: usize): bool {
  const at = urlPath;
  if (end - at < 8 || byteAt(at) != Char.Slash) return false;
  switch (byteAt(at + 1) | 0x20) {
    case 0x6c: // l
      return startsWithOneOf(
        at,
        end,
        "/latest/meta-data /latest/user-data /latest/dynamic/instance-identity /latest/api/token ",
      );
    case 0x63: // c
      return textStartsNoCase(at, end, "/computemetadata/v1");
    case 0x6d: // m
      return (
        textStartsNoCase(at, end, "/metadata/instance?api") || textStartsNoCase(at, end, "/metadata/identity/oauth2")
      );
    case 0x68: // h
      return textStartsNoCase(at, end, "/hetzner/v1/metadata");
    case 0x6f: // o
      return textStartsNoCase(at, end, "/opc/v1/inst") || textStartsNoCase(at, end, "/opc/v2/inst");
    case 0x32:
      return textStartsNoCase(at, end, "/2018-06-01/runtime/");
    default:
      return false;
  }
}

function endsSegment(byte: u32): bool {
  return byte == Char.Slash || byte == Char.Question || byte == Char.Hash || byte <= <u32>Char.Space;
}

/** Whether the value ends in ".git", or begins a path of a Git server: there user names are names of people. */
function isRepository(end: usize): bool {
  return (
    textEndsNoCase(urlPath + 1, end, ".git") ||
    textStartsNoCase(urlPath, end, "/scm/") ||
    textStartsNoCase(urlPath, end, "/_git/")
  );
}

/** Whether a line end, raw or escaped, stands in `at..end`: the lines behind it are commands. */
function hasLineEnd(at: usize, end: usize): bool {
  for (; at < end; at++) {
    const byte = byteAt(at);
    if (byte == Char.LineFeed || byte == Char.CarriageReturn) return true;
    if (byte == Char.Percent && end - at > 2 && byteAt(at + 1) == Char._0) {
      const digit = byteAt(at + 2) | 0x20;
      if (digit == Char.a || digit == 0x64) return true;
    }
  }
  return false;
}
