// Where a Markdown text shows code (CommonMark 4.4, 4.5, 6.1), so that what stands there is read and not run.
//
//   span      a run of backticks up to the next run of the same length
//   fence     ``` or ~~~ at the start of a line, behind spaces, tabs, ">" and "-", up to the next such line
//   indent    lines that begin with four spaces or a tab, behind an empty line
//
// The caller walks the text and hands over each line end and each run of backticks. One step per byte and at most MAX_SPAN more for a
// run that nothing closes; no memory.

import { byteAt, findByte } from "../core/bytes";
import { Char } from "../core/char";
import { textStarts } from "../core/text";

/** Bytes that a span may have. */
const MAX_SPAN: usize = 512;
/** Spaces that make a line one of code. */
const INDENT: usize = 4;

let end: usize = 0;
let spanUntil: usize = 0;
let fenced = false;
let indented = false;
let blank = false;

/** Starts on the text `from..to`; returns the cursor behind a fence that opens it. */
export function markdownBegin(from: usize, to: usize): usize {
  end = to;
  spanUntil = 0;
  fenced = false;
  indented = false;
  blank = true;
  return markdownLine(from);
}

/** Reads the beginning of the line at `at`; returns the cursor behind its marks. */
export function markdownLine(at: usize): usize {
  const from = at;
  while (at < end && (byteAt(at) == Char.Space || byteAt(at) == Char.Tab)) at++;
  const wide = at - from >= INDENT || (at > from && byteAt(from) == Char.Tab);
  const empty = at == end || byteAt(at) == Char.LineFeed || byteAt(at) == Char.CarriageReturn;
  if (!empty) indented = wide && (indented || blank);
  blank = empty;
  while (at < end && (byteAt(at) == Char.Greater || byteAt(at) == Char.Dash || byteAt(at) == Char.Space)) at++;
  if (!textStarts(at, end, "```") && !textStarts(at, end, "~~~")) return from;
  fenced = !fenced;
  const mark = byteAt(at);
  while (at < end && byteAt(at) == mark) at++;
  return at;
}

/** Reads the run of backticks at `at`; returns the cursor behind it. */
export function markdownTicks(at: usize): usize {
  const from = at;
  while (at < end && byteAt(at) == Char.Backtick) at++;
  if (fenced || from < spanUntil) return at;
  const size = at - from;
  const limit = min(end, at + MAX_SPAN);
  let close = at;
  while ((close = findByte(close, limit, Char.Backtick)) < limit) {
    const run = close;
    while (close < end && byteAt(close) == Char.Backtick) close++;
    if (close - run != size) continue;
    spanUntil = run;
    break;
  }
  return at;
}

/** Whether the text shows what stands at `at` as code. */
export function markdownShows(at: usize): bool {
  return fenced || indented || at < spanUntil;
}
