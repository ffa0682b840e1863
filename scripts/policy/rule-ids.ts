/**
 * The rules that the module knows, and the patterns by which an exception names them: an exact id (`sqli-union-select`)
 * or a prefix (`sqli-*`).
 */
import { CLASSES, RULES } from "./rules.generated.ts";

/** The classes of attack that have detectors; keys of `detectors` in the policy. */
export { CLASSES };
export type AttackClass = (typeof CLASSES)[number];

/** Classes of what a service does by itself: nobody has attacked it. */
export const PASSIVE_CLASSES = ["leak", "header", "cookie", "dependency", "auth"] as const;

/** What a rule pattern may look like. */
export const RULE_PATTERN = /^(?:[a-z0-9]+(?:-[a-z0-9]+)*(?:-\*)?|\*)$/;

/** Whether `pattern` names the rule `id`. */
export function matchesRule(pattern: string, id: string): boolean {
  return pattern.endsWith("*") ? id.startsWith(pattern.slice(0, -1)) : pattern === id;
}

/** The ids that `patterns` name (all, where there are none), of one class where it is given. */
export function rulesNamed(patterns: readonly string[], attackClass?: string): string[] {
  return RULES.filter(
    (rule) =>
      (attackClass === undefined || rule.class === attackClass) &&
      (patterns.length === 0 || patterns.some((pattern) => matchesRule(pattern, rule.id))),
  ).map((rule) => rule.id);
}
