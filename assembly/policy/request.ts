// The request that is decided on: what routes and exceptions are matched against. Set by `filter` before a policy is asked; the
// bytes stay the caller's (the inbox in the headers callback, the stream's slot afterwards).
//
// A path is seen in two ways, because what stands behind the proxy may read it in either: as Envoy routes it (dot segments
// removed, slashes merged, %2F kept) and as a lenient server may (escapes decoded, backslash a slash, `;parameters` removed).
// Where the two lead to different places the stricter one holds: see policy/resolve.ts.

import { setOwnHost } from "../core/field";

export let requestHost: usize = 0;
export let requestHostEnd: usize = 0;
export let requestMethod: usize = 0;
export let requestMethodEnd: usize = 0;
export let requestPath: usize = 0;
export let requestPathEnd: usize = 0;
export let requestPathDecoded: usize = 0;
export let requestPathDecodedEnd: usize = 0;
/** Who sent it, as filter/identity.ts resolved it; empty until then. */
export let requestIdentity: usize = 0;
export let requestIdentityEnd: usize = 0;

/** Another number for each request, and for each callback of one: what was found out about a request holds as long as it stays. */
export let requestTurn: u64 = 0;

/** The value that is being judged, for conditions on it; empty where none is. */
export let judged: usize = 0;
export let judgedEnd: usize = 0;

export function setJudged(start: usize, end: usize): void {
  judged = start;
  judgedEnd = end;
}

export function setRequestTarget(host: usize, hostEnd: usize, method: usize, methodEnd: usize): void {
  requestTurn++;
  requestHost = host;
  requestHostEnd = hostEnd;
  setOwnHost(host, hostEnd);
  requestMethod = method;
  requestMethodEnd = methodEnd;
}

/** Sets the path in both readings; equal addresses say that they are the same. */
export function setRequestPath(path: usize, pathEnd: usize, decoded: usize, decodedEnd: usize): void {
  requestTurn++;
  requestPath = path;
  requestPathEnd = pathEnd;
  requestPathDecoded = decoded;
  requestPathDecodedEnd = decodedEnd;
}

export function setRequestIdentity(start: usize, end: usize): void {
  requestIdentity = start;
  requestIdentityEnd = end;
}
