// What the rules say to people → scripts/policy/rule-texts.generated.ts: reports and the collector's page show it.

import { heading } from "./emit.ts";
import type { Rule } from "./rule-file.ts";

/** The text of the generated module; `rules` by rising code. */
export function emitRuleTexts(rules: readonly Rule[]): string {
  const entries = rules.map((rule) => {
    const { cwe, capec, owasp, severity, summary, reason, blind, remedy } = rule;
    const text = { class: rule.class, cwe, capec, owasp, severity, summary, reason, blind, remedy };
    return `  ${JSON.stringify(rule.id)}: ${JSON.stringify(text)},`;
  });
  return [
    heading("rules/*.yaml", [`What ${rules.length} rules say to people.`]),
    "export interface RuleText {",
    "  class: string;",
    "  /** Numbers of the weakness and of the pattern of attack. */",
    "  cwe: readonly number[];",
    "  capec: readonly number[];",
    "  owasp: readonly string[];",
    "  severity: string;",
    "  /** One line: what the rule sees. */",
    "  summary: string;",
    "  /** Why that is an attack or a flaw, with a link to its source. */",
    "  reason: string;",
    "  blind: string;",
    "  remedy: { code: string; configuration: string; proxy: string };",
    "}\n",
    `export const RULE_TEXTS: Readonly<Record<string, RuleText>> = {\n${entries.join("\n")}\n};\n`,
  ].join("\n");
}
