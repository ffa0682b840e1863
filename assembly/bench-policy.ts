// What a policy costs, for `meshward bench growth`: reading it, and finding what it says about a request. The input is the text of a
// configuration, or a request as host, path and the name of a field, a NUL behind each.

import { findByte } from "./core/bytes";
import { Part } from "./core/field";
import { addFinding, closeFindings, findingAt, findings, freeFindings, openFindings } from "./core/findings";
import { readPaths } from "./filter/target";
import { Rule } from "./generated/rules";
import { allocate, arenaPolicy, freeArena, openArena } from "./policy/arenas";
import { decide } from "./policy/decide";
import { Policy } from "./policy/layout";
import { readPolicy } from "./policy/read";
import { setRequestTarget } from "./policy/request";
import { EFFECTIVE_SIZE, matchedRoute, resolve } from "./policy/resolve";

const EFFECTIVE: usize = memory.data(<i32>EFFECTIVE_SIZE, 8);
const METHOD: usize = memory.data<u8>([0x47, 0x45, 0x54]);

let arena: usize = 0;

/** Puts a configuration in force; the bytes that it takes in the module, or 0 where it is bad. */
export function readConfiguration(start: usize, end: usize): usize {
  if (arena == 0) arena = freeArena();
  openArena(arena, 1);
  return readPolicy(start, end) === null ? 0 : allocate(0) - arena;
}

/** Resolves what holds for a request; the place of its route in the policy, or -1. */
export function resolveRequest(start: usize, end: usize): i32 {
  const hostEnd = findByte(start, end, 0);
  const pathEnd = findByte(hostEnd + 1, end, 0);
  const policy = changetype<Policy>(arenaPolicy(arena));
  setRequestTarget(start, hostEnd, METHOD, METHOD + 3);
  readPaths(hostEnd + 1, pathEnd);
  resolve(policy, EFFECTIVE);
  const route = matchedRoute;
  return route === null ? -1 : route.position;
}

/** Decides on a finding in the query parameter of a request; the place of the exception that covers it, or -1. */
export function decideFinding(start: usize, end: usize): i32 {
  resolveRequest(start, end);
  const name = findByte(findByte(start, end, 0) + 1, end, 0) + 1;
  openFindings(0);
  addFinding(Rule.SqliUnionSelect, 90, Part.Query, name, findByte(name, end, 0));
  decide(changetype<Policy>(arenaPolicy(arena)), EFFECTIVE, findings, 1);
  const found: i32 = findingAt(findings, 0).exception;
  freeFindings(closeFindings());
  return found - 1;
}
