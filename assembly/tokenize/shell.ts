// Reads a value as a shell would, sh, cmd.exe and PowerShell at once, and yields tokens: separators, substitutions, command words
// by what they do, arguments by what they look like. Words are unquoted first, so that c''at, c\at, $'\x63at', cat${IFS}x, w^ho
// and {cat,x} are the words they run as; a command word that had to be unquoted is preceded by Disguise.
//
//   line    = command *(separator command)          separator = ";" | "|" | "||" | "&" | "&&" | newline
//   command = *prefix word *(argument | redirect)   nested    = "$(" line ")" | "`" line "`" | sh -c 'line' | system("line")
//
// A value may land bare, inside '…' or inside "…": the caller reads it once for each; in quotes the reading starts behind the
// first quote that ends them. One step per byte (a missing closing quote is searched once), at most DEPTH_CAPACITY open
// nestings and WORD_CAPACITY bytes of a word; deeper ones are read flat, longer words by their head.

import { Char } from "../core/char";
import {
  byteAt,
  findByte,
  hexValue,
  isDigit,
  isLetter,
  isSpace,
  isWord,
  lowerCase,
  putByte,
  putBytes,
  skipSpaces,
} from "../core/bytes";
import { mayHoldScript } from "../core/field";
import { CMDI_KEYWORDS, Shell } from "../generated/cmdi";
import { Rule } from "../generated/rules";
import { keyword } from "../match/keywords";
import { matchPath, tokenizePath } from "./path";

const LETTER_I: u32 = 0x69;

/** Where a value lands in the command line it becomes part of. */
export const enum Quoting {
  Bare = 0,
  Single = 1,
  Double = 2,
}

/** Owned by this file: the word being read, unquoted; one byte more for "(". */
const WORD_CAPACITY: usize = 256;
const WORD: usize = memory.data(264);
/** Owned by this file: the byte that closes each open nesting. */
const DEPTH_CAPACITY: u32 = 16;
const CLOSERS: usize = memory.data(16);

/** Where the last token stands in the value. */
export let shellStart: usize = 0;
export let shellEnd: usize = 0;

let at: usize = 0;
let end: usize = 0;
let depth: u32 = 0;
/** The next word is a command. */
let inCommand: bool = false;
/** A prefix (`sudo`) stands before it: flags and numbers may follow first. */
let afterPrefix: bool = false;
/** The next quoted text is a command line of its own. */
let opener: bool = false;
/** The last command takes a verb (`net user`). */
let afterAdmin: bool = false;
let afterRunner: bool = false;
/** Inside {a,b}: commas part words. */
let inBraces: bool = false;
let pending: Shell = Shell.End;
let lastToken: Shell = Shell.End;
/** The first token, and how many there were. */
let firstToken: Shell = Shell.End;
let tokens: u32 = 0;
/** Where the value begins. */
let begin: usize = 0;
let finished: bool = false;
/** No more of this quote up to the end. */
let noSingle: bool = false;
let noDouble: bool = false;

// What the word being read showed.
let out: usize = 0;
let disguised: bool = false;
let quoted: bool = false;
let plain: bool = false;
let glob: bool = false;
let variable: bool = false;
let hidden: bool = false;
let windows: bool = false;

/** Begins to read `from..to` as it lands in `quoting`. */
export function openShell(from: usize, to: usize, quoting: Quoting): void {
  at = from;
  begin = from;
  end = to;
  depth = 0;
  inCommand = true;
  afterPrefix = false;
  opener = false;
  afterAdmin = false;
  afterRunner = false;
  inBraces = false;
  finished = false;
  noSingle = false;
  noDouble = false;
  pending = Shell.End;
  lastToken = Shell.End;
  tokens = 0;
  if (quoting == Quoting.Bare) return;
  const quote: u32 = quoting == Quoting.Single ? Char.Quote : Char.DoubleQuote;
  at = findByte(at, end, quote);
  while (quoting == Quoting.Double && at > from && at < end && byteAt(at - 1) == Char.Backslash)
    at = findByte(at + 1, end, quote);
  shellStart = from;
  shellEnd = at;
  inCommand = false;
  if (at == end) {
    finished = true;
    return;
  }
  pending = at > from ? Shell.String : Shell.Quote;
}

/** The next token; Finish comes once before End. Its bytes are `shellStart..shellEnd`. */
export function nextShell(): Shell {
  if (pending != Shell.End) {
    const token = pending;
    pending = Shell.End;
    // The quote behind the text that filled the quotes the value landed in.
    if (token == Shell.String) pending = Shell.Quote;
    else if (token == Shell.Quote) at++;
    return token;
  }
  const token = read();
  shellEnd = at;
  lastToken = token;
  if (tokens++ == 0) firstToken = token;
  return token;
}

