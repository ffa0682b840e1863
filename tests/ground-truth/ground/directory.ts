/**
 * The shop's directory of people, asked by LDAP filters (RFC 4515) that are read and worked out here:
 *
 *   filter = "(" ("&" filter* | "|" filter* | "!" filter | name "=" value) ")"      value: "*" stands for anything, \28 for "("
 */
import type { Witnesses } from "./witness.ts";

export type Member = Readonly<Record<string, string>>;

const PEOPLE: readonly Member[] = [
  { uid: "ada", cn: "Ada Lovelace", mail: "ada@shop.example", employeeType: "public", userPassword: "correct horse" },
  { uid: "lin", cn: "Lin (packing)", mail: "lin@shop.example", employeeType: "public", userPassword: "battery staple" },
  { uid: "admin", cn: "Office", mail: "admin@shop.example", employeeType: "hidden", userPassword: "rosebud-1941" },
  { uid: "svc-ldap", cn: "Sync", mail: "sync@shop.example", employeeType: "hidden", userPassword: "sync-1941-rosebud" },
];
const DEEPEST = 32;

/** A filter that cannot be read. */
export class FilterError extends Error {}

type Test = (member: Member) => boolean;

const pattern = (value: string): RegExp =>
  new RegExp(
    `^${value
      .split("*")
      .map((part) => part.replace(/\\([\da-f]{2})/gi, (_all, code: string) => String.fromCharCode(parseInt(code, 16))))
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join("[^]*?")}$`,
    "i",
  );

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Test {
    const test = this.#filter(0);
    if (this.#at < this.#text.length) throw new FilterError("Unbalanced parenthesis");
    return test;
  }

  #filter(depth: number): Test {
    if (depth > DEEPEST || this.#text[this.#at++] !== "(") throw new FilterError("Missing '('");
    const kind = this.#text[this.#at] ?? "";
    if (!"&|!".includes(kind) || kind === "") return this.#comparison();
    this.#at++;
    const tests: Test[] = [];
    while (this.#text[this.#at] === "(") tests.push(this.#filter(depth + 1));
    if (this.#text[this.#at++] !== ")") throw new FilterError("Unbalanced parenthesis");
    if (kind === "&") return (member) => tests.every((test) => test(member));
    if (kind === "|") return (member) => tests.some((test) => test(member));
    return (member) => !tests[0]!(member);
  }

  #comparison(): Test {
    const found = /^([\w-]+)=([^()]*)\)/.exec(this.#text.slice(this.#at));
    if (found === null) throw new FilterError("Unbalanced parenthesis");
    this.#at += found[0].length;
    const [name, value] = [found[1]!, pattern(found[2]!)];
    return (member) => member[name] !== undefined && value.test(member[name]);
  }
}

/** Whoever a filter is true of. Throws `FilterError`. */
export function searchPeople(filter: string, witnesses: Witnesses): Member[] {
  try {
    const found = PEOPLE.filter(new Reader(filter).whole());
    witnesses.saw("filter", `${found.length} ${filter}`);
    return found;
  } catch (error) {
    witnesses.saw("filter-error", `${(error as Error).message} ${filter}`);
    throw error;
  }
}

/** A text for a filter: none of it is a mark of the filter's any more. */
export const escapeFilter = (text: string): string =>
  text.replace(/[\\*()\0]/g, (mark) => `\\${mark.charCodeAt(0).toString(16).padStart(2, "0")}`);
