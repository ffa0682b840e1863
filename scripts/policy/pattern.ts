/**
 * Conditions on a value, as a policy writes them, made into the patterns that the module runs (assembly/match/pattern.ts):
 * rows of at most 62 items, each a set of bytes with `?`, `*`, `+` or nothing behind it. Alternatives become patterns of
 * their own and repeats are written out, so the module's cost is the same for each byte of any value.
 */

/** Items of a pattern, and patterns that one condition may become. */
export const MAX_ITEMS = 62;
export const MAX_PATTERNS = 16;

/** Bytes as `low, high` pairs by rising numbers, apart from each other. */
type Bytes = readonly (readonly [low: number, high: number])[];

interface Item {
  bytes: Bytes;
  mark: "" | "?" | "*" | "+";
}

/** What one way through a condition is made of. */
type Row = readonly Item[];

/** A condition that cannot be used, and why. */
export class PatternError extends Error {}

const ANY: Bytes = [[0, 255]];
const DIGITS: Bytes = [[0x30, 0x39]];
const WORD: Bytes = [...DIGITS, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
const BLANK: Bytes = [
  [0x09, 0x0d],
  [0x20, 0x20],
];
const CONTROLS: Record<string, number> = { n: 10, r: 13, t: 9, f: 12, v: 11, 0: 0 };

function union(parts: readonly (readonly [number, number])[]): Bytes {
  const merged: [number, number][] = [];
  for (const [low, high] of [...parts].sort(([left], [right]) => left - right)) {
    const last = merged.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else merged.push([low, high]);
  }
  return merged;
}

function complement(bytes: Bytes): Bytes {
  const rest: [number, number][] = [];
  let next = 0;
  for (const [low, high] of bytes) {
    if (low > next) rest.push([next, low - 1]);
    next = high + 1;
  }
  return next < 256 ? [...rest, [next, 255]] : rest;
}

/** The bytes with both cases of each ASCII letter among them. */
function withCases(bytes: Bytes): Bytes {
  const shifted = bytes.flatMap(([low, high]): [number, number][] => {
    const moved = (from: number, to: number, by: number): [number, number][] => {
      const [first, last] = [Math.max(low, from), Math.min(high, to)];
      return first <= last ? [[first + by, last + by]] : [];
    };
    return [...moved(0x41, 0x5a, 0x20), ...moved(0x61, 0x7a, -0x20)];
  });
  return union([...bytes, ...shifted]);
}

const itemsOf = (text: string): Item[] =>
  [...Buffer.from(text, "utf8")].map((byte) => ({ bytes: [[byte, byte]], mark: "" }));

function bounded(rows: readonly Row[]): readonly Row[] {
  if (rows.length > MAX_PATTERNS) throw new PatternError(`more than ${MAX_PATTERNS} alternatives, written out`);
  if (rows.some((row) => row.length > MAX_ITEMS)) throw new PatternError(`longer than ${MAX_ITEMS} bytes, written out`);
  return rows;
}

/** Each way through `left`, then one through `right`. */
function joined(left: readonly Row[], right: readonly Row[]): readonly Row[] {
  if (left.length * right.length > MAX_PATTERNS) return bounded(new Array<Row>(MAX_PATTERNS + 1).fill([]));
  return bounded(left.flatMap((first) => right.map((second) => [...first, ...second])));
}

/** The rows `least` to `most` times; `most` may be Infinity. */
function repeated(rows: readonly Row[], least: number, most: number): readonly Row[] {
  // Single bytes are one item, whose mark says how often.
  const single = rows.every((row) => row.length === 1 && row[0]!.mark === "");
  if (single) {
    const bytes = union(rows.flatMap((row) => row[0]!.bytes));
    const of = (count: number, mark: Item["mark"]): Item[] =>
      new Array<Item>(Math.min(count, MAX_ITEMS + 1)).fill({ bytes, mark });
    if (most === Infinity) return bounded([least === 0 ? of(1, "*") : [...of(least - 1, ""), ...of(1, "+")]]);
    return bounded([[...of(least, ""), ...of(most - least, "?")]]);
  }
  if (most === Infinity) throw new PatternError('"*", "+" and "{n,}" can stand behind one character or [set] only');
  let row: readonly Row[] = [[]];
  const all: Row[] = [];
  for (let count = 0; count <= most; count++) {
    if (count >= least) all.push(...row);
    bounded(all);
    if (count < most) row = joined(row, rows);
  }
  return all;
}

/** Reads a regular expression without back references, look-around, laziness or word boundaries. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** All ways through the expression up to its end. */
  read(): readonly Row[] {
    const rows = this.#alternatives();
    if (this.#at < this.#text.length) throw this.#fault('unexpected ")"');
    return rows;
  }

  #fault(message: string): PatternError {
    return new PatternError(`${message} at character ${this.#at + 1}`);
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #take(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  #alternatives(): readonly Row[] {
    const rows: Row[] = [];
    do rows.push(...this.#sequence());
    while (this.#take("|"));
    return bounded(rows);
  }

  #sequence(): readonly Row[] {
    let rows: readonly Row[] = [[]];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek()) {
      rows = joined(rows, this.#quantified(this.#atom()));
    }
    return rows;
  }

  #quantified(rows: readonly Row[]): readonly Row[] {
    const counts = /^(?:[?*+]|\{(\d{1,3})(?:(,)(\d{1,3})?)?\})/.exec(this.#text.slice(this.#at));
    if (counts === null) return rows;
    const [whole, low, comma, high] = counts;
    this.#at += whole.length;
    if (this.#peek() === "?" || this.#peek() === "+" || this.#peek() === "*") throw this.#fault("a second quantifier");
    if (low === undefined) return repeated(rows, whole === "+" ? 1 : 0, whole === "?" ? 1 : Infinity);
    const least = Number(low);
    const most = comma === undefined ? least : high === undefined ? Infinity : Number(high);
    if (most < least) throw this.#fault("a repeat whose end is before its start");
    return repeated(rows, least, most);
  }

  #atom(): readonly Row[] {
    if (this.#take("(")) {
      if (!this.#take("?:") && this.#peek() === "?") throw this.#fault("look-around and named groups are not known");
      const rows = this.#alternatives();
      if (!this.#take(")")) throw this.#fault('a ")" is missing');
      return rows;
    }
    if (this.#take("[")) return [[{ bytes: this.#set(), mark: "" }]];
    if (this.#take(".")) return [[{ bytes: ANY, mark: "" }]];
    if (this.#take("\\")) return [[{ bytes: this.#escape(), mark: "" }]];
    const character = String.fromCodePoint(this.#text.codePointAt(this.#at)!);
    if ("*+?{}^$]".includes(character)) throw this.#fault(`"${character}" means itself only as "\\${character}"`);
    this.#at += character.length;
    return [itemsOf(character)];
  }

  #escape(): Bytes {
    const character = this.#peek();
    if (character === undefined) throw this.#fault('a lone "\\"');
    const hex = /^x([0-9A-Fa-f]{2})/.exec(this.#text.slice(this.#at));
    if (hex !== null) {
      this.#at += 3;
      return [[parseInt(hex[1]!, 16), parseInt(hex[1]!, 16)]];
    }
    const known = /[dDwWsSnrtfv0]/.test(character);
    if (!known && (/[A-Za-z0-9]/.test(character) || character > "~"))
      throw this.#fault(`"\\${character}" is not known`);
    this.#at++;
    const sets: Record<string, Bytes> = { d: DIGITS, w: WORD, s: BLANK };
    const set = sets[character.toLowerCase()];
    if (set !== undefined) return character === character.toLowerCase() ? set : complement(set);
    const control = CONTROLS[character];
    if (control !== undefined) return [[control, control]];
    return [[character.charCodeAt(0), character.charCodeAt(0)]];
  }

  #set(): Bytes {
    const isNegated = this.#take("^");
    const parts: (readonly [number, number])[] = [];
    for (let isFirst = true; isFirst || this.#peek() !== "]"; isFirst = false) {
      const low = this.#member();
      if (low.length === 1 && low[0]![0] === low[0]![1] && /^-[^\]]/.test(this.#text.slice(this.#at))) {
        this.#at++;
        const high = this.#member();
        const [from, to] = [low[0]![0], high[0]![1]];
        if (high.length !== 1 || to < from) throw this.#fault("a range that is none");
        parts.push([from, to]);
      } else parts.push(...low);
    }
    this.#at++;
    // Case does not count: what excludes "a" excludes "A".
    return isNegated ? complement(withCases(union(parts))) : union(parts);
  }

  #member(): Bytes {
    const character = this.#peek();
    if (character === undefined) throw this.#fault('a "]" is missing');
    if (character > "~") throw this.#fault("a set holds ASCII only; write other characters as alternatives");
    if (this.#take("\\")) return this.#escape();
    this.#at++;
    return [[character.charCodeAt(0), character.charCodeAt(0)]];
  }
}

interface Shape {
  fromStart: boolean;
  toEnd: boolean;
  ignoreCase: boolean;
}

const hex = (byte: number): string => byte.toString(16).padStart(2, "0");

/** The module's text of a row. */
function textOf(row: Row, { fromStart, toEnd, ignoreCase }: Shape): string {
  if (row.every(({ mark }) => mark === "?" || mark === "*")) throw new PatternError("holds for every value");
  const items = row.map(({ bytes, mark }) => {
    const ranges = ignoreCase ? withCases(bytes) : bytes;
    if (ranges.length === 0) throw new PatternError("holds for no value: a set is empty");
    return `[${ranges.map(([low, high]) => hex(low) + hex(high)).join("")}]${mark}`;
  });
  return `${fromStart ? "^" : ""}${items.join("")}${toEnd ? "$" : ""}`;
}

/** The patterns of texts any of which a value must hold. ASCII case does not count. */
export function literalPatterns(texts: readonly string[]): string[] {
  const shape = { fromStart: false, toEnd: false, ignoreCase: true };
  return bounded(texts.map(itemsOf)).map((row) => textOf(row, shape));
}

/** The pattern of a glob for the whole value: `*` is any bytes, `?` one. */
export function globPattern(glob: string, ignoreCase: boolean): string {
  const row = [...glob].flatMap((character): Row => {
    if (character === "*") return [{ bytes: ANY, mark: "*" }];
    return character === "?" ? [{ bytes: ANY, mark: "" }] : itemsOf(character);
  });
  // A star at either end is the same as no anchor there, and costs no item.
  const start = row[0]?.mark === "*" ? 1 : 0;
  const end = row.at(-1)?.mark === "*" ? row.length - 1 : row.length;
  const inner = bounded([row.slice(start, Math.max(start, end))]);
  return textOf(inner[0]!, { fromStart: start === 0, toEnd: end === row.length, ignoreCase });
}

/** The patterns of a regular expression, `^` and `$` at its ends. ASCII case does not count. */
export function expressionPatterns(expression: string): string[] {
  const fromStart = expression.startsWith("^");
  const body = expression.slice(fromStart ? 1 : 0);
  const toEnd = /(?:^|[^\\])(?:\\\\)*\$$/.test(body);
  const rows = new Reader(toEnd ? body.slice(0, -1) : body).read();
  if ((fromStart || toEnd) && rows.length > 1 && /^[^([]*\|/.test(body)) {
    throw new PatternError('"^" and "$" hold for all alternatives: put those into ( )');
  }
  return rows.map((row) => textOf(row, { fromStart, toEnd, ignoreCase: true }));
}

/** The conditions of a rule, of which it has one at most. */
interface Conditions {
  contains?: string[] | undefined;
  value?: string | undefined;
  pattern?: string | undefined;
}

/** What the module must find in a value, any of it; undefined where any value will do. */
export function rulePatterns({ contains, value, pattern }: Conditions): string[] | undefined {
  if (contains !== undefined) return literalPatterns(contains);
  if (value !== undefined) return [globPattern(value, true)];
  return pattern === undefined ? undefined : expressionPatterns(pattern);
}

/** Bytes that the module's form of a pattern takes (assembly/match/pattern.ts). */
export function patternBytes(pattern: string): number {
  const masks = new Array<bigint>(256).fill(0n);
  for (const [index, [, ranges]] of [...pattern.matchAll(/\[([0-9a-f]+)\]/g)].entries()) {
    for (const [, low, high] of ranges!.matchAll(/(..)(..)/g)) {
      for (let byte = parseInt(low!, 16); byte <= parseInt(high!, 16); byte++) masks[byte]! |= 1n << BigInt(index);
    }
  }
  return 64 + 256 + 8 * new Set(masks).size;
}
