// Whether a value can hold a command at all: a look at it before a shell's tokenizer reads it. What every pattern of rules/cmdi.yaml
// needs is one of
//
//   $x  `…`  \  ^  {…}            a way to hide words: these are always read
//   cat   ;cat   &a=1 cat         a word of the table where a command may stand: at the beginning, behind ; | & and line ends
//   ;/x/y                         a path where a command may stand
//   system(                       a function of the table
//   --exec=  -o Name=             an option of the table
//   -e sh 192.0.2.7               an option at the beginning, and more
//   <(  <!  > /dev/…              a substitution, an include, a socket
//
// May say maybe too often, never a false no (tests/detect/gates.test.ts). One vector pass over marks, a look-up for most of them, and
// one step per byte of the words behind them; no memory.

import { byteAt, findByte, isDigit, isLetter, isSpace, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { findInSet } from "../core/scan";
import { COMMAND_MARKS, Kind } from "../generated/kinds";
import { CMDI_KEYWORDS, Shell } from "../generated/cmdi";
import { keyword } from "../match/keywords";
import { isAssignment } from "../tokenize/shell";

/** Kinds of byte that can hide a command in more ways than are looked for here. */
const HIDES: u32 = Kind.Backtick | Kind.Backslash | Kind.CaretTilde | Kind.Brace;
/** Bytes of a word that the tokenizer keeps: of a longer one it sees the head only. */
const LONGEST_WORD: usize = 250;
/** Bytes of a function's name that the tokenizer looks at. */
const LONGEST_CALL: usize = 30;
/** Bytes of the shortest option that is looked for. */
const SHORTEST_FLAG: usize = 6;

/** Whether `start..end`, trimmed, must be read. */
export function mayRun(start: usize, end: usize, kinds: u32): bool {
  if ((kinds & HIDES) != 0) return true;
  if ((kinds & Kind.Dollar) != 0 && hasVariable(start, end, kinds)) return true;
  if ((kinds & Kind.Dash) != 0 && (hasFlag(start, end) || hasOption(start, end, kinds))) return true;
  if ((kinds & (Kind.Angle | Kind.Slash)) == (Kind.Angle | Kind.Slash) && hasDevice(start, end)) return true;
  if (mayCommand(start, start, end)) return true;
  for (let at = start; (at = findInSet(at, end, COMMAND_MARKS)) < end; at++) if (mayLead(start, at, end)) return true;
  return false;
}

/** Whether a command, a call or an include can stand at the mark at `mark`. */
function mayLead(start: usize, mark: usize, end: usize): bool {
  const byte = byteAt(mark);
  if (byte == Char.ParenOpen) return mayCall(start, mark);
  if (byte != Char.Less) return mayCommand(start, mark + 1, end);
  return mark + 1 < end && byteAt(mark + 1) == Char.Bang;
}

/** Whether the word at `at`, behind a separator or at `start`, can be a command or a path. */
function mayCommand(start: usize, at: usize, end: usize): bool {
  while (at < end) {
    // What may stand before a command: blanks, brackets, "!", "<", ">", and "$1", which is empty.
    while (at < end) {
      const byte = byteAt(at);
      // Behind a line end stands another word, which is looked at by itself: each byte is passed once.
      if (byte == Char.LineFeed || byte == Char.CarriageReturn) return false;
      if (byte == Char.Dollar && at + 1 < end && isDigit(byteAt(at + 1)) && byteAt(at + 1) != Char._0) at++;
      else if (byte > <u32>Char.Space && byte != Char.ParenOpen && byte != Char.Bang && (byte | 2) != Char.Greater)
        break;
      at++;
    }
    const from = at;
    let slash = false;
    let dot = false;
    let wild = false;
    let blank = false;
    let quoted = false;
    let marked = false;
    while (at < end) {
      const byte = byteAt(at);
      if (byte == Char.Quote || byte == Char.DoubleQuote) {
        const close = findByte(at + 1, end, byte);
        if (close == end) break;
        quoted = true;
        for (let inside = at + 1; inside < close; inside++) {
          if (isSpace(byteAt(inside))) blank = true;
          else if (byteAt(inside) == Char.Slash || byteAt(inside) == Char.Equals) marked = true;
        }
        at = close;
      } else if (byte == Char.Slash) slash = true;
      else if (byte == Char.Dot) dot = true;
      else if (byte == Char.Star || byte == Char.Question || byte == Char.BracketOpen) wild = true;
      else if (byte == Char.Dollar) return true;
      else if (endsWord(byte)) break;
      at++;
    }
    const assigned = isAssignment(from, at);
    // "We've read it. It's": with a space in it it is no command, without a "/" no path that ends in one, and without a "=" it is not
    // passed over as an assignment is.
    if (quoted) return slash || marked || assigned || !blank;
    if (at - from > LONGEST_WORD || isCommand(from, at)) return true;
    // ". /x/y" reads commands from a file.
    if (dot && at - from == 1 && at < end && isSpace(byteAt(at))) return true;
    // "/???/c?t"
    if (wild && byteAt(from) == Char.Slash) return true;
    // Behind a separator a path is enough; "a=/x" is none.
    if (from > start && at > from && (!assigned || byteAt(from - 1) == Char.Ampersand)) {
      if (isPathStart(from) || (slash && (dot || wild || byteAt(from) == Char.e))) return true;
    }
    // An open quote is passed alone; behind an assignment a command goes on.
    if (at == end) return false;
    const next = byteAt(at);
    if (next == Char.Quote || next == Char.DoubleQuote) {
      if (at > from && !assigned) return false;
      at++;
    } else if (!assigned || (!isSpace(next) && next != Char.ParenOpen)) return false;
  }
  return false;
}

/** Whether the last name of the word `from..to` is one of a command, or of what stands before one. */
function isCommand(from: usize, to: usize): bool {
  let base = to;
  while (base > from && byteAt(base - 1) != Char.Slash) base--;
  if (leads(keyword(CMDI_KEYWORDS, base, to))) return true;
  return to - base > 4 && byteAt(to - 4) == Char.Dot && leads(keyword(CMDI_KEYWORDS, base, to - 4));
}

/** Whether a word of this kind runs something: a prefix, a command, or `for`. */
// @ts-ignore: decorator
@inline
function leads(kind: u32): bool {
  return kind - Shell.Prefix <= <u32>(Shell.Hidden - Shell.Prefix);
}

/** Whether a word begins as a path does: `/` `.` `*` `~`, a drive or `%SystemRoot%`. */
function isPathStart(from: usize): bool {
  const byte = byteAt(from);
  if (byte == Char.Slash || byte == Char.Dot || byte == Char.Star || byte == Char.Percent) return true;
  return byte == Char.Tilde || (isLetter(byte) && byteAt(from + 1) == Char.Colon);
}

/** Whether a shell's word ends before `byte`. */
// @ts-ignore: decorator
@inline
function endsWord(byte: u32): bool {
  return (
    isSpace(byte) ||
    byte == Char.Semicolon ||
    byte == Char.Pipe ||
    byte == Char.Ampersand ||
    byte == Char.ParenOpen ||
    byte == Char.ParenClose ||
    byte == Char.Less ||
    byte == Char.Greater
  );
}

/** Whether the name before "(" at `paren` is one of the table. */
function mayCall(start: usize, paren: usize): bool {
  // "<(", ">("
  if (paren > start && (byteAt(paren - 1) == Char.Less || byteAt(paren - 1) == Char.Greater)) return true;
  // &('x'), .("x")
  const next = byteAt(paren + 1);
  if (paren > start && (next == Char.Quote || next == Char.DoubleQuote)) {
    if (byteAt(paren - 1) == Char.Ampersand || byteAt(paren - 1) == Char.Dot) return true;
  }
  let name = paren;
  while (name > start && paren - name < LONGEST_CALL && (isWord(byteAt(name - 1)) || byteAt(name - 1) == Char.Dot)) {
    name--;
  }
  if (name > start && (byteAt(name - 1) == Char.Quote || byteAt(name - 1) == Char.DoubleQuote)) {
    // sys'tem(
    if (name == paren) return true;
    const before: u32 = name - 1 > start ? byteAt(name - 2) : Char.Space;
    if (before > <u32>Char.Space && before != Char.ParenOpen && before != Char.Comma && before != Char.Equals)
      return true;
  }
  if (name == paren) return false;
  if (keyword(CMDI_KEYWORDS, name, paren + 1) != 0) return true;
  if (byteAt(name) == Char.Dot) return keyword(CMDI_KEYWORDS, name + 1, paren + 1) != 0;
  if (!isDigit(byteAt(name))) return false;
  // "2>&1system("
  while (isDigit(byteAt(name))) name++;
  return keyword(CMDI_KEYWORDS, name, paren + 1) != 0;
}

/** Whether a "$" is more than that of a price: before a letter or a mark, or where variables are set. */
function hasVariable(start: usize, end: usize, kinds: u32): bool {
  if ((kinds & (Kind.Semicolon | Kind.Equals)) == (Kind.Semicolon | Kind.Equals)) return true;
  for (let at = start; (at = findByte(at, end, Char.Dollar)) < end; at++) {
    if (at + 1 < end && !isSpace(byteAt(at + 1)) && (!isDigit(byteAt(at + 1)) || byteAt(at + 1) == Char._0))
      return true;
  }
  return false;
}

/** Whether the value begins with an option and has more (`-e sh 192.0.2.7`), or sets one that the table has (`-o Name=x`). */
function hasOption(start: usize, end: usize, kinds: u32): bool {
  if ((kinds & (Kind.Space | Kind.Control)) == 0) return false;
  if (byteAt(start) == Char.Dash) return true;
  if ((kinds & Kind.Equals) == 0) return false;
  for (let at = start; (at = findByte(at, end, Char.Equals)) < end; at++) {
    let name = at;
    while (name > start && at - name < LONGEST_CALL && (isWord(byteAt(name - 1)) || byteAt(name - 1) == Char.Dot)) {
      name--;
    }
    if (keyword(CMDI_KEYWORDS, name, at + 1) == Shell.RiskyFlag) return true;
    if (name == start) continue;
    const before = byteAt(name - 1);
    if (before == Char.Quote || before == Char.DoubleQuote || before == Char.Dollar) return true;
  }
  return false;
}

/** Whether an option of the table stands at the beginning of a word. */
function hasFlag(start: usize, end: usize): bool {
  for (let at = start; (at = findByte(at, end, Char.Dash)) < end; at++) {
    if (at > start && (isWord(byteAt(at - 1)) || byteAt(at - 1) == Char.Dash)) continue;
    let to = at + 1;
    while (to < end && (isWord(byteAt(to)) || byteAt(to) == Char.Dash)) to++;
    if (to < end && (byteAt(to) == Char.Quote || byteAt(to) == Char.DoubleQuote)) return true;
    if (to < end && byteAt(to) == Char.Equals) to++;
    if (to - at >= SHORTEST_FLAG && keyword(CMDI_KEYWORDS, at, to) == Shell.RiskyFlag) return true;
    at = to - 1;
  }
  return false;
}

/** Whether "/dev" stands somewhere, perhaps with quotation marks in it. */
function hasDevice(start: usize, end: usize): bool {
  for (let at = start; (at = findByte(at, end, Char.Slash)) < end; at++) {
    if (at + 3 < end && mayBe(at + 1, 0x64) && mayBe(at + 2, Char.e) && mayBe(at + 3, Char.v)) return true;
  }
  return false;
}

/** Whether a letter or a quotation mark stands at `at`. */
// @ts-ignore: decorator
@inline
function mayBe(at: usize, letter: u32): bool {
  const byte = byteAt(at);
  return (byte | 0x20) == letter || byte == Char.Quote || byte == Char.DoubleQuote;
}
