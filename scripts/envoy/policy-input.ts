/** A policy in the forms that people hand it over in: an object, YAML text, a file. */
import { readFile } from "node:fs/promises";
import { parsePolicy, policyFrom } from "../policy/load.ts";
import type { Policy, PolicySource } from "../policy/schema.ts";

/** A policy as an object, as YAML text (with a line break or ": " in it, or empty), or as the path of a file. */
export type PolicyInput = PolicySource | string;

const isText = (input: string): boolean => input.trim() === "" || /\n|:\s|:$/.test(input);

/** The policy in `input`. Rejects with PolicyError, or one line if the file cannot be read. */
export async function readPolicy(input: PolicyInput): Promise<Policy> {
  if (typeof input !== "string") return policyFrom(input);
  if (isText(input)) return parsePolicy(input);
  return parsePolicy(await readPolicyFile(input), input);
}

/** The text of a policy file. Rejects with one line. */
export async function readPolicyFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: "no such file",
      EISDIR: "is a folder",
      EACCES: "permission denied",
    };
    throw new Error(`policy ${path}: ${reasons[code ?? ""] ?? code}`, { cause: error });
  }
}
