// Which settings hold for a request. From the outside in: the policy, then the route; for each class of rules the detector's
// settings at either level. A mode of `off` at the top is final (it is how people take the filter out of the way in a hurry), and a
// detector's own mode can only lower what the route says.
//
//   effective (68 bytes): u8 mode, u8 reserved × 3, u8 cap[CLASSES] (Mode), u8 threshold[CLASSES] (confidence)

import {
  classMode,
  classSensitivity,
  CLASSES,
  Mode,
  Policy,
  policySettings,
  Route,
  routeMatch,
  routeSettings,
  Sensitivity,
  threshold,
} from "./layout";
import { allocate } from "./arenas";
import { hostAndMethodMatch, templateMatches } from "./match";
import {
  requestHost,
  requestHostEnd,
  requestMethod,
  requestMethodEnd,
  requestPath,
  requestPathDecoded,
  requestPathDecodedEnd,
  requestPathEnd,
} from "./request";

export const EFFECTIVE_SIZE: u32 = 4 + 2 * CLASSES;

/** The mode of the stream. */
// @ts-ignore: decorator
@inline
export function effectiveMode(effective: usize): Mode {
  return <Mode>load<u8>(effective);
}

/** The most that may be done about findings of a class. */
// @ts-ignore: decorator
@inline
export function effectiveCap(effective: usize, ruleClass: u32): Mode {
  return <Mode>load<u8>(effective + 4 + ruleClass);
}

/** The confidence at which a finding of a class decides. */
// @ts-ignore: decorator
@inline
export function effectiveThreshold(effective: usize, ruleClass: u32): u32 {
  return load<u8>(effective + 4 + CLASSES + ruleClass);
}

/** The route that was matched last by `resolve`, on the path as Envoy routes it; null for none. */
export let matchedRoute: Route | null = null;

/** The route of its other reading, which is the same where there is but one. */
export let decodedRoute: Route | null = null;

/** Writes what holds for the current request to `effective`. */
export function resolve(policy: Policy, effective: usize): void {
  matchedRoute = routeOf(policy, requestPath, requestPathEnd);
  memory.copy(effective, effectiveFor(policy, matchedRoute), EFFECTIVE_SIZE);
  decodedRoute = matchedRoute;
  if (requestPathDecoded == requestPath) return;
  decodedRoute = routeOf(policy, requestPathDecoded, requestPathDecodedEnd);
  const other = effectiveFor(policy, decodedRoute);
  if (other != effectiveFor(policy, matchedRoute)) keepStricter(effective, other);
}

// @ts-ignore: decorator
@inline
function effectiveFor(policy: Policy, route: Route | null): usize {
  return route === null ? policy.effective : route.effective;
}

/** Lays out what holds with and without each route, once a policy was read; false where the arena is full. */
export function prepareEffective(policy: Policy): bool {
  policy.effective = allocate(EFFECTIVE_SIZE);
  if (policy.effective == 0) return false;
  fill(policy, null, policy.effective);
  for (let at = policy.routes; at != 0;) {
    const route = changetype<Route>(at);
    route.effective = allocate(EFFECTIVE_SIZE);
    if (route.effective == 0) return false;
    fill(policy, route, route.effective);
    at = route.next;
  }
  return true;
}

/** The route of the request by the path as Envoy routes it, and by the decoded one: also in callbacks after the headers'. */
export function currentRoute(policy: Policy, decoded: bool): Route | null {
  if (decoded) return routeOf(policy, requestPathDecoded, requestPathDecodedEnd);
  return routeOf(policy, requestPath, requestPathEnd);
}

/** The first route that speaks of the current request with this reading of its path. */
function routeOf(policy: Policy, path: usize, pathEnd: usize): Route | null {
  for (let at = policy.routes; at != 0;) {
    const route = changetype<Route>(at);
    const match = routeMatch(route);
    if (
      hostAndMethodMatch(match, requestHost, requestHostEnd, requestMethod, requestMethodEnd) &&
      (match.path == match.pathEnd || templateMatches(match.path, match.pathEnd, path, pathEnd))
    ) {
      return route;
    }
    at = route.next;
  }
  return null;
}

function fill(policy: Policy, route: Route | null, effective: usize): void {
  const outer = policySettings(policy);
  let mode = outer.mode;
  let inner = outer;
  if (route !== null) {
    inner = routeSettings(route);
    if (mode != Mode.Off && inner.mode != Mode.Unset) mode = inner.mode;
  }
  store<u8>(effective, mode);
  for (let ruleClass: u32 = 0; ruleClass < CLASSES; ruleClass++) {
    let cap = classMode(inner, ruleClass);
    if (cap == Mode.Unset) cap = classMode(outer, ruleClass);
    if (cap == Mode.Unset) cap = <u8>Mode.Block;
    let sensitivity = classSensitivity(inner, ruleClass);
    if (sensitivity == Sensitivity.Unset) sensitivity = inner.sensitivity;
    if (route !== null && sensitivity == Sensitivity.Unset) sensitivity = classSensitivity(outer, ruleClass);
    if (sensitivity == Sensitivity.Unset) sensitivity = outer.sensitivity;
    store<u8>(effective + 4 + ruleClass, cap);
    store<u8>(effective + 4 + CLASSES + ruleClass, <u8>threshold(<Sensitivity>sensitivity));
  }
}

/** Of two readings of one request, in each point the one that refuses more. */
function keepStricter(effective: usize, other: usize): void {
  store<u8>(effective, max(load<u8>(effective), load<u8>(other)));
  for (let i: u32 = 4; i < 4 + CLASSES; i++) {
    store<u8>(effective + i, max(load<u8>(effective + i), load<u8>(other + i)));
    store<u8>(effective + i + CLASSES, min(load<u8>(effective + i + CLASSES), load<u8>(other + i + CLASSES)));
  }
}
