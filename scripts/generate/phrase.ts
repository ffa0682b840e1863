// Reads a phrase of a rule: the text that the module looks for in responses, in the language that assembly/match/phrases.ts draws.

/** The classes by their letters, in the order of their numbers. */
const CLASSES = {
  d: /[0-9]/,
  x: /[0-9a-fA-F]/,
  U: /[0-9A-Z]/,
  w: /[0-9A-Za-z_]/,
  b: /[0-9A-Za-z_+/-]/,
  h: /[0-9A-Za-z./]/,
  u: /[!#$%()*+\-.0-9;=A-Z[\]^_`a-z{|}~]/,
  s: /[\t-\r ]/,
};
const DIGIT = 0x80;
const STAR = 0x81;
const CLASS = 0x82;
const ANY = 255;
/** Bytes that the index is made of. */
const PREFIX = 4;

export interface Phrase {
  /** Its bytes and steps. */
  steps: number[];
  /** "! " in front: it stands nowhere but in what the rule is about. */
  sure: boolean;
  /** "^ " in front: a body must begin with it. */
  first: boolean;
}

/** For each class which of 128 bytes are of it, a bit each from the lowest. */
export function classBits(): number[] {
  return Object.values(CLASSES).flatMap((member) =>
    Array.from({ length: 16 }, (_, at) =>
      Array.from({ length: 8 }, (_, bit) => (member.test(String.fromCharCode(at * 8 + bit)) ? 1 << bit : 0)).reduce(
        (sum, value) => sum + value,
      ),
    ),
  );
}

/** Throws an Error that says what is wrong. */
export function readPhrase(text: string): Phrase {
  const mark = /^[!^] /.exec(text)?.[0] ?? "";
  const steps: number[] = [];
  for (const [part, escaped, letter, least, comma, most] of text
    .slice(mark.length)
    .matchAll(/\\([#*\\])|\\([a-zA-Z])\{(\d+)(,?)(\d*)\}|[^]/g)) {
    if (letter !== undefined) steps.push(...classSteps(letter, Number(least), comma === "" ? least! : most!));
    else if (escaped !== undefined) steps.push(escaped.charCodeAt(0));
    else if (part === "#") steps.push(DIGIT);
    else if (part === "*") steps.push(STAR);
    else if (part === "\\") throw new Error("a \\ must be doubled, or name a class with a count such as \\d{3}");
    else if (part < " " || part > "~") throw new Error("must be ASCII");
    else steps.push(part.charCodeAt(0));
  }
  if (steps.length < PREFIX || steps.slice(0, PREFIX).some((step) => step >= DIGIT)) {
    throw new Error(`must begin with ${PREFIX} characters that stand for themselves`);
  }
  if (steps.at(-1) === STAR || steps.some((step, index) => step === STAR && (steps[index + 1] ?? 0) >= DIGIT)) {
    throw new Error("behind a * must stand a character");
  }
  if (steps.length > 255) throw new Error("is too long");
  return { steps, sure: mark === "! ", first: mark === "^ " };
}

function classSteps(letter: string, least: number, most: string): number[] {
  const kind = Object.keys(CLASSES).indexOf(letter);
  if (kind < 0) throw new Error(`\\${letter} is no class`);
  const upper = most === "" ? ANY : Number(most);
  if (least > upper || upper > ANY || (most !== "" && upper === ANY)) throw new Error("a count must be up to 254");
  return [CLASS + kind, least, upper];
}
