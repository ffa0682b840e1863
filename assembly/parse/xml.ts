// XML, chunk by chunk, without a stack of names. XML 1.0, read leniently: HTML is read the same way, and what some parser in a
// service accepts must be seen. Nothing is expanded: entities stay what they are, and the DOCTYPE is a value of its own.
//
//   body    = *( blank | content | tag | "</" name ">" | "<!" letter … ">" )      no text outside of the first and last tag
//   tag     = "<" name *( blank attribute ) [ "/" ] ">"                           ">" inside of quotes does not end it
//   content = *( text | comment | section | instruction )                         one value, however it is cut up (decode/content.ts)
//
// An element's name and those around it make the path (`/order/item`), an attribute's is `/order/item/@id`; elements deeper than
// XML_MAX_DEPTH keep the path of the last one that fits. A "<" before anything else belongs to the text. At the first text outside
// of all elements the parser stops for good (`Malformed`) and the caller inspects `xmlRest..end` and all later chunks as text.
//
// Each byte is looked at two or three times and copied at most once; the state block and the buffers of value.ts are all the memory.

import { byteAt, findByte, isLetter } from "../core/bytes";
import { Char } from "../core/char";
import { findOneOf, skipBlank, skipMarks } from "../core/scan";
import { textStarts } from "../core/text";
import { NAME_ROOM, appendByte, appendName } from "./name";
import {
  Coding,
  Unfinished,
  collectValue,
  finishValue,
  nextWindow,
  openSpan,
  valueEnd,
  valueRoom,
  valueStart,
  valueWindowed,
} from "./value";

/** Elements whose place in the path is remembered. */
export const XML_MAX_DEPTH: u32 = 64;

export const enum XmlEvent {
  /** The chunk is used up. */
  NeedMore,
  /** The value (value.ts) is the content between two tags, or a window of it, decoded. */
  Text,
  /** The value is such content as it stands, since there are comments or instructions in it; `Text` follows if more is left. */
  Raw,
  /** The value is an attribute's, decoded. */
  Attribute,
  /** The value is a whole start tag as it stands, or a window of one (which gives no attributes). */
  Tag,
  /** The value is a declaration (DOCTYPE with its internal subset) as it stands, or a window of it. */
  Declaration,
  /** The body is over. */
  Done,
  /** What stands at `xmlRest` fits nowhere. Comes again on each call. */
  Malformed,
}

/** What is being read. */
const enum Mode {
  Content,
  Tag,
  EndTag,
  Declaration,
  /** A tag was given; its attributes come next. */
  Attributes,
  Stopped,
}

/** Where in content or in a declaration the next byte stands. */
const enum Scan {
  Plain,
  /** Behind `<`. */
  Less,
  /** Behind `<!`. */
  Bang,
  /** Behind `<!-`. */
  Dash,
  Comment,
  Section,
  Instruction,
}


@unmanaged
class XmlState extends Unfinished {
  at: u32;
  end: u32;
  last: bool;
  mode: Mode;
  scan: Scan;
  /** Bytes right before that may begin the end of a comment, section or instruction. */
  marks: u32;
  /** The quote that is open in a tag or declaration, or 0. */
  quote: u32;
  /** First bytes of the tag or declaration at work that are not in the chunk: "<" or "<!". */
  owed: u32;
  /** Whether a declaration's internal subset is open. */
  subset: bool;
  /** Whether the content holds comments or instructions. */
  marked: bool;
  /** Whether content was given as it stands, and comes decoded next. */
  again: bool;
  /** Whether the tag at work is an empty element's. */
  closes: bool;
  /** Elements that are open. */
  depth: u32;
  /** Bytes of the path of the innermost open element, and of that with the current attribute. */
  pathSize: u32;
  nameSize: u32;
}

/** Offsets in the state block: a byte for the path's size outside of each open element, then the path. */
const SIZES: usize = offsetof<XmlState>();
const PATH: usize = SIZES + <usize>XML_MAX_DEPTH;
/** Bytes of the state block, which stands at a multiple of 4. */
export const XML_STATE_SIZE: usize = PATH + NAME_ROOM;

/** What was given last and is read once more: a tag for its attributes, content to decode it. Never kept between two chunks. */
let pieceAt: usize = 0;
let pieceEnd: usize = 0;