// @ts-ignore: decorator
@inline
function peek(distance: usize): u32 {
  return at + distance < end ? byteAt(at + distance) : 0;
}

/**
 * Whether words follow the text between backticks at `at`, parted from it and from each other by one space each. Where no documents are
 * sent words are padding, unless what stands between the backticks is a name alone.
 */
function goesOnAsText(): bool {
  let next = at + 1;
  while (next < end && isLetter(byteAt(next))) next++;
  if (next == end || (byteAt(next) != Char.Backtick && !mayHoldScript())) return false;
  next = findByte(next, end, Char.Backtick) + 1;
  for (let words = 0; words < 2; words++) {
    if (next + 1 >= end || byteAt(next) != Char.Space || !isLetter(byteAt(next + 1))) return false;
    next++;
    while (next < end && isLetter(byteAt(next))) next++;
  }
  return true;
}

// @ts-ignore: decorator
@inline
function closer(): u32 {
  return depth == 0 ? 0 : byteAt(CLOSERS + depth - 1);
}

/** Opens a nesting that `byte` closes; the next word is a command. */
function push(byte: u32): void {
  if (depth < DEPTH_CAPACITY) putByte(CLOSERS + depth++, byte);
  startCommand();
}

function startCommand(): void {
  inCommand = true;
  afterPrefix = false;
  afterAdmin = false;
  afterRunner = false;
  opener = false;
}

function closeNesting(): Shell {
  at++;
  depth--;
  inBraces = false;
  inCommand = false;
  return Shell.Close;
}

function read(): Shell {
  while (true) {
    while (at < end && (byteAt(at) == Char.Space || byteAt(at) == Char.Tab || (inBraces && byteAt(at) == Char.Comma)))
      at++;
    if (at >= end) {
      if (finished) return Shell.End;
      finished = true;
      return Shell.Finish;
    }
    shellStart = at;
    const byte = byteAt(at);
    if (isLetter(byte) || isDigit(byte)) return readWord();
    if (byte == closer() && byte != 0) return closeNesting();
    switch (byte) {
      case Char.LineFeed:
      case Char.CarriageReturn:
        at = skipSpaces(at, end);
        startCommand();
        return Shell.Newline;
      case Char.Semicolon:
        while (at < end && byteAt(at) == Char.Semicolon) at++;
        startCommand();
        return Shell.Semicolon;
      case Char.Pipe:
        startCommand();
        if (peek(1) == Char.Pipe) {
          at += 2;
          return Shell.Or;
        }
        at += peek(1) == Char.Ampersand ? 2 : 1;
        return Shell.Pipe;
      case Char.Ampersand:
        if (peek(1) == Char.Greater) {
          at += 2;
          return Shell.Redirect;
        }
        if (entityEnd() != 0) return readWord();
        if (callsString()) return Shell.Hidden;
        startCommand();
        if (peek(1) == Char.Ampersand) {
          at += 2;
          return Shell.And;
        }
        at++;
        return Shell.Amp;
      case Char.Hash:
        while (at < end && byteAt(at) != Char.LineFeed) at++;
        return Shell.Comment;
      case Char.ParenOpen:
        if (functionBody()) {
          startCommand();
          return Shell.Function;
        }
        at++;
        return Shell.Paren;
      case Char.ParenClose:
        at++;
        inCommand = false;
        return Shell.Paren;
      case Char.Backtick:
        if (peek(1) == Char.Backtick) {
          at += 2;
          continue;
        }
        // The mark that ends what the value landed in.
        if (at + 1 == end) {
          at++;
          return Shell.Quote;
        }
        // "use `ls`", "`ls` lists files": Markdown, where "x`ls`" and "10.0.0.1 `ls`" are not.
        const code = (lastToken == Shell.Word && at > shellEnd) || (at == begin && goesOnAsText());
        at++;
        push(Char.Backtick);
        return code ? Shell.Code : Shell.Tick;
      case Char.Dollar:
        if (peek(1) == Char.ParenOpen) {
          if (peek(2) == Char.ParenOpen) {
            at += 3;
            inCommand = false;
            return Shell.Variable;
          }
          if (peek(2) == Char.ParenClose) {
            at += 3;
            continue;
          }
          at += 2;
          push(Char.ParenClose);
          return Shell.Open;
        }
        if (peek(1) == Char.BraceOpen && peek(2) == Char.Backtick) {
          at += 2;
          continue;
        }
        if (peek(1) == Char.BraceOpen && callsInBraces()) {
          at += peek(2) == Char.At ? 3 : 2;
          push(Char.BraceClose);
          return Shell.Open;
        }
        if (separatorVariable() != 0) {
          at = separatorVariable();
          while (at + 1 < end && byteAt(at) == Char.Dollar && (isDigit(byteAt(at + 1)) || byteAt(at + 1) == Char.At))
            at += 2;
          return Shell.Ifs;
        }
        return readWord();
      case Char.Less:
      case Char.Greater:
        return readRedirect();
      case Char.BraceOpen:
        if (inCommand && isBraceList()) {
          at++;
          push(Char.BraceClose);
          inBraces = true;
          return Shell.Brace;
        }
        if (inCommand && (peek(1) == Char.Space || peek(1) == Char.LineFeed)) {
          at++;
          continue;
        }
        return readWord();
      case Char.BraceClose:
        at++;
        return Shell.Paren;
      case Char.Quote:
      case Char.DoubleQuote:
        if (opener) {
          at++;
          push(byte);
          return Shell.Nested;
        }
        return readWord();
      case Char.Dot:
        if (callsString()) return Shell.Hidden;
        // ". ./x" and ". <(…)" run a file, as "source" does.
        if (inCommand && peek(1) == Char.Space && (peek(2) == Char.Slash || peek(2) == Char.Less)) {
          at++;
          inCommand = false;
          return Shell.Runner;
        }
        return readWord();
      case Char.Bang:
        if (inCommand && peek(1) == Char.Space) {
          at++;
          continue;
        }
        return readWord();
      default:
        if (byte < <u32>Char.Space) {
          at++;
          continue;
        }
        return readWord();
    }
  }
}

