// Who sends a request, resolved once a stream and only where it is asked for: the peer's SPIFFE id (mutual TLS), else the subject
// that Envoy's jwt_authn has verified, else the client address that Envoy trusts (`xff_num_trusted_hops`, which the generated
// configuration sets from `identity.trustedHops`). X-Forwarded-For itself is never read here.

import { given, givenEnd } from "../abi/host";
import { byteAt, putByte, putBytes, withoutPort } from "../core/bytes";
import { Char } from "../core/char";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { textIs } from "../core/text";
import { Policy } from "../policy/layout";
import { setRequestIdentity } from "../policy/request";
import { property } from "./property";
import { IDENTITY_CAPACITY, identityOf, Stream } from "./stream";

/** Resolves the stream's identity, unless that was done before, and makes it the current request's. */
export function resolveIdentity(stream: Stream, policy: Policy): void {
  const start = identityOf(stream);
  if (!stream.identityKnown) {
    stream.identityKnown = true;
    let end = start;
    if (policy.identityMtls && property("connection\0uri_san_peer_certificate"))
      end = keep(start, start, given, givenEnd);
    if (end == start && policy.identityJwt && property("metadata\0filter_metadata\0envoy.filters.http.jwt_authn")) {
      end = keepSubject(start, given, givenEnd);
    }
    if (end == start && property("source\0address")) {
      const addressEnd = withoutPort(given, givenEnd);
      // Without the brackets of IPv6, as people and Envoy's access log write it.
      const bracketed =
        addressEnd - given > 2 && byteAt(given) == Char.BracketOpen && byteAt(addressEnd - 1) == Char.BracketClose;
      end = bracketed ? keep(start, start, given + 1, addressEnd - 1) : keep(start, start, given, addressEnd);
    }
    stream.identitySize = <u32>(end - start);
  }
  setRequestIdentity(start, start + stream.identitySize);
}

/** Appends `from..fromEnd` at `out`, as far as the identity that begins at `start` has room; returns its end. */
function keep(start: usize, out: usize, from: usize, fromEnd: usize): usize {
  return putBytes(out, from, min(fromEnd, from + (start + IDENTITY_CAPACITY - out)));
}

/**
 * Writes `issuer/subject` of the first verified token in jwt_authn's metadata (provider → claims, both serialized maps) and
 * returns its end; `out` where there is none.
 */
function keepSubject(out: usize, start: usize, end: usize): usize {
  openPairs(start, end);
  if (!nextPair()) return out;
  const claims = pairValue;
  const claimsEnd = pairValueEnd;
  if (!findClaim(claims, claimsEnd, "sub")) return out;
  const subject = pairValue;
  const subjectEnd = pairValueEnd;
  if (!findClaim(claims, claimsEnd, "iss")) return keep(out, out, subject, subjectEnd);
  const issuerEnd = keep(out, out, pairValue, pairValueEnd);
  if (issuerEnd == out + IDENTITY_CAPACITY) return issuerEnd;
  return keep(out, putByte(issuerEnd, Char.Slash), subject, subjectEnd);
}

/** Steps to the pair of that name; false where there is none. */
function findClaim(claims: usize, claimsEnd: usize, name: string): bool {
  openPairs(claims, claimsEnd);
  while (nextPair()) {
    if (textIs(pairName, pairNameEnd, name)) return true;
  }
  return false;
}
