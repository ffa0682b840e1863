// Which requests are observed together with their responses, whatever they carry, and what is learned of them: the endpoint, its
// parameters, who calls it how, what it answers (observe/endpoints.ts). filter/events.ts tells it.

import { HeaderMap, Status } from "../abi/enums";
import { given, givenEnd, readHeaders } from "../abi/host";
import { withoutPort } from "../core/bytes";
import { Part } from "../core/field";
import { HASH_SEED, hashBytes } from "../core/hash";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { textIs, textStarts } from "../core/text";
import { componentAt, componentCount, componentEnd } from "../inspect/components";
import {
  credentials,
  host,
  hostEnd,
  https,
  method,
  methodEnd,
  path,
  pathEnd,
  query,
  queryEnd,
  requestHeaders,
  requestHeadersEnd,
  requestType,
  requestTypeEnd,
  setRequest,
} from "../inspect/exchange";
import {
  addCaller,
  addComponent,
  addEndpoint,
  addRequestType,
  addResponseType,
  addText,
  COMPONENTS_ROOM,
  countExchange,
  Endpoint,
  endpointRoute,
  findEndpoint,
  nameEndpoint,
  parametersOf,
  textEndAt,
} from "../observe/endpoints";
import {
  claimObserved,
  freeObserved,
  Observed,
  observedComponents,
  observedHeaders,
  observedHeadersEnd,
  observedParameters,
  observedType,
} from "../observe/observed";
import { loseExchange } from "../observe/ids";
import {
  addParameter,
  nextParameter,
  openParameters,
  parameterName,
  parameterNameEnd,
  parameterPart,
  parameterTypes,
  typeOf,
} from "../observe/parameters";
import { endpointOf, REQUEST, takeInspection } from "../observe/sample";
import { clearNoRoom, openWatch, Watch } from "../observe/taint";
import { cookieName, cookieNameEnd, cookieValue, cookieValueEnd, nextCookie, openCookies } from "../parse/cookie";
import { nextQuery, openQuery, queryName, queryNameEnd, queryValue, queryValueEnd } from "../parse/query";
import { Policy } from "../policy/layout";
import { requestMethod, requestMethodEnd, requestPath, requestPathEnd } from "../policy/request";
import { countOverflow, Overflow } from "../report/counters";
import { tellAccess } from "./access";
import { putRoute } from "./events";
import { noteCredential, tellForwarded } from "./forwarded";
import { property } from "./property";
import { exchangeTime, openExchange } from "./response";
import { Stream } from "./stream";

/** Keeps the request of a stream, whose header map is at `headers`, where its exchange is to be observed. */
export function observe(stream: Stream, policy: Policy, headers: usize, headersEnd: usize): void {
  if (policy.sample == 0) return;
  const endpoint = endpointOf(requestMethod, requestMethodEnd, requestPath, requestPathEnd);
  const suspicious = stream.taints != 0 && changetype<Watch>(stream.taints).suspicious;
  if (takeInspection(policy.sample, endpoint, REQUEST, suspicious)) keep(stream, endpoint, headers, headersEnd);
}

/** The same of one of the service's own calls. */
export function observeCall(stream: Stream, policy: Policy): void {
  if (policy.sample == 0 || readHeaders(HeaderMap.HttpRequestHeaders) != Status.Ok) return;
  const headers = given;
  const headersEnd = givenEnd;
  setRequest(headers, headersEnd, 0);
  const endpoint = endpointOf(method, methodEnd, path, pathEnd) ^ (<u32>hashBytes(host, hostEnd, HASH_SEED));
  if (takeInspection(policy.sample, endpoint, REQUEST, false)) keep(stream, endpoint, headers, headersEnd);
}

function keep(stream: Stream, endpoint: u32, headers: usize, headersEnd: usize): void {
  const observed = claimObserved(headers, headersEnd, endpoint);
  if (observed != 0) {
    if (stream.taints == 0) stream.taints = openWatch();
    if (stream.taints != 0) {
      changetype<Watch>(stream.taints).observed = observed;
      if (!stream.outbound) noteCredential(stream, observed, headers, headersEnd);
      return;
    }
    freeObserved(observed);
    clearNoRoom();
  }
  countOverflow(Overflow.Observed);
  loseExchange();
}

