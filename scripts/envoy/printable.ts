/** Text from outside, for a terminal: what a client sent must not move the cursor, hide or reorder what is printed. */

/** Controls, format and bidirectional marks, line separators, private use, lone surrogates, unassigned. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** `text` on one line with everything unsafe as `\u{hex}`, cut to `most` characters with "…". */
export function printable(text: string, most = 120): string {
  const safe = text.slice(0, most * 4).replace(UNSAFE, (mark) => `\\u{${mark.codePointAt(0)!.toString(16)}}`);
  return safe.length > most ? `${safe.slice(0, most - 1)}…` : safe;
}
