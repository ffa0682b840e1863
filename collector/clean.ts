/**
 * Text as it is stored: whatever came, what is kept is well-formed, bounded and on one line.
 *
 * NUL is refused by PostgreSQL and a lone surrogate by its JSON; control characters and what turns the direction of writing could
 * disguise a text where it is shown. Each becomes U+FFFD, so that it can be seen that something was there.
 */

// Controls, line and paragraph separators, marks and embeddings of direction, the byte order mark, interlinear marks, tags.
const UNSHOWN =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g;

/** `text` without what cannot be stored or shown, at most `most` UTF-16 units, never half a pair. */
export function clean(text: string, most: number): string {
  const part = text.length > most ? text.slice(0, most) : text;
  return wellFormed(part.replace(UNSHOWN, "\ufffd"));
}

/** Lone surrogates become U+FFFD; the one that a cut leaves at the end goes. */
function wellFormed(text: string): string {
  if (!/[\ud800-\udfff]/.test(text)) return text;
  const whole = /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text;
  return whole.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
}
