// What gzip (RFC 1952), zlib (RFC 1950) or bare deflate (RFC 1951) holds, from chunks of any size, to pieces of about `step` bytes.
//
//   body    = gzip 1*member | zlib | deflate, then zeros      told from the first two bytes, whatever the header says
//   member  = 1F 8B 08 flags *6 [extra] [name 0] [comment 0] [crc16] deflate crc32 size
//   zlib    = CMF FLG deflate adler32                         with a preset dictionary (FDICT): Broken
//   deflate = *block; block = final type (stored | fixed codes | codes of its own)
//
// How: openInflate(state, wrappers, step); then for each chunk feedInflate(state, start, end) and nextInflate(state) until it says
// something else than Piece. A piece is inflated..inflatedEnd inside the state: it is read, not changed, before the next call. Any
// memory of INFLATE_SIZE bytes is a state (filter/stream.ts has a pool); nothing else is kept between two calls. The step ends of a
// body are the same however it was cut, so that a limit on what comes out (`stepIsFull`) answers the same, too.
//
// Checksums are read over: who inflates has used what came before them, and a wrong one only makes the service refuse the body.
// Linear: a symbol costs a look at a table, or 15 steps where its code is longer than the table is wide; the tables of a block cost
// no more than some hundred bytes of it would.

import { byteAt } from "../core/bytes";

/** What the bytes may be; one that is allowed and fits the first two bytes, in this order. */
export const enum Wrapper {
  Gzip = 1,
  Zlib = 2,
  Raw = 4,
  /** No coding at all: the pieces are what was fed. */
  None = 8,
  /** Bare deflate, of which the final block is not the end: the messages of a WebSocket. */
  Endless = 16,
}

export const enum InflateEvent {
  /** The chunk is used up. */
  NeedMore,
  Piece,
  /** The chunk is used up, and the body is over if nothing but zeros or another member follows. */
  Done,
  /** No such coding, or broken from here. It stays so. */
  Broken,
  /** It is zlib to one reader and bare deflate to another, both with contents of their own. It stays so. */
  Twofold,
}

/** How far back a copy may lie. */
export const INFLATE_WINDOW: u32 = 32768;
const WINDOW: u32 = INFLATE_WINDOW;
/** Most bytes of a step. */
export const INFLATE_STEP: u32 = 32768;
/** The last copy of a step, and what is written behind it. */
const MARGIN: u32 = 272;

const enum Mode {
  Start,
  Head,
  Fields,
  Skip,
  Text,
  Block,
  Stored,
  Copy,
  Lengths,
  Codes,
  Trailer,
  Tail,
  Broken,
  Twofold,
}


@unmanaged
class Inflate {
  /** Bits that are taken from the input and not used yet, the next one lowest; `count` of them. */
  hold: u64;
  /** Bytes that were fed. */
  fed: u64;
  /** Bytes that came out. */
  out: u64;
  count: u32;
  at: u32;
  end: u32;
  mode: Mode;
  allowed: u32;
  /** The one that it is. */
  wrapper: u32;
  /** Fields of the member's head that are still to come. */
  flags: u32;
  /** The block at work is the last. */
  final: bool;
  /** Bytes to pass over or to copy. */
  left: u32;
  /** Offsets in the window: where the next byte goes, where the step ends, and where the member begins. */
  pos: u32;
  limit: u32;
  floor: u32;
  step: u32;
  /** Lengths of codes: for literals and distances together, and how many there are by now. */
  literals: u32;
  total: u32;
  have: u32;
  /** The code of literals; that of distances stands behind it. */
  codes: usize;
}

// A Huffman code: the codes of up to `width` bits are a table that their bits (and any behind them) index, the longer ones are
// counted: how many codes there are of each length, and their symbols in order. An entry is symbol << 4 | length, 0 for longer ones.
const COUNTS: usize = 8;
const SYMBOLS: usize = COUNTS + 16 * 2;
const TABLE: usize = SYMBOLS + 288 * 2;
const LITERAL_WIDTH: u32 = 10;
const DISTANCE_WIDTH: u32 = 8;
const CODE_SIZE: usize = TABLE + (2 << 10);

const LENGTHS: usize = (offsetof<Inflate>() + 7) & ~7;
const CODES: usize = LENGTHS + 320;
const BUFFER: usize = CODES + 2 * CODE_SIZE;
/** Bytes of a state, which stands at a multiple of 8. */
export const INFLATE_SIZE: u32 = <u32>BUFFER + WINDOW + INFLATE_STEP + MARGIN;

