// The rules of all files → assembly/generated/rules.ts: their codes as an enum, and what the module must know of each as static
// data. The layout is drawn in assembly/match/rules.ts.

import { emitData, emitEnum, heading, thousands } from "./emit.ts";
import { CLASSES, SEVERITIES, type Rule } from "./rule-file.ts";
import { pascalCase } from "./rule-set.ts";

/** u16 code, u16 id's place, u8 id's length, u8 class, u8 severity, u8 confidence, u16 first CWE, u16 number of CWEs */
const ROW_BYTES = 12;

/** The text of the generated file; `rules` by rising code. */
export function emitRules(rules: readonly Rule[]): string {
  const text: number[] = [];
  const place = (word: string): [at: number, length: number] => {
    const at = text.length;
    text.push(...new TextEncoder().encode(word));
    return [at, word.length];
  };
  // A class is found by its number, so the names run from the first to the last that has a rule.
  const classes = CLASSES.slice(0, Math.max(0, ...rules.map((rule) => CLASSES.indexOf(rule.class) + 1)));
  const used = classes.filter((name) => rules.some((rule) => rule.class === name));
  const names = [...classes, ...SEVERITIES].flatMap(place);
  const cwes: number[] = [];
  const rows = new DataView(new ArrayBuffer(rules.length * ROW_BYTES));
  rules.forEach((rule, index) => {
    const row = index * ROW_BYTES;
    const [at, length] = place(rule.id);
    rows.setUint16(row, rule.code, true);
    rows.setUint16(row + 2, at, true);
    rows.setUint8(row + 4, length);
    rows.setUint8(row + 5, CLASSES.indexOf(rule.class));
    rows.setUint8(row + 6, SEVERITIES.indexOf(rule.severity));
    rows.setUint8(row + 7, rule.confidence);
    rows.setUint16(row + 8, cwes.length, true);
    rows.setUint16(row + 10, rule.cwe.length, true);
    cwes.push(...rule.cwe);
  });
  const size = rows.byteLength + cwes.length * 2 + names.length * 2 + text.length;
  return [
    heading("rules/*.yaml", [
      `${rules.length} rules of ${used.length} classes, ${thousands(size)} bytes; layout: match/rules.ts.`,
    ]),
    emitEnum(
      "Rule",
      rules.map((rule) => [pascalCase(rule.id), rule.code] as const),
    ),
    emitEnum(
      "RuleClass",
      used.map((name) => [pascalCase(name), CLASSES.indexOf(name)] as const),
    ),
    emitEnum(
      "Severity",
      SEVERITIES.map((name, value) => [pascalCase(name), value] as const),
    ),
    `export const RULE_COUNT: u32 = ${rules.length};\nexport const CLASS_COUNT: u32 = ${classes.length};\n`,
    emitData("RULE_ROWS", "u8", new Uint8Array(rows.buffer), "One row a rule, by rising code."),
    emitData("RULE_CWES", "u16", cwes, "CWE numbers, those of one rule side by side."),
    emitData(
      "RULE_NAMES",
      "u16",
      names,
      "Place and length in RULE_TEXT of each class's name, then of each severity's.",
    ),
    emitData("RULE_TEXT", "u8", text, "Names of classes and severities, then the ids of the rules."),
  ].join("\n");
}
