// MessagePack and CBOR (RFC 8949), chunk by chunk, with an explicit stack. Their heads differ, what they describe does not:
//
//   body  = *item                                         several in a row, as streams and CBOR sequences (RFC 8742) have them
//   item  = head [ argument, big-endian: 1, 2, 4 or 8 bytes ] content
//   head  = kind and a small argument, or how wide it is  MessagePack: HEADS below; CBOR: three bits and five
//   content of a string: its bytes, or (CBOR) strings up to a break; of an array: items; of a map: twice as many
//
// Strings, and byte strings and extensions that look like text, are values; other byte strings are given by their first window only.
// Numbers and words are spelled as JSON has them, since what asks a database for all is often `0`, `true` or `null`. Tags say
// nothing. Names are JSON Pointers. A length is believed only as far as there are bytes: nothing is reserved for it.
//
// At the first byte that no item begins with, at the end of a body inside of an item, or at a container deeper than the limit the
// parser stops for good and the caller inspects `packedRest..end` and all later chunks as text. Each byte is looked at once and
// copied at most once; the state block and the buffers of value.ts are all the memory, whatever a body claims.

import { byteAt, putByte, putDecimal } from "../core/bytes";
import { Char } from "../core/char";
import { isText } from "../core/scan";
import { putText } from "../core/text";
import {
  closePlace,
  feedPointed,
  inObject,
  nextElement,
  openPlace,
  openPointed,
  placeLeft,
  PLACES,
  pointAtMember,
  Pointed,
  setLeft,
} from "./pointer";
import { Coding, collectValue, finishValue, nextWindow, openSpan, valueEnd, valueRoom, valueStart } from "./value";

export const enum PackedEvent {
  /** The chunk is used up. */
  NeedMore,
  /** The value (value.ts) is a member's name, or a window of one. */
  Key,
  /** The value is a string's content, or a window of it. */
  Text,
  /** The value is a number, true, false or null, spelled out. */
  Literal,
  /** The value is the first window of bytes that are no text. */
  Binary,
  /** The body is over. */
  Done,
  /** What stands before `packedRest` fits nowhere, or the body ended too early. Comes again on each call. */
  Malformed,
  /** The container whose head ends at `packedRest` is deeper than the limit. Comes again on each call. */
  TooDeep,
}

/** What a head describes: the major types of CBOR, and what MessagePack has besides. */
const enum Item {
  Unsigned = 0,
  /** -1 - argument. */
  Negative = 1,
  Bytes = 2,
  Text = 3,
  Array = 4,
  Map = 5,
  Tag = 6,
  /** 20 false, 21 true, 22 null; others say nothing. */
  Simple = 7,
  /** Two's complement. */
  Signed = 8,
  Float = 9,
  /** Bytes behind one of a type. */
  Extension = 10,
  None = 15,
}

/** What comes next. */
const enum Expect {
  Head,
  /** More of a head's argument. */
  Argument,
  /** An extension's type. */
  Type,
  /** The rest of a string. */
  Content,
  /** Nothing more of the item: what holds it goes on. */
  End,
  Nothing,
}

/** Of MessagePack's heads from 0xc0 on: what it is, 4 bits, and how wide its argument is, 4 bits. */
const HEADS: usize = memory.data<u8>([
  0x70, 0xf0, 0x70, 0x70, 0x21, 0x22, 0x24, 0xa1, 0xa2, 0xa4, 0x94, 0x98, 0x01, 0x02, 0x04, 0x08, 0x81, 0x82, 0x84,
  0x88, 0xa0, 0xa0, 0xa0, 0xa0, 0xa0, 0x31, 0x32, 0x34, 0x42, 0x44, 0x52, 0x54,
]);


@unmanaged
class PackedState extends Pointed {
  /** Bit n: object n has its key, a value comes next. */
  values: u64;
  /** The head's argument; of a string, the bytes of it that are left. */
  argument: u64;
  item: Item;
  expect: Expect;
  /** Of the string that is being read, or what ended it all. */
  event: PackedEvent;
  cbor: bool;
  /** Bytes of the argument, all and those that are missing. */
  width: u8;
  missing: u8;
  /** The head says that a break will end it. */
  endless: bool;
  /** Inside of a string of strings. */
  joined: bool;
  /** Whether the byte string that is being read is given as text. */
  isText: bool;
}

