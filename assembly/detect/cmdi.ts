// Operating-system commands. The value is read as it would land bare, inside '…' and inside "…"; in each reading the tokens of
// tokenize/shell.ts run through the table of rules/cmdi.yaml, which asks for both parts of evidence: the value leaves its word,
// and a command follows with what only a command takes. Words of prose around a match lower it. At most three readings, one
// step per byte in each, no memory but the tokenizer's.

import { Char } from "../core/char";
import { byteAt, findByte, isDigit, isLetter, isSpace } from "../core/bytes";
import { mayHoldScript } from "../core/field";
import { Kind } from "../generated/kinds";
import { CMDI_KEYWORDS, CMDI_TABLE, Shell } from "../generated/cmdi";
import { Rule } from "../generated/rules";
import { dfaAccepts, dfaDead, dfaNext, dfaRule, dfaStart } from "../match/dfa";
import { keyword } from "../match/keywords";
import { ruleConfidence } from "../match/rules";
import { countWords } from "../core/scan";
import { textIsOneOf } from "../core/text";
import { nextShell, openShell, Quoting, shellEnd, shellStart } from "../tokenize/shell";
import { mayRun } from "./cmdi-gate";
import { found } from "./finding";
import { countWords as countProse } from "./prose";

/** Bytes without which nothing leaves a word, runs inside it, or calls a function. */
const BREAKS: u32 =
  Kind.Semicolon | Kind.Pipe | Kind.Ampersand | Kind.Backtick | Kind.Dollar | Kind.Control | Kind.Paren | Kind.Angle;

const BLANK: u32 = Kind.Space | Kind.Control;
/** Bytes that a command's name is hidden with. */
const VEILS: u32 = Kind.Backslash | Kind.CaretTilde | Kind.Brace | Kind.Quote | Kind.Percent;

/** Plain words from which on a text counts as prose, and what they take from a match. */
const FEW_WORDS: u32 = 5;
const SOME_WORDS: u32 = 9;
const MANY_WORDS: u32 = 18;
const MOST_WORDS: u32 = 45;

/** Lines from which on a value is a script or a log rather than a word of a command line, and what they take. */
const SOME_LINES: u32 = 4;
const MANY_LINES: u32 = 8;

/** What a separator is worth less in a command line that a person wrote. */
const OWN_LINE: u32 = 30;

/** Bytes and words from which on a value is an article. */
const ARTICLE: usize = 1024;
const ARTICLE_WORDS: u32 = MOST_WORDS * 4;

let best: u32 = 0;
let bestRule: u32 = 0;
let bestEnd: usize = 0;

/** Judges `start..end` and reports the surest finding of a command in it. */
export function detectCmdi(start: usize, end: usize, kinds: u32): void {
  while (start < end && byteAt(start) == Char.Space) start++;
  while (start < end && byteAt(end - 1) <= <u32>Char.Space) end--;
  if (isArticle(start, end, kinds)) return;
  if (holdsBreak(start, end, kinds) && mayRun(start, end, kinds)) judgeCommands(start, end, kinds);
}

/** Whether a value has so many words that they take from any match what would make it count: articles, mails, books. */
function isArticle(start: usize, end: usize, kinds: u32): bool {
  if (end - start < ARTICLE || (kinds & Kind.Space) == 0) return false;
  return countWords(start + 1, end, ARTICLE_WORDS) >= ARTICLE_WORDS;
}

/** Whether `start..end` leaves a word, or begins as a command line does. */
export function holdsBreak(start: usize, end: usize, kinds: u32): bool {
  return (kinds & BREAKS) != 0 || beginsCommand(start, end, kinds);
}

/** Reads `start..end`, without white space around it, as it may land, and reports the surest finding. */
export function judgeCommands(start: usize, end: usize, kinds: u32): void {
  best = 0;
  read(start, end, Quoting.Bare);
  if (kinds & Kind.Quote) {
    read(start, end, Quoting.Single);
    read(start, end, Quoting.Double);
  }
  if (best != 0) found(bestRule, best, start, bestEnd);
}

