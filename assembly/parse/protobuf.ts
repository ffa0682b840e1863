// One message of protobuf, chunk by chunk and without its schema. https://protobuf.dev/programming-guides/encoding/
//
//   message = *( tag content )            tag = varint of ( number << 3 | type )
//   content = varint                      type 0        = 8 bytes                     type 1
//           | varint length, length bytes type 2        = *( tag content ) end        type 3, ended by type 4
//           | 4 bytes                     type 5
//
// A field of type 2 is a string, bytes, a message or a list of numbers, and nothing says which: two readings, each decided on its
// own, so that neither can hide what the other one has.
//   text     It is a value where at least three quarters of its bytes are UTF-8, control bytes or not, once 00, FE and FF are dropped
//            (UTF-16 and UTF-32 in `bytes`). Of other bytes only the head is looked at, as that of a serialized object.
//   message  It is descended into where it is whole fields from its first byte to its last, whatever it is as text.
// Where it is both: printable bytes alone (but white space) are judged as they stand. With a control byte among them they may be a
// string too, one that was made to read as a message; but most such are messages, so that they are judged with blanks in the
// places of control bytes, tags and lengths mostly, which are none of the text's. Not so the message itself, which is known to be
// one, and no more than TEXTS texts around one another: each is whole in the one around it. The second reading comes behind the
// first one, and not where something was found in that: an exception is for the field, not for all that are around it.
//
// Of a field longer than a window (16 KiB) the first one decides. A message is then read on as it comes, and what is text besides is
// judged in windows from a block of its own (the shadow), one such field at a time; of what is no message each window is a text or
// not. What ends too early is read as far as it goes. At a tag that cannot be one the rest of the message around it is a value.
// Numbers of 64 bits count with their low 32, as the parsers do that take them; field 0 and ends of groups with another number are
// passed over, as by some.
//
// Each byte is looked at a few times for each message around it, of which there are at most PROTOBUF_MAX_DEPTH; the state block, a
// block of the pool for the shadow, and static buffers are all the memory.

import { byteAt, putByte, putDecimal } from "../core/bytes";
import { Char } from "../core/char";
import { claimBlock, POOL_HEAD, releaseBlock } from "../core/pool";
import { copyRun, findOneOf, findUnprintable } from "../core/scan";
import { appendByte, appendName, NAME_ROOM } from "./name";
import {
  Coding,
  collectValue,
  finishValue,
  giveValue,
  Unfinished,
  VALUE_CAPACITY,
  VALUE_OVERLAP,
  valueEnd,
  valueRoom,
  valueStart,
} from "./value";

/** Messages and groups that can be open at once. */
export const PROTOBUF_MAX_DEPTH: u32 = 64;
/** Texts around one another that are judged each for itself. */
const TEXTS: u32 = 4;

export const enum ProtobufEvent {
  /** The chunk is used up. */
  NeedMore,
  /** The value (value.ts) is a field's text, or a window of it. */
  Value,
  /** The value is the head of a field that is no text: a serialized object perhaps. */
  Object,
  /** The field holds messages deeper than the limit, which are read as text only. */
  TooDeep,
  /** A tag or a length cannot be one, or the message ended too early. */
  Malformed,
  /** No block for a shadow: one reading of a long field is not judged. */
  Unread,
  /** The message is over. Comes again on each call. */
  Done,
}

/** What comes next. */
const enum Mode {
  /** A field that may be anything; the message itself is the first. */
  Field,
  Tag,
  Length,
  Varint,
  /** 4 or 8 bytes. */
  Number,
  /** The rest of a field that is no message. */
  Rest,
  Over,
}


@unmanaged
class ProtobufState extends Unfinished {
  at: u32;
  end: u32;
  last: bool;
  mode: Mode;
  /** Whether what was said once of this message has been said: bit 0 TooDeep, bit 1 Malformed. */
  told: u8;
  /** Places that are open, and how many may be. */
  depth: u8;
  limit: u8;
  /** Bits of the varint at work that were read. */
  bits: u8;
  /** Bytes of the name of the field at work. */
  nameSize: u8;
  /** Of the field that the shadow is of. */
  shadowName: u8;
  /** Something was found in it since its last window. */
  found: bool;
  varint: u32;
  /** Bytes of the message that were read, and that number where the field at work ends. */
  position: u32;
  fieldEnd: u32;
  /** The block of the shadow or 0, its bytes, and the position where its field ends. */
  shadow: u32;
  shadowSize: u32;
  shadowEnd: u32;
}

