// Credentials of clients that the service sends on to another site: that of a request is noted by its hash, together with its trace; a call
// to a host outside that carries the same one says so in the note; and when the request ends it is told of it.
//
//   request   Authorization: Bearer T ──► note of T          call   Authorization: Bearer T, to partner.example ──► reached
//
// Who made the token may well get it: hosts and paths that sign in, and sites that the token names, are none. Nor are those of the mesh,
// addresses, and other hosts of the own domain.

import { now } from "../abi/host";
import { byteAt, isLetter, withoutPort } from "../core/bytes";
import { Char } from "../core/char";
import { Part } from "../core/field";
import { Stage } from "../core/findings";
import { holdsTextNoCase, isOneOf, textStarts } from "../core/text";
import { Rule } from "../generated/rules";
import { beginBearing } from "../inspect/bear";
import { host, hostEnd, path, pathEnd, setRequest } from "../inspect/exchange";
import { note } from "../inspect/note";
import { domainOf } from "../inspect/site";
import {
  credential,
  credentialEnd,
  credentialKind,
  credentialName,
  credentialNameEnd,
  findCredential,
  isForOthers,
  Subject,
} from "../inspect/subject";
import { findNote, Index, markReached, noteHost, noteOwner, noteReached, noteValue, Reached } from "../observe/notes";
import { Observed } from "../observe/observed";
import { Watch } from "../observe/taint";
import { Policy } from "../policy/layout";
import { nextRandom, TRACE_ID_SIZE } from "../report/ids";
import { tellBorne } from "./response";
import { openStreamAgain } from "./request";
import { fileOne, following, hashOf, loadBucket, seconds, storeBucket } from "./shared-notes";
import { Stream, traceIdAt } from "./stream";

/** Shorter ones are nobody's secret. */
const LEAST: usize = 8;

/** Notes the credential of a request that is kept in the block `observed`, and whose header map is `headers..headersEnd`. */
export function noteCredential(stream: Stream, observed: usize, headers: usize, headersEnd: usize): void {
  if (!following) return;
  setRequest(headers, headersEnd, 0);
  findCredential();
  if (credentialEnd - credential < LEAST) return;
  const owner = (<u32>nextRandom()) | 1;
  changetype<Observed>(observed).owner = owner;
  const trace: u64 = stream.hasTrace ? hashOf(traceIdAt(stream), traceIdAt(stream) + TRACE_ID_SIZE) : 0;
  fileOne(Index.Credential, hashOf(credential, credentialEnd), trace, siteHash(), owner, seconds(), 0, 0);
}

function siteHash(): u64 {
  const end = withoutPort(host, hostEnd);
  return hashOf(domainOf(host, end), end);
}

/** Looks whether a call to no host of the mesh carries the credential of a request. Its header map is `headers..headersEnd`. */
export function followCredential(headers: usize, headersEnd: usize, trace: u64, second: u32): void {
  setRequest(headers, headersEnd, 0);
  findCredential();
  const end = withoutPort(host, hostEnd);
  if (credentialEnd - credential < LEAST || !isOutside(end) || signsIn(host, end) || signsIn(path, pathEnd)) return;
  const domain = domainOf(host, end);
  if (isToken() && !isForOthers(domain, end)) return;
  const site = siteHash();
  const key = hashOf(credential, credentialEnd);
  const version = loadBucket(key, second);
  let best: usize = 0;
  let traced = false;
  for (let at = findNote(0, Index.Credential, key); at != 0; at = findNote(at, Index.Credential, key)) {
    if (noteHost(at) == site) return;
    // Which of several requests it was made for cannot be told without a trace: the last one is the likeliest.
    if (traced && noteValue(at) != trace) continue;
    best = at;
    traced = trace != 0 && noteValue(at) == trace;
  }
  if (best != 0 && markReached(best, traced ? Reached.Traced : Reached.Soon)) storeBucket(key, version);
}

/** Whether it is a token with claims. */
function isToken(): bool {
  return textStarts(credential, credentialEnd, "eyJ");
}

/** Whether a host is known to all the world by its name. */
function isOutside(end: usize): bool {
  let last = end;
  while (last > host && byteAt(last - 1) != Char.Dot) last--;
  return last > host && isLetter(byteAt(last)) && !isOneOf(last, end, "svc local internal localhost lan corp home ");
}

/** Whether tokens are made or looked up there. */
function signsIn(start: usize, end: usize): bool {
  return (
    holdsTextNoCase(start, end, "auth") ||
    holdsTextNoCase(start, end, "login") ||
    holdsTextNoCase(start, end, "sso") ||
    holdsTextNoCase(start, end, "oidc") ||
    holdsTextNoCase(start, end, "token") ||
    holdsTextNoCase(start, end, "introspect") ||
    holdsTextNoCase(start, end, "userinfo") ||
    holdsTextNoCase(start, end, "identity") ||
    holdsTextNoCase(start, end, "account")
  );
}

/** Tells of the request of a stream, which is over and at work, that its credential went elsewhere. */
export function tellForwarded(stream: Stream, policy: Policy, watch: Watch): void {
  const owner = changetype<Observed>(watch.observed).owner;
  if (owner == 0) return;
  findCredential();
  const key = hashOf(credential, credentialEnd);
  loadBucket(key, seconds());
  let reached = Reached.Not;
  for (let at = findNote(0, Index.Credential, key); at != 0; at = findNote(at, Index.Credential, key)) {
    if (noteOwner(at) == owner) reached = noteReached(at);
  }
  if (reached == Reached.Not) return;
  openStreamAgain(stream, policy);
  beginBearing();
  // A token without claims, and a key, may be of the site that gets it.
  const own = credentialKind == Subject.Cookie || isToken();
  const stage = own && reached == Reached.Traced ? Stage.Confirmed : Stage.Likely;
  const part = credentialKind == Subject.Cookie ? Part.Cookie : Part.Header;
  note(Rule.AuthForwarded, stage, part, credentialName, credentialNameEnd, credential, credentialEnd);
  tellBorne(stream, policy);
}
