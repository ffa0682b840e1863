// Bytes → JavaScript token kinds (ECMA-262, 12), one at a time, from wherever a value may begin.
//
//   space     bytes ≤ 0x20, NBSP, BOM, `/* … */`; a line end counts only behind an operand, where a statement may end
//   name      letters, digits, _ $, bytes ≥ 0x80, \u0061 and \u{61} (undone before the keyword is looked up)
//   string    '…' "…" on one line; `…` over lines; one without an end is Tail where `quote` opened it, else Junk
//   regex     /…/flags where an operand may stand, else `/` divides
//
// `want` is what may stand next, as a program alternates operands and operators. An operand behind an operand is Junk, and so is an
// operator that nothing precedes: words of a sentence are Junk at the second word, a program never is. Behind `)` of `if (…)` and
// behind `}` both may stand. Parentheses are remembered to a depth of 32, as one bit each.
//
// Each byte is read a bounded number of times: a run that has no end reaches to the end of the value and is the last token.

import { byteAt, findByte, hexValue, isDigit, isLetter, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { textIsNoCase, textStartsNoCase } from "../core/text";
import { Js, XSS_KEYWORDS } from "../generated/xss";
import { keyword } from "../match/keywords";

/** What may stand next. */
export const enum Want {
  Operand = 0,
  Operator = 1,
  Either = 2,
}

/** Where the token that `jsToken` returned last begins. */
export let jsStart: usize = 0;
/** One past it. */
export let jsNext: usize = 0;

/** A name without its escapes: the longest keyword has 31 bytes, so a longer name is none. Owner: `name`. */
const NAME: usize = memory.data(40);
const NAME_CAPACITY: usize = 32;

const enum Line {
  /** U+2028 and U+2029 are E2 80 A8 and E2 80 A9. */
  Lead = 0xe2,
  Middle = 0x80,
  Separator = 0xa8,
}

let at: usize = 0;
let end: usize = 0;
/** The mark of the literal that the value is taken to stand in, 0 for none: an open string of that mark is mended by the page. */
let quote: u32 = 0;
let want: Want = Want.Operand;
/** The kind before, and the one before that is decided by. */
let previous: u32 = Js.End;
/** Open parentheses, and one bit each: whether it is that of `if (`, behind which a statement stands. */
let depth: u32 = 0;
let controls: u32 = 0;
/** Whether `class` was read: a name may stand before a brace from then on. */
let headed = false;

/** Starts on `from..to`. */
export function jsBegin(from: usize, to: usize, first: Want, mark: u32): void {
  at = from;
  end = to;
  quote = mark;
  want = first;
  previous = Js.End;
  depth = 0;
  controls = 0;
  headed = false;
}

/** The kind of the next token; `Js.End` where none is left. */
export function jsToken(): u32 {
  const newline = skipSpace();
  jsStart = at;
  if (at >= end) {
    jsNext = end;
    return Js.End;
  }
  const byte = byteAt(at);
  if (newline && want == Want.Operator && startsOperand(byte)) {
    want = Want.Operand;
    jsNext = at;
    return (previous = Js.Newline);
  }
  const kind = read(byte);
  if (isDefined(CHECKED)) assert(at > jsStart && at <= end); // each token takes a byte and none beyond the value
  jsNext = at;
  previous = kind;
  return kind;
}

function read(byte: u32): u32 {
  if (isLetter(byte) || byte == Char.Underscore || byte == Char.Dollar || byte >= 0x80 || byte == Char.Backslash)
    return name();
  if (isDigit(byte)) return number();
  const next: u32 = at + 1 < end ? byteAt(at + 1) : 0;
  switch (byte) {
    case Char.Quote:
    case Char.DoubleQuote:
      return string(byte);
    case Char.Backtick:
      return template();
    case Char.ParenOpen: {
      // "said (so)": a space before a parenthesis is prose rather than a call, but for the shortest names of attacks.
      const apart = (previous == Js.Name || previous == Js.Sink) && byteAt(at - 1) <= <u32>Char.Space;
      const call = want == Want.Operator && !apart;
      controls = (controls << 1) | (previous == Js.Control ? 1 : 0);
      depth++;
      return mark(1, call ? Js.CallOpen : Js.ParenOpen, Want.Operand);
    }
    case Char.ParenClose: {
      // One that nothing opened ends what the value was put into: a statement or an operator may follow.
      const statement = depth == 0 || (controls & 1) != 0;
      controls >>= 1;
      if (depth != 0) depth--;
      return mark(1, Js.ParenClose, statement ? Want.Either : Want.Operator);
    }
    case Char.BracketOpen:
      return mark(1, want == Want.Operator ? Js.Index : Js.ArrayOpen, Want.Operand);
    case Char.BracketClose:
      return mark(1, Js.BracketClose, Want.Operator);
    case Char.BraceOpen: {
      // Behind an operand a brace opens nothing; a body stands behind ")", "}", "=>", a keyword, an operator or `class X`.
      const body = previous == Js.ParenClose || (previous == Js.Name && headed);
      if (want == Want.Operator && !body) return mark(1, Js.Junk, Want.Operand);
      return mark(1, Js.BraceOpen, Want.Operand);
    }
    case Char.BraceClose:
      return mark(1, Js.BraceClose, Want.Either);
    case Char.Semicolon:
      return mark(1, Js.Semicolon, Want.Operand);
    case Char.Comma:
      return mark(1, Js.Comma, Want.Operand);
    case Char.Colon:
      return mark(1, Js.Colon, Want.Operand);
    case Char.Dot:
      return dot(next);
    case Char.Question:
      return question(next);
    case Char.Equals:
      return equals(next);
    case Char.Bang:
      if (next == Char.Equals && want != Want.Operand) return binary();
      return mark(1, want == Want.Operator ? Js.Junk : Js.Not, Want.Operand);
    case Char.Tilde:
      return mark(1, want == Want.Operator ? Js.Junk : Js.Not, Want.Operand);
    case Char.Plus:
    case Char.Dash:
      if (next == byte) return mark(2, Js.Increment, want);
      if (next == Char.Equals && want != Want.Operand) return mark(2, Js.Assign, Want.Operand);
      return mark(1, byte == Char.Plus ? Js.Plus : Js.Minus, Want.Operand);
    case Char.Slash:
      return slash(next);
    case Char.Star:
    case Char.Percent:
    case Char.Ampersand:
    case Char.Pipe:
    case Char.Caret:
    case Char.Less:
    case Char.Greater:
      // `function*` and `yield*` have a star without operands.
      if (want == Want.Operand) {
        const generator = byte == Char.Star && (previous == Js.Function || previous == Js.Unary);
        return mark(1, generator ? Js.Binary : Js.Junk, Want.Operand);
      }
      return binary();
    default:
      return mark(1, Js.Junk, Want.Operand);
  }
}

/** A token of `size` bytes, behind which `then` may stand. */
// @ts-ignore: decorator
@inline
function mark(size: usize, kind: u32, then: Want): u32 {
  at = min(at + size, end);
  want = then;
  return kind;
}

/** An operand that ends at the cursor: Junk where an operator should stand. */
function operand(kind: u32): u32 {
  const misplaced = want == Want.Operator;
  want = Want.Operator;
  return misplaced ? Js.Junk : kind;
}

/** `.x`, `...`, `.5` */
function dot(next: u32): u32 {
  if (next == Char.Dot) {
    if (at + 2 < end && byteAt(at + 2) == Char.Dot && want != Want.Operator) return mark(3, Js.Spread, Want.Operand);
    return mark(2, Js.Junk, Want.Operand);
  }
  if (want != Want.Operator)
    return isDigit(next) ? number() : mark(1, want == Want.Either ? Js.Dot : Js.Junk, Want.Operand);
  return mark(1, Js.Dot, Want.Operand);
}

/** `?.` before a name is a dot, before `(` or `[` nothing; `??` and `?` join operands. */
function question(next: u32): u32 {
  if (want == Want.Operand) return mark(1, Js.Junk, Want.Operand);
  if (next == Char.Dot && at + 2 < end && !isDigit(byteAt(at + 2))) {
    const third = byteAt(at + 2);
    at += 2;
    if (third == Char.ParenOpen || third == Char.BracketOpen) return read(third);
    at -= 2;
    return mark(2, Js.Dot, Want.Operand);
  }
  if (next != Char.Question) return mark(1, Js.Question, Want.Operand);
  const assigns = at + 2 < end && byteAt(at + 2) == Char.Equals;
  return mark(assigns ? 3 : 2, assigns ? Js.Assign : Js.Binary, Want.Operand);
}

/** `=>`, `==`, `===`, `=` */
function equals(next: u32): u32 {
  if (want == Want.Operand) return mark(1, Js.Junk, Want.Operand);
  if (next == Char.Greater) return mark(2, Js.Arrow, Want.Operand);
  if (next == Char.Equals) return binary();
  return mark(1, Js.Assign, Want.Operand);
}

/** A comment, a regular expression or a division. */
function slash(next: u32): u32 {
  if (next == Char.Slash) {
    // "https://…" is an address in a text rather than a label and a comment.
    if (previous == Js.Colon && byteAt(at - 1) == Char.Colon) return mark(2, Js.Junk, Want.Operand);
    while (at < end && !isLineEnd(at)) at++;
    return Js.LineComment;
  }
  if (want == Want.Operator) return binary();
  // A regular expression ends at a "/" outside […] on the same line.
  let inside = false;
  let from = at + 1;
  for (; from < end && !isLineEnd(from); from++) {
    const byte = byteAt(from);
    if (byte == Char.Backslash) from++;
    else if (byte == Char.BracketOpen) inside = true;
    else if (byte == Char.BracketClose) inside = false;
    else if (byte == Char.Slash && !inside) {
      from++;
      while (from < end && isLetter(byteAt(from))) from++;
      at = from;
      return operand(Js.Regex);
    }
  }
  if (want == Want.Either) return binary();
  at = min(from, end);
  return Js.Junk;
}

/** An operator of marks, with `=` behind it an assignment unless it compares. */
function binary(): u32 {
  const first = byteAt(at);
  let from = at + 1;
  while (from < end && from < at + 3 && byteAt(from) == first) from++;
  const assigns = from < end && byteAt(from) == Char.Equals;
  const compares = first == Char.Less || first == Char.Greater || first == Char.Equals || first == Char.Bang;
  const shifts = compares && from - at >= 2 && first != Char.Equals;
  while (from < end && from < at + 4 && byteAt(from) == Char.Equals) from++;
  at = from;
  want = Want.Operand;
  return assigns && (!compares || shifts) ? Js.Assign : Js.Binary;
}

/** `1`, `0x1f`, `1.5e-3`, `.5`, `1n`, `1_000`; Junk where a name follows without a space, as in "3px". */
function number(): u32 {
  const first = byteAt(at);
  const letter: u32 = at + 1 < end ? byteAt(at + 1) | 0x20 : 0;
  if (first == Char._0 && (letter == Char.x || letter == Char.b || letter == 0x6f)) {
    at += 2;
    while (at < end && hexValue(byteAt(at)) < 16) at++;
  } else {
    digits();
    if (at < end && byteAt(at) == Char.Dot) {
      at++;
      digits();
    }
    if (at + 1 < end && (byteAt(at) | 0x20) == Char.e) {
      const sign = byteAt(at + 1);
      const skip: usize = sign == Char.Plus || sign == Char.Dash ? 2 : 1;
      if (at + skip < end && isDigit(byteAt(at + skip))) {
        at += skip;
        digits();
      }
    }
  }
  if (at < end && byteAt(at) == Char.n) at++;
  if (at < end && isNamePart(byteAt(at))) {
    while (at < end && isNamePart(byteAt(at))) at++;
    want = Want.Operator;
    return Js.Junk;
  }
  return operand(Js.Number);
}

function digits(): void {
  while (at < end && (isDigit(byteAt(at)) || byteAt(at) == Char.Underscore)) at++;
}

/** '…' or "…". Its content may name what is reached: window['alert'](1), a='constructor'. */
function string(mark: u32): u32 {
  const open = at + 1;
  let from = open;
  while (from < end && byteAt(from) != mark && byteAt(from) != Char.LineFeed)
    from += byteAt(from) == Char.Backslash ? 2 : 1;
  if (from >= end || byteAt(from) != mark) {
    const cut = from >= end;
    at = min(from, end);
    want = Want.Operator;
    return cut && mark == quote ? Js.Tail : Js.Junk;
  }
  at = from + 1;
  const named = keyword(XSS_KEYWORDS, open, from);
  const bracketed = previous == Js.Index || previous == Js.ArrayOpen;
  if (named == Js.Constructor || (bracketed && (named == Js.Popup || named == Js.Sink))) return operand(named);
  return operand(isPayload(open, from) ? Js.Payload : Js.String);
}

/** Whether a literal's content calls what a proof of concept calls, is a script URL, or names the element. */
function isPayload(from: usize, to: usize): bool {
  if (textIsNoCase(from, to, "script") || textStartsNoCase(from, to, "javascript:")) return true;
  for (let place = from; place + 1 < to; place++) {
    // alert( or alert\x28
    const byte = byteAt(place);
    if (byte != Char.ParenOpen && byte != Char.Backslash) continue;
    let word = place;
    while (word > from && place - word < 8 && isLetter(byteAt(word - 1))) word--;
    if (keyword(XSS_KEYWORDS, word, place) == Js.Popup) return true;
  }
  return false;
}

/** `…`, called where it stands behind an operand. Holes are not looked into: the caller does, from outside. */
function template(): u32 {
  let from = at + 1;
  while (from < end && byteAt(from) != Char.Backtick) from += byteAt(from) == Char.Backslash ? 2 : 1;
  const tagged = want == Want.Operator;
  const cut = from >= end;
  at = cut ? end : from + 1;
  want = Want.Operator;
  if (cut && quote == Char.Backtick) return Js.Tail;
  return tagged ? Js.Tagged : Js.Template;
}

/** A name or a keyword. */
function name(): u32 {
  let out = NAME;
  const from = at;
  while (at < end) {
    let byte = byteAt(at);
    let size: usize = 1;
    if (byte == Char.Backslash) {
      byte = escaped();
      if (byte == 0) break;
      size = escapeSize;
    } else if (!isNamePart(byte) || isLineEnd(at)) break;
    if (out < NAME + NAME_CAPACITY) out = putByte(out, byte);
    at += size;
  }
  if (at == from) return mark(1, Js.Junk, Want.Operand); // a backslash that begins no escape
  let kind = out < NAME + NAME_CAPACITY ? keyword(XSS_KEYWORDS, NAME, out) : 0;
  // `Function` makes code of text; `function` does not.
  if (kind == Js.Function && byteAt(NAME) == Char.F) kind = Js.Sink;
  if (kind == 0) kind = Js.Name;
  if (previous == Js.Dot) {
    want = Want.Operator;
    return isReserved(kind) ? Js.Name : kind;
  }
  switch (kind) {
    case Js.In:
      if (want == Want.Operand) return operand(Js.Name);
      want = Want.Operand;
      return kind;
    case Js.Unary:
    case Js.Declare:
    case Js.Control:
    case Js.Function:
      if (want == Want.Operator) return Js.Junk;
      headed = headed || kind == Js.Function;
      want = Want.Operand;
      return kind;
    default:
      return operand(kind);
  }
}

/** Whether a keyword of this kind is a plain name behind a dot: `promise.catch`, `map.delete`. */
function isReserved(kind: u32): bool {
  return (
    kind == Js.Unary ||
    kind == Js.Declare ||
    kind == Js.Control ||
    kind == Js.Function ||
    kind == Js.In ||
    kind == Js.Import
  );
}

/** Bytes of the escape that `escaped` read. */
let escapeSize: usize = 0;

/** The character of \u0061 or \u{61} at the cursor (any beyond ASCII as 0x80), or 0. */
function escaped(): u32 {
  let from = at + 1;
  if (from >= end || byteAt(from) != Char.u) return 0;
  from++;
  const braced = from < end && byteAt(from) == Char.BraceOpen;
  if (braced) from++;
  let value: u32 = 0;
  const first = from;
  const last = min(end, first + (braced ? 16 : 4));
  while (from < last && hexValue(byteAt(from)) < 16) value = (value << 4) | hexValue(byteAt(from++));
  if (braced ? from == first || from >= end || byteAt(from) != Char.BraceClose : from - first != 4) return 0;
  escapeSize = from + (braced ? 1 : 0) - at;
  if (value >= 0x80) return 0x80;
  return isNamePart(value) ? value : 0;
}

/** Passes white space and block comments; whether a line ended. */
function skipSpace(): bool {
  let newline = previous == Js.End;
  while (at < end) {
    const byte = byteAt(at);
    if (isLineEnd(at)) {
      newline = true;
      at += byte == Line.Lead ? 3 : 1;
    } else if (byte <= <u32>Char.Space) {
      at++;
    } else if (byte == 0xc2 && at + 1 < end && byteAt(at + 1) == 0xa0) {
      at += 2;
    } else if (byte == 0xef && at + 2 < end && byteAt(at + 1) == 0xbb && byteAt(at + 2) == 0xbf) {
      at += 3;
    } else if (byte == Char.Slash && at + 1 < end && byteAt(at + 1) == Char.Star) {
      let from = findByte(at + 2, end, Char.Star);
      while (from + 1 < end && byteAt(from + 1) != Char.Slash) from = findByte(from + 1, end, Char.Star);
      at = min(from + 2, end);
    } else break;
  }
  return newline && previous != Js.End;
}

/** LF, CR, U+2028 or U+2029 at `place`. */
function isLineEnd(place: usize): bool {
  const byte = byteAt(place);
  if (byte == Char.LineFeed || byte == Char.CarriageReturn) return true;
  return (
    byte == Line.Lead &&
    place + 2 < end &&
    byteAt(place + 1) == Line.Middle &&
    (byteAt(place + 2) & 0xfe) == Line.Separator
  );
}

/** Whether a byte may begin an operand or a statement, and nothing that continues a line before. */
function startsOperand(byte: u32): bool {
  return (
    isNamePart(byte) ||
    byte == Char.Quote ||
    byte == Char.DoubleQuote ||
    byte == Char.Backslash ||
    byte == Char.BraceOpen
  );
}

/** A letter, digit, `_`, `$` or a byte beyond ASCII. */
// @ts-ignore: decorator
@inline
function isNamePart(byte: u32): bool {
  return isLetter(byte) || isDigit(byte) || byte == Char.Underscore || byte == Char.Dollar || byte >= 0x80;
}
