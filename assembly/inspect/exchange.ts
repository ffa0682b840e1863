// The exchange at work, for checks that look at a response whatever its request carries: what the request said, and the headers of the
// response. Set by filter/response.ts before such a check is asked; one at a time, never on a heap.

import { byteAt, findByte, isSpace } from "../core/bytes";
import { Char } from "../core/char";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { isOneOf, textIs, textIsNoCase, textStartsNoCase } from "../core/text";

/** How a request says who sends it, a bit each. */
export const enum Credentials {
  None = 0,
  Basic = 1,
  Bearer = 2,
  Cookie = 4,
  ApiKey = 8,
  /** The certificate of the other side's proxy, which Envoy has verified. */
  Mtls = 16,
}

/** What the check of the headers tells that of the body, a bit each. */
export const enum Fact {
  /** A page of HTML that was found, not a part of one. */
  Page = 1,
  /** It has no Content-Type. */
  Untyped = 2,
  Csp = 4,
  /** Which sites may frame it is said, by frame-ancestors. */
  Ancestors = 8,
  /** … and any may. */
  WideFrames = 16,
  /** It has X-Frame-Options. */
  Framing = 32,
  Nosniff = 64,
  Hsts = 128,
  /** Something is said of caches. */
  Cache = 256,
  /** Shared caches may keep it, and its request has cookies. */
  Public = 512,
  /** Addresses by http are asked for by https. */
  Upgrade = 1024,
  /** Its type names the encoding, UTF-8 or another one. */
  Utf8 = 2048,
  OtherCharset = 4096,
  /** Browsers save it as a file. */
  Attached = 8192,
}

/** `Fact` bits of the response. */
export let facts: u32 = 0;

export function setFacts(all: u32): void {
  facts = all;
}

/** Header maps, to walk with core/pairs.ts. That of the response is empty (both 0) while its body is judged. */
export let requestHeaders: usize = 0;
export let requestHeadersEnd: usize = 0;
export let responseHeaders: usize = 0;
export let responseHeadersEnd: usize = 0;

export let method: usize = 0;
export let methodEnd: usize = 0;
/** The path without its query, and the query behind its `?`. */
export let path: usize = 0;
export let pathEnd: usize = 0;
export let query: usize = 0;
export let queryEnd: usize = 0;
/** With its port. */
export let host: usize = 0;
export let hostEnd: usize = 0;
/** The client speaks TLS with the edge: `x-forwarded-proto`, else `:scheme`. */
export let https: bool = false;
/** A `Credentials` bit each. */
export let credentials: u32 = 0;
/** The value of Authorization, and the type of the request's body without parameters. */
export let authorization: usize = 0;
export let authorizationEnd: usize = 0;
export let requestType: usize = 0;
export let requestTypeEnd: usize = 0;
/** Of the endpoint: method and template of the path. */
export let endpoint: u32 = 0;

export let status: u32 = 0;
/** The type of the response's body without parameters. */
export let type: usize = 0;
export let typeEnd: usize = 0;

/** Takes the request's header map `start..end`. */
export function setRequest(start: usize, end: usize, ofEndpoint: u32): void {
  requestHeaders = start;
  requestHeadersEnd = end;
  endpoint = ofEndpoint;
  method = methodEnd = path = pathEnd = query = queryEnd = host = hostEnd = 0;
  authorization = authorizationEnd = requestType = requestTypeEnd = 0;
  https = false;
  credentials = Credentials.None;
  let forwarded = false;
  openPairs(start, end);
  while (nextPair()) {
    if (textIs(pairName, pairNameEnd, ":method")) {
      method = pairValue;
      methodEnd = pairValueEnd;
    } else if (textIs(pairName, pairNameEnd, ":path")) {
      path = pairValue;
      pathEnd = findByte(path, pairValueEnd, Char.Question);
      query = min(pathEnd + 1, pairValueEnd);
      queryEnd = pairValueEnd;
    } else if (textIs(pairName, pairNameEnd, ":authority")) {
      host = pairValue;
      hostEnd = pairValueEnd;
    } else if (textIs(pairName, pairNameEnd, ":scheme")) {
      if (!forwarded) https = textIsNoCase(pairValue, pairValueEnd, "https");
    } else if (textIs(pairName, pairNameEnd, "x-forwarded-proto")) {
      forwarded = true;
      https = textIsNoCase(pairValue, pairValueEnd, "https");
    } else if (textIs(pairName, pairNameEnd, "content-type")) {
      requestType = pairValue;
      requestTypeEnd = essenceEnd(pairValue, pairValueEnd);
    } else {
      readCredentials();
    }
  }
}

function readCredentials(): void {
  if (textIs(pairName, pairNameEnd, "authorization")) {
    authorization = pairValue;
    authorizationEnd = pairValueEnd;
    if (textStartsNoCase(pairValue, pairValueEnd, "basic ")) credentials |= Credentials.Basic;
    else if (pairValue < pairValueEnd) credentials |= Credentials.Bearer;
  } else if (textIs(pairName, pairNameEnd, "cookie")) {
    credentials |= Credentials.Cookie;
  } else if (isApiKey(pairName, pairNameEnd)) {
    credentials |= Credentials.ApiKey;
  } else if (textIs(pairName, pairNameEnd, "x-forwarded-client-cert")) {
    credentials |= Credentials.Mtls;
  }
}

/** Whether a header of that name holds the key of an API. */
export function isApiKey(start: usize, end: usize): bool {
  return isOneOf(start, end, "x-api-key api-key apikey x-auth-token ");
}

/** Takes the response: its status, its type with parameters, and its header map, which is empty once its body is judged. */
export function setResponse(ofStatus: u32, ofType: usize, ofTypeEnd: usize, start: usize, end: usize): void {
  status = ofStatus;
  type = ofType;
  typeEnd = essenceEnd(ofType, ofTypeEnd);
  responseHeaders = start;
  responseHeadersEnd = end;
}

/** Where a media type ends in front of its parameters. */
export function essenceEnd(start: usize, end: usize): usize {
  end = findByte(start, end, Char.Semicolon);
  while (end > start && isSpace(byteAt(end - 1))) end--;
  return end;
}