/** What may be owed. */
const OPENING: usize = memory.data<u8>([60, 33, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** Starts on a body; `state` is a block of XML_STATE_SIZE bytes. */
export function openXml(state: usize): void {
  memory.fill(state, 0, SIZES);
}

/** Gives the next chunk, which stays until `nextXml` has asked for more. */
export function feedXml(state: usize, start: usize, end: usize, last: bool): void {
  const xml = changetype<XmlState>(state);
  xml.at = <u32>start;
  xml.end = <u32>end;
  xml.last = last;
}

/** Where the parser stands in the chunk. */
export function xmlRest(state: usize): usize {
  return changetype<XmlState>(state).at;
}

/** The path of the value read last, cut as name.ts says; valid until the next call of `nextXml`. */
export function xmlName(state: usize): usize {
  return state + PATH;
}

export function xmlNameEnd(state: usize): usize {
  return state + PATH + changetype<XmlState>(state).nameSize;
}

/** Reads on to the next event. */
export function nextXml(state: usize): XmlEvent {
  const xml = changetype<XmlState>(state);
  while (true) {
    let event = XmlEvent.NeedMore;
    if (xml.again) {
      xml.again = false;
      if (decodePiece()) return XmlEvent.Text;
    }
    if (xml.mode == Mode.Stopped) return XmlEvent.Malformed;
    if (xml.mode == Mode.Attributes) {
      if (nextAttribute(state)) return XmlEvent.Attribute;
      continue;
    }
    xml.nameSize = xml.pathSize;
    if (xml.at == xml.end) {
      if (!xml.last) return XmlEvent.NeedMore;
      if (xml.size == 0) return XmlEvent.Done;
      event = endBody(state);
    } else if (xml.mode == Mode.Content) {
      event = readContent(state);
    } else if (xml.mode == Mode.Tag) {
      event = readTag(state);
    } else if (xml.mode == Mode.Declaration) {
      event = readDeclaration(state);
    } else {
      readEndTag(state);
    }
    if (event != XmlEvent.NeedMore) return event;
  }
}

/** Behind the last byte: what was begun is given as far as it goes. */
function endBody(state: usize): XmlEvent {
  const xml = changetype<XmlState>(state);
  const mode = xml.mode;
  xml.mode = Mode.Content;
  if (mode == Mode.Content) return endContent(state, xml.end, xml.end);
  finishValue(state, xml.end, xml.end, Coding.None);
  return mode == Mode.Tag ? XmlEvent.Tag : XmlEvent.Declaration;
}

/** Reads content up to a tag, a declaration or the end of the chunk; NeedMore where there is nothing to give. */
function readContent(state: usize): XmlEvent {
  const xml = changetype<XmlState>(state);
  let start = <usize>xml.at;
  if (xml.size == 0 && xml.scan == Scan.Plain) start = skipLead(xml, start, xml.end);
  const limit = min(<usize>xml.end, start + valueRoom(state));
  let at = start;
  while (at < limit) {
    const byte = byteAt(at);
    if (xml.scan == Scan.Plain) {
      if (xml.depth != 0) {
        at = findByte(at, limit, Char.Less);
      } else if (byte != Char.Less) {
        at = skipLead(xml, at, limit);
        if (at == limit || byteAt(at) == Char.Less) continue;
        xml.at = <u32>at;
        xml.mode = Mode.Stopped;
        return endContent(state, start, at);
      }
      if (at < limit) {
        xml.scan = Scan.Less;
        at++;
      }
    } else if (xml.scan == Scan.Less && (beginsName(byte) || byte == Char.Slash)) {
      return openPiece(state, start, at, 1, byte == Char.Slash ? Mode.EndTag : Mode.Tag);
    } else if (xml.scan == Scan.Bang && isLetter(byte)) {
      return openPiece(state, start, at, 2, Mode.Declaration);
    } else {
      at = step(xml, at, limit);
    }
  }
  xml.at = <u32>at;
  return collectValue(state, start, at, Coding.Content) ? XmlEvent.Text : XmlEvent.NeedMore;
}

/** Blanks, and outside of all elements what is left of a byte order mark. */
function skipLead(xml: XmlState, at: usize, end: usize): usize {
  return xml.depth != 0 ? skipBlank(at, end) : skipMarks(at, end);
}

/** Passes the byte at `at`, or several: on from `<` to what it begins, or on in a comment, section or instruction. */
function step(xml: XmlState, at: usize, limit: usize): usize {
  const byte = byteAt(at);
  switch (xml.scan) {
    case Scan.Less:
      xml.scan = byte == Char.Bang ? Scan.Bang : byte == Char.Question ? Scan.Instruction : Scan.Plain;
      break;
    case Scan.Bang:
      xml.scan = byte == Char.Dash ? Scan.Dash : byte == Char.BracketOpen ? Scan.Section : Scan.Plain;
      break;
    case Scan.Dash:
      xml.scan = byte == Char.Dash ? Scan.Comment : Scan.Plain;
      break;
    default:
      return stepInside(xml, at, limit);
  }
  if (xml.scan == Scan.Plain) return at;
  xml.marks = 0;
  if (xml.scan == Scan.Comment || xml.scan == Scan.Instruction) xml.marked = true;
  return at + 1;
}

/** On in a comment, section or instruction: to its end, or to the next byte that may begin it. */
function stepInside(xml: XmlState, at: usize, limit: usize): usize {
  const mark: u32 = xml.scan == Scan.Comment ? Char.Dash : xml.scan == Scan.Section ? Char.BracketClose : Char.Question;
  const byte = byteAt(at);
  if (byte == mark) {
    xml.marks++;
  } else if (byte == Char.Greater && xml.marks >= (xml.scan == Scan.Instruction ? 1 : 2)) {
    xml.scan = Scan.Plain;
  } else {
    xml.marks = 0;
    return findByte(at + 1, limit, mark);
  }
  return at + 1;
}

/** A tag or declaration has turned out at `at`, `size` bytes behind its start; ends the content from `start` before it. */
function openPiece(state: usize, start: usize, at: usize, size: usize, mode: Mode): XmlEvent {
  const xml = changetype<XmlState>(state);
  const inside = at - start;
  xml.mode = mode;
  xml.scan = Scan.Plain;
  xml.quote = 0;
  xml.subset = false;
  xml.owed = inside < size ? <u32>size : 0;
  xml.at = <u32>(inside < size ? at : at - size);
  if (inside < size) {
    // Its first bytes were collected with the content before it.
    xml.size -= <u32>(size - inside);
    return endContent(state, start, start);
  }
  return endContent(state, start, at - size);
}

/** Ends the content with `start..end`; NeedMore where there is nothing but blanks. */
function endContent(state: usize, start: usize, end: usize): XmlEvent {
  const xml = changetype<XmlState>(state);
  const marked = xml.marked;
  xml.marked = false;
  if (xml.size == 0 && start == end) return XmlEvent.NeedMore;
  finishValue(state, start, end, Coding.None);
  pieceAt = valueStart;
  pieceEnd = valueEnd;
  xml.again = marked;
  if (marked) return XmlEvent.Raw;
  return decodePiece() ? XmlEvent.Text : XmlEvent.NeedMore;
}

/** Makes the piece, decoded, the value; false where it is blank. */
function decodePiece(): bool {
  openSpan(pieceAt, pieceEnd, Coding.Content);
  nextWindow();
  return skipBlank(valueStart, valueEnd) < valueEnd;
}

/** Reads a start tag: the tag, a window of it, or NeedMore. */
function readTag(state: usize): XmlEvent {
  const xml = changetype<XmlState>(state);
  const start = openOwed(state);
  const limit = min(<usize>xml.end, start + valueRoom(state));
  let at = start;
  while (true) {
    const quote = xml.quote;
    at =
      quote != 0
        ? findByte(at, limit, quote)
        : findOneOf(at, limit, Char.Greater, Char.DoubleQuote, Char.Quote, Char.Greater);
    if (at == limit) break;
    const byte = byteAt(at);
    if (quote == 0 && byte == Char.Greater) return endTag(state, start, at);
    xml.quote = quote == 0 ? byte : 0;
    at++;
  }
  xml.at = <u32>at;
  return collectValue(state, start, at, Coding.None) ? XmlEvent.Tag : XmlEvent.NeedMore;
}

/** The tag ends with the `>` at `at`. */
function endTag(state: usize, start: usize, at: usize): XmlEvent {
  const xml = changetype<XmlState>(state);
  xml.at = <u32>at + 1;
  finishValue(state, start, at + 1 - start < valueRoom(state) ? at + 1 : at, Coding.None);
  pieceAt = valueStart;
  pieceEnd = valueEnd;
  xml.mode = Mode.Attributes;
  xml.closes = pieceEnd - pieceAt > 2 && byteAt(pieceEnd - 2) == Char.Slash;
  if (xml.depth < XML_MAX_DEPTH) {
    store<u8>(state + SIZES + xml.depth, <u8>xml.pathSize);
    // Of a windowed tag the name is gone, and its attributes with it.
    if (valueWindowed) pieceAt = pieceEnd;
    const name = pieceAt + 1;
    while (pieceAt < pieceEnd && !endsName(byteAt(pieceAt))) pieceAt++;
    xml.pathSize = appendByte(state + PATH, xml.pathSize, Char.Slash);
    if (name < pieceAt) xml.pathSize = appendName(state + PATH, xml.pathSize, name, pieceAt);
    xml.nameSize = xml.pathSize;
    // Nothing but a name: no attributes come.
    if (pieceAt + 1 == pieceEnd) xml.mode = Mode.Content;
  }
  xml.depth++;
  return XmlEvent.Tag;
}

/** The next attribute of the tag that was given becomes the value; false where there is none. */
function nextAttribute(state: usize): bool {
  const xml = changetype<XmlState>(state);
  const path = state + PATH;
  while (true) {
    let at = pieceAt;
    while (at < pieceEnd && endsName(byteAt(at))) at++;
    const name = at;
    while (at < pieceEnd && !endsName(byteAt(at))) at++;
    const nameEnd = at;
    if (name == nameEnd) break;
    at = skipBlank(at, pieceEnd);
    pieceAt = at;
    if (at == pieceEnd || byteAt(at) != Char.Equals) continue;
    at = skipBlank(at + 1, pieceEnd);
    if (at == pieceEnd) break;
    const quote = byteAt(at);
    let start = at;
    if (quote == Char.DoubleQuote || quote == Char.Quote) {
      start++;
      at = findByte(start, pieceEnd, quote);
    } else {
      while (at < pieceEnd && byteAt(at) > <u32>Char.Space && byteAt(at) != Char.Greater) at++;
    }
    pieceAt = min(at + 1, pieceEnd);
    // The name of a name space looks like a URL and is none.
    if (textStarts(name, nameEnd, "xmlns") && (textStarts(start, at, "http") || textStarts(start, at, "urn:")))
      continue;
    xml.nameSize = appendByte(path, appendByte(path, xml.pathSize, Char.Slash), Char.At);
    xml.nameSize = appendName(path, xml.nameSize, name, nameEnd);
    openSpan(start, at, Coding.References);
    nextWindow();
    return true;
  }
  xml.mode = Mode.Content;
  if (xml.closes) closeElement(state);
  return false;
}

/** Reads a declaration: all of it, a window of it, or NeedMore. */
function readDeclaration(state: usize): XmlEvent {
  const xml = changetype<XmlState>(state);
  const start = openOwed(state);
  const limit = min(<usize>xml.end, start + valueRoom(state));
  let at = start;
  while (at < limit) {
    const byte = byteAt(at);
    if (xml.quote != 0) {
      if (byte == xml.quote) xml.quote = 0;
      at++;
    } else if (xml.scan != Scan.Plain) {
      at = step(xml, at, limit);
    } else if (byte == Char.Greater && !xml.subset) {
      xml.at = <u32>at + 1;
      xml.mode = Mode.Content;
      xml.marked = false;
      finishValue(state, start, at + 1 - start < valueRoom(state) ? at + 1 : at, Coding.None);
      return XmlEvent.Declaration;
    } else {
      if (byte == Char.DoubleQuote || byte == Char.Quote) xml.quote = byte;
      else if (byte == Char.BracketOpen) xml.subset = true;
      else if (byte == Char.BracketClose) xml.subset = false;
      else if (byte == Char.Less) xml.scan = Scan.Less;
      at++;
    }
  }
  xml.at = <u32>at;
  return collectValue(state, start, at, Coding.None) ? XmlEvent.Declaration : XmlEvent.NeedMore;
}

/** Collects what is owed of a tag or declaration, and returns where it goes on. */
function openOwed(state: usize): usize {
  const xml = changetype<XmlState>(state);
  if (xml.owed != 0) collectValue(state, OPENING, OPENING + xml.owed, Coding.None);
  xml.owed = 0;
  return xml.at;
}

function readEndTag(state: usize): void {
  const xml = changetype<XmlState>(state);
  const at = findByte(xml.at, xml.end, Char.Greater);
  xml.at = <u32>at;
  if (at == <usize>xml.end) return;
  xml.at++;
  xml.mode = Mode.Content;
  closeElement(state);
}

/** The innermost element ends; an end tag too many is passed over. */
function closeElement(state: usize): void {
  const xml = changetype<XmlState>(state);
  if (xml.depth == 0) return;
  xml.depth--;
  if (xml.depth < XML_MAX_DEPTH) xml.pathSize = load<u8>(state + SIZES + xml.depth);
}

// @ts-ignore: decorator
@inline
function beginsName(byte: u32): bool {
  return isLetter(byte) || byte == Char.Underscore || byte == Char.Colon || byte >= 0x80;
}

// @ts-ignore: decorator
@inline
function endsName(byte: u32): bool {
  return byte <= <u32>Char.Space || byte == Char.Slash || byte == Char.Greater || byte == Char.Equals;
}