/** Reads a redirection, a process substitution or the head of a server-side include. */
function readRedirect(): Shell {
  if (peek(1) == Char.ParenOpen) {
    at += 2;
    push(Char.ParenClose);
    return Shell.Open;
  }
  // "<!--#exec cmd="
  if (
    peek(1) == Char.Bang &&
    peek(4) == Char.Hash &&
    end - at >= 9 &&
    keyword(CMDI_KEYWORDS, at + 4, at + 9) == Shell.Call
  ) {
    at += 9;
    opener = true;
    inCommand = false;
    return Shell.Call;
  }
  while (at < end && (byteAt(at) == Char.Less || byteAt(at) == Char.Greater)) at++;
  if (at < end && (byteAt(at) == Char.Ampersand || byteAt(at) == Char.Pipe)) {
    at++;
    while (at < end && (isDigit(byteAt(at)) || byteAt(at) == Char.Dash)) at++;
  }
  inCommand = false;
  return Shell.Redirect;
}

/** Passes PowerShell's `&(` and `.(` where a string follows, which is the command's name. */
function callsString(): bool {
  if (!inCommand || tokens == 0 || peek(1) != Char.ParenOpen) return false;
  if (peek(2) != Char.Quote && peek(2) != Char.DoubleQuote) return false;
  at += 2;
  inCommand = false;
  return true;
}

/** Passes "() {" at the cursor. */
function functionBody(): bool {
  let ahead = at + 1;
  while (ahead < end && byteAt(ahead) == Char.Space) ahead++;
  if (ahead >= end || byteAt(ahead) != Char.ParenClose) return false;
  ahead++;
  while (ahead < end && byteAt(ahead) == Char.Space) ahead++;
  if (ahead >= end || byteAt(ahead) != Char.BraceOpen) return false;
  at = ahead + 1;
  return true;
}

/** Whether "${" at the cursor goes on with a call, as PHP evaluates in double quotes. */
function callsInBraces(): bool {
  let ahead = at + 2;
  if (ahead < end && byteAt(ahead) == Char.At) ahead++;
  const from = ahead;
  while (ahead < end && isWord(byteAt(ahead))) ahead++;
  return ahead > from && ahead < end && byteAt(ahead) == Char.ParenOpen;
}

/** Whether "{" at the cursor opens a list of words without blanks. */
function isBraceList(): bool {
  let ahead = at + 1;
  let comma = false;
  if (ahead >= end || !(isLetter(byteAt(ahead)) || byteAt(ahead) == Char.Slash)) return false;
  while (ahead < end && ahead - at < WORD_CAPACITY) {
    const byte = byteAt(ahead++);
    if (byte == Char.BraceClose) return comma;
    if (byte == Char.Comma) comma = true;
    else if (isSpace(byte) || byte == Char.Colon || byte == Char.BraceOpen) return false;
  }
  return false;
}

