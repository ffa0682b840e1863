/**
 * Reads a policy file: YAML 1.2 text in, a policy or a list of faults out, each with its line, column, path and what was
 * expected. Bounded in bytes, keys, aliases and nesting before YAML's reader sees it.
 */
import { Document, Lexer, LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument, visit } from "yaml";
import type { Node, Pair, YAMLError } from "yaml";
import type { z } from "zod";
import { printable } from "../envoy/printable.ts";
import { reviewPolicy, showPath } from "./review.ts";
import type { Path } from "./review.ts";
import { policySchema } from "./schema.ts";
import type { Policy, PolicySource } from "./schema.ts";
import { didYouMean } from "./suggest.ts";

/** Bytes of the largest policy file. */
export const MAX_POLICY_BYTES = 512 * 1024;
const MAX_ALIASES = 100;
/** Opening brackets or levels of indentation; far above what a policy has (8). */
const MAX_NESTING = 64;
/** Fifty of each of a thousand services. */
const MAX_KEYS = 50_000;
/** Faults that are told; a file with more has the wrong format. */
const MAX_FAULTS = 50;

/** Something wrong (`error`) or useless (`warning`) in a policy; line and column count from 1. */
export interface PolicyIssue {
  severity: "error" | "warning";
  line: number;
  column: number;
  /** As `routes[0].match.path`; empty for the file itself. */
  path: string;
  message: string;
}

export interface LoadedPolicy {
  /** Null where there is an error among the issues. */
  policy: Policy | null;
  /** In the order of the file. */
  issues: PolicyIssue[];
}

/** Thrown where a policy cannot be used; the message has a line for each error. */
export class PolicyError extends Error {
  readonly issues: PolicyIssue[];

  constructor(issues: PolicyIssue[], name: string) {
    super(issues.map((issue) => formatIssue(issue, name)).join("\n"));
    this.name = "PolicyError";
    this.issues = issues;
  }
}

/** `meshward.yaml:4:9: routes[0].match.path: expected …`, safe for a terminal whatever the keys are. */
export function formatIssue(issue: PolicyIssue, name: string): string {
  const path = issue.path === "" ? "" : `${issue.path}: `;
  const text = printable(`${issue.severity === "warning" ? "warning: " : ""}${path}${issue.message}`, 2000);
  return `${name}:${issue.line}:${issue.column}: ${text}`;
}

/** A value as a message shows it: short, on one line. */
function show(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a map";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

const KINDS: Record<string, string> = {
  object: "a map of keys",
  record: "a map of keys",
  array: "a list",
  string: "text",
  int: "a whole number",
  number: "a number",
};

/** What an issue of the schema means, for whoever wrote `value`. */
function explain(issue: z.core.$ZodIssue, value: unknown, isThere: boolean): string {
  switch (issue.code) {
    case "invalid_type": {
      const expected = KINDS[issue.expected] ?? issue.expected;
      if (!isThere) return `missing: expected ${expected}`;
      if (value === null) return `expected ${expected}, got nothing: write a value or remove the key`;
      const isPlain = typeof value === "number" || typeof value === "boolean";
      const hint = issue.expected === "string" && isPlain ? `: write "${String(value)}" in quotes` : "";
      return `expected ${expected}, got ${show(value)}${hint}`;
    }
    case "invalid_value": {
      const values = issue.values.map(String);
      if (!issue.message.startsWith("Invalid")) return `${issue.message}, got ${show(value)}`;
      if (value === null) return `expected ${listed(values)}, got nothing: write a value or remove the key`;
      const guess = typeof value === "string" ? didYouMean(value, values) : "";
      return `${isThere ? "" : "missing: "}expected ${listed(values)}${isThere ? `, got ${show(value)}` : ""}${guess}`;
    }
    case "invalid_union":
    case "invalid_format":
      return `${issue.message}, got ${show(value)}`;
    case "too_small":
    case "too_big":
      return issue.message.startsWith("Too")
        ? `${bound(issue)}${Array.isArray(value) ? "" : `, got ${show(value)}`}`
        : issue.message;
    default:
      return issue.message;
  }
}

/** "a, b or c". */
function listed(words: readonly string[], last = "or"): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
}

function bound(issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall): string {
  const [word, limit] = issue.code === "too_big" ? ["at most", issue.maximum] : ["at least", issue.minimum];
  const unit = issue.origin === "string" ? " characters" : issue.origin === "array" ? " entries" : "";
  return `expected ${word} ${limit}${unit}`;
}

