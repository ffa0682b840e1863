// Stage 1: the text of a pattern → its tree.
//
//   choice   = sequence { "|" sequence }
//   sequence = { factor }
//   factor   = atom { "*" | "+" | "?" | "{n}" | "{n,}" | "{n,m}" }
//   atom     = NAME | "!" NAME | "." | "(" choice ")"
//
// NAME is a kind or a set; "." is any kind but End, "!NAME" any kind but those and End.

import { MAX_REPEAT } from "./limits.ts";

export type Pattern =
  | { kind: "symbols"; symbols: readonly number[] }
  | { kind: "sequence"; items: readonly Pattern[] }
  | { kind: "choice"; items: readonly Pattern[] }
  /** `max` is Infinity for a repeat without an end. */
  | { kind: "repeat"; item: Pattern; min: number; max: number };

/** The symbols that each name in a pattern stands for; End is 0. */
export type Names = ReadonlyMap<string, readonly number[]>;

const TOKEN = /\s*(?:([A-Za-z][A-Za-z0-9]*)|(\{\d+(?:,\d*)?\})|([.()|*+?!]))/y;

/** Parses `text`; throws an Error that says what was expected and where. */
export function parsePattern(text: string, names: Names): Pattern {
  const tokens = lex(text);
  const any = [...new Set([...names.values()].flat())].filter((symbol) => symbol !== 0).sort((a, b) => a - b);
  let at = 0;

  const symbolsOf = (name: string | undefined): readonly number[] => {
    const symbols = name === undefined ? undefined : names.get(name);
    if (!symbols) throw new Error(`"${name ?? "the end"}" is no kind and no set`);
    return symbols;
  };
  const choice = (): Pattern => {
    const items = [sequence()];
    while (tokens[at] === "|") {
      at++;
      items.push(sequence());
    }
    return items.length === 1 && items[0] ? items[0] : { kind: "choice", items };
  };
  const sequence = (): Pattern => {
    const items: Pattern[] = [];
    for (let token = tokens[at]; token !== undefined && token !== "|" && token !== ")"; token = tokens[at]) {
      items.push(factor());
    }
    return items.length === 1 && items[0] ? items[0] : { kind: "sequence", items };
  };
  const factor = (): Pattern => {
    let item = atom();
    for (let bounds = repeatBounds(tokens[at]); bounds !== undefined; bounds = repeatBounds(tokens[at])) {
      item = { kind: "repeat", item, min: bounds[0], max: bounds[1] };
      at++;
    }
    return item;
  };
  const atom = (): Pattern => {
    const token = tokens[at++];
    if (token === ".") return { kind: "symbols", symbols: any };
    if (token === "!") {
      const excluded = symbolsOf(tokens[at++]);
      return { kind: "symbols", symbols: any.filter((symbol) => !excluded.includes(symbol)) };
    }
    if (token === "(") {
      const inner = choice();
      if (tokens[at++] !== ")") throw new Error('a ")" is missing');
      return inner;
    }
    return { kind: "symbols", symbols: symbolsOf(token) };
  };

  const tree = choice();
  if (at < tokens.length) throw new Error(`"${tokens[at] ?? ""}" stands where nothing was expected`);
  return tree;
}

function lex(text: string): string[] {
  const tokens: string[] = [];
  const trimmed = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < trimmed.length) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(trimmed);
    if (!match) throw new Error(`cannot read "${trimmed.slice(from).trim()}"`);
    tokens.push(match[0].trim());
  }
  return tokens;
}

/** The bounds that a postfix operator means, or undefined where `token` is none. */
function repeatBounds(token: string | undefined): [min: number, max: number] | undefined {
  if (token === "*") return [0, Infinity];
  if (token === "+") return [1, Infinity];
  if (token === "?") return [0, 1];
  const counts = token === undefined ? null : /^\{(\d+)(,(\d*))?\}$/.exec(token);
  if (!counts) return undefined;
  const min = Number(counts[1]);
  const max = counts[2] === undefined ? min : counts[3] === "" ? Infinity : Number(counts[3]);
  if (max < min || min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT)) {
    throw new Error(`${token ?? ""}: counts must rise and be at most ${MAX_REPEAT}`);
  }
  return [min, max];
}
