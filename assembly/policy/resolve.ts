// Which settings hold for a request. From the outside in: the policy, then the route; for each class of rules the detector's
// settings at either level. A mode of `off` at the top is final (it is how people take the filter out of the way in a hurry), and a
// detector's own mode can only lower what the route says.
//
//   effective (68 bytes): u8 mode, u8 reserved × 3, u8 cap[CLASSES] (Mode), u8 threshold[CLASSES] (confidence)

import {
  classMode,
  classSensitivity,
  CLASSES,
  Entry,
  Exception,
  Field,
  Match,
  Mode,
  Policy,
  policySettings,
  Route,
  Scope,
  scopeSettings,
  Sensitivity,
  Settings,
  threshold,
} from "./layout";
import { allocate } from "./arenas";
import { matchesPath } from "./match";
import { requestPath, requestPathDecoded, requestPathDecodedEnd, requestPathEnd } from "./request";
import {
  closeTrie,
  countTrieStep,
  fileAt,
  nameBehind,
  openTrie,
  placeOf,
  reachedNode,
  Trie,
  trieEntry,
  walk,
} from "./trie";

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
  return route === null ? policy.effective : route.scope.effective;
}

/** Lays out what holds with and without each route, and files the entries, once a policy was read; false where the arena is full. */
export function prepare(policy: Policy): bool {
  policy.effective = allocate(EFFECTIVE_SIZE);
  if (policy.effective == 0) return false;
  fill(policy, null, policy.effective);
  for (let at = policy.scopes; at != 0;) {
    const scope = changetype<Scope>(at);
    scope.effective = allocate(EFFECTIVE_SIZE);
    if (scope.effective == 0) return false;
    fill(policy, scopeSettings(scope), scope.effective);
    at = scope.next;
  }
  let before: Route | null = null;
  for (let at = policy.routes; at != 0; at = changetype<Route>(at).next) {
    const route = changetype<Route>(at);
    // Routes that were read from one entry have its fields in common.
    const isShared = before !== null && before.fields == route.fields;
    route.fieldTrie = isShared ? before!.fieldTrie : filed(route.fields, List.Fields);
    if (route.fieldTrie == 0 && route.fields != 0) return false;
    before = route;
  }
  policy.fieldTrie = filed(policy.fields, List.Fields);
  policy.routeTrie = filed(policy.routes, List.Routes);
  policy.exceptionTrie = filed(policy.exceptions, List.Exceptions);
  policy.ruleTrie = filed(policy.rules, List.Rules);
  return (
    (policy.fields == 0 || policy.fieldTrie != 0) &&
    (policy.routes == 0 || policy.routeTrie != 0) &&
    (policy.exceptions == 0 || policy.exceptionTrie != 0) &&
    (policy.rules == 0 || policy.ruleTrie != 0)
  );
}

const enum List {
  Routes,
  Exceptions,
  Rules,
  Fields,
}

/** The trie of a chain of entries; 0 for none, and where the arena is full. */
function filed(chain: usize, list: List): usize {
  if (chain == 0) return 0;
  const trie = openTrie(chain);
  if (trie === null) return 0;
  for (let left = trie.count; left != 0; left--) {
    const entry = trieEntry(trie, left - 1);
    let node = list == List.Fields ? trie.root : placeOf(trie, changetype<Match>(entry));
    if (list == List.Exceptions) {
      const exception = changetype<Exception>(entry);
      if (exception.name != exception.nameEnd) node = nameBehind(trie, node, exception.name, exception.nameEnd);
    } else if (list == List.Fields) {
      const field = changetype<Field>(entry);
      if (field.name != field.nameEnd) node = nameBehind(trie, node, field.name, field.nameEnd);
    }
    if (node == 0) return 0;
    fileAt(node, changetype<Entry>(entry));
  }
  return closeTrie(trie) ? changetype<usize>(trie) : 0;
}

/** The route of the request by the path as Envoy routes it, and by the decoded one: also in callbacks after the headers'. */
export function currentRoute(policy: Policy, decoded: bool): Route | null {
  if (decoded) return routeOf(policy, requestPathDecoded, requestPathDecodedEnd);
  return routeOf(policy, requestPath, requestPathEnd);
}

/** The first route that speaks of the current request with this reading of its path. */
function routeOf(policy: Policy, path: usize, pathEnd: usize): Route | null {
  if (policy.routeTrie == 0) return null;
  const trie = changetype<Trie>(policy.routeTrie);
  let first: Route | null = null;
  const count = walk(trie, path, pathEnd);
  for (let i: u32 = 0; i < count; i++) {
    for (let at = reachedNode(trie, i).entries; at != 0;) {
      const route = changetype<Route>(at);
      at = route.along;
      countTrieStep();
      if (first !== null && first.position < route.position) break;
      if (!matchesPath(route, path, pathEnd)) continue;
      first = route;
      break;
    }
  }
  return first;
}

/** The policy's own rules that speak of the current request in either reading of its path, a bit for the place of each. */
export function currentRules(policy: Policy): u64 {
  if (policy.ruleTrie == 0) return 0;
  const found = rulesOf(policy, requestPath, requestPathEnd);
  if (requestPathDecoded == requestPath) return found;
  return found | rulesOf(policy, requestPathDecoded, requestPathDecodedEnd);
}

function rulesOf(policy: Policy, path: usize, pathEnd: usize): u64 {
  const trie = changetype<Trie>(policy.ruleTrie);
  let found: u64 = 0;
  const count = walk(trie, path, pathEnd);
  for (let i: u32 = 0; i < count; i++) {
    for (let at = reachedNode(trie, i).entries; at != 0; at = changetype<Match>(at).along) {
      const match = changetype<Match>(at);
      countTrieStep();
      if (matchesPath(match, path, pathEnd)) found |= (<u64>1) << match.position;
    }
  }
  return found;
}

/** Lays out what holds where `settings` of a route are said, or none. */
function fill(policy: Policy, settings: Settings | null, effective: usize): void {
  const outer = policySettings(policy);
  let mode = outer.mode;
  let inner = outer;
  if (settings !== null) {
    inner = settings;
    if (mode != Mode.Off && inner.mode != Mode.Unset) mode = inner.mode;
  }
  store<u8>(effective, mode);
  for (let ruleClass: u32 = 0; ruleClass < CLASSES; ruleClass++) {
    let cap = classMode(inner, ruleClass);
    if (cap == Mode.Unset) cap = classMode(outer, ruleClass);
    if (cap == Mode.Unset) cap = <u8>Mode.Block;
    let sensitivity = classSensitivity(inner, ruleClass);
    if (sensitivity == Sensitivity.Unset) sensitivity = inner.sensitivity;
    if (settings !== null && sensitivity == Sensitivity.Unset) sensitivity = classSensitivity(outer, ruleClass);
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
