// The shape of rules/CLASS.yaml: an alphabet of token kinds, the words that are keywords, patterns over the kinds, and for every
// rule what a person needs to judge it. What one file must hold is checked here; what only shows across files in `rule-set.ts`.

import { z } from "zod";
import { MAX_KINDS, MAX_WORD } from "./limits.ts";
import { readPhrase } from "./phrase.ts";
import { readSource, type Source } from "./source.ts";

/** Attack classes in the order of the contract. A class's number is its place here, so the list only grows at its end. */
export const CLASSES = [
  "sqli",
  "xss",
  "cmdi",
  "traversal",
  "rfi",
  "ssrf",
  "xxe",
  "ssti",
  "nosqli",
  "ldapi",
  "xpath",
  "jndi",
  "deser",
  "codei",
  "ssi",
  "crlf",
  "protocol",
  "upload",
  "graphql",
  "prototype",
  "redirect",
  "scanner",
  "auth",
  "leak",
  "header",
  "cookie",
  "dependency",
  "inventory",
] as const;

/** Severities from the least; a severity's number is its place here. */
export const SEVERITIES = ["info", "low", "medium", "high", "critical"] as const;

/** Codes of a class: its hundred, 100–199 for the first. */
export const CODES_PER_CLASS = 100;

/** Codes of passive rules, of whatever class: what an exchange shows without an attack. */
export const PASSIVE_CODES = [3000, 3399] as const;

export function isPassive(code: number): boolean {
  return code >= PASSIVE_CODES[0] && code <= PASSIVE_CODES[1];
}

