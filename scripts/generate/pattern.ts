// Stage 1: the text of a pattern → its tree.
//
//   choice   = sequence { "|" sequence }
//   sequence = { factor }
//   factor   = atom { "*" | "+" | "?" | "{n}" | "{n,}" | "{n,m}" }
//   atom     = NAME | "!" atom | "." | "(" choice ")"
//
// NAME is a kind, a set of kinds or a fragment (a pattern of its own, put in its place); "." is any kind but End; "!" is
// any kind but End and those of a set, "!(Name | Dot)".

import { MAX_REPEAT } from "./limits.ts";

export type Pattern =
  | { kind: "symbols"; symbols: readonly number[] }
  | { kind: "sequence"; items: readonly Pattern[] }
  | { kind: "choice"; items: readonly Pattern[] }
  /** `max` is Infinity for a repeat without an end. */
  | { kind: "repeat"; item: Pattern; min: number; max: number };

/** What each name in a pattern stands for: symbols for a kind or a set, any tree for a fragment; End is symbol 0. */
export type Names = ReadonlyMap<string, Pattern>;

const TOKEN = /\s*(?:([A-Za-z][A-Za-z0-9]*)|(\{\d+(?:,\d*)?\})|([.()|*+?!]))/y;

/** Parses `text`; throws an Error that says what was expected and where. */
export function parsePattern(text: string, names: Names): Pattern {
  const tokens = lex(text);
  const all = [...names.values()].flatMap((each) => (each.kind === "symbols" ? each.symbols : []));
  const any = [...new Set(all)].filter((symbol) => symbol !== 0).sort((a, b) => a - b);
  let at = 0;

  const named = (name: string | undefined): Pattern => {
    if (name === undefined) throw new Error("ends where a kind was expected");
    const found = names.get(name);
    if (!found) throw new Error(`"${name}" is no kind, no set and no earlier fragment`);
    return found;
  };
  const choice = (): Pattern => {
    const items = [sequence()];
    while (tokens[at] === "|") {
      at++;
      items.push(sequence());
    }
    if (items.length === 1 && items[0]) return items[0];
    // A choice of symbols is a set written out, and "!" takes it as one.
    const sets = items.flatMap((item) => (item.kind === "symbols" ? [item.symbols] : []));
    if (sets.length === items.length) return { kind: "symbols", symbols: [...new Set(sets.flat())] };
    return { kind: "choice", items };
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
      const excluded = atom();
      if (excluded.kind !== "symbols") throw new Error('"!" needs a kind, a set or a choice of them');
      return { kind: "symbols", symbols: any.filter((symbol) => !excluded.symbols.includes(symbol)) };
    }
    if (token === "(") {
      const inner = choice();
      if (tokens[at++] !== ")") throw new Error('a ")" is missing');
      return inner;
    }
    return named(token);
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
