/** Arguments of the commands for developers, which are scripts of package.json; those of `meshward` are read by commander. */
import { argv } from "node:process";
import { parseArgs } from "node:util";
import type { ParseArgsConfig } from "node:util";

/** What `config` finds on the command line. `--help` prints `usage` and exits with 0; what cannot be read exits with 2. */
export function readArguments<T extends ParseArgsConfig>(usage: string, config: T): ReturnType<typeof parseArgs<T>> {
  if (argv.includes("--help", 2)) {
    console.log(`usage: ${usage}`);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    refuseArguments(usage, (error as Error).message);
  }
}

/** Says what is wrong with the arguments and how they go, and exits with 2. */
export function refuseArguments(usage: string, problem: string): never {
  console.error(`${problem}\nusage: ${usage}`);
  process.exit(2);
}

/** The whole number of 1 or more that the option `name` was given. */
export function positiveOption(usage: string, name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  refuseArguments(usage, `--${name}: expected a whole number of 1 or more, not ${JSON.stringify(text)}`);
}