const text = z.string().trim().min(1, "must not be empty");
const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, "must be a whole number")
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be ${min} to ${max}`);
const name = z.string().regex(/^[A-Z][A-Za-z0-9]*$/, "must be a name in PascalCase");
const word = z
  .string()
  .regex(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/, "must be visible ASCII characters")
  .max(MAX_WORD, `must be at most ${MAX_WORD} characters`)
  .transform((value) => value.toLowerCase());
const words = z.record(name, z.array(word).min(1));

/** A text that the module looks for in responses, in the language of `phrase.ts`. */
const phrase = z.string().superRefine((value, context) => {
  try {
    readPhrase(value);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
});

/** Header lines; a name with a list stands that often. */
const headers = z
  .record(
    z.string().regex(/^[a-z0-9-]+$/, "must be in lower case"),
    z.union([z.string().transform((value) => [value]), z.array(z.string()).min(1)]),
  )
  .transform((lines) => Object.entries(lines).flatMap(([name, values]) => values.map((value) => ({ name, value }))))
  .default([]);

/** A request and its response, for rules that look at responses. */
const exchange = z.strictObject({
  method: z
    .string()
    .regex(/^[A-Z]+$/, "must be in capitals")
    .default("GET"),
  path: z.string().startsWith("/"),
  /** Header lines of the request; its host is shop.example where none is given. */
  sends: headers,
  /** The request's body. */
  posts: z.string().default(""),
  status: whole(200, 599).default(200),
  headers,
  body: z.string().default(""),
  /** The path of a later GET, which the response is of; the first request is answered with 204. */
  then: z.string().startsWith("/").optional(),
  /** The URL of a call that the service makes meanwhile. */
  calls: z.url().optional(),
  /** Header lines of that call. */
  carries: headers,
});
const example = z.union([z.string().min(1), exchange], {
  error: ({ input }) => (input === undefined ? "is missing" : "must be a text, or a request's path and its response"),
});
export type Example = z.output<typeof example>;
export type ExampleExchange = z.output<typeof exchange>;

const rule = z
  .strictObject({
    id: z.string().regex(/^[a-z]+(-[a-z0-9]+)+$/, "must be kebab-case"),
    code: whole(1, 0xffff),
    class: z.enum(CLASSES),
    /** Who finds it. Of a rule of the collector the module knows nothing, and its examples are of a form of its own. */
    by: z.enum(["module", "collector"]).default("module"),
    cwe: z.array(whole(1, 0xffff)).min(1).max(15),
    capec: z.array(whole(1, 0xffff)).default([]),
    owasp: z.array(z.string().regex(/^[A-Z]{1,4}\d{1,2}:\d{4}$/, 'must look like "A03:2021"')),
    /** Passive rules of ZAP, and files of the Core Rule Set, that it stands for (others.ts). */
    zap: z.array(whole(1, 999_999)).default([]),
    crs: z.array(whole(900, 999)).default([]),
    severity: z.enum(SEVERITIES),
    confidence: whole(0, 100),
    summary: text,
    reason: text.refine((value) => /https?:\/\/\S/.test(value), "needs a link to its source"),
    blind: text,
    remedy: z.strictObject({ code: text, configuration: text, proxy: text }),
    patterns: z.array(text).min(1).optional(),
    phrases: z.array(phrase).min(1).optional(),
    attack: example,
    lookalike: example,
  })
  .superRefine((value, context) => {
    if (!value.id.startsWith(`${value.class}-`)) {
      context.addIssue({ code: "custom", path: ["id"], message: `must begin with "${value.class}-"` });
    }
    const first = (CLASSES.indexOf(value.class) + 1) * CODES_PER_CLASS;
    if (isPassive(value.code)) return;
    if (value.code < first || value.code >= first + CODES_PER_CLASS) {
      const last = first + CODES_PER_CLASS - 1;
      context.addIssue({ code: "custom", path: ["code"], message: `must be ${first} to ${last} for ${value.class}` });
    }
  });

const ruleFile = z
  .strictObject({
    alphabet: z
      .strictObject({ enum: name, kinds: z.array(name).min(1).max(MAX_KINDS, `at most ${MAX_KINDS} kinds`) })
      .optional(),
    keywords: words.optional(),
    /** Tables of words with kinds of their own, for names that are not tokens (HTML attributes, URL schemes). */
    lookups: z.array(z.strictObject({ enum: name, words })).default([]),
    /** Words that are looked for around a place (assembly/match/vocabulary.ts). */
    lists: z
      .record(name, z.array(z.string().regex(/^[\x20-\x7e]{2,100}$/, "must be 2 to 100 ASCII characters")).min(1))
      .default({}),
    /** Words of several kinds, compared one by one: for those that are asked for seldom (assembly/match/vocabulary.ts). */
    vocabularies: z.array(z.strictObject({ enum: name, words })).default([]),
    sets: z.record(name, z.array(name).min(1)).default({}),
    /** Patterns that later fragments and the rules use by name. */
    fragments: z.record(name, text).default({}),
    rules: z.array(rule).default([]),
  })
  .superRefine((value, context) => {
    const problem = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    const kinds = new Set<string>(["End"]);
    value.alphabet?.kinds.forEach((kind, index) => {
      if (kinds.has(kind)) problem(["alphabet", "kinds", index], `${kind} is named twice`);
      kinds.add(kind);
    });
    const names = new Set(kinds);
    for (const [set, members] of Object.entries(value.sets)) {
      if (names.has(set)) problem(["sets", set], `${set} is a kind already`);
      members.forEach((member, index) => {
        if (!names.has(member)) problem(["sets", set, index], `${member} is no kind and no earlier set`);
      });
      names.add(set);
    }
    for (const fragment of Object.keys(value.fragments)) {
      if (names.has(fragment)) problem(["fragments", fragment], `${fragment} is a kind or a set already`);
    }
    for (const kind of Object.keys(value.keywords ?? {})) {
      if (!kinds.has(kind) || kind === "End") problem(["keywords", kind], `${kind} is not in the alphabet`);
    }
    const groups: [(string | number)[], Record<string, string[]>][] = [[["keywords"], value.keywords ?? {}]];
    value.lookups.forEach((lookup, index) => groups.push([["lookups", index, "words"], lookup.words]));
    value.vocabularies.forEach((each, index) => groups.push([["vocabularies", index, "words"], each.words]));
    for (const [path, group] of groups) {
      const seen = new Map<string, string>();
      for (const [kind, list] of Object.entries(group)) {
        list.forEach((each, index) => {
          const other = seen.get(each);
          if (other !== undefined) problem([...path, kind, index], `"${each}" is in ${other} already`);
          seen.set(each, kind);
        });
      }
    }
    value.rules.forEach((each, index) => {
      if (each.patterns && !value.alphabet) problem(["rules", index, "patterns"], "patterns need an alphabet");
    });
  });

export type RuleFile = z.output<typeof ruleFile>;
export type Rule = RuleFile["rules"][number];

/** Reads one rule file; throws a RulesError that names file and line. */
export function readRuleFile(file: string, content: string): Source<RuleFile> {
  return readSource(file, content, ruleFile);
}