/** Of a container that a break ends: more items than are counted. */
const ENDLESS: u32 = u32.MAX_VALUE;
/** Bytes of a byte string that say whether it is text. */
const SAMPLE: usize = 512;
/** A number or a word, spelled out. Owner: this file. */
const LITERAL: usize = memory.data(64);

/** Starts on a body; `state` is a block of POINTED_SIZE bytes, `limit` at most MAX_DEPTH (more is taken as that). */
export function openPacked(state: usize, cbor: bool, limit: u32): void {
  if (isDefined(CHECKED)) assert(offsetof<PackedState>() <= PLACES); // the fields end before the places
  openPointed(state, limit);
  changetype<PackedState>(state).cbor = cbor;
}

/** Gives the next chunk, which stays until `nextPacked` has asked for more. */
export function feedPacked(state: usize, start: usize, end: usize, last: bool): void {
  feedPointed(state, start, end, last);
}

/** Where the parser stands in the chunk. */
export function packedRest(state: usize): usize {
  return changetype<PackedState>(state).at;
}

/** Reads on to the next event. */
export function nextPacked(state: usize): PackedEvent {
  const packed = changetype<PackedState>(state);
  while (true) {
    if (packed.expect == Expect.Nothing) return packed.event;
    if (packed.expect == Expect.End) endItem(state);
    let event = PackedEvent.NeedMore;
    if (packed.expect == Expect.Content) {
      event = readContent(state);
      const isCut = packed.expect == Expect.Content && packed.at == packed.end && packed.argument != 0;
      if (event == PackedEvent.NeedMore && isCut && !packed.last) return event;
    } else {
      if (packed.at == packed.end) {
        if (!packed.last) return PackedEvent.NeedMore;
        if (packed.expect == Expect.Head && packed.depth == 0 && !packed.joined) return PackedEvent.Done;
        event = stop(state, PackedEvent.Malformed);
      } else {
        event = readHead(state);
      }
    }
    if (event != PackedEvent.NeedMore) return event;
  }
}

/** Reads one byte of a head; an event where it is the last one and there is something to give. */
function readHead(state: usize): PackedEvent {
  const packed = changetype<PackedState>(state);
  const byte = byteAt(packed.at);
  if (packed.expect == Expect.Type) {
    packed.expect = Expect.Content;
  } else if (packed.expect == Expect.Argument) {
    packed.argument = (packed.argument << 8) | byte;
    packed.missing--;
  } else {
    openHead(packed, byte);
    if (packed.item == Item.None) return stop(state, PackedEvent.Malformed);
  }
  packed.at++;
  if (packed.expect == Expect.Content) return PackedEvent.NeedMore;
  packed.expect = packed.missing != 0 ? Expect.Argument : Expect.Head;
  return packed.missing != 0 ? PackedEvent.NeedMore : takeItem(state);
}

/** What the first byte of an item says. */
function openHead(packed: PackedState, byte: u32): void {
  let item: u32;
  let argument: u64 = 0;
  let width: u32 = 0;
  packed.endless = false;
  if (packed.cbor) {
    item = byte >> 5;
    const low = byte & 31;
    if (low < 24) argument = low;
    else if (low < 28) {
      width = 1 << (low - 24);
      if (item == Item.Simple && width > 1) item = Item.Float;
    } else if (low == 31 && item != Item.Tag && item > <u32>Item.Negative) packed.endless = true;
    else item = Item.None;
  } else if (byte < 0x80) {
    item = Item.Unsigned;
    argument = byte;
  } else if (byte < 0xc0) {
    item = byte < 0x90 ? Item.Map : byte < 0xa0 ? Item.Array : Item.Text;
    argument = item == Item.Text ? byte & 31 : byte & 15;
  } else if (byte >= 0xe0) {
    item = Item.Negative;
    argument = 0xff - byte;
  } else {
    const head = byteAt(HEADS + byte - 0xc0);
    item = head >> 4;
    width = head & 15;
    // nil, false, true, and extensions of 1 to 16 bytes.
    if (item == Item.Simple) argument = byte == 0xc0 ? 22 : byte - 0xc2 + 20;
    else if (width == 0) argument = 1 << (byte - 0xd4);
  }
  packed.item = item;
  packed.argument = argument;
  packed.width = packed.missing = <u8>width;
}

