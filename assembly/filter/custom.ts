// The policy's own rules on a value: those that speak of the request and of the field, on the value as it stands and in each layer.

import { now } from "../abi/host";
import { classify } from "../core/classify";
import { fieldName, fieldNameEnd, reportedPart } from "../core/field";
import { layerEnd, layersBegin, layersNext, layerStart } from "../decode/layers";
import { found } from "../detect/finding";
import { Pattern, patternFinds } from "../match/pattern";
import { ANY, CustomRule, Policy } from "../policy/layout";
import { patternMatches } from "../policy/match";
import { currentRules } from "../policy/resolve";
import { Trie, trieEntry } from "../policy/trie";

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
  const trie = changetype<Trie>(policy.ruleTrie);
  let waiting: u64 = 0;
  for (let left = active; left != 0; left &= left - 1) {
    const rule = changetype<CustomRule>(trieEntry(trie, <u32>ctz(left)));
    if (speaksOfField(rule) && !matches(rule, start, end)) waiting |= left & -left;
  }
  if (waiting == 0) return;
  layersBegin(start, end);
  while (waiting != 0 && layersNext(classify(layerStart, layerEnd))) {
    for (let left = waiting; left != 0; left &= left - 1) {
      const rule = changetype<CustomRule>(trieEntry(trie, <u32>ctz(left)));
      if (matches(rule, layerStart, layerEnd)) waiting &= ~(left & -left);
    }
  }
}

function findActive(policy: Policy): void {
  known = true;
  active = currentRules(policy);
  let seconds: u64 = 0;
  for (let left = active; left != 0; left &= left - 1) {
    const rule = changetype<CustomRule>(trieEntry(changetype<Trie>(policy.ruleTrie), <u32>ctz(left)));
    if (rule.expires == 0) continue;
    if (seconds == 0) seconds = now() / 1000000000;
    if (seconds >= rule.expires) active &= ~(left & -left);
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
