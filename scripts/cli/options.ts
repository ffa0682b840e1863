/** What commands share in how they read their options and show how they are used. */
import { InvalidArgumentError } from "commander";

export const POLICY_OPTION = ["--policy <file>", "policy file; without it all defaults hold (detect mode)"] as const;

/** The values of an option that may be given again. */
export const again = (value: string, values: readonly string[] = []): string[] => [...values, value];

/** A number above 0 and up to `most`, whole where `whole` says so. */
export const positive =
  (whole: boolean, most = 3600) =>
  (text: string): number => {
    const value = Number(text);
    if (value > 0 && value <= most && (!whole || Number.isInteger(value))) return value;
    throw new InvalidArgumentError(`expected a ${whole ? "whole " : ""}number above 0, up to ${most}`);
  };

/** Reads a list of names out of `known`. */
export const namesOf =
  <Name extends string>(known: readonly Name[]) =>
  (text: string): Name[] =>
    text.split(",").map((asked) => {
      const name = known.find((one) => one === asked.trim());
      if (name === undefined) throw new InvalidArgumentError(`expected names of ${known.join(",")}`);
      return name;
    });

/** What stands below the help of a command. */
export const example = (...lines: string[]): string => `\nExample:\n${lines.map((line) => `  ${line}`).join("\n")}\n`;
