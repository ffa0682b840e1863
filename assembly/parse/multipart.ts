// Bodies in parts, chunk by chunk: multipart/form-data and its kin. RFC 2046 5.1, RFC 7578, RFC 2183.
//
//   body  = [ preamble CRLF ] 1*( delimiter part ) close [ epilogue ]
//   delimiter = ( start / [ CR ] LF ) "--" boundary *blank ( CRLF / LF )         close = delimiter without its end, "--"
//   part  = *( name ":" value ( CRLF / LF ) ) ( CRLF / LF ) content
//
//               ┌───────────────── delimiter ────────────────┐
//   preamble ──►│ rest of its line ──► headers ──► content ──┘      "--" ──► epilogue
//
// The headers of a part are collected as one value, the content in windows as value.ts has them, unless the caller skips it
// (`skipContent`): then the bytes leave as they stand in the chunk. A delimiter that a chunk cuts is not content until it is known
// to be none; its bytes are then given back from the state block, so a cut changes nothing. A body whose boundary is not known (none
// declared, or two) takes it from its first line. One vector pass over content, one look at each byte of headers.

import { byteAt, findByte, isSpace, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { copyRun, findPair } from "../core/scan";
import { NAME_ROOM, appendName } from "./name";
import { Coding, Unfinished, collectValue, finishValue, valueEnd, valueRoom, valueStart } from "./value";

export const enum MultipartEvent {
  /** The chunk is used up. */
  NeedMore,
  /** The value is the block of a part's headers, which may be changed in place: `openPart` reads them. */
  Part,
  /** The value is a part's content, or a window of it. A part that was said to be a file has at least one, be it empty. */
  Content,
  /** The value is what no parser of forms looks at: in front of the first part, behind the last, headers without an end. */
  Outside,
  /** The value is skipped content: bytes of the chunk or of the state block, not copied. */
  Skipped,
  /** A boundary's line ends in another way than those before it: parsers differ in whether that is one. */
  Malformed,
  /** The body is over. */
  Done,
}

const enum Phase {
  /** The first line is read, for its boundary. */
  Learn,
  Preamble,
  /** Behind a boundary, on its line. */
  Line,
  Headers,
  Content,
  Skip,
  Epilogue,
}

/** Bytes of the longest boundary; RFC 2046 has 70. */
export const BOUNDARY_CAPACITY: usize = 128;


@unmanaged
class MultipartState extends Unfinished {
  at: u32;
  end: u32;
  last: bool;
  phase: u8;
  /** Bytes of the delimiter (LF "--" boundary) that stood at the end of the last chunk. */
  matched: u8;
  /** A CR stood in front of them. */
  cr: bool;
  /** Bytes of the delimiter that turned out to be content, and up to where they were given back. */
  back: u8;
  backEnd: u8;
  /** Bytes of the delimiter; 0 where there is none to look for. */
  markSize: u8;
  /** What this part's content is called for the caller's own use. */
  tags: u32;
  nameSize: u32;
  /** The line at work has bytes other than CR. */
  filled: bool;
  /** The part is a file: an empty content is an event, too. */
  file: bool;
  /** A boundary line has ended, in CRLF (1) or LF (2). */
  lineEnds: u8;
  /** The line of the boundary goes on with "--". */
  dashes: u8;
  /** The LF of the delimiter at work is the start of the body. */
  atStart: bool;
  /** See `isNews`. */
  told: bool;
}

/** Where CR LF "--" boundary stands in the state block. */
const MARK: usize = offsetof<MultipartState>();
const MARK_ROOM: usize = BOUNDARY_CAPACITY + 4 + 16;
const NAME: usize = MARK + MARK_ROOM;
/** Bytes of the state block, which stands at a multiple of 4. */
export const MULTIPART_STATE_SIZE: usize = NAME + NAME_ROOM;

/** Starts on a body with that boundary, empty where it is to be learned; `state` is a block of MULTIPART_STATE_SIZE bytes. */
export function openMultipart(state: usize, boundary: usize, boundaryEnd: usize): void {
  memory.fill(state, 0, MULTIPART_STATE_SIZE);
  const m = changetype<MultipartState>(state);
  const out = putByte(
    putByte(putByte(putByte(state + MARK, Char.CarriageReturn), Char.LineFeed), Char.Dash),
    Char.Dash,
  );
  m.markSize = 3;
  const length = boundaryEnd - boundary;
  m.phase = <u8>Phase.Learn;
  if (length == 0 || length > BOUNDARY_CAPACITY) return;
  copyRun(out, boundary, boundaryEnd);
  m.markSize = <u8>(3 + length);
  begin(m);
}

/** The boundary is known: the body's first byte may begin it, as if an LF stood before. */
function begin(m: MultipartState): void {
  m.phase = <u8>Phase.Preamble;
  m.matched = 1;
  m.atStart = true;
}

/** Gives the next chunk, which stays until `nextMultipart` has asked for more. */
export function feedMultipart(state: usize, start: usize, end: usize, last: bool): void {
  const m = changetype<MultipartState>(state);
  m.at = <u32>start;
  m.end = <u32>end;
  m.last = last;
}

/** Reads on to the next event. */
export function nextMultipart(state: usize): MultipartEvent {
  const m = changetype<MultipartState>(state);
  while (true) {
    let event = MultipartEvent.NeedMore;
    switch (<u32>m.phase) {
      case Phase.Learn:
        event = learn(state, m);
        break;
      case Phase.Line:
        event = readLine(m);
        break;
      case Phase.Headers:
        event = readHeaders(state, m);
        break;
      default:
        event = readContent(state, m);
    }
    if (event != GO_ON) return event;
  }
  return MultipartEvent.Done;
}

/** No event: the loop turns once more. */
const GO_ON: u32 = 255;

/** The name of the part, decoded, cut as name.ts says. */
export function partName(state: usize): usize {
  return state + NAME;
}

export function partNameEnd(state: usize): usize {
  return state + NAME + changetype<MultipartState>(state).nameSize;
}

/** Names the part whose headers were read last. */
export function namePart(state: usize, start: usize, end: usize): void {
  changetype<MultipartState>(state).nameSize = appendName(state + NAME, 0, start, end);
}

/** What the caller noted of the part; 0 at its beginning. */
export function partTags(state: usize): u32 {
  return changetype<MultipartState>(state).tags;
}

/** Notes something of the part; `file`: it is one. */
export function tagPart(state: usize, tags: u32, file: bool): void {
  const m = changetype<MultipartState>(state);
  m.tags = tags;
  m.file = file;
}

/** Whether nothing of the body was read yet, and `openMultipart` was called for it. */
export function isFresh(state: usize): bool {
  const m = changetype<MultipartState>(state);
  return m.end == 0 && m.markSize != 0;
}

/** True the first time for a body. */
export function isNews(state: usize): bool {
  const m = changetype<MultipartState>(state);
  const news = !m.told;
  m.told = true;
  return news;
}

/** Passes over the rest of the part's content. */
export function skipContent(state: usize): void {
  const m = changetype<MultipartState>(state);
  if (m.phase == Phase.Content) m.phase = <u8>Phase.Skip;
  m.size = 0;
  m.windows = 0;
}

/** Takes the first line, where it begins with "--", for the boundary. Blank lines before it are passed over. */
function learn(state: usize, m: MultipartState): u32 {
  let at = <usize>m.at;
  const end = <usize>m.end;
  const mark = state + MARK;
  while (at < end) {
    const byte = byteAt(at);
    if (m.filled) {
      if (byte == Char.LineFeed || m.markSize - 3 == <u8>BOUNDARY_CAPACITY) break;
      putByte(mark + 1 + m.markSize++, byte);
      at++;
      continue;
    }
    if (byte == Char.Dash && ++m.dashes < 2) {
      at++;
      continue;
    }
    if (byte != Char.Dash && (m.dashes != 0 || !isSpace(byte))) break;
    m.filled = m.dashes == 2;
    at++;
  }
  m.at = <u32>at;
  if (at == end && !m.last) return MultipartEvent.NeedMore;
  // The line was read, or is no boundary: it is met once more from its beginning, as content of the preamble.
  const dashes: u32 = m.dashes;
  const read: u32 = m.markSize;
  let size = read;
  while (size > 3 && isSpace(byteAt(mark + size))) size--;
  m.filled = false;
  m.dashes = 0;
  if (at < end && byteAt(at) == Char.LineFeed && size > 3) {
    m.markSize = <u8>size;
    m.cr = byteAt(mark + read) == Char.CarriageReturn;
    m.phase = <u8>Phase.Line;
    return GO_ON;
  }
  m.phase = <u8>Phase.Epilogue;
  m.markSize = 0;
  m.back = 2;
  m.backEnd = <u8>(2 + (read > 3 ? read - 1 : dashes));
  return GO_ON;
}

/** Reads what stands on a boundary's line behind it. */
function readLine(m: MultipartState): u32 {
  let at = <usize>m.at;
  const end = <usize>m.end;
  while (at < end) {
    const byte = byteAt(at++);
    if (byte == Char.LineFeed) {
      m.at = <u32>at;
      const kind: u8 = m.cr ? 1 : 2;
      const mixed = m.lineEnds != 0 && m.lineEnds != kind;
      m.lineEnds |= kind;
      m.cr = false;
      m.dashes = 0;
      m.filled = false;
      m.tags = 0;
      m.file = false;
      m.nameSize = 0;
      m.phase = <u8>Phase.Headers;
      return mixed ? MultipartEvent.Malformed : GO_ON;
    }
    m.cr = byte == Char.CarriageReturn;
    if (byte == Char.Dash && m.dashes < 2 && ++m.dashes == 2) {
      m.at = <u32>at;
      m.cr = false;
      m.dashes = 0;
      m.phase = <u8>Phase.Epilogue;
      return GO_ON;
    }
  }
  m.at = <u32>at;
  return m.last ? MultipartEvent.Done : MultipartEvent.NeedMore;
}

/** Collects a part's headers up to the blank line. */
function readHeaders(state: usize, m: MultipartState): u32 {
  const start = <usize>m.at;
  const end = <usize>m.end;
  const limit = min(end, start + valueRoom(state));
  let line = start;
  while (true) {
    const feed = findByte(line, limit, Char.LineFeed);
    if (feed == limit) break;
    const blank = !m.filled && (m.cr ? line == feed : isBlankLine(line, feed));
    m.filled = m.cr = false;
    line = feed + 1;
    if (!blank) continue;
    m.at = <u32>line;
    m.phase = <u8>Phase.Content;
    finishValue(state, start, line, Coding.None);
    return MultipartEvent.Part;
  }
  // A carriage return that the chunk cuts off is of a blank line only if the line feed is next.
  if (line < limit) {
    m.filled = m.filled || m.cr || !isBlankLine(line, limit);
    m.cr = !m.filled;
  }
  m.at = <u32>limit;
  if (collectValue(state, start, limit, Coding.None)) {
    // No client has headers of this size: what comes is looked at as content.
    m.phase = <u8>Phase.Content;
    m.cr = false;
    return MultipartEvent.Outside;
  }
  if (limit < end || !m.last) return MultipartEvent.NeedMore;
  m.phase = <u8>Phase.Content;
  m.cr = false;
  return GO_ON;
}

function isBlankLine(start: usize, end: usize): bool {
  return start == end || (start + 1 == end && byteAt(start) == Char.CarriageReturn);
}

/** What the search for a delimiter came to: nothing, one, or one that the end of the chunk cuts. */
const enum Met {
  None,
  Whole,
  Cut,
}

/** Where content ends, and what follows a delimiter begins. */
let contentEnd: usize = 0;
let behind: usize = 0;

/** Reads content, or what stands outside of parts. */
function readContent(state: usize, m: MultipartState): u32 {
  const end = <usize>m.end;
  if (m.back < m.backEnd) return giveBack(state, m);
  let start = <usize>m.at;
  if (m.cr || m.matched != 0) {
    const met = goOn(state, m, start, end);
    if (met == Met.Cut) return MultipartEvent.NeedMore;
    if (met == Met.Whole) return endContent(state, m, start, start);
    return GO_ON;
  }
  const skipped = m.phase == Phase.Skip;
  const limit = skipped ? end : min(end, start + valueRoom(state));
  const met = findDelimiter(state, m, start, limit, end);
  if (met == Met.Whole) return endContent(state, m, start, contentEnd);
  m.at = <u32>(met == Met.Cut ? end : limit);
  if (skipped) {
    if (start == contentEnd) return atEnd(state, m);
    finishValue(state, start, contentEnd, Coding.None);
    return MultipartEvent.Skipped;
  }
  if (collectValue(state, start, contentEnd, Coding.None)) return contentEvent(m);
  return atEnd(state, m);
}

/** The chunk is used up, or what stands at its end is part of a delimiter. */
function atEnd(state: usize, m: MultipartState): u32 {
  if (m.at < m.end) return GO_ON;
  if (!m.last) return MultipartEvent.NeedMore;
  if (m.cr || m.matched != 0) return GO_ON;
  const start = <usize>m.at;
  return endContent(state, m, start, start);
}

/** Ends what was read with `start..end`: at a delimiter, or at the end of the body. */
function endContent(state: usize, m: MultipartState, start: usize, end: usize): u32 {
  const event = contentEvent(m);
  const phase: u32 = m.phase;
  const none = m.size == 0 && start == end && (phase != Phase.Content || !m.file || m.windows != 0);
  if (m.matched != 0) {
    m.at = <u32>behind;
    m.matched = 0;
    m.cr = false;
    m.atStart = false;
    if (phase != Phase.Epilogue) m.phase = <u8>Phase.Line;
  } else if (none) {
    return MultipartEvent.Done;
  } else {
    // The end of the body: once more, with nothing left to read.
    m.phase = <u8>Phase.Epilogue;
    m.at = m.end;
  }
  if (none) {
    m.windows = 0;
    return GO_ON;
  }
  finishValue(state, start, end, Coding.None);
  return event;
}

function contentEvent(m: MultipartState): u32 {
  const phase: u32 = m.phase;
  if (phase == Phase.Content) return MultipartEvent.Content;
  return phase == Phase.Skip ? MultipartEvent.Skipped : MultipartEvent.Outside;
}

/** Gives bytes of a delimiter that was none back as content. */
function giveBack(state: usize, m: MultipartState): u32 {
  const from = state + MARK + m.back;
  if (m.phase == Phase.Skip) {
    finishValue(state, from, state + MARK + m.backEnd, Coding.None);
    m.back = m.backEnd = 0;
    return MultipartEvent.Skipped;
  }
  const count = min(<usize>(m.backEnd - m.back), valueRoom(state));
  m.back += <u8>count;
  if (m.back == m.backEnd) m.back = m.backEnd = 0;
  return collectValue(state, from, from + count, Coding.None) ? contentEvent(m) : GO_ON;
}

/** Goes on with a delimiter that a chunk has cut, at `at`. */
function goOn(state: usize, m: MultipartState, at: usize, end: usize): Met {
  const mark = state + MARK + 1;
  while (at < end && m.matched < m.markSize && byteAt(at) == byteAt(mark + m.matched)) {
    m.matched++;
    at++;
  }
  m.at = <u32>at;
  if (at == end && !m.last) return Met.Cut;
  behind = at;
  if (m.matched == m.markSize && (at == end || endsBoundary(byteAt(at)))) return Met.Whole;
  // At the start of the body no LF was there.
  m.back = m.cr ? 0 : m.atStart ? 2 : 1;
  m.backEnd = m.matched + 1;
  m.cr = false;
  m.matched = 0;
  m.atStart = false;
  return Met.None;
}

/** Looks for a delimiter that begins in `start..limit`, or right at `limit` behind a CR. */
function findDelimiter(state: usize, m: MultipartState, start: usize, limit: usize, end: usize): Met {
  const mark = state + MARK + 1;
  contentEnd = limit;
  if (m.markSize == 0) return Met.None;
  const pairEnd = min(end, limit + 2);
  let at = findPair(start, pairEnd, Char.LineFeed, Char.Dash);
  for (; at < pairEnd; at = findPair(at + 1, pairEnd, Char.LineFeed, Char.Dash)) {
    const stop = min(end, at + m.markSize);
    let next = at + 2;
    while (next < stop && byteAt(next) == byteAt(mark + (next - at))) next++;
    if (next < stop || (stop < end && !endsBoundary(byteAt(stop)))) continue;
    const cr = at > start && byteAt(at - 1) == Char.CarriageReturn;
    // Right behind a window, and the window ends in no CR: it will be looked at again.
    if (at == limit && !cr) return Met.None;
    contentEnd = cr ? at - 1 : at;
    m.cr = cr;
    m.matched = <u8>(stop - at);
    behind = stop;
    return stop < end ? Met.Whole : Met.Cut;
  }
  if (limit + 1 < end || start == end) return Met.None;
  // The last byte, or the last two, may begin one.
  at = end - 1;
  if (byteAt(at) == Char.LineFeed) {
    m.matched = 1;
    m.cr = at > start && byteAt(at - 1) == Char.CarriageReturn;
    if (m.cr) at--;
  } else if (byteAt(at) == Char.CarriageReturn) {
    m.cr = true;
  } else {
    return Met.None;
  }
  contentEnd = at;
  return Met.Cut;
}

/** What may stand right behind a boundary: the end of its line, blanks, or the dashes that close the body. */
function endsBoundary(byte: u32): bool {
  return (
    byte == Char.CarriageReturn || byte == Char.LineFeed || byte == Char.Dash || byte == Char.Space || byte == Char.Tab
  );
}