/** Runs one reading's tokens through the table and keeps the surest match. */
function read(start: usize, end: usize, quoting: Quoting): void {
  openShell(start, end, quoting);
  let state = dfaStart(CMDI_TABLE);
  let rule: u32 = 0;
  let confidence: u32 = 0;
  let matchEnd = end;
  let words: u32 = 0;
  let previous: u32 = Shell.End;
  let tokens: u32 = 0;
  // A command with what only commands take (`set -e`, `export A=$B`): the separator behind it ends no word of another's line;
  // nor do the lines of a letter.
  const quoted = mayHoldScript() && isQuoted(start, end);
  let own = quoted || (mayHoldScript() && greets(start, end));
  // The output of a command goes to one that shows it (`env | grep -i proxy`): of words alone it reads no file.
  let piped: u32 = Shell.End;
  let bodied = false;
  const compound = quoting == Quoting.Bare && beginsCompound(start, end);
  while (true) {
    const token = nextShell();
    if (token == Shell.End) break;
    if (token == Shell.Word) words++;
    // "while true; do": behind another command the `do` is an error, and the shell runs nothing of it.
    if (compound && token == Shell.Prefix && isSeparator(previous) && isBodyWord()) bodied = own = true;
    if (tokens == 1 && token == Shell.Pipe && runsAlone(previous)) piped = Shell.Pipe;
    else if (tokens == 2 && piped == Shell.Pipe) piped = token;
    if (tokens++ == 1 && !own) own = mayHoldScript() && runsAlone(previous) && takesOperand(token);
    previous = token;
    if (dfaDead(CMDI_TABLE, state)) {
      if (confidence == 0) break;
      continue;
    }
    state = dfaNext(CMDI_TABLE, state, token);
    if (!dfaAccepts(CMDI_TABLE, state)) continue;
    const matched = dfaRule(CMDI_TABLE, state);
    let sure = ruleConfidence(matched);
    const shown = piped == Shell.Reader && token == Shell.Word;
    if ((own || shown) && matched == Rule.CmdiSeparatorCommand) sure -= OWN_LINE;
    if (bodied && matched == Rule.CmdiEmbeddedCommand) sure -= OWN_LINE;
    if (quoted && matched == Rule.CmdiSubstitution) sure -= OWN_LINE;
    if (sure <= confidence) continue;
    confidence = sure;
    rule = matched;
    matchEnd = shellEnd;
  }
  if (confidence == 0) return;
  if (rule == Rule.CmdiEmbeddedCommand && isTimetable(start, end)) return;
  if (rule == Rule.CmdiSubstitution && mayHoldScript() && setsVariable(start, end)) return;
  let loss: u32 =
    words < FEW_WORDS ? 0 : words < SOME_WORDS ? 8 : words < MANY_WORDS ? 22 : words < MOST_WORDS ? 35 : 50;
  if (isOrdinary(rule) && mayHoldScript()) loss += lineLoss(start, end);
  confidence = confidence > loss ? confidence - loss : 0;
  if (confidence <= best) return;
  best = confidence;
  bestRule = rule;
  bestEnd = matchEnd;
}

/** Whether the value begins as a letter does: words, a comma, an empty line. */
function greets(start: usize, end: usize): bool {
  while (start < end && (isLetter(byteAt(start)) || byteAt(start) == Char.Space)) start++;
  if (start == end || byteAt(start) != Char.Comma) return false;
  let lines = 0;
  while (++start < end && byteAt(start) <= <u32>Char.Space) if (byteAt(start) == Char.LineFeed) lines++;
  return lines > 1;
}

/**
 * Whether the value's first line leads to what it quotes, "Usage:" or "The line", behind which a last line of words goes on: "fails
 * for me". What an attacker leaves is a value of a field, and what follows a break-out is no sentence.
 */
function isQuoted(start: usize, end: usize): bool {
  const first = findByte(start, end, Char.LineFeed);
  if (first == end || first == start) return false;
  let at = start;
  while (at < first && (isLetter(byteAt(at)) || byteAt(at) == Char.Space || byteAt(at) == Char.Comma)) at++;
  if (at + 1 == first && byteAt(at) == Char.Colon && isLetter(byteAt(start))) return true;
  if (at < first || countProse(start, first) < 2) return false;
  let last = end;
  while (last > first && byteAt(last - 1) != Char.LineFeed) last--;
  if (last == first + 1) return false;
  at = last;
  while (at < end && (isLetter(byteAt(at)) || isDigit(byteAt(at)) || isSentenceMark(byteAt(at)))) at++;
  return at == end && countProse(last, end) >= 3;
}

