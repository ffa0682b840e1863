// What is wrong with a file under rules/, said the way a compiler says it: `rules/sqli.yaml:12: rules.3.code: …`.

export interface Problem {
  file: string;
  /** From 1. */
  line: number;
  message: string;
}

/** Carries every problem that a stage found; its message is one line for each. */
export class RulesError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ file, line, message }) => `${file}:${line}: ${message}`).join("\n"));
    this.name = "RulesError";
    this.problems = problems;
  }
}