/** A message or group that is open, in the state: where it ends (a group where what is around it does). */
@unmanaged
class Place {
  end: u32;
  nameSize: u8;
  group: bool;
}

/** The same in memory. */
@unmanaged
class Level {
  end: u32;
  nameSize: u32;
  group: bool;
  /** Texts around what is in it. */
  texts: u32;
  /** Where it begins if it is to be judged as a text too, else 0; and how many values were given before it. */
  start: u32;
  given: u32;
}

const PLACES: usize = (offsetof<ProtobufState>() + 7) & ~7;
const NAME: usize = PLACES + offsetof<Place>() * <usize>PROTOBUF_MAX_DEPTH;
/** Bytes of the state block, which stands at a multiple of 8. */
export const PROTOBUF_STATE_SIZE: usize = NAME + NAME_ROOM;

/** The end of a message that is not known. */
const UNKNOWN: u32 = u32.MAX_VALUE;

/** A shadow: a window, and room behind it. */
const SHADOW_SIZE: u32 = 16448;
/** Long fields of two readings that can be open at once in one VM. */
const SHADOWS: u32 = 256;
const SHADOW_POOL: usize = memory.data(POOL_HEAD + 16448 * 256, 16);

/** The first window of a long field, and a byte, read again as a message. Owner: this file. */
const AGAIN: usize = memory.data(16448, 16);
/** A text without what does not belong to it. Owner: this file. */
const CLEAN: usize = memory.data(16448, 16);
/** A field's number in decimal. Owner: this file. */
const NUMBER: usize = memory.data(32);

// What lies whole in memory: a field, and the messages in it. All of it is said before more of the chunk is read.

const LEVELS: usize = memory.data(64 * 24, 8);
let levels: u32 = 0;
let cursor: usize = 0;

/** What is still to be said of a field. */
const enum Pending {
  Value = 1,
  /** With blanks for control bytes. */
  Blanked = 2,
  Object = 4,
  TooDeep = 8,
  Malformed = 16,
  Unread = 32,
  /** It is descended into, in memory. */
  Message = 64,
}
let pending: u32 = 0;
let fieldStart: usize = 0;
let fieldStop: usize = 0;

/** Where the chunk goes on behind what is read again; 0 where nothing is. */
let chunkAt: usize = 0;
let chunkEnd: usize = 0;
/** Whether what is read again is in the shadow already. */
let shadowed: bool = false;

/** Starts on a message; `state` is a block of PROTOBUF_STATE_SIZE bytes, `depthLimit` at most PROTOBUF_MAX_DEPTH (more is taken as that). */
export function openProtobuf(state: usize, depthLimit: u32): void {
  memory.fill(state, 0, PLACES);
  const message = changetype<ProtobufState>(state);
  message.limit = <u8>min(depthLimit, PROTOBUF_MAX_DEPTH);
  message.fieldEnd = UNKNOWN;
}

/** Gives the next chunk, which stays until `nextProtobuf` has asked for more. */
export function feedProtobuf(state: usize, start: usize, end: usize, last: bool): void {
  const message = changetype<ProtobufState>(state);
  message.at = <u32>start;
  message.end = <u32>end;
  message.last = last;
  pending = levels = 0;
  chunkAt = 0;
  shadowed = false;
}

/** Gives back what a message holds beside its state, wherever it stands. */
export function closeProtobuf(state: usize): void {
  const message = changetype<ProtobufState>(state);
  if (message.shadow != 0) releaseBlock(SHADOW_POOL, message.shadow);
  message.shadow = 0;
}

/** The numbers of the fields from the message to the value, as "1.3.2"; cut as name.ts says, valid until the next call. */
export function protobufName(state: usize): usize {
  return state + NAME;
}

let valueNameSize: u32 = 0;

export function protobufNameEnd(state: usize): usize {
  return state + NAME + valueNameSize;
}

