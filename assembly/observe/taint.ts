// The values of a request that a response may show: those that carry syntax, and those that a detector reported on. Up to 8 of a
// stream, suspicious ones first, in a block of a fixed pool that the stream holds until its response has been judged.
//
//   block: Watch (what is known of the response) │ own host 128 │ 8 × (Taint │ name 128 │ value 256 and room to read behind it)
//
// A plain value never comes here: the kinds of its bytes, which the judge has found anyway, say so.

import { byteAt, findByte, hexValue, isLetter, isQuote, putBytes, sameBytes, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { fieldName, fieldNameEnd, holdsOperator, ownHost, ownHostEnd, Part, reportedPart } from "../core/field";
import { claimBlock, POOL_HEAD, releaseBlock } from "../core/pool";
import { findPair } from "../core/scan";
import { decodePercent } from "../decode/percent";
import { textIs, textIsOneOf, textStartsNoCase } from "../core/text";
import { Kind } from "../generated/kinds";

/** Kinds of which it depends on what stands behind them. */
const MAYBE: u32 = Kind.Slash | Kind.Semicolon | Kind.Pipe | Kind.Ampersand | Kind.Dollar;
/** Kinds of byte that a value with syntax has one of. A slash alone says little: see `carriesSyntax`. */
const SYNTAX: u32 =
  Kind.Quote | Kind.Angle | Kind.Brace | Kind.Backtick | Kind.Paren | Kind.Backslash | Kind.Control | MAYBE;
/** The same of headers and cookies, which are full of quotes and brackets that nobody chose. */
const RARE_SYNTAX: u32 = Kind.Angle | Kind.Control | Kind.Quote;
/** The same of paths. */
const PATH_SYNTAX: u32 = SYNTAX & ~MAYBE;

/** Values kept of one stream. */
const MAX_TAINTS: u32 = 8;
const NAME_CAPACITY: u32 = 128;
const VALUE_CAPACITY: u32 = 256;
const HOST_CAPACITY: u32 = 128;

/** What is known of a stream's response while it is on its way; the values follow. */
// @ts-ignore: decorator
@unmanaged
export class Watch {
  count: u32;
  hostSize: u32;
  /** The request may lead elsewhere because somebody checked where: it says who asks, or is signed. */
  vouched: bool;
  /** A detector reported on one of the values. */
  suspicious: bool;
  /** The response's body is not read to its end. */
  torn: bool;
  /** How the response's body is read (inspect/reply.ts), 0 for not. */
  bodyKind: u8;
  status: u32;
  /** The body so far, 0 until its first byte. */
  buffer: usize;
  /** Bytes in it. */
  size: u32;
  /** Bytes that came. */
  received: u32;
  inflater: usize;
  /** What is kept of the request as a whole (observe/observed.ts), 0 where only its values are. */
  observed: usize;
}

/** One value; name and value follow at the offsets below. */
// @ts-ignore: decorator
@unmanaged
export class Taint {
  part: u8;
  nameLength: u8;
  length: u16;
  /** It was looked at for where it came from and goes (filter/journey.ts). */
  followed: bool;
  /** Its tags were noted (filter/stored.ts). */
  stored: bool;
  /** Classes that detectors reported on it, a bit each. */
  classes: u32;
}

const TAINT_SIZE: u32 = offsetof<Taint>() + NAME_CAPACITY + VALUE_CAPACITY + 16;
const HOST: u32 = (offsetof<Watch>() + 7) & ~7;
const VALUES: u32 = HOST + HOST_CAPACITY;
const BLOCK_SIZE: u32 = VALUES + TAINT_SIZE * MAX_TAINTS;
/** Streams whose values can be kept at once in one VM. */
const BLOCKS: u32 = 1024;
const POOL: usize = memory.data(3547152, 16);

/** A value was not kept, since all blocks are in use; whoever counts it clears it. */
export let noRoom: bool = false;

export function clearNoRoom(): void {
  noRoom = false;
}

/** Whether values of the stream at work are kept that no detector reported on. */
export let watching: bool = false;
/** Path and query of the request at work as they came; empty behind its headers. */
let target: usize = 0;
let targetEnd: usize = 0;

export function setWatching(on: bool): void {
  watching = on;
}

export function setTarget(start: usize, end: usize): void {
  target = start;
  targetEnd = end;
}

/** Whether a value of the current part with these kinds of byte may carry syntax: maybe too often, never a false no. */
// @ts-ignore: decorator
@inline
export function mayCarrySyntax(part: Part, kinds: u32): bool {
  return (kinds & SYNTAX) != 0 && (kinds & syntaxOf(part)) != 0;
}

function syntaxOf(part: Part): u32 {
  return part == Part.Header || part == Part.Cookie ? RARE_SYNTAX : part == Part.Path ? PATH_SYNTAX : SYNTAX;
}

/**
 * Whether it does: a slash counts where it climbs, or where an address begins, a separator where a command may stand behind it, a quote
 * of a header where it is a single one, and a dollar where it begins the value, or the name may be an operator.
 */
export function carriesSyntax(part: Part, start: usize, end: usize, kinds: u32): bool {
  if (holdsOperator()) return true;
  const found = kinds & syntaxOf(part);
  if (part == Part.Header || part == Part.Cookie) {
    return found == Kind.Quote ? findByte(start, end, Char.Quote) < end : found != 0;
  }
  if ((found & ~MAYBE) != 0) return true;
  if (found == 0) return false;
  if ((found & Kind.Slash) != 0) {
    if (findPair(start, end, Char.Slash, Char.Slash) < end || findPair(start, end, Char.Dot, Char.Dot) < end)
      return true;
  }
  if ((found & Kind.Dollar) != 0 && byteAt(start) == Char.Dollar) return true;
  for (let at = start; at < end; at++) {
    if (separates(byteAt(at)) && isLetter(byteAt(skipSpaces(at + 1, end)))) return true;
  }
  return false;
}

/** Whether a shell ends a command at that byte, or begins one there. */
export function separates(byte: u32): bool {
  return (
    byte == Char.Semicolon ||
    byte == Char.Pipe ||
    byte == Char.Ampersand ||
    byte == Char.Backtick ||
    byte == Char.ParenOpen ||
    byte == Char.LineFeed
  );
}

/**
 * Keeps the value `start..end` of the current field in `block` (0 for none yet) if it carries syntax or `classes` were reported on
 * it; returns the block, 0 where there is none or no room for one. `path..pathEnd`: of the request, without its query.
 */
export function keepValue(block: usize, start: usize, end: usize, kinds: u32, classes: u32): usize {
  if (start == end || (classes == 0 && !carriesSyntax(reportedPart, start, end, kinds))) return block;
  if (block == 0) {
    block = openWatch();
    if (block == 0) return 0;
  }
  const watch = changetype<Watch>(block);
  if (end - start > VALUE_CAPACITY) {
    takeExcerpt(start, end);
    start = excerpt;
    end = excerptEnd;
  }
  let place: u32 = watch.count;
  for (let i: u32 = 0; i < watch.count; i++) {
    const known = taintAt(block, i);
    if (
      known.length == <u32>(end - start) &&
      known.part == reportedPart &&
      sameBytes(taintValue(known), taintValueEnd(known), start, end) &&
      sameBytes(taintName(known), taintNameEnd(known), fieldName, min(fieldNameEnd, fieldName + NAME_CAPACITY))
    ) {
      known.classes |= classes;
      watch.suspicious = watch.suspicious || classes != 0;
      return block;
    }
    if (place == MAX_TAINTS && known.classes == 0) place = i;
  }
  if (place == MAX_TAINTS) {
    if (classes == 0 || taintAt(block, MAX_TAINTS - 1).classes != 0) return block;
    place = MAX_TAINTS - 1;
  }
  if (place == watch.count) watch.count++;
  const taint = taintAt(block, place);
  taint.part = <u8>reportedPart;
  taint.classes = classes;
  taint.followed = taint.stored = false;
  taint.nameLength = <u8>min<usize>(fieldNameEnd - fieldName, NAME_CAPACITY);
  taint.length = <u16>(end - start);
  putBytes(taintName(taint), fieldName, fieldName + taint.nameLength);
  putBytes(taintValue(taint), start, end);
  watch.suspicious = watch.suspicious || classes != 0;
  return block;
}

/** What is kept of a value, as `takeExcerpt` found it. */
export let excerpt: usize = 0;
export let excerptEnd: usize = 0;

/** Finds what is kept of the value `start..end`: all of it, or of a long one what says most. */
export function takeExcerpt(start: usize, end: usize): void {
  excerpt = end - start > VALUE_CAPACITY ? worthOf(start, end) : start;
  excerptEnd = min(end, excerpt + VALUE_CAPACITY);
}

/** A block without a value for the request at work; 0 where there is no room for one. */
export function openWatch(): usize {
  if (isDefined(CHECKED)) assert(POOL_HEAD + BLOCKS * BLOCK_SIZE == 3547152); // the pool fits its buffer
  const block = claimBlock(POOL, BLOCK_SIZE, BLOCKS);
  if (block == 0) {
    noRoom = true;
    return 0;
  }
  memory.fill(block, 0, offsetof<Watch>());
  const opened = changetype<Watch>(block);
  opened.hostSize = min<u32>(<u32>(ownHostEnd - ownHost), HOST_CAPACITY);
  putBytes(block + HOST, ownHost, ownHost + opened.hostSize);
  opened.vouched = isVouched();
  return block;
}

/** Bytes before the first mark that are kept of a long value. */
const BEFORE: usize = 32;

/** Where the part of a long value begins that says most: a little before its first mark of a language. */
function worthOf(start: usize, end: usize): usize {
  for (let at = start; at < end; at++) {
    const byte = byteAt(at);
    if (
      byte != Char.Less &&
      byte != Char.BraceOpen &&
      byte != Char.Backtick &&
      byte >= <u32>Char.Space &&
      !isQuote(byte)
    )
      continue;
    const from = at - start < BEFORE ? start : at - BEFORE;
    return min(from, end - VALUE_CAPACITY);
  }
  return start;
}

/**
 * Whether the query has a parameter by which somebody checks where the request may lead: OAuth and SAML name their client, others
 * sign the address.
 */
function isVouched(): bool {
  let at = findByte(target, targetEnd, Char.Question);
  while (at < targetEnd) {
    at++;
    const end = findByte(at, targetEnd, Char.Ampersand);
    const name = findByte(at, end, Char.Equals);
    if (
      textIs(at, name, "client_id") ||
      textIs(at, name, "response_type") ||
      textStartsNoCase(at, name, "saml") ||
      textStartsNoCase(at, name, "sig") ||
      textIsOneOf(at, name, "hmac token state nonce ")
    )
      return true;
    at = end;
  }
  return false;
}

/** The values as they came, while `decodeValues` has changed them. */
const ASIDE: usize = memory.data(3312, 8);

/**
 * Decodes the values once more that have an escape left, and empties the others; false where none has one. `restoreValues` undoes it.
 * A service may decode what its framework has decoded already.
 */
export function decodeValues(watch: Watch): bool {
  if (isDefined(CHECKED)) assert(TAINT_SIZE * MAX_TAINTS <= 3312);
  const values = changetype<usize>(watch) + VALUES;
  let any = false;
  memory.copy(ASIDE, values, TAINT_SIZE * watch.count);
  for (let i: u32 = 0; i < watch.count; i++) {
    const taint = taintAt(changetype<usize>(watch), i);
    const start = ASIDE + (taintValue(taint) - values);
    const end = start + taint.length;
    if (hasEscape(start, end)) {
      any = true;
      taint.length = <u16>(decodePercent(start, end, taintValue(taint), false) - taintValue(taint));
    } else {
      taint.length = 0;
      taint.classes = 0;
    }
  }
  if (!any) restoreValues(watch);
  return any;
}

export function restoreValues(watch: Watch): void {
  memory.copy(changetype<usize>(watch) + VALUES, ASIDE, TAINT_SIZE * watch.count);
}

function hasEscape(start: usize, end: usize): bool {
  for (let at = findByte(start, end, Char.Percent); at + 2 < end; at = findByte(at + 1, end, Char.Percent)) {
    if ((hexValue(byteAt(at + 1)) | hexValue(byteAt(at + 2))) < 16) return true;
  }
  return false;
}

export function freeTaints(block: usize): void {
  if (block != 0) releaseBlock(POOL, block);
}

// @ts-ignore: decorator
@inline
export function taintAt(block: usize, index: u32): Taint {
  return changetype<Taint>(block + VALUES + index * TAINT_SIZE);
}

// @ts-ignore: decorator
@inline
export function taintName(taint: Taint): usize {
  return changetype<usize>(taint) + offsetof<Taint>();
}

// @ts-ignore: decorator
@inline
export function taintNameEnd(taint: Taint): usize {
  return taintName(taint) + taint.nameLength;
}

// @ts-ignore: decorator
@inline
export function taintValue(taint: Taint): usize {
  return taintName(taint) + NAME_CAPACITY;
}

// @ts-ignore: decorator
@inline
export function taintValueEnd(taint: Taint): usize {
  return taintValue(taint) + taint.length;
}

/** The host that the request was for, with its port. */
// @ts-ignore: decorator
@inline
export function watchedHost(watch: Watch): usize {
  return changetype<usize>(watch) + HOST;
}
