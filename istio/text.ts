/**
 * Resources as YAML text that people read and compare: keys in the order in which they were put, reasons as comments above them, and
 * whatever a reader of YAML 1.1 would take for something else than a string in quotes (a key `n` became `false` on its way once).
 */
import { Document, Pair, Scalar, isMap, isNode, isScalar, isSeq } from "yaml";
import type { JsonObject } from "../envoy/json.ts";

/** The first line of every file: who made it. Files without it are never touched. */
export const MARK = "# Made by `meshward istio`: changes are lost when it is made again.";

/** An object and the reasons in it: by the path of a key, as `spec.priority` or `spec.configPatches.0.patch`. */
export interface Commented {
  object: JsonObject;
  comments?: Record<string, string>;
}

/** The longest line of a comment. */
const COLUMNS = 110;

/** The text in lines of comments. */
function wrapped(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < COLUMNS) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(` ${word}`);
  }
  return lines.join("\n");
}

/** Puts a comment above the key or the entry of a list that `path` names; our own mistake where there is none. */
function comment(document: Document, path: string, text: string): void {
  const keys = path.split(".");
  const last = keys.pop()!;
  const parent = document.getIn(keys, true);
  const node = isMap(parent)
    ? parent.items.find(({ key }) => isScalar(key) && key.value === last)?.key
    : isSeq(parent)
      ? parent.items[Number(last)]
      : undefined;
  if (!isNode(node)) throw new Error(`${path}: there is nothing to comment on`);
  node.commentBefore = wrapped(text);
}

/** Strings with line breaks stand as they are, a line for a line. */
function unfold(document: Document): void {
  const stack: unknown[] = [document.contents];
  while (stack.length > 0) {
    const node = stack.pop();
    if (isScalar(node) && typeof node.value === "string" && node.value.includes("\n")) node.type = Scalar.BLOCK_LITERAL;
    if (node !== null && typeof node === "object" && "items" in node) stack.push(...(node.items as unknown[]));
    if (node instanceof Pair) stack.push(node.value);
  }
}

/** The text of a file: its mark, what it is, and its documents. */
export function fileText(title: string, documents: readonly Commented[]): string {
  const texts = documents.map(({ object, comments = {} }) => {
    const document = new Document(object, { version: "1.1", aliasDuplicateObjects: false });
    for (const [path, text] of Object.entries(comments)) comment(document, path, text);
    unfold(document);
    return document.toString({ lineWidth: 0 });
  });
  return `${MARK}\n${wrapped(title).replace(/^/gm, "#")}\n${texts.join("---\n")}`;
}

/** A list of names that is longer has a line for each. */
const LIST_COLUMNS = 120;

/** JSON with a line for each key of the outermost object, and for each entry of a list: a change shows where it is. */
export function linesOfJson(value: unknown, isOutermost = true): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) {
    const entries = value.map((entry) => linesOfJson(entry, false));
    const isShort = value.every((entry) => typeof entry !== "object") && entries.join().length <= LIST_COLUMNS;
    return isShort ? `[${entries.join()}]` : `[\n${entries.join(",\n")}\n]`;
  }
  const members = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${linesOfJson(inner, false)}`);
  return `{${members.join(isOutermost || members.join().includes("\n") ? ",\n" : ",")}}`;
}
