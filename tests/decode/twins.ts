/**
 * The decoders once more, slow and plain: regular expressions over text in which each character is a byte ("binary" text). The
 * tests hold the module against these on random and mutated input.
 */

/** Turns binary text into bytes. */
export function toBytes(binary: string): Uint8Array {
  return Buffer.from(binary, "latin1");
}

/** Turns bytes into binary text. */
export function toBinary(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

/** A code point as UTF-8, in binary text. */
function utf8(point: number): string {
  // TextEncoder refuses surrogates, which a decoder of overlong forms may meet.
  if (point >= 0xd800 && point < 0xe000) {
    return String.fromCharCode(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
  }
  return toBinary(new TextEncoder().encode(String.fromCodePoint(point)));
}

const hex = (digits: string) => parseInt(digits, 16);
const pair = (high: string, low: string) => 0x10000 + ((hex(high) - 0xd800) << 10) + hex(low) - 0xdc00;
const isSurrogate = (point: number) => point >= 0xd800 && point < 0xe000;

export function percent(text: string, plus: boolean): string {
  const escape =
    /%([0-9a-f]{2})|%u(d[89ab][0-9a-f]{2})%u(d[c-f][0-9a-f]{2})|%U(d[89ab][0-9a-f]{2})%U(d[c-f][0-9a-f]{2})|%u([0-9a-f]{4})|\+/gi;
  return text.replace(escape, (all, byte, high, low, high2, low2, unit) => {
    if (all === "+") return plus ? " " : "+";
    if (byte !== undefined) return String.fromCharCode(hex(byte));
    // The expression ignores case, also that of the two letters u, which must be the same.
    if (high !== undefined) return all[1] === all[7] ? utf8(pair(high, low)) : all;
    if (high2 !== undefined) return utf8(pair(high2, low2));
    return isSurrogate(hex(unit)) ? all : utf8(hex(unit));
  });
}

/** WHATWG HTML 13.5, the names of ASCII characters and of U+00A0. */
const NAMES: Record<string, string> = {
  "\t": "Tab",
  "\n": "NewLine",
  "!": "excl",
  '"': "QUOT quot",
  "#": "num",
  $: "dollar",
  "%": "percnt",
  "&": "AMP amp",
  "'": "apos",
  "(": "lpar",
  ")": "rpar",
  "*": "ast midast",
  "+": "plus",
  ",": "comma",
  ".": "period",
  "/": "sol",
  ":": "colon",
  ";": "semi",
  "<": "LT lt",
  "=": "equals",
  ">": "GT gt",
  "?": "quest",
  "@": "commat",
  "[": "lbrack lsqb",
  "\\": "bsol",
  "]": "rbrack rsqb",
  "^": "Hat",
  _: "lowbar UnderBar",
  "`": "DiacriticalGrave grave",
  "{": "lbrace lcub",
  "|": "verbar vert VerticalLine",
  "}": "rbrace rcub",
  "\u00a0": "nbsp NonBreakingSpace",
};

/** Each name with what it stands for. */
export const ENTITIES: ReadonlyMap<string, string> = new Map(
  Object.entries(NAMES).flatMap(([character, names]) =>
    names.split(" ").map((name) => [name, utf8(character.codePointAt(0) ?? 0)] as const),
  ),
);

/** Names that HTML reads without a semicolon. */
export const INHERITED = ["lt", "LT", "gt", "GT", "amp", "AMP", "quot", "QUOT", "nbsp"];

/** Bytes 128–159 of windows-1252 (Node 20's own decoder reads them as Latin-1). */
const windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

export function entity(text: string): string {
  const named = [...ENTITIES.keys()].map((name) => `${name};`).join("|");
  const reference = new RegExp(`&#([0-9]+);?|&#[xX]([0-9a-fA-F]+);?|&(${named})|&(${INHERITED.join("|")})`, "g");
  return text.replace(reference, (all, decimal, hexadecimal, whole, inherited) => {
    const name = inherited ?? whole?.slice(0, -1);
    if (name !== undefined) return ENTITIES.get(name) ?? all;
    const point = decimal !== undefined ? parseInt(decimal, 10) : hex(hexadecimal);
    if (point === 0 || point > 0x10ffff || isSurrogate(point)) return utf8(0xfffd);
    return utf8(point >= 128 && point < 160 ? (windows1252.codePointAt(point - 128) ?? 0) : point);
  });
}

const SINGLES: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f", v: "\v", "\n": "" };

export function escape(text: string): string {
  const sequence =
    /\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]+)\}|x([0-9a-fA-F]{2})|([0-3][0-7]{2}|[0-7]{1,2})|(["'`\\/nrtbfv\n]))/g;
  return text.replace(sequence, (all, high, low, unit, braced, byte, octal, single) => {
    if (single !== undefined) return SINGLES[single] ?? single;
    if (high !== undefined) return utf8(pair(high, low));
    if (octal !== undefined) return utf8(parseInt(octal, 8));
    const point = hex(unit ?? braced ?? byte);
    return point > 0x10ffff || isSurrogate(point) ? all : utf8(point);
  });
}

/** Code points that best-fit conversion to windows-1252 turns into ASCII punctuation. */
const LOOK_ALIKES: Record<string, string> = {
  "'": "02b9 02bc 02c8 2032",
  '"': "02ba",
  "`": "02cb 2035",
  ";": "037e",
  ":": "0589 2236",
  "%": "066a",
  "/": "2044 2215",
  "-": "2212",
  "\\": "2216",
  "*": "2217",
  "|": "2223",
  "<": "2329 3008",
  ">": "232a 3009",
  " ": "3000",
};
const FOLDED = new Map(
  Object.entries(LOOK_ALIKES).flatMap(([ascii, points]) =>
    points.split(" ").map((point) => [hex(point), ascii] as const),
  ),
);

export function unicode(text: string): string {
  const sequence = /[\xc0-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf7][\x80-\xbf]{3}|\xc0[./]|\xc1\x1c/g;
  return text.replace(sequence, (all) => {
    const bytes = toBytes(all);
    let point = (bytes[0] ?? 0) & (0x7f >> bytes.length);
    for (const byte of bytes.slice(1)) point = (point << 6) | (byte & 0x3f);
    const least = [0, 0, 0x80, 0x800, 0x10000][bytes.length] ?? 0;
    if (point < least) return utf8(point);
    if (point >= 0xff01 && point <= 0xff5e) return String.fromCharCode(point - 0xfee0);
    return FOLDED.get(point) ?? all;
  });
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

export function utf7(text: string): string {
  const plus = text.indexOf("+");
  if (plus < 0) return text;
  const rest = text.slice(plus + 1);
  const run = /^[A-Za-z0-9+/]*/.exec(rest)?.[0] ?? "";
  const bits = [...run].map((digit) => BASE64.indexOf(digit).toString(2).padStart(6, "0")).join("");
  let decoded = "";
  for (let at = 0; at + 16 <= bits.length; at += 16) {
    const character = String.fromCharCode(parseInt(bits.slice(at, at + 16), 2));
    if (!/^[\x20-\x7e\t\n\v\f\r]$/.test(character)) break;
    decoded += character;
  }
  if (decoded === "") return `${text.slice(0, plus)}+${utf7(rest)}`;
  const used = Math.ceil((decoded.length * 16) / 6);
  return text.slice(0, plus) + decoded + utf7(rest.slice(rest[used] === "-" ? used + 1 : used));
}