/** The head is whole. */
function takeItem(state: usize): PackedEvent {
  const packed = changetype<PackedState>(state);
  const item = packed.item;
  const ends = item == Item.Simple && packed.endless;
  if (packed.joined) {
    if (ends) {
      packed.joined = false;
      packed.argument = 0;
      return readContent(state);
    }
    if (packed.endless || (item != Item.Text && item != Item.Bytes)) return stop(state, PackedEvent.Malformed);
    packed.expect = Expect.Content;
  } else if (ends) {
    if (packed.depth == 0 || placeLeft(state) != ENDLESS || (inObject(packed) && !isKey(packed)))
      return stop(state, PackedEvent.Malformed);
    closePlace(state);
    packed.expect = Expect.End;
  } else if (item == Item.Text || item == Item.Bytes || item == Item.Extension) {
    packed.event = isKey(packed) ? PackedEvent.Key : item == Item.Text ? PackedEvent.Text : PackedEvent.Binary;
    packed.joined = packed.endless;
    if (!packed.joined) packed.expect = item == Item.Extension ? Expect.Type : Expect.Content;
  } else if (item == Item.Array || item == Item.Map) {
    // A container may be a key.
    if (isKey(packed)) pointAtMember(state, 0, 0);
    if (!openPlace(state, item == Item.Map)) return stop(state, PackedEvent.TooDeep);
    packed.values &= ~lastBit(packed);
    setLeft(state, packed.endless ? ENDLESS : <u32>min<u64>(packed.argument, ENDLESS - 1));
    if (!packed.endless && packed.argument == 0) {
      closePlace(state);
      packed.expect = Expect.End;
    }
  } else if (item != Item.Tag) {
    packed.expect = Expect.End;
    const end = spell(packed);
    if (isKey(packed)) {
      pointAtMember(state, LITERAL, end);
    } else {
      openSpan(LITERAL, end, Coding.None);
      nextWindow();
      return PackedEvent.Literal;
    }
  }
  return PackedEvent.NeedMore;
}

/** Reads on in a string: the string, or a window of it. */
function readContent(state: usize): PackedEvent {
  const packed = changetype<PackedState>(state);
  const start = <usize>packed.at;
  const room = valueRoom(state);
  const size = <usize>min<u64>(packed.argument, <u64>min<usize>(<usize>packed.end - start, room));
  const end = start + size;
  const first = packed.windows == 0;
  packed.at = <u32>end;
  packed.argument -= size;
  const ends = packed.argument == 0;
  if (ends && packed.joined) packed.expect = Expect.Head;
  // At the end of the body what there is of the string is judged; that it is cut off is told after that.
  const isCut = !ends && packed.last && end == <usize>packed.end;
  if (size == room || ((!ends || packed.joined) && !isCut)) {
    return collectValue(state, start, end, Coding.None) ? give(state, first) : PackedEvent.NeedMore;
  }
  finishValue(state, start, end, Coding.None);
  packed.expect = Expect.End;
  packed.joined = false;
  const event = give(state, first);
  if (isCut) stop(state, PackedEvent.Malformed);
  return event;
}

/** What the value, a string or a window of one, is given as; `first`: no window of it was before. */
function give(state: usize, first: bool): PackedEvent {
  const packed = changetype<PackedState>(state);
  if (packed.event == PackedEvent.Key && first) pointAtMember(state, valueStart, valueEnd);
  if (packed.event != PackedEvent.Binary) return packed.event;
  if (first) packed.isText = isText(valueStart, min(valueEnd, valueStart + SAMPLE));
  if (packed.isText) return PackedEvent.Text;
  return first ? PackedEvent.Binary : PackedEvent.NeedMore;
}

