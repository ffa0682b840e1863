// What was seen of each endpoint: a method and a path template of the service, or of another one that it calls. At most 512, in a table of
// fixed size; a place in it is given to another one only when nothing was seen of the endpoint for ten minutes, so that names which
// attackers make up cannot push out what is there.
//
//   entry: Endpoint │ method 16 │ host 128 │ route 160 │ request types │ response types │ callers │ components │ parameters
//   texts: u32 bytes in use, then texts with a line end behind each

import { findByte, putByte, putBytes, sameBytes } from "../core/bytes";
import { Char } from "../core/char";
import { Credentials } from "../inspect/exchange";
import { PARAMETERS_CAPACITY } from "./parameters";

/** Classes of status, 1xx to 5xx. */
export const STATUS_CLASSES: u32 = 5;
/** How requests said who sends them: none of them, then a place for each of `Credentials`, then those that were refused for it. */
export const ACCESS_KINDS: u32 = 7;
const REFUSED: u32 = 6;

// @ts-ignore: decorator
@unmanaged
export class Endpoint {
  /** Names it; 0 where the place is free. */
  key: u32;
  /** Seconds since the epoch: when it was seen last, and when that was told. */
  seen: u32;
  told: u32;
  /** Something is known of it that was not told. */
  fresh: bool;
  outbound: bool;
  https: bool;
  /** What was ever counted of it: a bit for each class of status, then one for each way to say who asks. */
  kinds: u16;
  methodSize: u8;
  hostSize: u8;
  routeSize: u8;
  /** Exchanges that were seen since it was told. */
  count: u32;
}

export const METHOD_ROOM: usize = 16;
export const HOST_ROOM: usize = 128;
export const ROUTE_ROOM: usize = 160;
const TYPES_ROOM: u32 = 160;
const CALLERS_ROOM: u32 = 512;
export const COMPONENTS_ROOM: u32 = 768;

const STATUS: u32 = offsetof<Endpoint>();
const ACCESS: u32 = STATUS + 4 * STATUS_CLASSES;
const METHOD: u32 = ACCESS + 4 * ACCESS_KINDS;
const HOST: u32 = METHOD + <u32>METHOD_ROOM;
const ROUTE: u32 = HOST + <u32>HOST_ROOM;
const REQUEST_TYPES: u32 = ROUTE + <u32>ROUTE_ROOM;
const RESPONSE_TYPES: u32 = REQUEST_TYPES + TYPES_ROOM;
const CALLERS: u32 = RESPONSE_TYPES + TYPES_ROOM;
const COMPONENTS: u32 = CALLERS + CALLERS_ROOM;
const PARAMETERS: u32 = COMPONENTS + COMPONENTS_ROOM;
const ENTRY_SIZE: u32 = (PARAMETERS + PARAMETERS_CAPACITY + 7) & ~7;

/** Endpoints that are told apart. */
export const ENDPOINTS: u32 = 512;
const TABLE: usize = memory.data(3008 * 512, 8);
/** Places that are looked at for one. */
const PROBES: u32 = 8;
/** Seconds without a sight of an endpoint after which its place is free. */
const IDLE: u32 = 600;
/** Seconds between two records of an endpoint of which nothing is new. */
const PERIOD: u32 = 60;

/** The endpoint at a place, 0 to ENDPOINTS - 1. */
// @ts-ignore: decorator
@inline
export function endpointAt(place: u32): Endpoint {
  if (isDefined(CHECKED)) assert(ENTRY_SIZE == 3008); // the table fits its buffer
  return changetype<Endpoint>(TABLE + place * ENTRY_SIZE);
}

/** The endpoint with that key; null where it is not known. */
export function findEndpoint(key: u32): Endpoint | null {
  for (let i: u32 = 0; i < PROBES; i++) {
    const endpoint = endpointAt((key + i) & (ENDPOINTS - 1));
    if (endpoint.key == key) return endpoint;
  }
  return null;
}

/** Some endpoint was seen. */
export let endpointsSeen: bool = false;

/** A place for a new endpoint; null where there is none. */
export function addEndpoint(key: u32, seconds: u32): Endpoint | null {
  for (let i: u32 = 0; i < PROBES; i++) {
    const endpoint = endpointAt((key + i) & (ENDPOINTS - 1));
    if (endpoint.key != 0 && (endpoint.count != 0 || seconds - endpoint.seen < IDLE)) continue;
    memory.fill(changetype<usize>(endpoint), 0, ENTRY_SIZE);
    endpointsSeen = true;
    endpoint.key = key;
    endpoint.fresh = true;
    return endpoint;
  }
  return null;
}

/** Says what an endpoint is called. */
export function nameEndpoint(endpoint: Endpoint, method: usize, methodEnd: usize, host: usize, hostEnd: usize): void {
  endpoint.methodSize = keep(endpointMethod(endpoint), METHOD_ROOM, method, methodEnd);
  endpoint.hostSize = keep(endpointHost(endpoint), HOST_ROOM, host, hostEnd);
}

function keep(out: usize, room: usize, start: usize, end: usize): u8 {
  return <u8>(putBytes(out, start, min(end, start + room)) - out);
}

