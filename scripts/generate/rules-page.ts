// The rules of all files → docs/rules.md, the page for people who see a rule's id in a log and want to know what to do.

import { standsFor, type Entry, type Other, type Others } from "./others.ts";
import { classRate, ruleRate, type Rates } from "./rates.ts";
import type { Example, Rule } from "./rule-file.ts";

const REFERENCES = {
  cwe: (number: number) => `[CWE-${number}](https://cwe.mitre.org/data/definitions/${number}.html)`,
  capec: (number: number) => `[CAPEC-${number}](https://capec.mitre.org/data/definitions/${number}.html)`,
};

const COLLECTOR = " [The collector](collector.md) finds it in what sidecars have observed.";

/** The page as Markdown; `rules` by rising code, `rates` as they were measured, if they were, `others` to compare with. */
export function rulesPage(rules: readonly Rule[], rates: Rates | null = null, others: Others | null = null): string {
  const classes = [...new Set(rules.map((rule) => rule.class))];
  const parts = [
    "<!-- Made from rules/*.yaml by `npm run generate`. Do not edit. -->",
    "# Rules",
    "What each rule sees, what it cannot see, and what to change in the code, the configuration and at the proxy. A finding carries " +
      "the rule's id, by which an exception in the policy names it. The confidence is that of the bare pattern: a detector may raise " +
      "or lower it by what else stands in the value. Sensitivity `balanced` blocks at 60 and more.",
  ];
  if (rates !== null) {
    const { attacks, ordinary, hard, sources } = rates.corpus;
    parts.push(
      `What was measured, was on ${rates.date}, with ${attacks} attacks and ${ordinary} ordinary and ${hard} hard benign requests of ` +
        `${sources} sources: those by which the rules were developed, so other attacks and other traffic do worse. ` +
        "[Testing](testing.md) says how to measure on your own.",
    );
  }
  for (const name of classes) {
    const members = rules.filter((rule) => rule.class === name);
    parts.push(
      `## ${name}`,
      ...(rates === null ? [] : [classRate(rates, name)]),
      ["| Rule | Sees | Severity | Confidence |", "| --- | --- | --- | --- |", ...members.map(summaryRow)].join("\n"),
      ...members.map((rule) => ruleSection(rule, rates)),
    );
  }
  if (others !== null) parts.push(...othersSection(rules, others));
  return parts.join("\n\n") + "\n";
}

/** What others look for, and which rules of ours stand for it. */
function othersSection(rules: readonly Rule[], others: Others): string[] {
  const table = (other: Other, number: (id: number) => string): string =>
    [
      `| ${other === "zap" ? "Rule" : "File"} | Name | Ours | |`,
      "| --- | --- | --- | --- |",
      ...others[other].map((entry) => otherRow(entry, standsFor(rules, other, entry.id), number)),
    ].join("\n");
  return [
    "## What others look for",
    "Which rules stand for those of other tools that look at the same traffic, what of theirs ours do not see, and why where there is none. " +
      "Ours are rules of their own: where they stand for another they see the same kind of flaw, not the same bytes.",
    "### ZAP, passive rules",
    table("zap", (id) => `[${id}](https://www.zaproxy.org/docs/alerts/${id}/)`),
    "### Core Rule Set, rules for responses",
    table("crs", String),
  ];
}

function otherRow({ id, name, less, gap }: Entry, ours: readonly string[], number: (id: number) => string): string {
  const links = ours.map((rule) => `[${rule}](#${rule})`).join(", ");
  return `| ${number(id)} | ${escapeText(name)} | ${links === "" ? "none" : links} | ${escapeText(gap ?? less ?? "")} |`;
}

/** An exchange as its messages begin. */
function exampleText(example: Example): string {
  if (typeof example === "string") return example;
  const { method, path, sends, posts, status, headers, body, then, calls, carries } = example;
  const message = (first: string, lines: typeof headers, content: string): string[] => [
    first,
    ...lines.map(({ name, value }) => `${name}: ${value}`),
    ...(content === "" ? [] : ["", content.trimEnd()]),
  ];
  const request = message(`${method} ${path}`, sends, posts);
  const answer =
    calls === undefined ? message(String(status), headers, body) : message(`the service calls ${calls}`, carries, "");
  const later = then === undefined ? [] : ["", `later GET ${then}`];
  return [...request, ...later, "", ...answer].join("\n");
}

function summaryRow(rule: Rule): string {
  return `| [${rule.id}](#${rule.id}) | ${escapeText(rule.summary)} | ${rule.severity} | ${rule.confidence} |`;
}

function ruleSection(rule: Rule, rates: Rates | null): string {
  const references = [
    ...rule.cwe.map(REFERENCES.cwe),
    ...rule.capec.map(REFERENCES.capec),
    ...rule.owasp.map(escapeText),
  ];
  return [
    `### ${rule.id}`,
    escapeText(rule.summary),
    `Code ${rule.code}, severity ${rule.severity}, confidence ${rule.confidence}. ${references.join(", ")}.${rule.by === "collector" ? COLLECTOR : ""}`,
    [
      `- **Why**: ${escapeText(rule.reason)}`,
      `- **Cannot see**: ${escapeText(rule.blind)}`,
      ...(rates === null ? [] : [`- **Measured**: ${ruleRate(rates, rule.id)}`]),
      `- **In code**: ${escapeText(rule.remedy.code)}`,
      `- **In configuration**: ${escapeText(rule.remedy.configuration)}`,
      `- **At the proxy**: ${escapeText(rule.remedy.proxy)}`,
    ].join("\n"),
    "An attack that it finds:",
    fence(exampleText(rule.attack)),
    "A harmless look-alike that it lets pass:",
    fence(exampleText(rule.lookalike)),
  ].join("\n\n");
}

/** Plain text on one line: links work, everything else stands as it was written. */
export function escapeText(text: string): string {
  const pieces = text.replace(/\s+/g, " ").split(/(https?:\/\/[^\s<>()"']*[^\s<>()"'.,;:!?])/);
  const escaped = pieces.map((piece, index) =>
    index % 2 === 1 ? `<${piece}>` : piece.replace(/[\\`*_{}[\]<>|~&]/g, "\\$&"),
  );
  // These mean something at the start of a line only.
  return escaped.join("").replace(/^(\d*)([#+-]|(?<=\d)[.)])/, "$1\\$2");
}

/** A code block whose fence is longer than any in `value`; control characters are shown as `\u{…}`. */
export function fence(value: string): string {
  const longest = Math.max(2, ...[...value.matchAll(/`+/g)].map((match) => match[0].length));
  const marks = "`".repeat(longest + 1);
  const visible = value.replace(
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\ufeff]/g,
    (character) => `\\u{${character.charCodeAt(0).toString(16)}}`,
  );
  return `${marks}text\n${visible}\n${marks}`;
}
