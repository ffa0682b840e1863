// A body that is inspected as text: one value, in windows (value.ts). For types that nobody knows, and for what a parser gave up
// on. Works on chunks; one copy a byte unless the body stands whole in one chunk.

import { Coding, Unfinished, collectValue, finishValue, valueRoom } from "./value";

export const enum TextEvent {
  /** The chunk is used up. */
  NeedMore,
  /** A window of the body is the value. */
  Text,
  /** The body is over. */
  Done,
}


@unmanaged
class TextState extends Unfinished {
  at: u32;
  end: u32;
  /** 1 in the last chunk, 2 when its value has left. */
  last: u32;
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

/** The next window; an empty body gives none. */
export function nextText(state: usize): TextEvent {
  const text = changetype<TextState>(state);
  const start = <usize>text.at;
  const left = <usize>text.end - start;
  const room = valueRoom(state);
  if (left >= room || text.last == 0) {
    const end = start + min(left, room);
    text.at = <u32>end;
    return collectValue(state, start, end, Coding.None) ? TextEvent.Text : TextEvent.NeedMore;
  }
  if (text.last == 2 || (text.size == 0 && left == 0)) return TextEvent.Done;
  text.at = text.end;
  text.last = 2;
  finishValue(state, start, text.end, Coding.None);
  return TextEvent.Text;
}