/** Reads on to the next event. */
export function nextProtobuf(state: usize): ProtobufEvent {
  const message = changetype<ProtobufState>(state);
  while (true) {
    valueNameSize = message.nameSize;
    if (pending != 0) {
      const event = nextPending(message);
      if (event != ProtobufEvent.NeedMore) return event;
      continue;
    }
    if (levels != 0) {
      stepInMemory(message);
      continue;
    }
    if (message.shadow != 0 && shadowIsDue(message)) {
      if (nextShadow(message)) return ProtobufEvent.Value;
      continue;
    }
    if (message.at == message.end && chunkAt != 0) {
      message.at = <u32>chunkAt;
      message.end = <u32>chunkEnd;
      chunkAt = 0;
      shadowed = false;
    }
    if (message.mode == Mode.Over) return ProtobufEvent.Done;
    if (message.mode == Mode.Field || message.mode == Mode.Rest) {
      if (!readField(message)) return ProtobufEvent.NeedMore;
      continue;
    }
    if (atEnd(message)) continue;
    if (message.at == message.end) {
      if (!message.last) return ProtobufEvent.NeedMore;
      // Too early, but where the message itself ends.
      if (message.mode != Mode.Tag || message.bits != 0 || message.depth != 1) pending |= Pending.Malformed;
      message.mode = Mode.Over;
      continue;
    }
    if (message.mode == Mode.Number) {
      const size = min(message.fieldEnd - message.position, run(message));
      pass(message, size);
      if (message.position == message.fieldEnd) message.mode = Mode.Tag;
      continue;
    }
    if (readVarint(message)) readNumber(message);
  }
}

// What arrives.

/** Bytes of the chunk that can be passed at once: no more than the shadow has room for. */
// @ts-ignore: decorator
@inline
function run(message: ProtobufState): u32 {
  const size = message.end - message.at;
  return message.shadow != 0 && !shadowed ? min(size, <u32>VALUE_CAPACITY - message.shadowSize) : size;
}

/** Passes `size` bytes, at most `run`. */
function pass(message: ProtobufState, size: u32): void {
  if (message.shadow != 0 && !shadowed) {
    copyRun(message.shadow + message.shadowSize, message.at, message.at + size);
    message.shadowSize += size;
  }
  message.at += size;
  message.position += size;
}

// @ts-ignore: decorator
@inline
function placeOf(message: ProtobufState, depth: u32): Place {
  return changetype<Place>(changetype<usize>(message) + PLACES + <usize>depth * offsetof<Place>());
}

/** The innermost place. */
// @ts-ignore: decorator
@inline
function placeAt(message: ProtobufState): Place {
  return placeOf(message, <u32>message.depth - 1);
}

function openPlace(message: ProtobufState, end: u32, group: bool): void {
  const place = placeOf(message, message.depth++);
  place.end = end;
  place.nameSize = message.nameSize;
  place.group = group;
}

/** At a tag: closes the message that ends here, or says that it ends too early. True where something changed. */
function atEnd(message: ProtobufState): bool {
  const place = placeAt(message);
  if (message.position != place.end) {
    // Positions of a message without an end begin again where nothing but it is open.
    if (place.end == UNKNOWN && message.depth == 1 && message.mode == Mode.Tag) message.position &= 0x7fff_ffff;
    return false;
  }
  if (place.end == UNKNOWN) return false;
  if (place.group || message.mode != Mode.Tag || message.bits != 0) {
    breakOff(message);
    return true;
  }
  message.depth--;
  message.nameSize = placeAt(message).nameSize;
  return true;
}

/** What comes is no field: the rest of the message around it is a value. */
function breakOff(message: ProtobufState): void {
  pending |= Pending.Malformed;
  while (message.depth > 1 && placeAt(message).group) message.depth--;
  const place = placeAt(message);
  message.nameSize = place.nameSize;
  message.fieldEnd = place.end;
  message.bits = 0;
  message.mode = place.end == message.position && place.end != UNKNOWN ? Mode.Tag : Mode.Rest;
}

