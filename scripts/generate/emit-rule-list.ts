// The rules as the tool needs them → scripts/policy/rules.generated.ts: which ids a policy may name.

import { heading } from "./emit.ts";
import type { Rule } from "./rule-file.ts";

/** The text of the generated module; `rules` by rising code. */
export function emitRuleList(rules: readonly Rule[]): string {
  const lines = rules.map((rule) => `  { id: ${JSON.stringify(rule.id)}, class: ${JSON.stringify(rule.class)} },`);
  const classes = [...new Set(rules.map((rule) => rule.class))].map((name) => `  ${JSON.stringify(name)},`);
  return [
    heading("rules/*.yaml", [`${rules.length} rules of ${classes.length} classes.`]),
    `export const CLASSES = [\n${classes.join("\n")}\n] as const;\n`,
    `export const RULES: readonly { id: string; class: string }[] = [\n${lines.join("\n")}\n];\n`,
  ].join("\n");
}
