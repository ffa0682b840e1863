// What the module knows of a rule, from the tables that scripts/generate makes of rules/. A row of RULE_ROWS, 12 bytes, by rising
// code:
//
//   0  u16 code    2  u16 id's place in RULE_TEXT    4  u8 id's length    5  u8 class    6  u8 severity    7  u8 confidence
//   8  u16 first CWE in RULE_CWES                    10 u16 number of CWEs
//
// A rule is named by its code, which never changes; counters use its index, which is dense but differs between versions. A code
// that no rule has is our own mistake: it traps in a checked build and gives the next rule in release.

import {
  CUSTOM,
  CUSTOM_RULES,
  customClass,
  customCwe,
  customCweCount,
  customId,
  customIdEnd,
  customSeverity,
} from "./custom-rules";
import { CLASS_COUNT, RULE_COUNT, RULE_CWES, RULE_NAMES, RULE_ROWS, RULE_TEXT } from "../generated/rules";

const ROW_BYTES: u32 = 12;

/** Rules that can be told apart: those of rules/, then those of policies. */
export const ALL_RULES: u32 = RULE_COUNT + CUSTOM_RULES;

/** The place of a rule among all, 0 to ALL_RULES - 1; a binary search. */
export function ruleIndex(code: u32): u32 {
  if (code >= CUSTOM) {
    if (isDefined(CHECKED)) assert(code < CUSTOM + CUSTOM_RULES); // a rule of a policy
    return RULE_COUNT + code - CUSTOM;
  }
  let low: u32 = 0;
  let high: u32 = RULE_COUNT - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ruleCode(middle) < code) low = middle + 1;
    else high = middle;
  }
  if (isDefined(CHECKED)) assert(ruleCode(low) == code); // a rule of rules/
  return low;
}

/** The code of the rule at `index`, 0 to ALL_RULES - 1. */
export function ruleCode(index: u32): u32 {
  if (index >= RULE_COUNT) return CUSTOM + index - RULE_COUNT;
  if (isDefined(CHECKED)) assert(index < RULE_COUNT); // inside the table
  return load<u16>(RULE_ROWS + index * ROW_BYTES);
}

/** The id (`sqli-union-select`) stands at `ruleId(code)..ruleIdEnd(code)`. */
export function ruleId(code: u32): usize {
  if (code >= CUSTOM) return customId(code);
  return RULE_TEXT + load<u16>(row(code), 2);
}

export function ruleIdEnd(code: u32): usize {
  if (code >= CUSTOM) return customIdEnd(code);
  const at = row(code);
  return RULE_TEXT + load<u16>(at, 2) + load<u8>(at, 4);
}

/** The `RuleClass` of a rule. */
export function ruleClass(code: u32): u32 {
  if (code >= CUSTOM) return customClass(code);
  return load<u8>(row(code), 5);
}

/** The `Severity` of a rule. */
export function ruleSeverity(code: u32): u32 {
  if (code >= CUSTOM) return customSeverity(code);
  return load<u8>(row(code), 6);
}

/** How sure a match is, 0–100, before the detector weighs the rest of the value. */
export function ruleConfidence(code: u32): u32 {
  return load<u8>(row(code), 7);
}

/** How many CWE numbers a rule has, of those of rules/ 1 or more. */
export function ruleCweCount(code: u32): u32 {
  if (code >= CUSTOM) return customCweCount(code);
  return load<u16>(row(code), 10);
}

/** CWE number `at` of a rule, `at` < `ruleCweCount(code)`. */
export function ruleCwe(code: u32, at: u32): u32 {
  if (isDefined(CHECKED)) assert(at < ruleCweCount(code)); // one of its own
  if (code >= CUSTOM) return customCwe(code, at);
  return load<u16>(RULE_CWES + ((<usize>load<u16>(row(code), 8) + at) << 1));
}

/** The name of a `RuleClass` (`sqli`) stands at `className(id)..classNameEnd(id)`. */
export function className(id: u32): usize {
  if (isDefined(CHECKED)) assert(id < CLASS_COUNT); // a class that has rules, or one before it
  return nameAt(id);
}

export function classNameEnd(id: u32): usize {
  return className(id) + nameSize(id);
}

/** The name of a `Severity` (`high`) stands at `severityName(id)..severityNameEnd(id)`. */
export function severityName(id: u32): usize {
  return nameAt(CLASS_COUNT + id);
}

export function severityNameEnd(id: u32): usize {
  return severityName(id) + nameSize(CLASS_COUNT + id);
}

function row(code: u32): usize {
  return RULE_ROWS + ruleIndex(code) * ROW_BYTES;
}

function nameAt(index: u32): usize {
  return RULE_TEXT + load<u16>(RULE_NAMES + ((<usize>index) << 2));
}

function nameSize(index: u32): usize {
  return load<u16>(RULE_NAMES + ((<usize>index) << 2), 2);
}