/** Reads a byte of a varint; true where it is whole. */
function readVarint(message: ProtobufState): bool {
  const byte = byteAt(message.at);
  const bits: u32 = message.bits;
  pass(message, 1);
  if (bits == 0) message.varint = 0;
  if (bits < 32) message.varint |= (byte & 0x7f) << bits;
  if (byte < 0x80) {
    message.bits = 0;
    return true;
  }
  message.bits = <u8>(bits + 7);
  if (message.bits >= 70) breakOff(message);
  return false;
}

/** A varint is whole: a tag, a length, or a number. */
function readNumber(message: ProtobufState): void {
  const number = message.varint;
  const place = placeAt(message);
  if (message.mode == Mode.Varint) {
    message.mode = Mode.Tag;
    return;
  }
  if (message.mode == Mode.Length) {
    if (number > 0x7fff_ffff || (place.end != UNKNOWN && number > place.end - message.position)) {
      breakOff(message);
      return;
    }
    message.fieldEnd = message.position + number;
    message.mode = number != 0 ? Mode.Field : Mode.Tag;
    return;
  }
  switch (number & 7) {
    case 0:
      message.mode = Mode.Varint;
      break;
    case 1:
    case 5: {
      const size: u32 = (number & 7) == 1 ? 8 : 4;
      if (place.end != UNKNOWN && size > place.end - message.position) breakOff(message);
      else {
        message.fieldEnd = message.position + size;
        message.mode = Mode.Number;
      }
      break;
    }
    case 2:
      appendNumber(message, place.nameSize, number >> 3);
      message.mode = Mode.Length;
      break;
    case 3:
      if (message.depth >= message.limit) {
        pending |= Pending.TooDeep;
        breakOff(message);
        pending &= ~Pending.Malformed;
      } else {
        appendNumber(message, place.nameSize, number >> 3);
        openPlace(message, place.end, true);
      }
      break;
    case 4:
      if (!place.group) breakOff(message);
      else message.depth--;
      break;
    default:
      breakOff(message);
  }
}

/** Makes the field of that number, in a message whose name has `size` bytes, the one at work. */
function appendNumber(message: ProtobufState, size: u32, number: u32): void {
  const name = changetype<usize>(message) + NAME;
  if (size != 0) size = appendByte(name, size, Char.Dot);
  message.nameSize = <u8>appendName(name, size, NUMBER, putDecimal(NUMBER, number));
}

/** Reads on in a field, or in the rest of one; false where the chunk is used up. */
function readField(message: ProtobufState): bool {
  const state = changetype<usize>(message);
  const left = message.fieldEnd == UNKNOWN ? UNKNOWN : message.fieldEnd - message.position;
  const size = min(min(left, run(message)), <u32>valueRoom(state));
  const start = <usize>message.at;
  const early = message.last && chunkAt == 0 && size == message.end - message.at;
  pass(message, size);
  if ((size == left || early) && message.size + size <= <u32>VALUE_CAPACITY) {
    const rest = message.mode == Mode.Rest || message.windows != 0;
    finishValue(state, start, start + size, Coding.None);
    if (valueStart < valueEnd) {
      if (rest) weighText(valueStart, valueEnd, false);
      else weigh(message, valueStart, valueEnd, size == left || message.depth == 0, size == left ? 0 : UNKNOWN, 0);
    }
    message.mode = size == left ? Mode.Tag : Mode.Over;
    if (message.mode == Mode.Over && message.depth > 1) pending |= Pending.Malformed;
    return true;
  }
  if (!collectValue(state, start, start + size, Coding.None)) return size != 0;
  // A window is full, and the field goes on.
  if (message.mode == Mode.Rest) {
    weighText(valueStart, valueEnd, false);
    if (message.fieldEnd == UNKNOWN) message.position = 0;
  } else {
    weighWindow(message);
  }
  return true;
}

