/**
 * A small template engine: text between two marks is an expression of numbers, strings, names and + - * / %, as the
 * usual engines have them. It reads its own grammar and runs nothing of JavaScript.
 *
 *   expression = term (("+" | "-") term)*    term = factor (("*" | "/" | "%") factor)*
 *   factor = number | "'" text "'" | '"' text '"' | name ("." name)* | "(" expression ")" | "-" factor
 */

export type Value = number | string | boolean | Scope;
export interface Scope {
  [name: string]: Value;
}

export class TemplateError extends Error {
  readonly status = 500;
}

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|'([^']*)'|"([^"]*)"|([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|([-+*/%()]))/y;
const MOST_TEXT = 4_096;
const DEEPEST = 32;

class Reader {
  readonly #tokens: { value?: Value; name?: string; mark?: string }[] = [];
  readonly #scope: Scope;
  #at = 0;
  #depth = 0;

  constructor(expression: string, scope: Scope) {
    this.#scope = scope;
    TOKEN.lastIndex = 0;
    const text = expression.trimEnd();
    while (TOKEN.lastIndex < text.length) {
      const from = TOKEN.lastIndex;
      const found = TOKEN.exec(text);
      if (found === null) throw new TemplateError(`unexpected char '${text.trim().charAt(0)}' at ${from}`);
      const [, number, single, double, name, mark] = found;
      if (number !== undefined) this.#tokens.push({ value: Number(number) });
      else if (name !== undefined) this.#tokens.push({ name });
      else if (mark !== undefined) this.#tokens.push({ mark });
      else this.#tokens.push({ value: single ?? double ?? "" });
    }
  }

  whole(): Value {
    const value = this.#sum();
    if (this.#at < this.#tokens.length) throw new TemplateError("expected token 'end of print statement'");
    return value;
  }

  #taken(marks: string): string | undefined {
    const mark = this.#tokens[this.#at]?.mark;
    if (mark === undefined || !marks.includes(mark)) return undefined;
    this.#at++;
    return mark;
  }

  #sum(): Value {
    if (++this.#depth > DEEPEST) throw new TemplateError("expression too deep");
    let left = this.#product();
    for (let mark = this.#taken("+-"); mark !== undefined; mark = this.#taken("+-")) {
      const right = this.#product();
      if (typeof left === "number" && typeof right === "number") left = mark === "+" ? left + right : left - right;
      else left = `${show(left)}${show(right)}`.slice(0, MOST_TEXT);
    }
    this.#depth--;
    return left;
  }

  #product(): Value {
    let left = this.#factor();
    for (let mark = this.#taken("*/%"); mark !== undefined; mark = this.#taken("*/%")) {
      const right = this.#factor();
      // As in Python: 7*'7' is a text of seven sevens.
      if (mark === "*" && typeof left === "number" && typeof right === "string")
        left = right.repeat(Math.min(left, 99));
      else if (mark === "*" && typeof left === "string") left = left.repeat(Math.min(Number(right), 99));
      else {
        const [a, b] = [Number(left), Number(right)];
        left = mark === "*" ? a * b : mark === "/" ? a / b : a % b;
      }
    }
    return left;
  }

  #factor(): Value {
    const token = this.#tokens[this.#at++];
    if (token?.value !== undefined) return token.value;
    if (token?.name !== undefined) return this.#named(token.name);
    if (token?.mark === "-") return -Number(this.#factor());
    if (token?.mark !== "(") throw new TemplateError("unexpected end of expression");
    const value = this.#sum();
    if (this.#taken(")") === undefined) throw new TemplateError("expected ')'");
    return value;
  }

  #named(path: string): Value {
    let value: Value = this.#scope;
    for (const name of path.split(".")) {
      if (typeof value !== "object" || !Object.hasOwn(value, name)) throw new TemplateError(`'${name}' is undefined`);
      value = value[name]!;
    }
    return value;
  }
}

const show = (value: Value): string => (typeof value === "object" ? JSON.stringify(value) : String(value));

/** Fills a template whose expressions stand between `open` and `close`; tells `used` of each. */
export function fillTemplate(
  template: string,
  [open, close]: readonly [string, string],
  scope: Scope,
  used: (expression: string) => void,
): string {
  let out = "";
  let at = 0;
  for (let from = template.indexOf(open); from >= 0; from = template.indexOf(open, at)) {
    const to = template.indexOf(close, from + open.length);
    if (to < 0) break;
    const expression = template.slice(from + open.length, to);
    out += template.slice(at, from) + show(new Reader(expression, scope).whole());
    used(expression.trim());
    at = to + close.length;
  }
  return out + template.slice(at);
}