/** The end of "$IFS" or "${IFS…}" at the cursor, or 0. */
function separatorVariable(): usize {
  if (end - at < 4) return 0;
  const braces: usize = byteAt(at + 1) == Char.BraceOpen ? 1 : 0;
  if (end - at < 4 + braces) return 0;
  if (keyword(CMDI_KEYWORDS, at + 1 + braces, at + 4 + braces) != Shell.Ifs) return 0;
  if (braces == 0) return at + 4;
  const close = findByte(at, min(end, at + WORD_CAPACITY), Char.BraceClose);
  return close < end && byteAt(close) == Char.BraceClose ? close + 1 : 0;
}

/** The end of an HTML entity at the cursor, or 0. "&id;" is none: it is a command between two separators. */
function entityEnd(): usize {
  let ahead = at + 1;
  if (ahead < end && byteAt(ahead) == Char.Hash) ahead++;
  const from = ahead;
  while (ahead < end && ahead - from < 31 && (isLetter(byteAt(ahead)) || isDigit(byteAt(ahead)))) ahead++;
  if (ahead == from || ahead >= end || byteAt(ahead) != Char.Semicolon) return 0;
  return isCommand(keyword(CMDI_KEYWORDS, from, ahead)) ? 0 : ahead + 1;
}

/** Whether "&" at the cursor parts two parameters of a URL: "?a=1&b=2". */
function partsParameters(from: usize): bool {
  let ahead = at + 1;
  while (
    ahead < end &&
    (isWord(byteAt(ahead)) ||
      byteAt(ahead) == Char.Dash ||
      byteAt(ahead) == Char.Dot ||
      byteAt(ahead) == Char.BracketOpen ||
      byteAt(ahead) == Char.BracketClose ||
      byteAt(ahead) == Char.Percent)
  )
    ahead++;
  return ahead > at + 1 && ahead < end && byteAt(ahead) == Char.Equals && at > from;
}

// @ts-ignore: decorator
@inline
function put(byte: u32): void {
  if (out < WORD + WORD_CAPACITY) out = putByte(out, byte);
}

/** Whether the `?` at work begins the query of an address, "?name=", and is no wildcard. */
function opensQuery(): bool {
  let name = at + 1;
  while (name < end && isWord(byteAt(name))) name++;
  return name > at + 1 && name < end && byteAt(name) == Char.Equals;
}

/** Reads a word to its end, unquoted into WORD, and says what it is. */
function readWord(): Shell {
  const from = at;
  out = WORD;
  disguised = false;
  quoted = false;
  plain = false;
  glob = false;
  variable = false;
  hidden = false;
  windows = startsWindows();
  while (at < end) {
    const byte = byteAt(at);
    if (isLetter(byte) || isDigit(byte)) {
      put(byte);
      plain = true;
      at++;
      continue;
    }
    if (byte == closer() && depth != 0) break;
    if (
      isSpace(byte) ||
      byte == Char.Semicolon ||
      byte == Char.Pipe ||
      byte == Char.ParenOpen ||
      byte == Char.ParenClose ||
      byte == Char.Less ||
      byte == Char.Greater
    ) {
      break;
    }
    if (inBraces && byte == Char.Comma) break;
    if (byte == Char.Ampersand) {
      const entity = entityEnd();
      if (entity != 0) {
        put(byte);
        at = entity;
      } else if (partsParameters(from)) {
        put(byte);
        at++;
      } else break;
    } else if (byte == Char.Backtick) {
      // who``ami; but ``id`` is quoted in prose.
      if (peek(1) != Char.Backtick || !isLetter(peek(2))) break;
      at += 2;
      if (plain) disguised = true;
    } else if (byte == Char.Quote || byte == Char.DoubleQuote) {
      if (opener && out > WORD && byteAt(out - 1) == Char.Equals) break;
      if (!readQuoted(byte)) {
        if (at > from) break;
        at++;
        return Shell.Quote;
      }
    } else if (byte == Char.Backslash) {
      if (windows || at + 1 >= end) {
        put(byte);
        at++;
      } else {
        const escaped = byteAt(at + 1);
        // "id\n" with the escape written out, as some clients send it.
        if (at + 2 >= end && (escaped == Char.n || escaped == Char.r || escaped == Char.t)) {
          at = end;
          break;
        }
        // One in front of the whole text is psql's or TeX's: `\\echo 'x'`.
        if (isLetter(escaped) && at != begin) disguised = true;
        put(escaped);
        at += 2;
      }
    } else if (byte == Char.Caret && isLetter(peek(1))) {
      disguised = true;
      at++;
    } else if (byte == Char.Dollar) {
      if (!readDollar()) break;
    } else if (byte == Char.Percent && readCut()) {
      hidden = true;
    } else {
      if (byte == Char.Star || byte == Char.BracketOpen || (byte == Char.Question && !opensQuery())) glob = true;
      put(byte);
      plain = true;
      at++;
    }
  }
  if (at == from) at++; // a byte that is no word: passed alone
  if (at < end && byteAt(at) == Char.ParenOpen) {
    const call = callKind();
    if (call != 0) {
      inCommand = false;
      opener = true;
      return call;
    }
  }
  return inCommand ? commandKind() : argumentKind();
}

