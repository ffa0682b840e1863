/**
 * Versions and ranges of them, as products and libraries write them: `3.4.1`, `1.9.0b1`, `4.0.0-beta.2`, OpenSSL's `1.1.1k`,
 * `9.4.31.v20200723`.
 *
 * A version of less than three numbers stands for all that begin so: `vue@2.6` is whatever its newest is, and a banner that says
 * "Drupal 9" may be any of them. It is in a range only where all of those are.
 */

const PARTS = 3;
/** Above each number that a version has. */
const MOST = 1e9;

export interface Version {
  numbers: readonly number[];
  /** -1: before the release, as betas are; 0: the release; 1: behind it, by a letter. */
  step: -1 | 0 | 1;
  /** What stands for the step, and its number: `beta` and 2, `k` and 0. */
  word: string;
  count: number;
}

/** Bounds of a version: `from` is in, `to` is not. */
export interface Span {
  from: Version | null;
  to: Version | null;
}
export type Range = readonly Span[];

/** Reads a version; null where it is none. What stands behind and means nothing here (`.slim`, `-fips`) is left out. */
export function parseVersion(text: string): Version | null {
  const [, digits, rest = ""] = /^v?(\d{1,9}(?:\.\d{1,9}){0,5})(?!\.?\d)(.{0,64})$/i.exec(text) ?? [];
  if (digits === undefined) return null;
  const numbers = digits.split(".").map(Number);
  const [, word, count] =
    /^[-._]?(alpha|beta|rc|pre|dev|canary|next|snapshot)[-._]?(\d{0,9})/i.exec(rest) ??
    /^[-._]?([abm])[-._]?(\d{1,9})(?![a-z])/i.exec(rest) ??
    [];
  if (word !== undefined) return { numbers, step: -1, word: word.toLowerCase(), count: Number(count) };
  const [, letters] = /^([a-z]{1,2})(?![a-z0-9])/.exec(rest) ?? [];
  return { numbers, step: letters === undefined ? 0 : 1, word: letters ?? "", count: 0 };
}

/** Below 0 where `a` is older than `b`, 0 where they are the same. Numbers that are missing are `filler`. */
function compare(a: Version, b: Version, filler = 0): number {
  for (let place = 0; place < Math.max(a.numbers.length, b.numbers.length); place++) {
    const difference = (a.numbers[place] ?? (place < PARTS ? filler : 0)) - (b.numbers[place] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.step !== b.step) return a.step - b.step;
  // "z" is older than "za".
  if (a.word.length !== b.word.length && a.step === 1) return a.word.length - b.word.length;
  if (a.word !== b.word) return a.word < b.word ? -1 : 1;
  return a.count - b.count;
}

export const compareVersions = (a: Version, b: Version): number => compare(a, b);

/** Reads a range; throws a RangeError where it is none. */
export function parseRange(text: string): Range {
  return text.split("||").map((part) => {
    const span: Span = { from: null, to: null };
    for (const bound of part.trim().split(/\s+/)) {
      const [, sign, version] = /^(>=|<|)(\S+)$/.exec(bound) ?? [];
      const parsed = version === undefined ? null : parseVersion(version);
      if (parsed === null) throw new RangeError(`no range of versions: ${text}`);
      if (sign !== "<") span.from = parsed;
      if (sign === "<") span.to = parsed;
      if (sign === "") span.to = after(parsed);
    }
    return span;
  });
}

/** The least version behind `version`. */
const after = (version: Version): Version => ({ ...version, count: version.count + 1 });

/** Whether a version is in a range, whatever the numbers are that it does not tell. */
export function isIn(version: Version, range: Range): boolean {
  const isPart = version.numbers.length < PARTS && version.step === 0;
  return range.some(
    ({ from, to }) =>
      (from === null || compare(version, from) >= 0) && (to === null || compare(version, to, isPart ? MOST : 0) < 0),
  );
}
