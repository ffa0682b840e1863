/** What a rule says to people: what it sees, why that matters, what to do about it. */
import { RULE_TEXTS } from "./rule-texts.generated.ts";
import type { RuleText } from "./rule-texts.generated.ts";

export type { RuleText };

/** The text of a rule of ours; null for a policy's own rules, and for any other word. */
export function ruleText(id: string): RuleText | null {
  return Object.hasOwn(RULE_TEXTS, id) ? RULE_TEXTS[id]! : null;
}

/** A text as its sentences and the last address in it, the source; null where there is none. */
export function splitSource(text: string): { sentence: string; source: string | null } {
  const found = [...text.matchAll(/\s*\(?(https?:\/\/[^\s")]*[^\s").,;])\)?/g)].at(-1);
  if (found === undefined) return { sentence: text, source: null };
  const [all, source] = found;
  return { sentence: (text.slice(0, found.index) + text.slice(found.index + all.length)).trim(), source: source! };
}

/** What a rule sees, as a title: rules are written by many hands. */
export function titleOf(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}`.replace(/\.$/, "");
}
