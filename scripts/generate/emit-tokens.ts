// The names of tokens, for whoever is to read what a tokenizer made of a value → assembly/generated/tokens.ts.

import { heading, screamingCase } from "./emit.ts";
import type { RuleFile } from "./rule-file.ts";
import type { Source } from "./source.ts";

/** The text of the generated module, from the rule files that have patterns over tokens. */
export function emitTokens(sources: readonly Source<RuleFile>[]): string {
  const languages = sources.flatMap(({ name, data: { alphabet, rules } }) =>
    alphabet && rules.some(({ patterns }) => patterns !== undefined && patterns.length > 0)
      ? [{ name, table: `${screamingCase(name)}_TABLE`, kinds: alphabet.kinds }]
      : [],
  );
  const choice = (text: (language: (typeof languages)[number]) => string): string =>
    languages
      .map((language) => `  if (table == ${language.table}) return ${JSON.stringify(text(language))};\n`)
      .join("");
  return [
    heading("rules/*.yaml", [`The kinds of ${languages.length} alphabets.`]),
    `${languages.map(({ name, table }) => `import { ${table} } from "./${name}";\n`).join("")}`,
    `/** The class whose rules a table holds. */\nexport function tableName(table: usize): string {\n${choice(({ name }) => name)}  return "";\n}\n`,
    `/** The kinds of a table's tokens by rising code from 1, a space behind each. */\nexport function tokenKinds(table: usize): string {\n${choice(({ kinds }) => `${kinds.join(" ")} `)}  return "";\n}\n`,
  ].join("\n");
}