/** Counts an exchange: the status of its answer, and the `Credentials` of its request. */
export function countExchange(endpoint: Endpoint, status: u32, credentials: u32, seconds: u32): void {
  endpoint.seen = seconds;
  endpoint.count++;
  addAt(endpoint, min(max(status / 100, 1), STATUS_CLASSES) - 1);
  // The counts of access stand behind those of status.
  if (status == 401 || status == 403) addAt(endpoint, STATUS_CLASSES + REFUSED);
  if (status >= 400) return;
  if (credentials == Credentials.None) addAt(endpoint, STATUS_CLASSES);
  for (let kind: u32 = 1; kind < REFUSED; kind++) {
    if (((credentials >> (kind - 1)) & 1) != 0) addAt(endpoint, STATUS_CLASSES + kind);
  }
}

/** Counts one more at a place; what is counted for the first time is new of the endpoint. */
function addAt(endpoint: Endpoint, place: u32): void {
  const count = statusOf(endpoint) + (place << 2);
  store<u32>(count, load<u32>(count) + 1);
  const bit: u32 = 1 << place;
  if ((endpoint.kinds & bit) == 0) endpoint.fresh = true;
  endpoint.kinds |= <u16>bit;
}

/** Whether a record of the endpoint is due. */
export function isDue(endpoint: Endpoint, seconds: u32): bool {
  return endpoint.key != 0 && endpoint.count != 0 && (endpoint.fresh || seconds - endpoint.told >= PERIOD);
}

/** Says that all is told. */
export function settleEndpoint(endpoint: Endpoint, seconds: u32): void {
  endpoint.told = seconds;
  endpoint.fresh = false;
  endpoint.count = 0;
  memory.fill(statusOf(endpoint), 0, 4 * (STATUS_CLASSES + ACCESS_KINDS));
}

/** Adds a text to those at `texts` unless it is there, or there is no room; whether it was added. */
export function addText(texts: usize, room: u32, start: usize, end: usize): bool {
  const used = load<u32>(texts);
  if (start == end || findByte(start, end, Char.LineFeed) < end) return false;
  for (let at = texts + 4; at < texts + 4 + used;) {
    const lineEnd = findByte(at, texts + 4 + used, Char.LineFeed);
    if (sameBytes(at, lineEnd, start, end)) return false;
    at = lineEnd + 1;
  }
  if (used + <u32>(end - start) + 5 > room) return false;
  const last = putByte(putBytes(texts + 4 + used, start, end), Char.LineFeed);
  store<u32>(texts, <u32>(last - texts - 4));
  return true;
}

export function addRequestType(endpoint: Endpoint, start: usize, end: usize): void {
  if (addText(requestTypesOf(endpoint), TYPES_ROOM, start, end)) endpoint.fresh = true;
}

export function addResponseType(endpoint: Endpoint, start: usize, end: usize): void {
  if (addText(responseTypesOf(endpoint), TYPES_ROOM, start, end)) endpoint.fresh = true;
}

export function addCaller(endpoint: Endpoint, start: usize, end: usize): void {
  if (addText(callersOf(endpoint), CALLERS_ROOM, start, end)) endpoint.fresh = true;
}

export function addComponent(endpoint: Endpoint, start: usize, end: usize): void {
  if (addText(componentsOf(endpoint), COMPONENTS_ROOM, start, end)) endpoint.fresh = true;
}

// @ts-ignore: decorator
@inline
export function statusOf(endpoint: Endpoint): usize {
  return changetype<usize>(endpoint) + STATUS;
}

// @ts-ignore: decorator
@inline
export function accessOf(endpoint: Endpoint): usize {
  return changetype<usize>(endpoint) + ACCESS;
}

// @ts-ignore: decorator
@inline
export function endpointMethod(endpoint: Endpoint): usize {
  return changetype<usize>(endpoint) + METHOD;
}

// @ts-ignore: decorator
@inline
export function endpointHost(endpoint: Endpoint): usize {
  return changetype<usize>(endpoint) + HOST;
}

// @ts-ignore: decorator
@inline
export function endpointRoute(endpoint: Endpoint): usize {
  return changetype<usize>(endpoint) + ROUTE;
}

// @ts-ignore: decorator
@inline
export function requestTypesOf(endpoint: Endpoint): usize {
  return changetype<usize>(endpoint) + REQUEST_TYPES;
}

// @ts-ignore: decorator
@inline
export function responseTypesOf(endpoint: Endpoint): usize {
  return changetype<usize>(endpoint) + RESPONSE_TYPES;
}

// @ts-ignore: decorator
@inline
export function callersOf(endpoint: Endpoint): usize {
  return changetype<usize>(endpoint) + CALLERS;
}

// @ts-ignore: decorator
@inline
export function componentsOf(endpoint: Endpoint): usize {
  return changetype<usize>(endpoint) + COMPONENTS;
}

// @ts-ignore: decorator
@inline
export function parametersOf(endpoint: Endpoint): usize {
  return changetype<usize>(endpoint) + PARAMETERS;
}

/** Where the text at `at` of those at `texts` ends. */
export function textEndAt(texts: usize, at: usize): usize {
  return findByte(at, texts + 4 + load<u32>(texts), Char.LineFeed);
}