/** Decides by the first window of a long field what it is. */
function weighWindow(message: ProtobufState): void {
  const state = changetype<usize>(message);
  const length = message.fieldEnd == UNKNOWN ? UNKNOWN : message.fieldEnd - message.position + <u32>VALUE_CAPACITY + 1;
  weigh(message, valueStart, valueEnd, false, length, 0);
  if ((pending & Pending.Message) == 0) {
    message.mode = Mode.Rest;
    return;
  }
  // It is read again as a message, and text is what passes on the way.
  const isText = (pending & (Pending.Value | Pending.Blanked)) != 0;
  pending &= ~(Pending.Message | Pending.Value | Pending.Blanked);
  const end = putByte(copyRun(AGAIN, valueStart, valueEnd), byteAt(message.at - 1));
  message.position -= <u32>VALUE_CAPACITY + 1;
  message.size = 0;
  message.windows = 0;
  if (isText && message.shadow == 0) {
    message.shadow = <u32>claimBlock(SHADOW_POOL, SHADOW_SIZE, SHADOWS);
    if (message.shadow == 0) pending |= Pending.Unread;
    message.shadowSize = 0;
    message.found = false;
    message.shadowEnd = message.fieldEnd;
    message.shadowName = message.nameSize;
  } else {
    // These bytes have passed the shadow of a field around it.
    shadowed = true;
  }
  chunkAt = message.at;
  chunkEnd = message.end;
  message.at = <u32>AGAIN;
  message.end = <u32>end;
  openPlace(message, message.fieldEnd, false);
  message.mode = Mode.Tag;
}

/** Whether a window of the shadow is full, or its field is over. */
function shadowIsDue(message: ProtobufState): bool {
  return message.shadowSize == <u32>VALUE_CAPACITY || shadowEnds(message);
}

function shadowEnds(message: ProtobufState): bool {
  return message.mode == Mode.Over || (message.shadowEnd != UNKNOWN && message.position >= message.shadowEnd);
}

/** The window of the shadow becomes the value; false where it is no text, or says nothing new. */
function nextShadow(message: ProtobufState): bool {
  const start = <usize>message.shadow;
  const size = message.shadowSize;
  const text = size > <u32>VALUE_OVERLAP && !message.found ? textOf(start, start + size) : Text.None;
  if (text != Text.None) {
    if (textStart != CLEAN) textEnd = copyRun(CLEAN, textStart, textEnd);
    if (text == Text.Odd) blank(CLEAN, textEnd);
    giveValue(CLEAN, textEnd);
    valueNameSize = message.shadowName;
  }
  message.found = false;
  if (shadowEnds(message)) {
    closeProtobuf(changetype<usize>(message));
  } else {
    memory.copy(start, start + size - VALUE_OVERLAP, VALUE_OVERLAP);
    message.shadowSize = <u32>VALUE_OVERLAP;
  }
  return text != Text.None;
}

// What lies in memory.

/** What is to be said next; NeedMore where it is nothing by itself. */
function nextPending(message: ProtobufState): ProtobufEvent {
  if ((pending & (Pending.Value | Pending.Message)) == Pending.Value) {
    if ((pending & Pending.Blanked) != 0) {
      if (textStart != CLEAN) textEnd = copyRun(CLEAN, textStart, textEnd);
      textStart = CLEAN;
      blank(CLEAN, textEnd);
    }
    pending &= ~(Pending.Value | Pending.Blanked);
    giveValue(textStart, textEnd);
    given++;
    return ProtobufEvent.Value;
  }
  if ((pending & Pending.Object) != 0) {
    pending &= ~Pending.Object;
    giveValue(fieldStart, fieldStop);
    return ProtobufEvent.Object;
  }
  if ((pending & Pending.Unread) != 0) {
    pending &= ~Pending.Unread;
    return ProtobufEvent.Unread;
  }
  const news = pending & (Pending.TooDeep | Pending.Malformed) & ~(<u32>message.told);
  pending &= ~(Pending.TooDeep | Pending.Malformed);
  if (news != 0) {
    message.told |= <u8>news;
    // Both at once are rare: the other one comes with the next.
    return (news & Pending.TooDeep) != 0 ? ProtobufEvent.TooDeep : ProtobufEvent.Malformed;
  }
  if ((pending & Pending.Message) != 0) {
    openLevel(fieldStop, message.nameSize, false, fieldTexts);
    const level = levelAt(levels - 1);
    level.start = (pending & Pending.Value) != 0 ? <u32>fieldStart : 0;
    level.given = given;
    pending = 0;
    cursor = fieldStart;
  }
  return ProtobufEvent.NeedMore;
}