/** Whether the word at the cursor begins as Windows paths do, so that backslashes are separators in it. */
function startsWindows(): bool {
  const byte = byteAt(at);
  if (peek(1) == Char.Colon && isLetter(byte) && (peek(2) == Char.Backslash || peek(2) == Char.Slash)) return true;
  if (byte == Char.Percent && isLetter(peek(1))) return true;
  if (byte == Char.Backslash) return peek(1) == Char.Backslash;
  if (byte == Char.Dot) return peek(1) == Char.Backslash || (peek(1) == Char.Dot && peek(2) == Char.Backslash);
  return false;
}

/** Reads '…' or "…" at the cursor into the word; false where it never closes. */
function readQuoted(quote: u32): bool {
  if (quote == Char.Quote ? noSingle : noDouble) return false;
  let close = findByte(at + 1, end, quote);
  while (quote == Char.DoubleQuote && close < end && byteAt(close - 1) == Char.Backslash)
    close = findByte(close + 1, end, quote);
  if (close >= end) {
    if (quote == Char.Quote) noSingle = true;
    else noDouble = true;
    return false;
  }
  // Glued to letters, or empty: c''at, c"a"t, 'c'at.
  if (plain || (close + 1 < end && (isLetter(byteAt(close + 1)) || byteAt(close + 1) == quote))) disguised = true;
  quoted = true;
  const room = WORD + WORD_CAPACITY - out;
  out = putBytes(out, at + 1, at + 1 + min(close - at - 1, room));
  at = close + 1;
  return true;
}

/** Reads "$…" at the cursor inside a word; false where the word ends before it. */
function readDollar(): bool {
  const next = peek(1);
  if (next == Char.Quote) {
    readAnsi();
    return true;
  }
  if (next == Char.ParenOpen) {
    if (peek(2) != Char.ParenClose) return false;
    at += 3;
    disguised = true;
    return true;
  }
  if (separatorVariable() != 0) return false;
  if (next == Char.BraceOpen) {
    if (callsInBraces()) return false;
    const close = findByte(at, min(end, at + 64), Char.BraceClose);
    if (close < end && byteAt(close) == Char.BraceClose) {
      // ${HOME:0:1} and ${PATH%%u*} are "/"; any other is taken as empty.
      const cut = findByte(at, close, Char.Colon);
      const tail = findByte(at, close, Char.Percent);
      if (close - at > 4 && (cut + 4 == close || (tail < close && byteAt(tail + 1) == Char.Percent))) put(Char.Slash);
      if (out > WORD) disguised = true;
      variable = true;
      at = close + 1;
      return true;
    }
  }
  if (isLetter(next) || next == Char.Underscore) {
    put(Char.Dollar);
    at++;
    while (at < end && isWord(byteAt(at))) put(byteAt(at++));
    variable = true;
    return true;
  }
  if (
    isDigit(next) ||
    next == Char.At ||
    next == Char.Star ||
    next == Char.Bang ||
    next == Char.Hash ||
    next == Char.Question
  ) {
    // $0 is the shell itself; the others are empty.
    if (next == Char._0 && out == WORD) {
      put(Char.Dollar);
      put(next);
    } else if (plain) disguised = true;
    variable = true;
    at += 2;
    return true;
  }
  put(Char.Dollar);
  plain = true;
  at++;
  return true;
}

