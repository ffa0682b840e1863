// A body that the JSON parser gave up on: what stands between two quotes is a value, inside of strings and outside of them. The
// service may read on where we cannot (deeper, or with a grammar of its own), and each string is a value to it: an attack at the
// start of one must stand at the start of a value here, too. Escapes stay; the layers peel them.
//
//   text = run *( DQUOTE run )      run = *( any byte but DQUOTE and "\" | "\" any byte )
//
// Works on chunks; one look and at most one copy a byte.

import { byteAt } from "../core/bytes";
import { Char } from "../core/char";
import { findEither } from "../core/scan";
import { Coding, Unfinished, collectValue, finishValue, valueRoom } from "./value";

export const enum TextEvent {
  /** The chunk is used up. */
  NeedMore,
  /** A run, or a window of one, is the value. */
  Text,
  /** The body is over. */
  Done,
}


@unmanaged
class TextState extends Unfinished {
  at: u32;
  end: u32;
  /** 1 in the last chunk. */
  last: u32;
  /** 1 where the last byte was a backslash that the next byte belongs to. */
  escaped: u32;
}

/** Bytes of the state block, which stands at a multiple of 4. */
export const TEXT_STATE_SIZE: usize = offsetof<TextState>();

/** Starts on a body; `state` is a block of TEXT_STATE_SIZE bytes. */
export function openText(state: usize): void {
  memory.fill(state, 0, TEXT_STATE_SIZE);
}

/** Gives the next chunk, which stays until `nextText` has asked for more. */
export function feedText(state: usize, start: usize, end: usize, last: bool): void {
  const text = changetype<TextState>(state);
  text.at = <u32>start;
  text.end = <u32>end;
  text.last = last ? 1 : 0;
}

/** The next run, or window of one; an empty body gives none. */
export function nextText(state: usize): TextEvent {
  const text = changetype<TextState>(state);
  const end = <usize>text.end;
  while (true) {
    const start = <usize>text.at;
    const full = start + valueRoom(state);
    const limit = min(end, full);
    const stop = findQuote(text, start, limit);
    if (stop == limit && (limit < end || text.last == 0 || limit == full)) {
      text.at = <u32>limit;
      return collectValue(state, start, limit, Coding.None) ? TextEvent.Text : TextEvent.NeedMore;
    }
    const empty = text.size == 0 && start == stop;
    if (stop == end && empty) return TextEvent.Done;
    text.at = <u32>min(stop + 1, end);
    if (empty) continue;
    finishValue(state, start, stop, Coding.None);
    return TextEvent.Text;
  }
}

/** The next quote that no backslash stands before, or `limit`. */
function findQuote(text: TextState, at: usize, limit: usize): usize {
  if (text.escaped != 0 && at < limit) {
    text.escaped = 0;
    at++;
  }
  while (true) {
    at = findEither(at, limit, Char.DoubleQuote, Char.Backslash);
    if (at == limit || byteAt(at) == Char.DoubleQuote) return at;
    if (at + 1 == limit) {
      text.escaped = 1;
      return limit;
    }
    at += 2;
  }
}
