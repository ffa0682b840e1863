/**
 * A user's file of libraries with known flaws, in the form of retire.js (jsrepository.json): names, ranges of versions, and regular
 * expressions for URLs and file names, `§§version§§` where the version stands.
 *
 * The expressions are the user's, but what they run on was written by attackers: they run on re2js, whose time grows with the text, and
 * only those for URLs and file names do. Those for the content of files are left out, as sidecars keep none.
 */
import { RE2JS } from "re2js";
import { z } from "zod";
import { SEVERITIES, type Severity } from "../api.ts";
import { clean } from "../clean.ts";
import type { Component, KnownFlaw } from "./libraries.ts";
import { parseVersion, type Range, type Version } from "./versions.ts";

/** Bytes of the file. */
export const LIBRARIES_BYTES = 16 * 1024 * 1024;
const LIBRARY_COUNT = 5_000;
const FLAWS = 500;
const EXPRESSIONS = 5_000;
const EXPRESSION_LENGTH = 1_000;
const VERSION = "[0-9][0-9.a-z_\\-]+";

const bounds = z.object({ below: z.string().max(64).optional(), atOrAbove: z.string().max(64).optional() });
const texts = z.array(z.string()).max(1_000);
const flaw = bounds.extend({
  ranges: z.array(bounds).max(100).optional(),
  severity: z.string().optional(),
  summary: z.string().optional(),
  identifiers: z.record(z.string(), z.unknown()).default({}),
  info: texts.default([]),
});
const library = z.object({
  npmname: z.string().optional(),
  bowername: z.union([z.string(), texts]).optional(),
  vulnerabilities: z.array(flaw).max(FLAWS).default([]),
  extractors: z.object({ uri: texts.default([]), filename: texts.default([]) }).default({ uri: [], filename: [] }),
});
const file = z.record(z.string().max(256), library).refine((all) => Object.keys(all).length <= LIBRARY_COUNT, {
  message: `at most ${LIBRARY_COUNT} libraries`,
});

export interface UserLibraries {
  /** How many libraries it has; and which of its expressions and ranges could not be read. */
  count: number;
  unread: readonly string[];
  /** The flaws of a library; by name. */
  flawsOf(name: string): readonly KnownFlaw[];
  /** What a component's URL or file name says that it is. */
  read(component: Component): Component[];
}

/** Reads such a file; throws an Error that says what is wrong with it. */
export function readLibraries(text: string): UserLibraries {
  if (text.length > LIBRARIES_BYTES) throw new Error(`the file is larger than ${LIBRARIES_BYTES >> 20} MiB`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`the file is no JSON: ${(error as Error).message}`, { cause: error });
  }
  const parsed = file.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`the file is none of retire.js: ${issue!.path.map(String).join(".")}: ${issue!.message}`);
  }
  const unread: string[] = [];
  const flaws = new Map<string, KnownFlaw[]>();
  const expressions: { name: string; of: "uri" | "filename"; expression: RE2JS }[] = [];
  for (const [key, { npmname, bowername = [], vulnerabilities, extractors }] of Object.entries(parsed.data)) {
    const name = key.toLowerCase();
    const known = vulnerabilities.flatMap((one) => flawOf(one) ?? (unread.push(`a range of ${key}`), []));
    for (const each of new Set([key, npmname ?? key, ...[bowername].flat()].map((one) => one.toLowerCase()))) {
      flaws.set(each, [...(flaws.get(each) ?? []), ...known]);
    }
    for (const of of ["uri", "filename"] as const) {
      for (const source of extractors[of]) {
        const expression = expressions.length < EXPRESSIONS ? compile(source, of === "filename") : null;
        if (expression === null) unread.push(`${of} of ${key}: ${source.slice(0, 100)}`);
        else expressions.push({ name, of, expression });
      }
    }
  }
  return {
    count: Object.keys(parsed.data).length,
    unread,
    flawsOf: (name) => flaws.get(name) ?? [],
    read({ kind, name, version }) {
      // The module has read the URL of a library that it names; this is how it is written most often.
      const url = kind === "script" ? name : `/${name}@${version}/${name}-${version}.js`;
      const fileName = url.slice(url.lastIndexOf("/") + 1);
      const found = new Map<string, Component>();
      for (const { name: library, of, expression } of expressions) {
        const matcher = expression.matcher(of === "uri" ? url : fileName);
        if (!matcher.find() || matcher.groupCount() === 0) continue;
        const read = (matcher.group(1) ?? "").replace(/(\.|-)min$/, "");
        if (parseVersion(read) !== null) found.set(library, { kind: "library", name: library, version: read });
      }
      return [...found.values()];
    },
  };
}

/** An expression with its version; null where it cannot be read, or takes too long a text. */
function compile(source: string, isWhole: boolean): RE2JS | null {
  if (source.length > EXPRESSION_LENGTH || !source.includes("§§version§§")) return null;
  const pattern = source.replaceAll("§§version§§", VERSION);
  try {
    return RE2JS.compile(isWhole ? `^${pattern}$` : pattern);
  } catch {
    return null;
  }
}

function flawOf(given: z.output<typeof flaw>): KnownFlaw | null {
  const spans: { from: Version | null; to: Version | null }[] = [];
  for (const { below, atOrAbove } of given.ranges ?? [given]) {
    const from = atOrAbove === undefined ? null : parseVersion(atOrAbove);
    const to = below === undefined ? null : parseVersion(below);
    // Without an upper bound, or with one that cannot be read, it would be every version.
    if (to === null || (atOrAbove !== undefined && from === null)) return null;
    spans.push({ from, to });
  }
  const { CVE, githubID, summary, bug, issue } = given.identifiers;
  const ids = [CVE ?? githubID ?? bug ?? issue ?? given.info[0] ?? "the file given"].flat().map(String).slice(0, 4);
  const words = given.summary ?? (typeof summary === "string" ? summary : "a known flaw");
  return {
    range: spans satisfies Range,
    severity: SEVERITIES.find((one) => one === given.severity) ?? ("medium" satisfies Severity),
    ids: clean(ids.join(", "), 128),
    what: clean(words.replace(/\s+/g, " "), 160),
  };
}
