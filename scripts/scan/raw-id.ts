/**
 * The `id` of a line as it was written. Parsing changes what JavaScript cannot hold (12345678901234567890, 1.50, the
 * order of keys such as "2"), and an id has to come back unchanged.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

function skipBlank(text: string, at: number): number {
  while (isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** The end of the string that opens at `at`. */
function stringEnd(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); ; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (text.charCodeAt(first - 1) === BACKSLASH) first--;
    if ((end - first) % 2 === 0) return end + 1;
  }
}

/** The end of the value at `at`. */
function valueEnd(text: string, at: number): number {
  let depth = 0;
  for (;;) {
    const character = text[at]!;
    if (character === '"') at = stringEnd(text, at);
    else if ("{[".includes(character)) {
      depth++;
      at++;
    } else if ("}]".includes(character)) {
      depth--;
      at++;
    } else if (",:".includes(character)) at++;
    else while (!isBlank(text.charCodeAt(at)) && !",:}]".includes(text[at]!)) at++;
    if (depth === 0) return at;
    at = skipBlank(text, at);
  }
}

/** The text of the last member "id" of the object in `text`, which is valid JSON; null where there is none. One pass. */
export function rawId(text: string): string | null {
  let found: string | null = null;
  let at = skipBlank(text, skipBlank(text, 0) + 1);
  while (text.charCodeAt(at) === QUOTE) {
    const keyEnd = stringEnd(text, at);
    const key: unknown = JSON.parse(text.slice(at, keyEnd));
    const start = skipBlank(text, skipBlank(text, keyEnd) + 1);
    const end = valueEnd(text, start);
    if (key === "id") found = text.slice(start, end);
    at = skipBlank(text, end);
    if (text[at] === ",") at = skipBlank(text, at + 1);
  }
  // A raw CR can only stand between tokens; some readers take it for the end of a line.
  return found === null ? null : found.replaceAll("\r", "");
}

/** The JSON text that answers with the parsed `id` of `text`. */
export function idText(id: unknown, text: string): string {
  if (id === undefined || id === null) return "null";
  if (typeof id === "string" || typeof id === "boolean") return JSON.stringify(id);
  if (Number.isSafeInteger(id) && !Object.is(id, -0)) return String(id);
  return rawId(text) ?? "null";
}