/** The keys that the schema knows at `path`, for suggestions. */
function knownKeys(path: Path): string[] {
  let schema: z.core.$ZodType | undefined = policySchema;
  const inner = (type: z.core.$ZodType | undefined): z.core.$ZodType | undefined => {
    const definition = type?._zod.def as { innerType?: z.core.$ZodType; in?: z.core.$ZodType } | undefined;
    const next = definition?.innerType ?? definition?.in;
    return next === undefined ? type : inner(next);
  };
  for (const step of path) {
    const definition = inner(schema)?._zod.def as {
      shape?: Record<string, z.core.$ZodType>;
      element?: z.core.$ZodType;
    };
    schema = typeof step === "number" ? definition?.element : definition?.shape?.[step];
  }
  return Object.keys((inner(schema)?._zod.def as { shape?: object } | undefined)?.shape ?? {});
}

interface Found {
  /** The value at the path, or the innermost one above it. */
  node: Node | null;
  key: Node | null;
  isThere: boolean;
}

/** Walks the document to `path`, through aliases. */
function find(document: Document, path: Path): Found {
  let node = document.contents as Node | null;
  let key: Node | null = null;
  for (const step of path) {
    const target = isAlias(node) ? (node.resolve(document) ?? null) : node;
    let next: Node | null | undefined;
    if (isMap(target)) {
      const pair = (target.items as Pair<Node, Node | null>[]).find(
        ({ key: name }) => isScalar(name) && String(name.value) === step,
      );
      if (pair !== undefined) {
        key = pair.key;
        // A key with nothing behind it has no node of its own: it stands where its key does.
        next = pair.value ?? pair.key;
      }
    } else if (isSeq(target)) {
      next = target.items[step as number] as Node | undefined;
    }
    if (next === undefined) return { node, key, isThere: false };
    node = next;
  }
  return { node, key, isThere: true };
}

function schemaIssues(value: unknown): {
  policy: Policy | null;
  faults: { path: Path; atKey: boolean; message: string }[];
} {
  const result = policySchema.safeParse(value);
  if (result.success) return { policy: result.data, faults: [] };
  const faults = result.error.issues.flatMap((issue) => {
    const path = issue.path as Path;
    if (issue.code === "unrecognized_keys") {
      const known = knownKeys(path);
      return issue.keys.map((key) => {
        const message = `unknown key${didYouMean(key, known) || `; the keys here are ${listed(known, "and")}`}`;
        return { path: [...path, key], atKey: true, message };
      });
    }
    if (issue.code === "invalid_key")
      return [{ path, atKey: true, message: issue.issues[0]?.message ?? issue.message }];
    let current = value;
    let isThere = true;
    for (const step of path) {
      isThere = typeof current === "object" && current !== null && Object.hasOwn(current, step);
      current = isThere ? (current as Record<string | number, unknown>)[step] : undefined;
    }
    return [{ path, atKey: false, message: explain(issue, current, isThere) }];
  });
  return { policy: null, faults };
}

/** What to do about a fault of syntax whose message does not say so. */
function syntaxHint({ code, pos }: YAMLError, text: string): string {
  const rest = text.slice(pos[0]);
  if (code === "BAD_ALIAS") return '; text that starts with "*" has to stand in quotes';
  if (code === "BLOCK_AS_IMPLICIT_KEY") return '; text with ": " in it has to stand in quotes';
  if (code === "BAD_SCALAR_START" || /^["'%@`]/.test(rest)) return "; put the text in quotes";
  if (code === "UNEXPECTED_TOKEN" && rest.startsWith("{"))
    return '; inside of {} and [] a path with "{name}" has to stand in quotes';
  return "";
}

/**
 * Why the text is out of all proportion to a policy, or null. YAML's own reader recurses and runs out of memory on a few
 * hundred kilobytes of "- ", and its time grows with the square of aliases; its lexer does neither, so all is counted in
 * tokens before. Levels are open brackets, and indicators or indentation in a row.
 */
function excess(text: string): string | null {
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES) return `the file is larger than ${MAX_POLICY_BYTES / 1024} KiB`;
  let brackets = 0;
  let levels = 0;
  let aliases = 0;
  let keys = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === "[" || token === "{") brackets++;
    else if (token === "]" || token === "}") brackets--;
    if (/^ *$/.test(token)) levels += token.length / 2;
    else if (/^[-?:]$/.test(token)) levels++;
    else if (!/^[!&]/.test(token)) levels = 0;
    if (token.startsWith("*")) aliases++;
    if (token === ":") keys++;
    if (brackets > MAX_NESTING || levels > MAX_NESTING) return `nested deeper than ${MAX_NESTING} levels`;
    if (aliases > MAX_ALIASES) return `more than ${MAX_ALIASES} aliases`;
    if (keys > MAX_KEYS) return `more than ${MAX_KEYS} keys`;
  }
  return null;
}