/** Stops for good, behind what there is of a string of strings. */
function stop(state: usize, event: PackedEvent): PackedEvent {
  const packed = changetype<PackedState>(state);
  let last = event;
  if (packed.joined) {
    const first = packed.windows == 0;
    finishValue(state, packed.at, packed.at, Coding.None);
    const given = give(state, first);
    if (given != PackedEvent.NeedMore) last = given;
    packed.joined = false;
  }
  packed.expect = Expect.Nothing;
  packed.event = event;
  return last;
}

/** An item is over, and with it each container that it was the last one of. */
function endItem(state: usize): void {
  const packed = changetype<PackedState>(state);
  packed.expect = Expect.Head;
  while (packed.depth != 0) {
    if (isKey(packed)) {
      packed.values |= lastBit(packed);
      return;
    }
    packed.values &= ~lastBit(packed);
    if (!inObject(packed)) nextElement(state);
    const left = placeLeft(state);
    if (left == ENDLESS) return;
    setLeft(state, left - 1);
    if (left > 1) return;
    closePlace(state);
  }
}

/** The bit of the innermost container. */
// @ts-ignore: decorator
@inline
function lastBit(packed: PackedState): u64 {
  const bit: u64 = 1;
  return bit << (packed.depth - 1);
}

/** Whether the next item is a member's name. */
function isKey(packed: PackedState): bool {
  return inObject(packed) && (packed.values & lastBit(packed)) == 0;
}

/** Spells a number or a word at LITERAL and returns its end; what is neither is `null`. */
function spell(packed: PackedState): usize {
  const argument = packed.argument;
  switch (packed.item) {
    case Item.Unsigned:
      return putDecimal(LITERAL, argument);
    case Item.Negative:
      return putDecimal(putByte(LITERAL, Char.Dash), argument + 1);
    case Item.Signed: {
      const unused: u64 = 64 - 8 * <u64>packed.width;
      const number = (<i64>(argument << unused)) >> unused;
      return number < 0
        ? putDecimal(putByte(LITERAL, Char.Dash), <u64>0 - <u64>number)
        : putDecimal(LITERAL, <u64>number);
    }
    case Item.Float:
      return spellFloat(
        packed.width == 8
          ? reinterpret<f64>(argument)
          : packed.width == 4
            ? <f64>reinterpret<f32>(<u32>argument)
            : halfFloat(<u32>argument),
      );
    default:
      return putText(LITERAL, argument == 20 ? "false" : argument == 21 ? "true" : "null");
  }
}

/** Six decimals at most; numbers beyond 64 bits are as large as those get, and one that is none is 0. */
function spellFloat(number: f64): usize {
  let out = LITERAL;
  if (number < 0) out = putByte(out, Char.Dash);
  number = abs(number);
  const whole = number < 18446744073709551615.0 ? <u64>number : number == number ? u64.MAX_VALUE : 0;
  out = putDecimal(out, whole);
  const decimals = whole < (<u64>1) << 52 ? <u64>min<f64>(nearest((number - <f64>whole) * 1000000), 999999) : 0;
  if (decimals == 0) return out;
  // Their leading zeros stay: the point takes the place of a digit in front.
  let end = putDecimal(out, 1000000 + decimals);
  putByte(out, Char.Dot);
  while (byteAt(end - 1) == Char._0) end--;
  return end;
}

/** A number of 16 bits (IEEE 754); those below its normal ones are 0. */
function halfFloat(bits: u32): f64 {
  const exponent = (bits >> 10) & 31;
  if (exponent == 0) return 0;
  const number = reinterpret<f64>(((<u64>(exponent + 1023 - 15)) << 52) | ((<u64>(bits & 1023)) << 42));
  return bits >> 15 != 0 ? -number : number;
}
