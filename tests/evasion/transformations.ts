/**
 * What an attacker does to a value so that a filter does not know it again, and what clients do to any value. Each
 * transformation says for which classes it keeps the meaning and gives null where it changes nothing; `how` says who undoes it.
 *
 * Spellings are other words for the same in the attacked language; encodings are undone by a service that decodes once more;
 * wrappers put the value into another value.
 */
export interface Transformation {
  id: string;
  stage: "spelling" | "encoding" | "wrapper";
  how: string;
  classes: readonly string[];
  apply(value: string, name: string): string | null;
}

const TEXT = "sqli xss cmdi traversal ssti nosqli ldapi xpath jndi codei ssi".split(" ");
const URLS = ["ssrf", "rfi", "redirect"];

const SQL_WORD =
  /\b(?:union|all|distinct|select|from|where|or|and|not|like|between|exists|insert|into|values|update|set|delete|drop|table|exec|declare|waitfor|delay|sleep|benchmark|order|group|by|having|limit|case|when|then|else|end|is|null|in)\b/gi;
const TAG = /<\/?[a-z][^<>]*>?/gi;
const IDENTIFIER = /\b(?:alert|confirm|prompt|eval|fetch|setTimeout|document|location)\b/g;
const COMMAND =
  /(?<=(?:[;|&`\n]|\$\()\s*)(?:cat|id|whoami|ls|uname|ping|curl|wget|nc|bash|rm|ps|netstat|nslookup|head|tail|find|env)\b/g;

/** `change` done to what stands before the first comment mark, where a blank is a blank. */
function beforeComment(value: string, change: (code: string) => string): string {
  const mark = value.search(/--|#|\/\*|;%00/);
  return mark < 0 ? change(value) : change(value.slice(0, mark)) + value.slice(mark);
}
const alternate = (text: string): string =>
  [...text].map((character, at) => (at % 2 ? character.toUpperCase() : character.toLowerCase())).join("");
const sqlBlanks = (blank: string) => (value: string) =>
  beforeComment(value, (code) => code.replace(/(?<=[\w)'"]) (?=[\w(@'"])/g, blank));
const inTags = (value: string, change: (tag: string) => string): string => value.replace(TAG, change);
/** The values of handlers in quotes. */
const inHandlers = (value: string, change: (script: string) => string): string =>
  value.replace(/(\bon[a-z]+=")([^"]*)(?=")/gi, (_, head: string, script: string) => head + change(script));
const literals = (value: string, write: (text: string) => string): string =>
  /^-?\d+ /.test(value) ? value.replace(/'([a-z]+)'/gi, (_, text: string) => write(text)) : value;

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, "0");
const bytes = (value: string): number[] => [...Buffer.from(value, "utf8")];
const everyUnit = (value: string, write: (code: number) => string): string =>
  Array.from({ length: value.length }, (_, at) => write(value.charCodeAt(at))).join("");
const isAscii = (value: string): boolean => /^[\x01-\x7f]*$/.test(value);
const punctuation = (value: string, write: (code: number) => string): string =>
  value.replace(/[!-/:-@[-`{-~]/g, (character) => write(character.charCodeAt(0)));
const NAMED: Record<string, string> = {
  "<": "lt",
  ">": "gt",
  '"': "quot",
  "'": "apos",
  "(": "lpar",
  ")": "rpar",
  "=": "equals",
  ":": "colon",
  ";": "semi",
  "/": "sol",
  ",": "comma",
  ".": "period",
  "&": "amp",
  "{": "lbrace",
  "}": "rbrace",
  "|": "vert",
  "*": "ast",
  $: "dollar",
};

type Row = [id: string, how: string, classes: string | readonly string[], apply: Transformation["apply"]];
const rows = (stage: Transformation["stage"], list: readonly Row[]): Transformation[] =>
  list.map(([id, how, classes, apply]) => ({
    id,
    stage,
    how,
    classes: typeof classes === "string" ? classes.split(" ") : classes,
    apply(value, name) {
      const changed = apply(value, name);
      return changed === value ? null : changed;
    },
  }));

const spellings = rows("spelling", [
  ["sql-case", "keywords have no case", "sqli", (value) => value.replace(SQL_WORD, alternate)],
  ["sql-comment", "a comment is a blank", "sqli", sqlBlanks("/**/")],
  ["sql-tab", "a tab is a blank", "sqli", sqlBlanks("\t")],
  ["sql-newline", "a line break is a blank", "sqli", sqlBlanks("\n")],
  ["sql-form-feed", "a form feed is a blank", "sqli", sqlBlanks("\f")],
  [
    "sql-versioned",
    "MySQL runs versioned comments",
    "sqli",
    (value) => beforeComment(value, (code) => code.replace(/\b(?:union|select)\b/gi, "/*!50000$&*/")),
  ],
  [
    "sql-concatenation",
    "literals are joined",
    "sqli",
    (value) => literals(value, (text) => (text.length < 2 ? `'${text}'` : `'${text[0]!}'||'${text.slice(1)}'`)),
  ],
  [
    "sql-char",
    "CHAR() makes a literal",
    "sqli",
    (value) => literals(value, (text) => `CHAR(${bytes(text).join(",")})`),
  ],
  [
    "sql-hex",
    "MySQL's literals in hexadecimal",
    "sqli",
    (value) => literals(value, (text) => `0x${Buffer.from(text).toString("hex")}`),
  ],
  [
    "html-case",
    "names of tags and attributes have no case",
    "xss",
    (value) =>
      inTags(value, (tag) =>
        tag
          .replace(/^(<\/?)([a-z]+)/i, (_, open: string, name: string) => open + alternate(name))
          .replace(/\bon[a-z]+(?==)/gi, alternate),
      ),
  ],
  [
    "html-newline",
    "a line break parts attributes",
    "xss",
    (value) => inTags(value, (tag) => tag.replace(/^(<[a-z]+) /i, "$1\n")),
  ],
  [
    "html-form-feed",
    "a form feed parts attributes",
    "xss",
    (value) => inTags(value, (tag) => tag.replace(/^(<[a-z]+) /i, "$1\f")),
  ],
  [
    "html-slash",
    "a slash parts attributes",
    "xss",
    (value) => inTags(value, (tag) => tag.replace(/^(<[a-z]+) /i, "$1/")),
  ],
  [
    "handler-decimal",
    "attributes' values have references",
    "xss",
    (value) => inHandlers(value, (script) => punctuation(script, (code) => `&#${code};`)),
  ],
  [
    "handler-hex",
    "attributes' values have references",
    "xss",
    (value) => inHandlers(value, (script) => everyUnit(script, (code) => `&#x${hex(code, 2)};`)),
  ],
  [
    "handler-named",
    "attributes' values have references",
    "xss",
    (value) => inHandlers(value, (script) => script.replace(/[()]/g, (mark) => `&${NAMED[mark]!};`)),
  ],
  [
    "js-identifier",
    "names may have escapes",
    "xss",
    (value) => value.replace(IDENTIFIER, (name) => `\\u${hex(name.charCodeAt(0), 4)}${name.slice(1)}`),
  ],
  [
    "js-comment",
    "a comment before arguments",
    "xss",
    (value) => value.replace(/\b(alert|confirm|prompt|eval)\(/g, "$1/**/("),
  ],
  [
    "url-break",
    "URLs lose tabs and line breaks",
    "xss",
    (value) => value.replace(/(?<=["'=])javascript:/gi, "java&#9;script&#10;:"),
  ],
  [
    "shell-quotes",
    "quotes inside a word vanish",
    "cmdi",
    (value) => value.replace(COMMAND, (word) => `${word[0]!}''${word.slice(1)}`),
  ],
  [
    "shell-double-quotes",
    "quotes inside a word vanish",
    "cmdi",
    (value) => value.replace(COMMAND, (word) => `${word[0]!}"${word.slice(1)}"`),
  ],
  [
    "shell-backslash",
    "a backslash keeps a letter",
    "cmdi",
    (value) => value.replace(COMMAND, (word) => `${word[0]!}\\${word.slice(1)}`),
  ],
  [
    "shell-empty",
    "$@ is nothing",
    "cmdi",
    (value) => value.replace(COMMAND, (word) => `${word[0]!}$@${word.slice(1)}`),
  ],
  [
    "shell-ifs",
    "${IFS} is a blank",
    "cmdi",
    (value) =>
      /['"]/.test(value)
        ? value
        : value.replace(/(?<=(?:cat|ls|ping|curl|wget|head|tail|uname|rm)) (?=[-/\w])/g, "${IFS}"),
  ],
  ["shell-glob", "? is any letter of a file's name", "cmdi", (value) => value.replace("/etc/passwd", "/e?c/p?ss?d")],
  ["path-backslash", "Windows takes both slashes", "traversal", (value) => value.replaceAll("../", "..\\")],
  ["path-mixed", "both slashes in turn", "traversal", (value) => value.replaceAll("../../", "../..\\")],
  ["path-dot", "./ stays where it is", "traversal", (value) => value.replaceAll("../", ".././")],
  ["path-double", "slashes are one", "traversal", (value) => value.replaceAll("../", "..//")],
  [
    "path-null",
    "C ends a name at a null byte",
    "traversal",
    (value) => (value.includes("../") ? `${value}\0.png` : value),
  ],
]);

const encodings = rows("encoding", [
  [
    "percent",
    "decoded once more",
    [...TEXT, ...URLS],
    (value) =>
      bytes(value)
        .map((byte) => `%${hex(byte, 2)}`)
        .join(""),
  ],
  [
    "percent-marks",
    "decoded once more",
    [...TEXT, ...URLS],
    (value) =>
      encodeURIComponent(value.replace(/\p{Surrogate}/gu, "\ufffd")).replace(
        /[!'()*]/g,
        (mark) => `%${hex(mark.charCodeAt(0), 2)}`,
      ),
  ],
  ["percent-u", "ASP's escapes", "sqli xss cmdi traversal", (value) => everyUnit(value, (code) => `%u${hex(code, 4)}`)],
  ["entities-decimal", "text of XML or HTML", TEXT, (value) => punctuation(value, (code) => `&#${code};`)],
  ["entities-hex", "text of XML or HTML", TEXT, (value) => punctuation(value, (code) => `&#x${hex(code, 2)};`)],
  [
    "entities-named",
    "text of XML or HTML",
    TEXT,
    (value) => value.replace(/[<>"'():;/,.&{}|*$=]/g, (mark) => `&${NAMED[mark]!};`),
  ],
  ["escapes-u", "strings of JSON and JavaScript", TEXT, (value) => punctuation(value, (code) => `\\u${hex(code, 4)}`)],
  [
    "escapes-x",
    "strings of JavaScript, C, Python",
    TEXT,
    (value) => punctuation(value, (code) => `\\x${hex(code, 2)}`),
  ],
  [
    "full-width",
    "best fit to ASCII",
    "sqli xss traversal",
    (value) => (isAscii(value) ? punctuation(value, (code) => String.fromCharCode(code + 0xfee0)) : value),
  ],
  [
    "overlong",
    "lenient decoders of UTF-8",
    "sqli xss traversal",
    (value) =>
      isAscii(value)
        ? punctuation(value, (code) => `%${hex(0xc0 | (code >> 6), 2)}%${hex(0x80 | (code & 63), 2)}`)
        : value,
  ],
  [
    "utf-7",
    "a page without a charset, in old browsers",
    "xss",
    (value) => {
      if (!isAscii(value)) return value;
      return value.replace(/[<>"&=;]+/g, (run) => {
        const wide = Buffer.from(run, "utf16le").swap16().toString("base64").replaceAll("=", "");
        return `+${wide}-`;
      });
    },
  ],
]);

const wrappers = rows("wrapper", [
  [
    "base64",
    "a field that holds base64",
    "sqli xss cmdi ssti codei",
    (value) => Buffer.from(value, "utf8").toString("base64"),
  ],
  [
    "hex",
    "a field that holds digits",
    "sqli xss cmdi ssti codei",
    (value) => Buffer.from(value, "utf8").toString("hex"),
  ],
  ["json-in-field", "a field that holds JSON", TEXT, (value, name) => JSON.stringify({ id: 7, [name]: value })],
  [
    "form-in-field",
    "a field that holds a form",
    TEXT,
    (value, name) => `id=7&${new URLSearchParams([[name, value.replace(/\p{Surrogate}/gu, "\ufffd")]])}`,
  ],
]);

export const TRANSFORMATIONS: readonly Transformation[] = [...spellings, ...encodings, ...wrappers];

/** Ones that keep the meaning, each alone and each pair in an order in which it can be undone. */
export function chainsOf(group: string): Transformation[][] {
  const valid = TRANSFORMATIONS.filter(({ classes }) => classes.includes(group));
  const chains: Transformation[][] = valid.map((one) => [one]);
  for (const [at, first] of valid.entries()) {
    for (const [to, second] of valid.entries()) {
      if (at === to) continue;
      const bothEncode = first.stage === "encoding" && second.stage === "encoding";
      if (bothEncode || (at < to && !(first.stage === "wrapper" && second.stage === "wrapper")))
        chains.push([first, second]);
    }
  }
  return chains;
}

/** The value after all of `chain`, null where one of them has nothing to change. */
export function applyChain(chain: readonly Transformation[], value: string, name: string): string | null {
  let text: string | null = value;
  for (const { apply } of chain) if (text !== null) text = apply(text, name);
  return text;
}

/** What clients do to harmless values: forms in forms, JSON in fields, text escaped for HTML. */
export const CLIENTS: readonly Transformation[] = rows("encoding", [
  [
    "percent",
    "encodeURIComponent before a form",
    "benign",
    (value) => encodeURIComponent(value.replace(/\p{Surrogate}/gu, "\ufffd")),
  ],
  ["json", "JSON.stringify into a field", "benign", (value, name) => JSON.stringify({ [name]: value })],
  [
    "form",
    "a form in a field",
    "benign",
    (value, name) => `id=7&${new URLSearchParams([[name, value.replace(/\p{Surrogate}/gu, "\ufffd")]])}`,
  ],
  [
    "html",
    "escaped for HTML",
    "benign",
    (value) => value.replace(/[&<>"']/g, (mark) => `&${NAMED[mark] === "apos" ? "#39" : NAMED[mark]!};`),
  ],
]);