/** Both codes of blocks with fixed codes, made when the first one comes. Owner: this file. */
const FIXED: usize = memory.data(2 * 2664, 8);
/** Where the symbols of each length begin. Owner: this file. */
const OFFSETS: usize = memory.data(32, 2);
/** The order in which the lengths of the code for lengths stand. */
const ORDER: usize = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

/** The piece. */
export let inflated: usize = 0;
export let inflatedEnd: usize = 0;

/** Starts on a body that may be one of `wrappers`. */
export function openInflate(state: usize, wrappers: u32, step: u32): void {
  if (isDefined(CHECKED)) assert(CODE_SIZE == 2664 && step <= INFLATE_STEP); // FIXED has room, and the buffer for a step
  memory.fill(state, 0, offsetof<Inflate>());
  const self = changetype<Inflate>(state);
  self.allowed = wrappers;
  self.step = step;
  self.limit = step;
}

/** Gives the next chunk, which stays until `nextInflate` has asked for more. */
export function feedInflate(state: usize, start: usize, end: usize): void {
  const self = changetype<Inflate>(state);
  self.at = <u32>start;
  self.end = <u32>end;
  self.fed += <u64>(end - start);
}

/** Inflates up to the end of the chunk or of the step. */
export function nextInflate(state: usize): InflateEvent {
  const self = changetype<Inflate>(state);
  if (self.pos >= self.limit) nextStep(self);
  const from = self.pos;
  const event = advance(self);
  self.out += self.pos - from;
  inflated = state + BUFFER + from;
  inflatedEnd = state + BUFFER + self.pos;
  return self.pos == from ? event : InflateEvent.Piece;
}

/** Whether the piece has ended a step: `inflatedBytes` and `consumedBytes` are the same here however the body was cut. */
export function stepIsFull(state: usize): bool {
  return changetype<Inflate>(state).pos >= changetype<Inflate>(state).limit;
}

export function inflatedBytes(state: usize): u64 {
  return changetype<Inflate>(state).out;
}

/** Bytes that were fed and have been used. */
export function consumedBytes(state: usize): u64 {
  const self = changetype<Inflate>(state);
  return self.fed - <u64>(self.end - self.at) - <u64>(self.count >> 3);
}

/** Whether all that was fed has been used, and ended between two blocks. */
export function isBetweenBlocks(state: usize): bool {
  const self = changetype<Inflate>(state);
  return self.mode == Mode.Block && self.count == 0 && self.at == self.end && !self.final;
}

/** `flags` of messages of a WebSocket: a block has said that it is the last; and another one with contents has followed. */
const ENDED: u32 = 1;
const WENT_ON: u32 = 2;

/** Notes a block that holds something. */
function noteBlock(self: Inflate): void {
  if (self.wrapper == Wrapper.Endless && (self.flags & ENDED) != 0) self.flags |= WENT_ON;
}

/** Whether a message of a WebSocket goes on behind its final block, where some readers stop. */
export function goesOn(state: usize): bool {
  return (changetype<Inflate>(state).flags & WENT_ON) != 0;
}

/** Copies what copies can reach to `window` (at most INFLATE_WINDOW bytes); returns how much that is. */
export function keepWindow(state: usize, window: usize): u32 {
  const self = changetype<Inflate>(state);
  const size = min(self.pos - self.floor, WINDOW);
  memory.copy(window, state + BUFFER + self.pos - size, size);
  return size;
}

/** Makes `size` bytes at `window` stand before what was opened just now. */
export function resumeWindow(state: usize, window: usize, size: u32): void {
  const self = changetype<Inflate>(state);
  memory.copy(state + BUFFER, window, size);
  self.pos = size;
  self.limit = size + self.step;
}

/** Makes room for a step behind what copies can reach. */
function nextStep(self: Inflate): void {
  if (self.pos + self.step > WINDOW + INFLATE_STEP) {
    const buffer = changetype<usize>(self) + BUFFER;
    const shift = self.pos - WINDOW;
    memory.copy(buffer, buffer + shift, WINDOW);
    self.pos = WINDOW;
    self.floor = self.floor > shift ? self.floor - shift : 0;
  }
  self.limit = self.pos + self.step;
}

/** Takes bytes until `count` bits (at most 40) are held; false where the chunk is used up before. */
function need(self: Inflate, count: u32): bool {
  while (self.count < count) {
    if (self.at == self.end) return false;
    self.hold |= (<u64>byteAt(self.at++)) << self.count;
    self.count += 8;
  }
  return true;
}

