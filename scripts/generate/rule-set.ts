// The rules of all files together, in the order of their codes, and what must be unique among them.

import { RulesError, type Problem } from "./problem.ts";
import type { Rule, RuleFile } from "./rule-file.ts";
import type { Source } from "./source.ts";

/** All rules by rising code. Throws a RulesError where two have the same code, id or name. */
export function joinRules(files: readonly Source<RuleFile>[]): Rule[] {
  const problems: Problem[] = [];
  const seen = new Map<string, string>();
  const rules: Rule[] = [];
  for (const { file, data, lineOf } of files) {
    data.rules.forEach((rule, index) => {
      const place = `${file}:${lineOf(["rules", index])}`;
      for (const [key, value] of [
        ["code", String(rule.code)],
        ["id", rule.id],
        ["name", pascalCase(rule.id)],
      ] as const) {
        const other = seen.get(`${key} ${value}`);
        if (other !== undefined) {
          const line = lineOf(["rules", index, key === "code" ? "code" : "id"]);
          problems.push({ file, line, message: `${key} ${value} is taken by the rule at ${other}` });
        }
        seen.set(`${key} ${value}`, place);
      }
      rules.push(rule);
    });
  }
  if (problems.length > 0) throw new RulesError(problems);
  return rules.sort((a, b) => a.code - b.code);
}

/** `sqli-union-select` → `SqliUnionSelect` */
export function pascalCase(id: string): string {
  return id.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