/** Reads $'…' at the cursor, decoding \xHH, \NNN and \uHHHH. */
function readAnsi(): void {
  at += 2;
  while (at < end && byteAt(at) != Char.Quote) {
    let byte = byteAt(at++);
    if (byte == Char.Backslash && at < end) {
      const kind = byteAt(at++);
      byte = kind;
      if (kind == Char.x || kind == Char.u) {
        byte = 0;
        let digits = 0;
        for (; digits < (kind == Char.x ? 2 : 4) && at < end && hexValue(byteAt(at)) < 16; digits++) {
          byte = (byte << 4) | hexValue(byteAt(at++));
        }
      } else if (kind - Char._0 < 8) {
        byte = kind - Char._0;
        for (let digits = 0; digits < 2 && at < end && byteAt(at) - Char._0 < 8; digits++)
          byte = (byte << 3) | (byteAt(at++) - Char._0);
      }
      disguised = true;
      hidden = true;
    }
    put(byte & 0xff);
  }
  if (at < end) at++;
}

/** Passes "%NAME:~…%" or "%NAME:x=y%" at the cursor: letters cut out of a variable. */
function readCut(): bool {
  let ahead = at + 1;
  while (ahead < end && isWord(byteAt(ahead))) ahead++;
  if (ahead == at + 1 || ahead + 1 >= end || byteAt(ahead) != Char.Colon || byteAt(ahead + 1) != Char.Tilde)
    return false;
  const close = findByte(ahead, min(end, ahead + 16), Char.Percent);
  if (close >= end || byteAt(close) != Char.Percent) return false;
  at = close + 1;
  return true;
}

// @ts-ignore: decorator
@inline
function isCommand(kind: u32): bool {
  return kind - Shell.Probe <= <u32>(Shell.Cmdlet - Shell.Probe);
}

/** The kind of the function whose name ends the word before "(", or 0. */
function callKind(): u32 {
  let name = out;
  while (name > WORD && out - name < 30 && (isWord(byteAt(name - 1)) || byteAt(name - 1) == Char.Dot)) name--;
  putByte(out, Char.ParenOpen);
  let kind = keyword(CMDI_KEYWORDS, name, out + 1);
  if (kind == 0) {
    // A method of what a call gave: "__import__('os').system(". That of a name is another: "pattern.exec(".
    if (byteAt(name) == Char.Dot) kind = keyword(CMDI_KEYWORDS, name + 1, out + 1);
  }
  return kind == Shell.Call || kind == Shell.Info ? kind : 0;
}

/** The command that the word names by its last path segment, or 0. */
function commandOf(): u32 {
  let base = out;
  while (base > WORD && byteAt(base - 1) != Char.Slash && !(windows && byteAt(base - 1) == Char.Backslash)) base--;
  let last = out;
  if (
    last - base > 4 &&
    byteAt(last - 4) == Char.Dot &&
    lowerCase(byteAt(last - 3)) == Char.e &&
    lowerCase(byteAt(last - 1)) == Char.e
  )
    last -= 4;
  const kind = keyword(CMDI_KEYWORDS, base, last);
  if (!isCommand(kind) && kind != Shell.Prefix) return 0;
  // "Find out more": Unix commands are small letters; Windows takes any case, so capitals alone or a name that is no word.
  let capitals: usize = 0;
  let letters: usize = 0;
  for (let index = base; index < last; index++) {
    if (byteAt(index) == Char.Dash) return kind;
    if (!isLetter(byteAt(index))) continue;
    letters++;
    if (byteAt(index) <= <u32>Char.Z) capitals++;
  }
  if (capitals == 0 || (capitals == letters && letters > 1)) return kind;
  return kind == Shell.Probe || kind == Shell.Cmdlet || kind == Shell.Runner ? kind : 0;
}

/** Whether the value is a word with a capital, a separator and "id": a row of columns would have a capital there too. */
function endsInId(): bool {
  if (out - WORD != 2 || byteAt(WORD) != LETTER_I || at != end || tokens != 2 || firstToken != Shell.Word) return false;
  return (
    byteAt(begin) - Char.A < 26 && (lastToken == Shell.Semicolon || lastToken == Shell.And || lastToken == Shell.Pipe)
  );
}

/** Whether the word is a rooted path whose last folder is a "bin". */
function inProgramFolder(): bool {
  if (byteAt(WORD) != Char.Slash) return false;
  let base = out;
  while (byteAt(base - 1) != Char.Slash) base--;
  return base - WORD > 4 && byteAt(base - 2) == Char.n && byteAt(base - 3) == LETTER_I && byteAt(base - 4) == Char.b;
}