/** The next `count` bits, less than 32, which are held. */
function take(self: Inflate, count: u32): u32 {
  const bits = (<u32>self.hold) & ((1 << count) - 1);
  self.hold >>= count;
  self.count -= count;
  return bits;
}

function advance(self: Inflate): InflateEvent {
  while (true) {
    switch (self.mode) {
      case Mode.Start:
        if (!need(self, 16)) return InflateEvent.NeedMore;
        if (!tell(self)) return InflateEvent.NeedMore;
        break;
      case Mode.Head:
        // Behind 1F 8B.
        if (!need(self, 16)) return InflateEvent.NeedMore;
        self.mode = take(self, 8) == 8 ? Mode.Skip : Mode.Broken;
        // Readers in Go and Java pass over the reserved ones.
        self.flags = take(self, 8) & 0x1f;
        self.left = 6;
        break;
      case Mode.Fields:
        if ((self.flags & 4) != 0) {
          if (!need(self, 16)) return InflateEvent.NeedMore;
          self.left = take(self, 16);
          self.flags ^= 4;
          self.mode = Mode.Skip;
        } else if ((self.flags & 0x18) != 0) {
          self.flags ^= (self.flags & 8) != 0 ? 8 : 0x10;
          self.mode = Mode.Text;
        } else if (self.flags == 0x20) {
          self.mode = Mode.Tail;
        } else {
          self.left = self.flags & 2;
          self.flags = 0;
          self.mode = self.left != 0 ? Mode.Skip : Mode.Block;
        }
        break;
      case Mode.Text:
        do {
          if (!need(self, 8)) return InflateEvent.NeedMore;
        } while (take(self, 8) != 0);
        self.mode = Mode.Fields;
        break;
      case Mode.Skip:
        for (; self.left != 0; self.left--) {
          if (!need(self, 8)) return InflateEvent.NeedMore;
          take(self, 8);
        }
        self.mode = Mode.Fields;
        break;
      case Mode.Block:
        if (self.final && self.wrapper == Wrapper.Endless) {
          take(self, self.count & 7);
          self.final = false;
          self.flags |= ENDED;
        } else if (self.final) {
          take(self, self.count & 7);
          self.left = self.wrapper == Wrapper.Gzip ? 8 : self.wrapper == Wrapper.Zlib ? 4 : 0;
          self.final = false;
          // Behind the checksum comes no field, but the end.
          self.flags = 0x20;
          self.mode = Mode.Skip;
        } else if (!openBlock(self)) return InflateEvent.NeedMore;
        break;
      case Mode.Stored:
        if (!need(self, 32)) return InflateEvent.NeedMore;
        self.left = take(self, 16);
        self.mode = (take(self, 16) ^ self.left) == 0xffff ? Mode.Copy : Mode.Broken;
        if (self.left != 0) noteBlock(self);
        break;
      case Mode.Copy:
        if (!copy(self)) return self.wrapper == Wrapper.None ? InflateEvent.Done : InflateEvent.NeedMore;
        break;
      case Mode.Lengths:
        if (!readLengths(self)) return InflateEvent.NeedMore;
        break;
      case Mode.Codes:
        if (!readCodes(self)) return InflateEvent.NeedMore;
        break;
      case Mode.Tail:
        if (!need(self, 8)) return InflateEvent.Done;
        if ((self.hold & 0xff) == 0) {
          take(self, 8);
        } else {
          if (self.wrapper == Wrapper.Gzip && !need(self, 16)) return InflateEvent.NeedMore;
          const again = self.wrapper == Wrapper.Gzip && take(self, 16) == 0x8b1f;
          self.floor = self.pos;
          self.mode = again ? Mode.Head : Mode.Broken;
        }
        break;
      case Mode.Twofold:
        return InflateEvent.Twofold;
      default:
        return InflateEvent.Broken;
    }
    if (self.pos >= self.limit) return InflateEvent.Piece;
  }
}

