/** What a rule says to people: what it sees, why that matters, what to do about it. */
import { RULE_TEXTS } from "./rule-texts.generated.ts";
import type { RuleText } from "./rule-texts.generated.ts";

export type { RuleText };

/** The text of a rule of ours; null for a policy's own rules, and for any other word. */
export function ruleText(id: string): RuleText | null {
  return Object.hasOwn(RULE_TEXTS, id) ? RULE_TEXTS[id]! : null;
}

/** A text that ends with the address of its source, as its sentence and the address, null where there is none. */
export function splitSource(text: string): { sentence: string; source: string | null } {
  const found = /^(.*?)\s*(https?:\/\/\S+)$/s.exec(text);
  return found === null ? { sentence: text, source: null } : { sentence: found[1]!, source: found[2]! };
}
