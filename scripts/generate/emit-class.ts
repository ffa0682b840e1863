// Stage 10: the tables of one rule file → assembly/generated/CLASS.ts.

import type { Automaton } from "./automaton.ts";
import { emitData, emitEnum, heading, screamingCase, thousands } from "./emit.ts";
import { buildKeywords, type Keywords } from "./keywords.ts";
import { RulesError } from "./problem.ts";
import type { RuleFile } from "./rule-file.ts";
import type { Source } from "./source.ts";

/** The text of the generated file, or undefined where the rule file asks for no table. Throws a RulesError. */
export function emitClass(source: Source<RuleFile>, automaton: Automaton | undefined): string | undefined {
  const { file, name, data, lineOf } = source;
  const facts: string[] = [];
  const parts: string[] = [];
  const keywordTable = (words: Record<string, string[]>, kinds: readonly string[], path: string): Keywords => {
    try {
      return buildKeywords(
        new Map(Object.entries(words).flatMap(([kind, list]) => list.map((word) => [word, kinds.indexOf(kind) + 1]))),
      );
    } catch (error) {
      throw new RulesError([{ file, line: lineOf([path]), message: (error as Error).message }]);
    }
  };
  const addKeywords = (constant: string, { words, bytes }: Keywords): void => {
    facts.push(`${constant}: ${words} words, ${thousands(bytes.length)} bytes.`);
    parts.push(emitData(constant, "u8", bytes, "Layout: match/keywords.ts."));
  };

  if (data.alphabet) {
    const members = ["End", ...data.alphabet.kinds].map((kind, value) => [kind, value] as const);
    parts.push(emitEnum(data.alphabet.enum, members));
  }
  if (automaton) {
    const constant = `${screamingCase(name)}_TABLE`;
    const sizes = automaton.lanes.map(({ cells, stride, labels }) => {
      const states = cells.length / stride;
      return `  lane of ${states} states (${labels.length} accepting), ${stride} classes, stride ${stride}`;
    });
    const bytes = thousands(automaton.bytes.length);
    facts.push(`${constant}: ${automaton.patterns} patterns, ${bytes} bytes:`, ...sizes);
    // In pairs, little endian: half as many numbers to read, and the lanes stand at even addresses.
    const pairs = new Uint16Array(automaton.bytes.buffer);
    parts.push(emitData(constant, "u16", pairs, "Layout: match/dfa.ts."));
  }
  if (data.keywords && data.alphabet) {
    addKeywords(`${screamingCase(name)}_KEYWORDS`, keywordTable(data.keywords, data.alphabet.kinds, "keywords"));
  }
  for (const lookup of data.lookups) {
    const kinds = Object.keys(lookup.words);
    parts.push(
      emitEnum(
        lookup.enum,
        ["None", ...kinds].map((kind, value) => [kind, value] as const),
      ),
    );
    addKeywords(screamingCase(lookup.enum), keywordTable(lookup.words, kinds, "lookups"));
  }
  const lists = Object.entries(data.lists);
  if (lists.length > 0) {
    // In one piece: each of its own would cost the head of a data segment.
    const bytes: number[] = [];
    const constant = `${screamingCase(name)}_LISTS`;
    const places = lists.map(([list, words]) => {
      const line = `export const ${screamingCase(list)}: usize = ${constant} + ${bytes.length};`;
      bytes.push(...vocabularyBytes({ [list]: words }));
      return line;
    });
    facts.push(`${constant}: ${lists.length} lists, ${thousands(bytes.length)} bytes.`);
    parts.push(emitData(constant, "u8", bytes, "Layout: match/vocabulary.ts."), `${places.join("\n")}\n`);
  }
  for (const { enum: constant, words } of data.vocabularies) {
    const kinds = Object.keys(words);
    const bytes = vocabularyBytes(words);
    if (kinds.length > 1) {
      parts.push(
        emitEnum(
          constant,
          ["None", ...kinds].map((kind, value) => [kind, value] as const),
        ),
      );
    }
    facts.push(
      `${screamingCase(constant)}: ${Object.values(words).flat().length} words, ${thousands(bytes.length)} bytes.`,
    );
    parts.push(emitData(screamingCase(constant), "u8", bytes, "Layout: match/vocabulary.ts."));
  }
  return parts.length === 0 ? undefined : [heading(file, facts), ...parts].join("\n");
}

/** Words behind each other, those of a kind behind its number; before them their signs. */
function vocabularyBytes(words: Record<string, string[]>): number[] {
  let signs = 0n;
  const groups = Object.values(words).map((list, index) => [
    0x80 | (index + 1),
    ...list.flatMap((word) => {
      const bytes = Buffer.from(word, "latin1");
      const sign = (bytes[0]! | 0x20) + 3 * (bytes.at(-1)! | 0x20) + 5 * bytes.length;
      signs |= 1n << BigInt(sign & 63);
      return [bytes.length, ...bytes];
    }),
  ]);
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(signs);
  return [...head, ...groups.flat(), 0];
}
