// Reads YAML with a strict schema and remembers where everything stood, so that any later stage can name file and line.
//
// Every scalar is text (the "failsafe" schema): keywords such as null, true and 0x need no quotes, and numbers are read where
// the schema asks for one.

import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { RulesError } from "./problem.ts";

export type Path = readonly (string | number)[];

export interface Source<Data> {
  /** `rules/sqli.yaml` */
  file: string;
  /** `sqli` */
  name: string;
  data: Data;
  /** The line, from 1, of what stands at `path`, or of the nearest thing around it. */
  lineOf(path: Path): number;
}

/** Parses `text` and checks it; throws a RulesError with every problem found. */
export function readSource<Data>(file: string, text: string, schema: z.ZodType<Data>): Source<Data> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, schema: "failsafe" });
  if (document.errors.length > 0) {
    throw new RulesError(
      document.errors.map(({ pos, message }) => ({
        file,
        line: lines.linePos(pos[0]).line,
        message: message.split("\n")[0] ?? message,
      })),
    );
  }
  const lineOf = (path: Path): number => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
      if (node?.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  const result = schema.safeParse(document.toJS());
  if (!result.success) {
    throw new RulesError(
      result.error.issues.map((issue) => {
        const keys = issue.path as (string | number)[];
        const message = wording(issue);
        return { file, line: lineOf(keys), message: keys.length > 0 ? `${keys.join(".")}: ${message}` : message };
      }),
    );
  }
  return { file, name: file.replace(/^.*\//, "").replace(/\.yaml$/, ""), data: result.data, lineOf };
}

/** What is wrong, in the words of someone who writes rules. */
function wording(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined")) return "is missing";
  if (issue.code === "invalid_value") return `must be one of ${issue.values.join(", ")}`;
  return issue.message;
}