/** A space, or a mark that ends a part of a sentence. */
function isSentenceMark(byte: u32): bool {
  return byte == Char.Space || byte == Char.Comma || byte == Char.Dot || byte == Char.Question || byte == Char.Bang;
}

/** Whether the value begins with the word of a compound command that has a body. */
function beginsCompound(start: usize, end: usize): bool {
  let word = start;
  while (word < end && isLetter(byteAt(word))) word++;
  return textIsOneOf(start, word, "while until for if");
}

/** Whether the shell's last token begins such a body. */
function isBodyWord(): bool {
  return textIsOneOf(shellStart, shellEnd, "do then");
}

function isSeparator(token: u32): bool {
  return token == Shell.Semicolon || token == Shell.Newline;
}

/** Whether a command of this kind may stand in front of a value's break-out, since it is a word as well: `date`, `find`, `time`. */
function runsAlone(kind: u32): bool {
  return kind == Shell.List || kind == Shell.Plain || kind == Shell.Print || kind == Shell.Wait || kind == Shell.Prefix;
}

/** Whether an argument of this kind makes the word before it a command. */
function takesOperand(kind: u32): bool {
  return (
    kind == Shell.Flag ||
    kind == Shell.Path ||
    kind == Shell.Variable ||
    kind == Shell.Assign ||
    kind == Shell.String ||
    kind == Shell.Here
  );
}

/** What the lines of `start..end` take from a match. */
function lineLoss(start: usize, end: usize): u32 {
  let lines: u32 = 0;
  for (let at = start; lines < MANY_LINES && (at = findByte(at, end, Char.LineFeed)) < end; lines++) {
    // Lines that hold nothing do not count.
    while (at < end && byteAt(at) <= <u32>Char.Space) at++;
  }
  return lines < SOME_LINES ? 0 : lines < MANY_LINES ? 25 : 40;
}

/** Whether scripts of honest people do what `rule` sees: they run and substitute commands, but bind no shell to a socket. */
function isOrdinary(rule: u32): bool {
  return rule != Rule.CmdiReverseShell && rule != Rule.CmdiShellshock && rule != Rule.CmdiPipeToShell;
}

/** Whether the value begins as lines of a script: `NAME=$(…)`, `NAME="$(…)"`, `NAME=( $(…) )`, with a name as they have it; alone it may be padding. */
function setsVariable(start: usize, end: usize): bool {
  let at = start;
  while (at < end && (byteAt(at) - Char.A < 26 || byteAt(at) == Char.Underscore || isDigit(byteAt(at)))) at++;
  return at > start + 1 && at < end && byteAt(at) == Char.Equals && findByte(at, end, Char.LineFeed) < end;
}

/** Whether the value begins with the five fields of a line of a crontab: digits and `*` `/` `,` `-` each. */
function isTimetable(start: usize, end: usize): bool {
  for (let fields = 0; fields < 5; fields++) {
    const from = start;
    while (start < end && (isDigit(byteAt(start)) || byteAt(start) - Char.Star < 6)) start++;
    if (start == from || start == end || !isSpace(byteAt(start))) return false;
    start++;
  }
  return true;
}

/** Whether a value without any break-out begins with a command or an option: whole command lines are judged too. */
function beginsCommand(start: usize, end: usize, kinds: u32): bool {
  let at = start;
  if (at < end && byteAt(at) == Char.Dash) return true;
  // A word alone runs only if it was spelled in one of these ways.
  if ((kinds & (BLANK | VEILS)) == 0) return false;
  while (at < end && !isSpace(byteAt(at))) at++;
  let base = at;
  while (base > start && byteAt(base - 1) != Char.Slash && byteAt(base - 1) != Char.Backslash) base--;
  if (at < end && keyword(CMDI_KEYWORDS, base, findByte(base, at, Char.Dot)) != 0) return true;
  // Spelled so that no table has it: c''at, w^ho, /???/c?t, {cat,…}
  for (let index = start; index < at; index++) {
    const byte = byteAt(index);
    if (
      byte == Char.Backslash ||
      byte == Char.Caret ||
      byte == Char.BraceOpen ||
      byte == Char.Question ||
      byte == Char.Quote
    )
      return true;
    if (byte == Char.DoubleQuote || byte == Char.Percent) return true;
  }
  return false;
}
