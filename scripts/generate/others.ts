// rules/compared/others.yaml: what others look for in the same traffic (ZAP's passive rules, the Core Rule Set's files for responses).
// Each is what some rules of ours stand for, which say so themselves, or a gap with its reason: never both, and never neither.

import { z } from "zod";
import { RulesError, type Problem } from "./problem.ts";
import type { Rule } from "./rule-file.ts";
import { readSource, type Source } from "./source.ts";

/** Who else has rules, by the field of ours that names theirs. */
export const OTHERS = ["zap", "crs"] as const;
export type Other = (typeof OTHERS)[number];

const text = z.string().trim().min(1, "must not be empty");
const entry = z.strictObject({
  id: z
    .string()
    .regex(/^\d{1,6}$/, "must be a whole number")
    .transform(Number),
  name: text,
  /** What of it ours do not see. */
  less: text.optional(),
  /** Why no rule of ours is there for it. */
  gap: text.optional(),
});
export type Entry = z.output<typeof entry>;

const othersSchema = z
  .strictObject({ zap: z.array(entry), crs: z.array(entry) } satisfies Record<Other, unknown>)
  .superRefine((value, context) => {
    for (const other of OTHERS) {
      const seen = new Set<number>();
      value[other].forEach(({ id, less, gap }, index) => {
        const problem = (message: string): void =>
          context.addIssue({ code: "custom", path: [other, index, "id"], message });
        if (seen.has(id)) problem(`${id} is there already`);
        seen.add(id);
        if (less !== undefined && gap !== undefined) problem(`${id} is a gap, so there is nothing of it that is less`);
      });
    }
  });
export type Others = z.output<typeof othersSchema>;

/** Reads the file; throws RulesError. */
export function readOthers(file: string, content: string): Source<Others> {
  return readSource(file, content, othersSchema);
}

/** The ids of our rules that stand for an entry, in their order. */
export const standsFor = (rules: readonly Rule[], other: Other, id: number): string[] =>
  rules.filter((rule) => rule[other].includes(id)).map((rule) => rule.id);

/** Throws a RulesError where a rule names what is not there, or an entry is named and a gap, or neither. */
export function checkOthers({ file, data, lineOf }: Source<Others>, rules: readonly Rule[]): void {
  const problems: Problem[] = [];
  for (const other of OTHERS) {
    const known = new Set(data[other].map(({ id }) => id));
    for (const rule of rules) {
      for (const id of rule[other]) {
        if (!known.has(id))
          problems.push({ file, line: 1, message: `${rule.id} stands for ${other} ${id}, which is not here` });
      }
      if (new Set(rule[other]).size < rule[other].length) {
        problems.push({ file, line: 1, message: `${rule.id} names one of ${other} twice` });
      }
    }
    data[other].forEach(({ id, gap }, index) => {
      const ours = standsFor(rules, other, id);
      const line = lineOf([other, index, "id"]);
      if (gap === undefined && ours.length === 0)
        problems.push({ file, line, message: `no rule stands for ${other} ${id}` });
      if (gap !== undefined && ours.length > 0) {
        problems.push({ file, line, message: `${other} ${id} is a gap, and ${ours.join(", ")} stands for it` });
      }
    });
  }
  if (problems.length > 0) throw new RulesError(problems);
}