/** Tells from the first two bytes, or five where it has to be known, what it is; false where they are not there. */
function tell(self: Inflate): bool {
  const first = (<u32>self.hold) & 0xff;
  const second = ((<u32>self.hold) >> 8) & 0xff;
  const allowed = self.allowed;
  const isZlib = (first & 0x8f) == 8 && ((first << 8) | second) % 31 == 0;
  if ((allowed & Wrapper.Gzip) != 0 && first == 0x1f && second == 0x8b) {
    take(self, 16);
    self.wrapper = Wrapper.Gzip;
    self.mode = Mode.Head;
  } else if ((allowed & (Wrapper.Zlib | Wrapper.Raw)) == (Wrapper.Zlib | Wrapper.Raw) && (first & 15) == 8) {
    // Bare deflate begins like that only with a stored block, and padding that nobody writes: then lengths follow. Some readers of
    // zlib pass over its head, whatever is in it.
    if (!need(self, 40)) return false;
    const lengths = <u32>(self.hold >> 8);
    const bare = ((lengths ^ (lengths >> 16)) & 0xffff) == 0xffff;
    if (!bare) take(self, 16);
    self.wrapper = bare ? Wrapper.Raw : Wrapper.Zlib;
    self.mode = bare && isZlib ? Mode.Twofold : !bare && isZlib && (second & 0x20) != 0 ? Mode.Broken : Mode.Block;
  } else if ((allowed & Wrapper.Zlib) != 0 && isZlib) {
    take(self, 16);
    self.wrapper = Wrapper.Zlib;
    self.mode = (second & 0x20) != 0 ? Mode.Broken : Mode.Block;
  } else if ((allowed & (Wrapper.Raw | Wrapper.Endless)) != 0) {
    self.wrapper = allowed & (Wrapper.Raw | Wrapper.Endless);
    self.mode = Mode.Block;
  } else {
    self.wrapper = Wrapper.None;
    self.mode = (allowed & Wrapper.None) != 0 ? Mode.Copy : Mode.Broken;
  }
  return true;
}

/** Reads the head of a block, but lengths; false where the chunk is used up. */
function openBlock(self: Inflate): bool {
  if (!need(self, 3)) return false;
  const head = (<u32>self.hold) & 7;
  const type = head >> 1;
  if (type != 0) noteBlock(self);
  if (type == 2) {
    if (!need(self, 17)) return false;
    take(self, 3);
    self.literals = take(self, 5) + 257;
    self.total = self.literals + take(self, 5) + 1;
    // Below zero: lengths of the code for lengths that are still to come.
    self.left = take(self, 4) + 4;
    self.have = 0;
    self.mode = self.literals > 286 || self.total - self.literals > 30 ? Mode.Broken : Mode.Lengths;
    memory.fill(changetype<usize>(self) + LENGTHS, 0, 19);
  } else {
    take(self, 3);
    if (type == 0) {
      take(self, self.count & 7);
      self.mode = Mode.Stored;
    } else if (type == 1) {
      if (load<u32>(FIXED) == 0) makeFixed(changetype<usize>(self) + LENGTHS);
      self.codes = FIXED;
      self.mode = Mode.Codes;
    } else {
      self.mode = Mode.Broken;
    }
  }
  self.final = (head & 1) != 0;
  return true;
}

function makeFixed(lengths: usize): void {
  memory.fill(lengths, 8, 144);
  memory.fill(lengths + 144, 9, 112);
  memory.fill(lengths + 256, 7, 24);
  memory.fill(lengths + 280, 8, 8);
  makeCode(FIXED, lengths, 288, LITERAL_WIDTH, false);
  memory.fill(lengths, 5, 32);
  makeCode(FIXED + CODE_SIZE, lengths, 32, DISTANCE_WIDTH, false);
}

/** Bytes as they stand: `left` of them, or all where there is no coding. */
function copy(self: Inflate): bool {
  const buffer = changetype<usize>(self) + BUFFER;
  const endless = self.wrapper == Wrapper.None;
  while (self.count != 0 && (endless || self.left != 0)) {
    store<u8>(buffer + self.pos++, <u8>take(self, 8));
    self.left--;
  }
  const room = min(self.end - self.at, self.limit > self.pos ? self.limit - self.pos : 0);
  const size = endless ? room : min(room, self.left);
  memory.copy(buffer + self.pos, self.at, size);
  self.pos += size;
  self.at += size;
  self.left -= size;
  if (endless) return self.at != self.end;
  if (self.left == 0) self.mode = Mode.Block;
  else if (self.at == self.end) return false;
  return true;
}

