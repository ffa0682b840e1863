// The policy's own rules on a value: those that speak of the request and of the field, on the value as it stands and in each layer.

import { now } from "../abi/host";
import { classify } from "../core/classify";
import { fieldName, fieldNameEnd, reportedPart } from "../core/field";
import { layerEnd, layersBegin, layersNext, layerStart } from "../decode/layers";
import { found } from "../detect/finding";
import { Pattern, patternFinds } from "../match/pattern";
import { ANY, CustomRule, customMatch, Policy } from "../policy/layout";
import { matchesRequest, patternMatches } from "../policy/match";

/** The rules that speak of the request at work, by their place in the policy; told when its first value comes. */
let active: u64 = 0;
let known: bool = false;

/** Another request, or another callback of one. */
export function forgetActiveRules(): void {
  known = false;
}

/** Judges `start..end` by the policy's own rules. */
export function judgeRules(policy: Policy, start: usize, end: usize): void {
  if (!known) findActive(policy);
  if (active == 0) return;
  let waiting: u64 = 0;
  let bit: u64 = 1;
  for (let at = policy.rules; at != 0; bit <<= 1) {
    const rule = changetype<CustomRule>(at);
    if ((active & bit) != 0 && speaksOfField(rule) && !matches(rule, start, end)) waiting |= bit;
    at = rule.next;
  }
  if (waiting == 0) return;
  layersBegin(start, end);
  while (waiting != 0 && layersNext(classify(layerStart, layerEnd))) {
    bit = 1;
    for (let at = policy.rules; at != 0; bit <<= 1) {
      const rule = changetype<CustomRule>(at);
      if ((waiting & bit) != 0 && matches(rule, layerStart, layerEnd)) waiting &= ~bit;
      at = rule.next;
    }
  }
}

function findActive(policy: Policy): void {
  known = true;
  active = 0;
  let bit: u64 = 1;
  let seconds: u64 = 0;
  for (let at = policy.rules; at != 0; bit <<= 1) {
    const rule = changetype<CustomRule>(at);
    at = rule.next;
    if (!matchesRequest(customMatch(rule), false)) continue;
    if (rule.expires != 0 && seconds == 0) seconds = now() / 1000000000;
    if (rule.expires == 0 || seconds < rule.expires) active |= bit;
  }
}

function speaksOfField(rule: CustomRule): bool {
  return (
    (rule.part == ANY || rule.part == <u32>reportedPart) &&
    (rule.name == rule.nameEnd || patternMatches(rule.name, rule.nameEnd, fieldName, fieldNameEnd))
  );
}

/** Whether the rule is met by `start..end`, and reported: one without patterns is met by the field alone. */
function matches(rule: CustomRule, start: usize, end: usize): bool {
  let met = rule.patterns == 0;
  for (let at = rule.patterns; at != 0 && !met; at = changetype<Pattern>(at).next) met = patternFinds(at, start, end);
  if (met) found(rule.code, rule.confidence, start, end);
  return met;
}
