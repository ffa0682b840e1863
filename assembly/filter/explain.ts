// What `meshward policy explain` reads from the log of the checked build, at level trace: messages that begin with `explain`.
//
//   value …               what a value went through (match/trace.ts)
//   route R S             positions from 1 in the policy of the route by the path as Envoy routes it, and by the decoded one; 0 for none
//   mode M                the mode that holds for the request
//   class NAME CAP        the most that may happen about a class
//   finding R P N T F     of a finding of rule R in part P, name N (hexadecimal, `-` for none): the confidence from which it decides, and
//                         the declared field that it stands in: `r2` the second of the route, `p1` the first for all, `-` none
//
// Release builds have none of it.

import { LogLevel } from "../abi/enums";
import { log } from "../abi/host";
import { putByte, putBytes, putDecimal } from "../core/bytes";
import { Char } from "../core/char";
import { partName } from "../core/field";
import { findingAt, findingCount, findingName } from "../core/findings";
import { putText } from "../core/text";
import { CLASS_COUNT } from "../generated/rules";
import { className, classNameEnd, ruleId, ruleIdEnd } from "../match/rules";
import { setTracing, traceEnd, traceLayer, traceStart, traceValue } from "../match/trace";
import { declaredField } from "../policy/decide";
import { Entry, Policy, Route } from "../policy/layout";
import { decodedRoute, effectiveCap, effectiveMode, matchedRoute } from "../policy/resolve";
import { putHex } from "../report/json";
import { modeName } from "../report/verdict";

const TEXT: usize = memory.data(4096);

/** Begins with a request: says what holds for it, where the configuration asks for that. */
export function explainRequest(policy: Policy, effective: usize): void {
  setTracing(policy.explain);
  if (!policy.explain) return;
  let out = putText(TEXT, "explain\nroute ");
  out = putByte(putDecimal(out, positionOf(matchedRoute)), Char.Space);
  out = putDecimal(out, positionOf(decodedRoute));
  out = putText(putText(out, "\nmode "), modeName(effectiveMode(effective)));
  for (let ruleClass: u32 = 0; ruleClass < CLASS_COUNT; ruleClass++) {
    out = putText(out, "\nclass ");
    out = putByte(putBytes(out, className(ruleClass), classNameEnd(ruleClass)), Char.Space);
    out = putText(out, modeName(effectiveCap(effective, ruleClass)));
  }
  log(LogLevel.Trace, TEXT, out);
}

/** Says of each finding what it was measured by, once the request has ended. */
export function explainFindings(policy: Policy, list: usize): void {
  for (let i: u32 = 0; i < findingCount(list); i++) {
    const finding = findingAt(list, i);
    let out = putText(TEXT, "explain\nfinding ");
    out = putByte(putBytes(out, ruleId(finding.rule), ruleIdEnd(finding.rule)), Char.Space);
    out = putByte(putText(out, partName(finding.part)), Char.Space);
    if (finding.nameLength == 0) out = putByte(out, Char.Dash);
    else out = putHex(out, findingName(finding), findingName(finding) + finding.nameLength);
    out = putByte(putDecimal(putByte(out, Char.Space), finding.threshold), Char.Space);
    const field = declaredField(policy, matchedRoute, finding);
    if (field === null) {
      out = putByte(out, Char.Dash);
    } else {
      const own = matchedRoute !== null && isIn((matchedRoute as Route).fields, changetype<usize>(field));
      out = putByte(out, own ? Char.r : Char.p);
      out = putDecimal(out, field.position + 1);
    }
    log(LogLevel.Trace, TEXT, out);
  }
}

function isIn(chain: usize, entry: usize): bool {
  let at = chain;
  while (at != 0 && at != entry) at = changetype<Entry>(at).next;
  return at != 0;
}

/** The position of a route of the policy, from 1; 0 for none. */
function positionOf(route: Route | null): u32 {
  return route === null ? 0 : route.position + 1;
}

/** Begins with the value `start..end` of the current field. */
export function beginTrace(start: usize, end: usize): void {
  traceValue();
  traceLayer(start, end);
}

/** Logs what the value went through. */
export function tellTrace(): void {
  log(LogLevel.Trace, traceStart, traceEnd);
}
