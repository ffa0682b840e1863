// A policy and what it says about a request, for tests and for counting steps.

import {
  addFinding,
  closeFindings,
  findingAt,
  findings,
  freeFindings,
  openFindings,
} from "../../assembly/core/findings";
import { readPaths, readsOneWay } from "../../assembly/filter/target";
import { normalizePath } from "../../assembly/parse/path";
import { allocate, arenaPolicy, freeArena, openArena } from "../../assembly/policy/arenas";
import { decide, declaredField } from "../../assembly/policy/decide";
import { Entry, Policy } from "../../assembly/policy/layout";
import { setNamespace } from "../../assembly/policy/node";
import { readPolicy } from "../../assembly/policy/read";
import {
  requestPath,
  requestPathDecoded,
  requestPathDecodedEnd,
  requestPathEnd,
  setRequestTarget,
} from "../../assembly/policy/request";
import { currentRoute, currentRules, EFFECTIVE_SIZE, matchedRoute, resolve } from "../../assembly/policy/resolve";
import { trieSteps } from "../../assembly/policy/trie";

const EFFECTIVE: usize = memory.data(<i32>EFFECTIVE_SIZE, 8);
const NORMALIZED: usize = memory.data(4096);
const NAMESPACE: usize = memory.data<u8>([0x6e]);

let arena: usize = 0;

// @ts-ignore: decorator
@inline
function policy(): Policy {
  return changetype<Policy>(arenaPolicy(arena));
}

/** Reads a configuration, for a workload in namespace "n"; the bytes of the arena that it takes, or 0 where it is bad. */
export function read(start: usize, end: usize): usize {
  setNamespace(NAMESPACE, NAMESPACE + 1);
  if (arena == 0) arena = freeArena();
  openArena(arena, 1);
  if (readPolicy(start, end) === null) return 0;
  return allocate(0) - arena;
}

/** Makes a request the current one, and resolves what holds for it. `path`: without a query. */
export function request(
  host: usize,
  hostEnd: usize,
  method: usize,
  methodEnd: usize,
  path: usize,
  pathEnd: usize,
): void {
  setRequestTarget(host, hostEnd, method, methodEnd);
  readPaths(path, pathEnd);
  resolve(policy(), EFFECTIVE);
}

/** The place of the route by one reading of the path, or -1. */
export function route(decoded: bool): i32 {
  const found = currentRoute(policy(), decoded);
  return found === null ? -1 : found.position;
}

/** The rules of the policy that speak of the request, a bit each. */
export function rules(): u64 {
  return currentRules(policy());
}

/** The place of the exception that covers a finding of `rule` in the field, or -1. */
export function exception(rule: u32, part: u32, name: usize, nameEnd: usize): i32 {
  openFindings(0);
  addFinding(rule, 90, part, name, nameEnd);
  decide(policy(), EFFECTIVE, findings, 1);
  const position: i32 = findingAt(findings, 0).exception;
  freeFindings(closeFindings());
  return position - 1;
}

/** The place of the field that a finding stands in, of the route's from 0 and of all routes' from 1,000; or -1. */
export function field(part: u32, name: usize, nameEnd: usize): i32 {
  openFindings(0);
  addFinding(101, 90, part, name, nameEnd);
  const found = declaredField(policy(), matchedRoute, findingAt(findings, 0));
  freeFindings(closeFindings());
  if (found === null) return -1;
  const route = matchedRoute;
  let own: usize = route === null ? 0 : route.fields;
  while (own != 0 && own != changetype<usize>(found)) own = changetype<Entry>(own).next;
  return found.position + (own == 0 ? 1000 : 0);
}

/** Whether the path is taken for one that has but one reading. */
export function oneWay(start: usize, end: usize): bool {
  return readsOneWay(start, end);
}

/** What Envoy makes of a path; the end of what is written at `normalized()`. */
export function normalize(start: usize, end: usize): usize {
  return normalizePath(start, end, NORMALIZED);
}

export function normalized(): usize {
  return NORMALIZED;
}

/** What a reading of the path is. */
export function path(decoded: bool): usize {
  return decoded ? requestPathDecoded : requestPath;
}

export function pathEnd(decoded: bool): usize {
  return decoded ? requestPathDecodedEnd : requestPathEnd;
}

/** Steps and comparisons so far. */
export function steps(): u32 {
  return trieSteps;
}