/** Reads the lengths of the codes of a block, and makes the codes; false where the chunk is used up. */
function readLengths(self: Inflate): bool {
  const lengths = changetype<usize>(self) + LENGTHS;
  const code = changetype<usize>(self) + CODES;
  // First the code for lengths, which takes the place of the literals' until that is made.
  while (self.left != 0) {
    if (self.have == self.left) {
      self.left = self.have = 0;
      if (!makeCode(code, lengths, 19, 7, false)) {
        self.mode = Mode.Broken;
        return true;
      }
      break;
    }
    if (!need(self, 3)) return false;
    store<u8>(lengths + load<u8>(ORDER + self.have++), <u8>take(self, 3));
  }
  const mask = (1 << load<u32>(code)) - 1;
  while (self.have < self.total) {
    let entry: u32 = load<u16>(code + TABLE + (((<u32>self.hold) & mask) << 1));
    while ((entry & 15) > self.count) {
      if (!need(self, self.count + 1)) return false;
      entry = load<u16>(code + TABLE + (((<u32>self.hold) & mask) << 1));
    }
    const symbol = entry >> 4;
    const used = entry & 15;
    let times: u32 = 1;
    let length = symbol;
    if (symbol >= 16) {
      const extra: u32 = symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
      if (!need(self, used + extra)) return false;
      times = (((<u32>self.hold) >> used) & ((1 << extra) - 1)) + (symbol == 18 ? 11 : 3);
      length = symbol == 16 && self.have != 0 ? load<u8>(lengths + self.have - 1) : 0;
      if (self.have + times > self.total || (symbol == 16 && self.have == 0)) {
        self.mode = Mode.Broken;
        return true;
      }
      take(self, extra);
    }
    take(self, used);
    memory.fill(lengths + self.have, <u8>length, times);
    self.have += times;
  }
  self.codes = code;
  const whole =
    load<u8>(lengths + 256) != 0 &&
    makeCode(code, lengths, self.literals, LITERAL_WIDTH, true) &&
    makeCode(code + CODE_SIZE, lengths + self.literals, self.total - self.literals, DISTANCE_WIDTH, true);
  self.mode = whole ? Mode.Codes : Mode.Broken;
  return true;
}

/**
 * Makes the code of `size` symbols whose lengths are at `lengths`, with a table of at most `width` bits. False where it is no code:
 * too many of a length, or places left over. `single`: a code of one bit or of none may leave places.
 */
function makeCode(code: usize, lengths: usize, size: u32, width: u32, single: bool): bool {
  const counts = code + COUNTS;
  memory.fill(counts, 0, 32);
  for (let i: u32 = 0; i < size; i++) {
    const count = counts + ((<usize>load<u8>(lengths + i)) << 1);
    store<u16>(count, load<u16>(count) + 1);
  }
  store<u16>(counts, 0);
  let left: i32 = 1;
  let longest: u32 = 0;
  let offset: u32 = 0;
  for (let length: u32 = 1; length <= 15; length++) {
    const count = <u32>load<u16>(counts + (length << 1));
    if (count != 0) longest = length;
    left = (left << 1) - <i32>count;
    if (left < 0) return false;
    store<u16>(OFFSETS + (length << 1), <u16>offset);
    offset += count;
  }
  if (left > 0 && (longest > 1 || !single)) return false;
  for (let i: u32 = 0; i < size; i++) {
    const length = load<u8>(lengths + i);
    if (length == 0) continue;
    const place = OFFSETS + ((<usize>length) << 1);
    store<u16>(code + SYMBOLS + ((<usize>load<u16>(place)) << 1), <u16>i);
    store<u16>(place, load<u16>(place) + 1);
  }
  width = min(width, max(longest, 1));
  store<u32>(code, width);
  const table = code + TABLE;
  memory.fill(table, 0, 2 << width);
  // The codes in order, each with its bits the other way round: that is how they come.
  let symbol = code + SYMBOLS;
  let bits: u32 = 0;
  for (let length: u32 = 1; length <= width; length++) {
    const step: u32 = 1 << length;
    for (let count: u32 = load<u16>(counts + (length << 1)); count != 0; count--) {
      const entry = ((<u32>load<u16>(symbol)) << 4) | length;
      symbol += 2;
      for (let at = bits; at < (<u32>1) << width; at += step) store<u16>(table + (at << 1), <u16>entry);
      let carry = step >> 1;
      while ((bits & carry) != 0) carry >>= 1;
      bits = carry != 0 ? (bits & (carry - 1)) + carry : 0;
    }
  }
  return true;
}

/** No symbol has this entry: the bits are of no code. */
const NO_SYMBOL: u32 = 0xffff;