/** Makes the request that is kept in a block part of the exchange at work. */
export function openObserved(observed: usize): void {
  setRequest(observedHeaders(observed), observedHeadersEnd(observed), changetype<Observed>(observed).endpoint);
}

/** Keeps the components that the check which ran last has found. */
export function keepComponents(observed: usize): void {
  for (let i: u32 = 0; i < componentCount(); i++) {
    addText(observedComponents(observed), COMPONENTS_ROOM, componentAt(i), componentEnd(i));
  }
}

const ROUTE: usize = memory.data(160, 8);
/** Exchanges of an endpoint whose caller is asked for, then one in so many. */
const ALL_CALLERS: u32 = 16;
const SOME_CALLERS: u32 = 8;

/** Adds the exchange of a stream, which is over, to what is known of its endpoint. */
export function learn(stream: Stream, policy: Policy, watch: Watch): void {
  const observed = watch.observed;
  if (observed == 0) return;
  openExchange(policy, observed);
  tellForwarded(stream, policy, watch);
  if (watch.status < 200 || policy.eventsCluster == 0) return;
  const route = putRoute(ROUTE, stream, path, pathEnd);
  tellAccess(stream, policy, watch, ROUTE, route);
  const end = withoutPort(host, hostEnd);
  let hash = hashBytes(ROUTE, route, hashBytes(method, methodEnd, HASH_SEED ^ (<u64>stream.outbound)));
  if (stream.outbound) hash = hashBytes(host, end, hash);
  const key = (<u32>(hash ^ (hash >> 32))) | 1;
  const seconds = <u32>(exchangeTime / 1000000000);
  let endpoint = findEndpoint(key);
  if (endpoint === null) {
    if (isNone(watch.status)) return;
    endpoint = addEndpoint(key, seconds);
    if (endpoint === null) return countOverflow(Overflow.Observed);
    nameEndpoint(endpoint, method, methodEnd, host, end);
    endpoint.outbound = stream.outbound;
    memory.copy(endpointRoute(endpoint), ROUTE, route - ROUTE);
    endpoint.routeSize = <u8>(route - ROUTE);
  }
  endpoint.https = https;
  countExchange(endpoint, watch.status, credentials, seconds);
  if (watch.status >= 400) return;
  addRequestType(endpoint, requestType, requestTypeEnd);
  addResponseType(endpoint, observedType(observed), observedType(observed) + changetype<Observed>(observed).typeSize);
  learnParameters(endpoint, observed);
  const components = observedComponents(observed);
  for (let at = components + 4, last = at + load<u32>(components); at < last;) {
    const lineEnd = textEndAt(components, at);
    addComponent(endpoint, at, lineEnd);
    at = lineEnd + 1;
  }
  if (stream.outbound) return;
  // The peer alone: a client's address is nobody's name, and what a token says is not the mesh's. Callers are few: those of the
  // first exchanges of a record, and of some behind them.
  if (!policy.identityMtls || (endpoint.count > ALL_CALLERS && endpoint.count % SOME_CALLERS != 0)) return;
  if (property("connection\0uri_san_peer_certificate")) {
    if (textStarts(given, givenEnd, "spiffe://")) addCaller(endpoint, given, givenEnd);
  }
}

/** Whether a status says that there is no such endpoint, or that what came was no request to one. */
function isNone(status: u32): bool {
  return (
    status == 400 || status == 404 || status == 405 || status == 410 || status == 414 || status == 431 || status == 501
  );
}

function learnParameters(endpoint: Endpoint, observed: usize): void {
  const list = parametersOf(endpoint);
  let fresh = false;
  openQuery(query, queryEnd);
  while (nextQuery()) {
    if (addParameter(list, Part.Query, queryName, queryNameEnd, typeOf(queryValue, queryValueEnd))) fresh = true;
  }
  openPairs(requestHeaders, requestHeadersEnd);
  while (nextPair()) {
    if (!textIs(pairName, pairNameEnd, "cookie")) continue;
    openCookies(pairValue, pairValueEnd);
    while (nextCookie()) {
      const types = typeOf(cookieValue, cookieValueEnd);
      if (addParameter(list, Part.Cookie, cookieName, cookieNameEnd, types)) fresh = true;
    }
  }
  openParameters(observedParameters(observed));
  while (nextParameter()) {
    if (addParameter(list, parameterPart, parameterName, parameterNameEnd, parameterTypes)) fresh = true;
  }
  if (fresh) endpoint.fresh = true;
}