/** What a word in command position is. */
function commandKind(): Shell {
  if (out == WORD && !quoted) {
    inCommand = false;
    return hidden ? Shell.Hidden : variable ? Shell.Variable : Shell.Word;
  }
  const first = byteAt(WORD);
  if (afterPrefix) {
    if (isDigit(first) || (out - WORD > 1 && first == Char.Dash)) return Shell.PrefixOption;
    if (out - WORD == 2 && first == Char.Slash) return Shell.PrefixOption;
  }
  const kind = commandOf();
  if (kind != 0) {
    if (kind == Shell.Prefix) {
      if (standsAlone()) return Shell.List;
      afterPrefix = true;
      return Shell.Prefix;
    }
    if (kind == Shell.Runner && first == Char.e) {
      // eval: what follows is a command line, quoted or not
      afterPrefix = true;
      opener = true;
      return Shell.Runner;
    }
    inCommand = false;
    afterAdmin = kind == Shell.Admin;
    afterRunner = kind == Shell.Runner;
    // A program by its place is no column of a table: "; /usr/bin/id". Nor is "Oslo; id" one, as far as a value alone can tell.
    const listed = kind == Shell.Short || kind == Shell.List;
    const named: Shell = listed && (inProgramFolder() || endsInId()) ? Shell.Probe : <Shell>kind;
    if (!disguised && !hidden) return named;
    pending = named;
    return Shell.Disguise;
  }
  if (isAssignment(WORD, out)) return Shell.Assign;
  inCommand = false;
  if (readsOutput()) return Shell.Hidden;
  if (hidden || (glob && byteAt(WORD) == Char.Slash && hasLetterGlob())) return Shell.Hidden;
  const argument = argumentKind();
  return argument == Shell.Flag && first != Char.Dash ? Shell.Word : argument;
}

/** Whether the word is "env" with nothing behind it: it shows the environment. */
function standsAlone(): bool {
  if (out - WORD != 3 || byteAt(WORD) != Char.e) return false;
  let ahead = at;
  while (ahead < end && byteAt(ahead) == Char.Space) ahead++;
  return ahead == end || !(isWord(byteAt(ahead)) || byteAt(ahead) == Char.Slash || byteAt(ahead) == Char.Dash);
}

/** Whether the word and what follows is "for /f" of cmd.exe, or "for /l". */
function readsOutput(): bool {
  if (keyword(CMDI_KEYWORDS, WORD, out) != Shell.Hidden) return false;
  return peek(0) == Char.Space && peek(1) == Char.Slash && isLetter(peek(2)) && peek(3) == Char.Space;
}

/** Whether a rooted word of two names or more has a wildcard next to a letter or to another wildcard: "/???/c?t". */
function hasLetterGlob(): bool {
  let glued = false;
  let slashes = 0;
  for (let index = WORD; index < out; index++) {
    const byte = byteAt(index);
    if (byte == Char.Slash) slashes++;
    else if (isGlob(byte)) {
      const before = index > WORD ? byteAt(index - 1) : 0;
      const after = index + 1 < out ? byteAt(index + 1) : 0;
      glued = glued || isLetter(before) || isLetter(after) || isGlob(after);
    }
  }
  return glued && slashes >= 2 && byteAt(out - 1) != Char.Slash && byteAt(out - 1) != Char.Star;
}

// @ts-ignore: decorator
@inline
function isSlash(byte: u32): bool {
  return byte == Char.Slash || byte == Char.Backslash;
}

// @ts-ignore: decorator
@inline
function isGlob(byte: u32): bool {
  return byte == Char.Question || byte == Char.Star || byte == Char.BracketOpen;
}

/** Whether the word `from..to` sets a variable: NAME=value. */
export function isAssignment(from: usize, to: usize): bool {
  let at = from;
  while (at < to && isWord(byteAt(at))) at++;
  return at > from && at < to && byteAt(at) == Char.Equals && !isDigit(byteAt(from));
}