/** The entry of the symbol whose code is longer than the table is wide; 0 where it is longer than the `count` bits. */
function findLong(code: usize, bits: u64, count: u32): u32 {
  let value: u32 = 0;
  let first: u32 = 0;
  let index: u32 = 0;
  for (let length: u32 = 1; length <= 15; length++) {
    if (length > count) return 0;
    value |= (<u32>bits) & 1;
    bits >>= 1;
    const codes: u32 = load<u16>(code + COUNTS + (length << 1));
    if (value < first + codes) return ((<u32>load<u16>(code + SYMBOLS + ((index + value - first) << 1))) << 4) | length;
    index += codes;
    first = (first + codes) << 1;
    value <<= 1;
  }
  return NO_SYMBOL;
}

/**
 * Inflates a block up to its end, or the step's; false where the chunk is used up. A symbol with its distance is taken as a whole:
 * 48 bits at most.
 */
function readCodes(self: Inflate): bool {
  const codes = self.codes;
  const literals = codes + TABLE;
  const distances = literals + CODE_SIZE;
  const mask: u32 = (1 << load<u32>(codes)) - 1;
  const distanceMask: u32 = (1 << load<u32>(codes + CODE_SIZE)) - 1;
  const buffer = changetype<usize>(self) + BUFFER;
  const floor = buffer + self.floor;
  const limit = buffer + self.limit;
  const end = <usize>self.end;
  let at = <usize>self.at;
  let out = buffer + self.pos;
  let hold = self.hold;
  let count = self.count;
  let more = true;
  while (out < limit) {
    if (count < 48) {
      if (at + 8 <= end) {
        // What is above `count` comes again with the next load: the same bits.
        hold |= load<u64>(at) << count;
        at += (63 - count) >> 3;
        count |= 56;
      } else {
        for (; count < 56 && at < end; count += 8) hold |= (<u64>byteAt(at++)) << count;
      }
    }
    let entry: u32 = load<u16>(literals + (((<u32>hold) & mask) << 1));
    if (entry == 0) entry = findLong(codes, hold, count);
    let used = entry & 15;
    if (entry == 0 || (used > count && entry != NO_SYMBOL)) {
      more = false;
      break;
    }
    let symbol = entry >> 4;
    if (symbol < 256) {
      store<u8>(out++, <u8>symbol);
      hold >>= used;
      count -= used;
      continue;
    }
    if (symbol == 256) {
      hold >>= used;
      count -= used;
      self.mode = Mode.Block;
      break;
    }
    symbol -= 257;
    if (symbol > 28) {
      self.mode = Mode.Broken;
      break;
    }
    let length = symbol + 3;
    if (symbol == 28) {
      length = 258;
    } else if (symbol >= 8) {
      const extra = (symbol >> 2) - 1;
      length = ((4 + (symbol & 3)) << extra) + 3 + ((<u32>(hold >> used)) & ((1 << extra) - 1));
      used += extra;
    }
    entry = load<u16>(distances + (((<u32>(hold >> used)) & distanceMask) << 1));
    if (entry == 0) entry = findLong(codes + CODE_SIZE, hold >> used, used < count ? count - used : 0);
    used += entry & 15;
    if (entry == 0 || (used > count && entry != NO_SYMBOL)) {
      more = false;
      break;
    }
    symbol = entry >> 4;
    if (symbol > 29) {
      self.mode = Mode.Broken;
      break;
    }
    let distance = symbol + 1;
    if (symbol >= 4) {
      const extra = (symbol >> 1) - 1;
      distance = ((2 + (symbol & 1)) << extra) + 1 + ((<u32>(hold >> used)) & ((1 << extra) - 1));
      used += extra;
    }
    if (used > count) {
      more = false;
      break;
    }
    if (<usize>distance > out - floor) {
      self.mode = Mode.Broken;
      break;
    }
    hold >>= used;
    count -= used;
    out = repeat(out, distance, length);
  }
  self.at = <u32>at;
  self.count = count;
  self.hold = hold & (((<u64>1) << count) - 1);
  self.pos = <u32>(out - buffer);
  return more;
}

/** Writes `length` bytes from `distance` back, up to 7 more behind them, and returns the next cursor. */
// @ts-ignore: decorator
@inline
function repeat(out: usize, distance: usize, length: u32): usize {
  const next = out + length;
  if (distance >= 8) {
    do {
      store<u64>(out, load<u64>(out - distance));
      out += 8;
    } while (out < next);
  } else if (distance == 1) {
    memory.fill(out, load<u8>(out - 1), length);
  } else {
    do {
      store<u8>(out, load<u8>(out - distance));
      out++;
    } while (out < next);
  }
  return next;
}
