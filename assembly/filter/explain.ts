// What `meshward policy explain` reads from the log of the checked build, at level trace: messages that begin with `explain`.
//
//   value …               what a value went through (match/trace.ts)
//   route R S             positions from 1 in the policy of the route by the path as Envoy routes it, and by the decoded one; 0 for none
//   mode M                the mode that holds for the request
//   class NAME CAP T      the most that may happen about a class, and the confidence from which it does
//
// Release builds have none of it.

import { LogLevel } from "../abi/enums";
import { log } from "../abi/host";
import { putByte, putBytes, putDecimal } from "../core/bytes";
import { Char } from "../core/char";
import { putText } from "../core/text";
import { CLASS_COUNT } from "../generated/rules";
import { className, classNameEnd } from "../match/rules";
import { setTracing, traceEnd, traceLayer, traceStart, traceValue } from "../match/trace";
import { Mode, Policy, Route } from "../policy/layout";
import { decodedRoute, effectiveCap, effectiveMode, effectiveThreshold, matchedRoute } from "../policy/resolve";
import { modeName } from "../report/verdict";

const TEXT: usize = memory.data(4096);

/** Begins with a request: says what holds for it, where the configuration asks for that. */
export function explainRequest(policy: Policy, effective: usize): void {
  setTracing(policy.explain);
  if (!policy.explain) return;
  let out = putText(TEXT, "explain\nroute ");
  out = putByte(putDecimal(out, positionOf(policy, matchedRoute)), Char.Space);
  out = putDecimal(out, positionOf(policy, decodedRoute));
  out = putText(putText(out, "\nmode "), modeName(effectiveMode(effective)));
  for (let ruleClass: u32 = 0; ruleClass < CLASS_COUNT; ruleClass++) {
    out = putText(out, "\nclass ");
    out = putByte(putBytes(out, className(ruleClass), classNameEnd(ruleClass)), Char.Space);
    out = putByte(putText(out, modeName(effectiveCap(effective, ruleClass))), Char.Space);
    out = putDecimal(out, effectiveThreshold(effective, ruleClass));
  }
  log(LogLevel.Trace, TEXT, out);
}

/** The position of a route of the policy, from 1; 0 for none. */
function positionOf(policy: Policy, route: Route | null): u32 {
  let position: u32 = 1;
  for (let at = policy.routes; at != 0; position++) {
    if (at == changetype<usize>(route)) return position;
    at = changetype<Route>(at).next;
  }
  return 0;
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