/**
 * Reads and checks the text of a policy file. Never throws: whatever is wrong is among the issues.
 * `now` decides which exceptions have expired.
 */
export function loadPolicy(text: string, now: Date = new Date()): LoadedPolicy {
  const lines = new LineCounter();
  const issues: PolicyIssue[] = [];
  const report = (severity: PolicyIssue["severity"], offset: number, path: Path, message: string) => {
    const { line, col } = lines.linePos(offset);
    issues.push({ severity, line: Math.max(line, 1), column: Math.max(col, 1), path: showPath(path), message });
  };
  const refuse = (message: string, offset = 0): LoadedPolicy => {
    report("error", offset, [], message);
    return { policy: null, issues };
  };

  const tooMuch = excess(text);
  if (tooMuch !== null) return refuse(`not a policy: ${tooMuch}`);
  const document = parseDocument(text, { version: "1.2", lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  if (document.directives?.yaml.explicit && document.directives.yaml.version !== "1.2") {
    return refuse(`expected YAML 1.2, got ${document.directives.yaml.version}: remove the %YAML line`);
  }
  for (const error of [...document.errors, ...document.warnings]) {
    const message =
      error.code === "MULTIPLE_DOCS" ? 'expected one document: remove the "---" between them' : error.message;
    // What follows the first fault of syntax is mostly its consequence.
    return refuse(`not valid YAML: ${message}${syntaxHint(error, text)}`, error.pos[0]);
  }
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      const hint = `text that starts with "*" has to stand in quotes: "*${alias.source}"`;
      report("error", alias.range?.[0] ?? 0, [], `not valid YAML: there is no anchor &${alias.source}; ${hint}`);
    },
    // The reader's own look for a key that stands twice compares each with each.
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        const offset = (key as Node).range?.[0] ?? 0;
        if (!isScalar(key)) report("error", offset, [], "expected text as a key");
        else if (seen.has(key.value)) report("error", offset, [], "not valid YAML: Map keys must be unique");
        else seen.add(key.value);
      }
    },
  });
  if (issues.length > 0) return { policy: null, issues };

  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    return refuse(`aliases that expand to more than ${MAX_ALIASES} copies`);
  }
  // A file with nothing in it, or with comments alone, is the policy of all defaults.
  const { policy, faults } = schemaIssues(value ?? {});
  for (const { path, atKey, message } of faults.slice(0, MAX_FAULTS)) {
    const { node, key } = find(document, path);
    report("error", (atKey ? key : node)?.range?.[0] ?? 0, path, message);
  }
  for (const { severity, path, message } of policy === null ? [] : reviewPolicy(policy, now.getTime() / 1000)) {
    report(severity, find(document, path).node?.range?.[0] ?? 0, path, message);
  }
  issues.sort((left, right) => left.line - right.line || left.column - right.column);
  return { policy: issues.some(({ severity }) => severity === "error") ? null : policy, issues };
}

/** The place in the text of a valid policy where a key stands, counted from 1; null where the file does not say it. */
export type Locate = (path: Path) => { line: number; column: number } | null;

export function policyPlaces(text: string): Locate {
  const lines = new LineCounter();
  const document = parseDocument(text, { version: "1.2", lineCounter: lines });
  return (path) => {
    const { node, key, isThere } = find(document, path);
    if (!isThere || document.contents === null) return null;
    // A setting is where its key is, an entry of a list where it begins.
    const from = typeof path.at(-1) === "number" ? node : key;
    const { line, col } = lines.linePos((from ?? node)?.range?.[0] ?? 0);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
}

/** The policy in `text`. Throws PolicyError, naming the file as `name`, where it has errors. */
export function parsePolicy(text: string, name = "policy"): Policy {
  const { policy, issues } = loadPolicy(text);
  if (policy === null)
    throw new PolicyError(
      issues.filter(({ severity }) => severity === "error"),
      name,
    );
  return policy;
}

/** The policy written as an object, as tests do. Throws PolicyError; lines are those of the object printed as YAML. */
export function policyFrom(source: PolicySource, name = "policy"): Policy {
  return parsePolicy(new Document(source).toString(), name);
}