/** What a word in argument position looks like. */
function argumentKind(): Shell {
  const size = out - WORD;
  if (size == 0) return quoted ? Shell.String : variable ? Shell.Variable : Shell.Word;
  const first = byteAt(WORD);
  const second = size > 1 ? byteAt(WORD + 1) : 0;
  if (afterAdmin) {
    afterAdmin = false;
    const verb = keyword(CMDI_KEYWORDS, WORD, out);
    if (verb == Shell.Verb || isCommand(verb) || verb == Shell.Prefix) return Shell.Verb;
  }
  if (
    first == Char.Dash &&
    (isLetter(second) || isDigit(second) || (second == Char.Dash && size > 2 && isLetter(byteAt(WORD + 2))))
  ) {
    return flagKind();
  }
  if (size <= 2 && (first == Char.Slash || first == Char.Dot || first == Char.Star || first == Char.Tilde)) {
    if (size == 1 || second == Char.Dot) return Shell.Here;
    if (first == Char.Slash && isLetter(second)) return flagKind();
    return Shell.Here;
  }
  if (
    (first == Char.Slash && (isWord(second) || second == Char.Dot || second == Char.Slash || isGlob(second))) ||
    (first == Char.Tilde && second == Char.Slash) ||
    (first == Char.Dot && isSlash(byteAt(second == Char.Dot ? WORD + 2 : WORD + 1)))
  ) {
    return pathKind(Shell.Path);
  }
  if (windows && (first == Char.Percent || second == Char.Colon || first == Char.Backslash))
    return pathKind(Shell.Drive);
  let dots = 0;
  let slashes = 0;
  let digits: usize = 0;
  let scheme = false;
  for (let index = WORD; index < out; index++) {
    const byte = byteAt(index);
    if (byte == Char.Dot) dots++;
    else if (byte == Char.Slash) {
      slashes++;
      if (slashes == 2 && index >= WORD + 2 && byteAt(index - 1) == Char.Slash && byteAt(index - 2) == Char.Colon)
        scheme = true;
    } else if (isDigit(byte)) digits++;
  }
  if (scheme) return Shell.Url;
  if (slashes > 0 && (glob || dots > 0 || first == Char.e)) {
    const path = pathKind(Shell.Word);
    if (path == Shell.Secret) return path;
  }
  if (lastToken == Shell.Flag && isRiskySetting()) return Shell.RiskyFlag;
  if (variable) return Shell.Variable;
  if (quoted) return Shell.String;
  if (size == 1 && isLetter(first)) return Shell.Number; // "a;id": a stand-in for a value, no word
  if (isAssignment(WORD, out)) return Shell.Assign;
  if (digits == size || (digits == size - 1 && size > 1 && (isLetter(byteAt(out - 1)) || dots == 1)))
    return Shell.Number;
  const named = keyword(CMDI_KEYWORDS, WORD, out);
  if (named == Shell.Runner && first > <u32>Char.Z) return Shell.Program;
  if ((named == Shell.Cmdlet || named == Shell.Wait) && afterRunner) return Shell.Cmdlet;
  if (dots > 0 && byteAt(out - 1) != Char.Dot && first != Char.Dot)
    return slashes > 0 && !glob ? Shell.Url : Shell.Dotted;
  if (slashes > 0 && glob) return Shell.Path;
  return Shell.Word;
}

/** Whether the word, behind a flag, sets what makes its command run something: `-o Name=x`. */
function isRiskySetting(): bool {
  let name = WORD;
  while (name < out && byteAt(name) != Char.Equals) name++;
  return name < out && keyword(CMDI_KEYWORDS, WORD, name + 1) == Shell.RiskyFlag;
}

/** A flag, or one that makes its command run or write something. */
function flagKind(): Shell {
  let name = WORD;
  while (name < out && byteAt(name) != Char.Equals) name++;
  if (name < out) name++;
  if (keyword(CMDI_KEYWORDS, WORD, name) == Shell.RiskyFlag) return Shell.RiskyFlag;
  // sh -c, cmd /c, powershell -Command
  if (afterRunner && keyword(CMDI_KEYWORDS, WORD, out) == Shell.Flag) {
    inCommand = true;
    afterPrefix = true;
    opener = true;
  }
  return Shell.Flag;
}

/** `kind`, or what makes a path worth more than one: a system file, a socket, a shell. */
function pathKind(kind: Shell): Shell {
  if (out - WORD > 9 && keyword(CMDI_KEYWORDS, WORD, WORD + 9) == Shell.Device) {
    return Shell.Device;
  }
  if (commandOf() == Shell.Runner) return Shell.Program;
  tokenizePath(WORD, out);
  const rule = matchPath();
  if (
    rule != 0 &&
    rule != Rule.TraversalClimbShallow &&
    rule != Rule.TraversalClimb &&
    rule != Rule.TraversalClimbSource
  )
    return Shell.Secret;
  return glob && kind == Shell.Path && isSystemGlob() ? Shell.Secret : kind;
}

/** "/e*c/p?sswd": a wildcard in each of the first two names of a rooted path. */
function isSystemGlob(): bool {
  let marked = 0;
  let inName = false;
  for (let index = WORD; index < out; index++) {
    const byte = byteAt(index);
    if (byte == Char.Slash) inName = false;
    else if (!inName && isGlob(byte)) {
      inName = true;
      marked++;
    }
  }
  return marked >= 2;
}
