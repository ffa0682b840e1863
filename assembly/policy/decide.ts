// From findings to one decision; the only place that says what happens. A finding decides when it is sure enough for the
// sensitivity that holds for its class, when its class may block, and when no exception covers it.

import { Basis, Finding, findingAt, findingCount, findingName } from "../core/findings";
import { CUSTOM, customMode } from "../match/custom-rules";
import { patternFinds } from "../match/pattern";
import { ruleClass, ruleId, ruleIdEnd } from "../match/rules";
import { fieldOf, thresholdInKind } from "./kinds";
import { ANY, Exception, Field, FieldKind, Mode, Policy, Route } from "./layout";
import { matchesBoth, patternListed, patternMatches } from "./match";
import { judged, judgedEnd, requestIdentity, requestIdentityEnd, requestPath, requestPathDecoded } from "./request";
import { currentRoute, effectiveCap, effectiveThreshold } from "./resolve";
import { countTrieStep, followName, nextOfName, reachedNode, Trie, trieEntry, TrieNode, walkRouted } from "./trie";

/** Findings below this confidence are not listed. */
export const LISTED: u32 = 20;

/** Whether the last `decide` found a reason to refuse. */
export let refused: bool = false;
/** The finding that the decision rests on: the surest that decides, else the surest that is not excepted; null for none. */
export let deciding: Finding | null = null;

/**
 * Decides on a list of findings. Sets `refused`, `deciding`, and of each fresh finding `decides` and the `exception` that covers it: to
 * ask all exceptions about all findings again after each value would cost a client little and the proxy much.
 * `seconds`: now, since the epoch; exceptions that have expired do not count.
 */
export function decide(policy: Policy, effective: usize, list: usize, seconds: u64): void {
  refused = false;
  deciding = null;
  const count = findingCount(list);
  for (let i: u32 = 0; i < count; i++) {
    const finding = findingAt(list, i);
    const cap = capOf(effective, finding);
    if (finding.fresh) {
      finding.exception = 0;
      finding.decides = false;
      finding.fresh = false;
      finding.threshold = <u8>thresholdFor(policy, effective, finding);
      if (cap != Mode.Off) coverWithException(policy, finding, seconds);
      if (finding.exception == 0) finding.counted = true;
    }
    if (cap == Mode.Off || finding.exception != 0 || finding.basis == <u8>Basis.Trait) continue;
    const decides = cap == Mode.Block && finding.confidence >= finding.threshold;
    const best = deciding;
    // What the response shows stands behind what the request was judged by.
    if (
      best === null ||
      (decides && !refused) ||
      (best.basis != 0 && finding.basis == 0) ||
      (decides == refused && best.basis == finding.basis && finding.confidence > best.confidence)
    ) {
      deciding = finding;
    }
    finding.decides = decides;
    refused = refused || decides;
  }
}

/** The confidence from which a finding decides: what holds for its class, and for the kind of its field. */
function thresholdFor(policy: Policy, effective: usize, finding: Finding): u32 {
  const threshold = effectiveThreshold(effective, ruleClass(finding.rule));
  if (!policy.hasFields) return threshold;
  const route = currentRoute(policy, false);
  const strict = thresholdIn(declaredField(policy, route, finding), finding, threshold);
  if (requestPathDecoded == requestPath) return strict;
  // Both readings of the path must lead to what loosens.
  const other = currentRoute(policy, true);
  return route == other ? strict : min(strict, thresholdIn(declaredField(policy, other, finding), finding, threshold));
}

/** The declared field that a finding stands in: the route's own, else that of all routes; null for none. */
export function declaredField(policy: Policy, route: Route | null, finding: Finding): Field | null {
  if (route !== null) {
    const own = fieldOf(route.fieldTrie, finding);
    if (own !== null) return own;
  }
  return fieldOf(policy.fieldTrie, finding);
}

function thresholdIn(field: Field | null, finding: Finding, threshold: u32): u32 {
  return field === null ? threshold : thresholdInKind(<FieldKind>field.kind, finding.rule, threshold);
}

/** Whether a finding may be shown and counted: its class is not off here. */
export function isListed(effective: usize, finding: Finding): bool {
  return finding.confidence >= LISTED && capOf(effective, finding) != Mode.Off;
}

/**
 * The most that may happen about a finding: what holds for its class, or less where its rule is one of a policy that says so; nothing
 * is refused for what the response shows.
 */
function capOf(effective: usize, finding: Finding): u32 {
  const cap: u32 = effectiveCap(effective, ruleClass(finding.rule));
  if (finding.basis != 0) return min<u32>(cap, Mode.Detect);
  return finding.rule < CUSTOM ? cap : min(cap, customMode(finding.rule));
}

/** Marks the finding with the first exception that covers it. */
function coverWithException(policy: Policy, finding: Finding, seconds: u64): void {
  if (policy.exceptionTrie == 0) return;
  const trie = changetype<Trie>(policy.exceptionTrie);
  const count = walkRouted(trie);
  let first: u32 = NO_EXCEPTION;
  for (let i: u32 = 0; i < count; i++) {
    let node = changetype<usize>(reachedNode(trie, i));
    followName(node, findingName(finding), findingName(finding) + finding.nameLength);
    for (; node != 0; node = nextOfName(trie)) first = firstCovering(node, finding, seconds, first);
  }
  if (first != NO_EXCEPTION) finding.exception = <u16>min<u32>(first + 1, u16.MAX_VALUE);
}

/** Comes after every exception. */
const NO_EXCEPTION: u32 = u32.MAX_VALUE;

/** The place of the first exception at a node that covers the finding, if it comes before `first`; else that. */
function firstCovering(node: usize, finding: Finding, seconds: u64, first: u32): u32 {
  for (let at = changetype<TrieNode>(node).entries; at != 0;) {
    const exception = changetype<Exception>(at);
    if (exception.position >= first) break;
    countTrieStep();
    if (covers(exception, finding, seconds)) return exception.position;
    at = exception.along;
  }
  return first;
}

/** The exception with that index + 1, as a finding holds it. */
export function exceptionAt(policy: Policy, position: u32): Exception {
  return changetype<Exception>(trieEntry(changetype<Trie>(policy.exceptionTrie), position - 1));
}

function covers(exception: Exception, finding: Finding, seconds: u64): bool {
  const name = findingName(finding);
  return (
    (exception.expires == 0 || seconds < exception.expires) &&
    (exception.ruleClass == ANY || exception.ruleClass == ruleClass(finding.rule)) &&
    (exception.part == ANY || exception.part == finding.part) &&
    (exception.rules == exception.rulesEnd ||
      patternListed(exception.rules, exception.rulesEnd, ruleId(finding.rule), ruleIdEnd(finding.rule))) &&
    (exception.name == exception.nameEnd ||
      patternMatches(exception.name, exception.nameEnd, name, name + finding.nameLength)) &&
    (exception.identity == exception.identityEnd ||
      patternMatches(exception.identity, exception.identityEnd, requestIdentity, requestIdentityEnd)) &&
    // Both readings of the path must lead to the excepted place: an exception is no way around the filter.
    matchesBoth(exception) &&
    // A value condition is asked of the value that the finding was made in, and cannot take back what has counted.
    (exception.value == 0 ||
      (!finding.counted && judged != judgedEnd && patternFinds(exception.value, judged, judgedEnd)))
  );
}
