/** Changes the mode of a policy file: the one word, or one new line; every other byte stays as it is. */
import { isMap, isScalar, parseDocument } from "yaml";
import type { Node, Pair } from "yaml";
import { normalizePolicy } from "./compile.ts";
import { parsePolicy } from "./load.ts";
import type { Mode } from "./schema.ts";

/** Where to write what: `text[start..end]` is replaced. */
interface Edit {
  start: number;
  end: number;
  text: string;
}

function planEdit(text: string, mode: Mode): Edit {
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const { contents } = parseDocument(text, { version: "1.2", prettyErrors: false });
  if (!isMap(contents) || contents.items.length === 0) {
    if (isMap(contents)) {
      const brace = contents.range![0] + 1;
      return { start: brace, end: brace, text: `mode: ${mode}` };
    }
    const separator = text === "" || text.endsWith("\n") ? "" : newline;
    return { start: text.length, end: text.length, text: `${separator}mode: ${mode}${newline}` };
  }
  const pairs = contents.items as Pair<Node, Node | null>[];
  const current = pairs.find(({ key }) => isScalar(key) && key.value === "mode")?.value;
  if (current !== undefined && current !== null) {
    const [start, end] = current.range!;
    return { start, end, text: isScalar(current) && current.type !== "PLAIN" ? `"${mode}"` : mode };
  }
  const [first] = pairs;
  const at = first!.key.range![0];
  if (contents.flow) return { start: at, end: at, text: `mode: ${mode}, ` };
  const indent = text.slice(text.lastIndexOf("\n", at - 1) + 1, at).replace("\ufeff", "");
  if (isScalar(first!.key) && first!.key.value === "version" && pairs.length > 1) {
    const lineEnd = text.indexOf("\n", first!.value?.range?.[1] ?? at) + 1;
    return { start: lineEnd, end: lineEnd, text: `${indent}mode: ${mode}${newline}` };
  }
  return { start: at, end: at, text: `mode: ${mode}${newline}${indent}` };
}

/**
 * The text of a policy file with `mode` in it. Throws PolicyError where the text is no policy, and Error where the change
 * would touch anything else (an anchor on the mode's value, a document with an end marker).
 */
export function setMode(text: string, mode: Mode, name = "policy"): string {
  const before = parsePolicy(text, name);
  const { start, end, text: replacement } = planEdit(text, mode);
  const changed = text.slice(0, start) + replacement + text.slice(end);
  const wanted = JSON.stringify(normalizePolicy({ ...before, mode }));
  let after: string | null = null;
  try {
    after = JSON.stringify(normalizePolicy(parsePolicy(changed, name)));
  } catch {
    // Told below: the text is not one that a word can be put into.
  }
  if (after !== wanted) throw new Error(`${name}: the mode cannot be changed without changing more; write it by hand`);
  return changed;
}