// @ts-ignore: decorator
@inline
function levelAt(depth: u32): Level {
  return changetype<Level>(LEVELS + <usize>depth * offsetof<Level>());
}

function openLevel(end: usize, nameSize: u32, group: bool, texts: u32): void {
  const level = levelAt(levels++);
  level.end = <u32>end;
  level.nameSize = nameSize;
  level.group = group;
  level.texts = texts;
  level.start = 0;
}

/** Reads one tag and its content in the innermost message in memory. What was weighed before is whole fields, or ends too early. */
function stepInMemory(message: ProtobufState): void {
  const level = levelAt(levels - 1);
  const end = <usize>level.end;
  if (cursor >= end) {
    cursor = end;
    levels--;
    if (level.start != 0 && givenFound <= level.given) {
      // Its other reading.
      pending = Pending.Value | (textOf(level.start, end) == Text.Odd ? Pending.Blanked : 0);
      message.nameSize = <u8>level.nameSize;
      return;
    }
    message.nameSize = <u8>(levels != 0 ? levelAt(levels - 1).nameSize : level.nameSize);
    return;
  }
  cursor = varintEnd(cursor, end);
  const tag = varint;
  if (cursor == 0) {
    cursor = end;
    return;
  }
  switch (tag & 7) {
    case 0:
      cursor = varintEnd(cursor, end);
      if (cursor == 0) cursor = end;
      break;
    case 1:
      cursor += 8;
      break;
    case 2: {
      const start = varintEnd(cursor, end);
      const length = varint;
      if (start == 0) {
        cursor = end;
        break;
      }
      const left = <u32>(end - start);
      cursor = start + min(length, left);
      if (cursor == start) break;
      appendNumber(message, level.nameSize, tag >> 3);
      weigh(message, start, cursor, length <= left, length, level.texts);
      break;
    }
    case 3:
      if (levels + message.depth < message.limit) {
        appendNumber(message, level.nameSize, tag >> 3);
        openLevel(end, message.nameSize, true, level.texts);
        break;
      }
      message.nameSize = <u8>level.nameSize;
      weighText(cursor, end, true);
      pending |= Pending.TooDeep;
      cursor = end;
      break;
    case 4:
      if (level.group) levels--;
      break;
    default:
      cursor += 4;
  }
}

/** The number that `varintEnd` has read: its low 32 bits. */
let varint: u32 = 0;

/** Whether it had more than ten bytes. */
let overlong: bool = false;

/** The end of the varint at `at`, or 0 where it has none before `end`, or more than ten bytes. */
function varintEnd(at: usize, end: usize): usize {
  varint = 0;
  overlong = false;
  for (let bits: u32 = 0; at < end; bits += 7) {
    if (bits == 70) {
      overlong = true;
      break;
    }
    const byte = byteAt(at++);
    if (bits < 32) varint |= (byte & 0x7f) << bits;
    if (byte < 0x80) return at;
  }
  return 0;
}

/** Texts around what is in the field that was weighed last. */
let fieldTexts: u32 = 0;

/** Values that were given, and how many had been when the last one in which something was found was. */
let given: u32 = 0;
let givenFound: u32 = 0;

/** Says that something was found in the value: what is around it needs no second reading. */
export function foundInProtobuf(state: usize): void {
  givenFound = given;
  changetype<ProtobufState>(state).found = true;
}

/**
 * Decides what the field `start..end` is. `whole`: it is there to its end; else `length` says how long it will be, if it is known.
 * `texts`: around it.
 */
function weigh(message: ProtobufState, start: usize, end: usize, whole: bool, length: u32, texts: u32): void {
  const root = message.depth == 0 && levels == 0;
  const deep = levels + message.depth >= message.limit;
  let fields = fieldsOf(start, end, whole, length);
  const text = textOf(start, end);
  fieldStart = start;
  fieldStop = end;
  if (root && fields == Fields.None) {
    if (text != Text.Printable) pending |= Pending.Malformed;
    // What may be a text alone is none that has ended too early.
    if (text != Text.Printable && fieldsOf(start, end, false, UNKNOWN) == Fields.Nested) fields = Fields.Nested;
  }
  fieldTexts = texts;
  const isMessage = fields == Fields.Nested && !deep;
  if (isMessage) pending |= Pending.Message;
  else if (fields == Fields.Nested) pending |= Pending.TooDeep;
  if ((text == Text.None || textStart != start) && (!root || fields == Fields.None)) pending |= Pending.Object;
  if (text == Text.None) return;
  if (isMessage ? texts == TEXTS || (root && text == Text.Odd) : root && text == Text.Odd && fields == Fields.Flat)
    return;
  pending |= Pending.Value;
  if (isMessage) fieldTexts++;
  if (text == Text.Odd && !deep && fields != Fields.None) pending |= Pending.Blanked;
}

