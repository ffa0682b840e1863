// What the module knows of its rules, for tests.

export {
  className,
  classNameEnd,
  ruleClass,
  ruleCode,
  ruleConfidence,
  ruleCwe,
  ruleCweCount,
  ruleId,
  ruleIdEnd,
  ruleIndex,
  ruleSeverity,
  severityName,
  severityNameEnd,
} from "../../assembly/match/rules";

import { RULE_COUNT } from "../../assembly/generated/rules";

export function ruleCount(): u32 {
  return RULE_COUNT;
}