/** The same of what is no message. */
function weighText(start: usize, end: usize, first: bool): void {
  fieldStart = start;
  fieldStop = end;
  if (textOf(start, end) != Text.None) pending |= Pending.Value;
  else if (first) pending |= Pending.Object;
}

const enum Fields {
  None,
  /** Numbers alone. */
  Flat,
  /** With fields that hold bytes, or groups, or what may have such. */
  Nested,
}

/** Whether `start..end` is whole fields; or, where it is not `whole`, those of a message of `length` bytes as far as it goes. */
function fieldsOf(start: usize, end: usize, whole: bool, length: u32): Fields {
  let fields = whole ? Fields.Flat : Fields.Nested;
  let groups: u32 = 0;
  let at = start;
  while (at < end) {
    at = varintEnd(at, end);
    const type = varint & 7;
    let size: u32 = 0;
    if (at != 0 && (type == 0 || type == 2)) {
      at = varintEnd(at, end);
      if (type == 2) size = varint;
    }
    if (at == 0) return whole || overlong ? Fields.None : fields;
    switch (type) {
      case 0:
        break;
      case 1:
        size = 8;
        break;
      case 2:
        fields = Fields.Nested;
        break;
      case 3:
        fields = Fields.Nested;
        groups++;
        break;
      case 4:
        if (groups-- == 0) return Fields.None;
        break;
      case 5:
        size = 4;
        break;
      default:
        return Fields.None;
    }
    if (size > 0x7fff_ffff || size > (whole ? <u32>(end - at) : length - <u32>(at - start))) return Fields.None;
    at += size;
  }
  return groups == 0 || !whole ? fields : Fields.None;
}

const enum Text {
  None,
  /** With control bytes, or bytes that are no UTF-8. */
  Odd,
  Printable,
}

/** The text that `textOf` was asked about, without what is dropped. */
let textStart: usize = 0;
let textEnd: usize = 0;

/** Whether `start..end` is text. */
function textOf(start: usize, end: usize): Text {
  let at = findOneOf(start, end, 0x00, 0xfe, 0xff, 0xff);
  const dropped = at < end;
  if (dropped) {
    let out = copyRun(CLEAN, start, at);
    for (; at < end; at++) {
      const byte = byteAt(at);
      if (byte != 0x00 && byte < 0xfe) out = putByte(out, byte);
    }
    start = CLEAN;
    end = out;
  }
  textStart = start;
  textEnd = end;
  if (start == end) return Text.None;
  const most = (end - start) >> 2;
  let wrong: usize = 0;
  let odd = false;
  at = start;
  while (at < end) {
    const byte = byteAt(at);
    if (byte - 0x20 < 0x5f) {
      at = findUnprintable(at + 1, end);
      continue;
    }
    if (byte < 0x80) {
      odd = odd || (byte != Char.Tab && byte != Char.LineFeed && byte != Char.CarriageReturn);
      at++;
      continue;
    }
    // A character that the end cuts is one.
    const size: usize = byte < 0xc2 || byte > 0xf4 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    const stop = min(at + size, end);
    let next = at + 1;
    while (next < stop && (byteAt(next) & 0xc0) == 0x80) next++;
    if (next < stop || size == 0) {
      if (++wrong > most) return Text.None;
      next = at + 1;
    }
    at = next;
  }
  return odd || wrong != 0 ? Text.Odd : Text.Printable;
}

/** Puts blanks in the places of control bytes. */
function blank(start: usize, end: usize): void {
  for (; start < end; start++) {
    if (byteAt(start) < <u32>Char.Space || byteAt(start) == Char.Delete) putByte(start, Char.Space);
  }
}
