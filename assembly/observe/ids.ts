// Which ids of objects an exchange has used, and which it has handed out: what the collector judges by whether somebody used what was
// handed to somebody else. An id never leaves, only a keyed hash of it, and the name of the collection that it is of ("order").
//
//   entry: Id │ collection 32 │ name 40       at most 8 that were used, then 256 that were handed out, each once
//
// One at a time, for the exchange at work; hashes that were handed out are found again by open addressing.

import { byteAt, isDigit, isLetter, lowerCase, putByte, putBytes, sameBytes } from "../core/bytes";
import { Char } from "../core/char";
import { Part } from "../core/field";
import { HASH_SEED, hashBytes } from "../core/hash";
import { sipHash } from "../core/siphash";
import { hashingKey } from "./hop-keys";

/** What an id looks like: how easy it is to guess. */
export const enum Form {
  /** A number of up to four digits, which things of many kinds have. */
  Small = 0,
  Number = 1,
  Short = 2,
  /** None that anybody guesses, such as a UUID. */
  Long = 3,
}

// @ts-ignore: decorator
@unmanaged
export class Id {
  hash: u64;
  form: u8;
  /** It is next to the last one of the collection that the subject used. */
  near: bool;
  /** It was handed out by the collection's own endpoint. */
  own: bool;
  part: u8;
  collectionSize: u8;
  nameSize: u8;
}

const COLLECTION_ROOM: usize = 32;
const NAME_ROOM: usize = 40;
const TEXTS: u32 = (offsetof<Id>() + 7) & ~7;
const ENTRY: u32 = TEXTS + <u32>(COLLECTION_ROOM + NAME_ROOM);
const MAX_USED: u32 = 8;
const MAX_HANDED: u32 = 256;
const IDS: usize = memory.data(88 * 264, 8);
/** Places of what was handed out, by its hash; 0 is free, else the place and 1. */
const SLOTS: u32 = 1024;
const INDEX: usize = memory.data(2048, 8);

export let usedCount: u32 = 0;
export let handedCount: u32 = 0;
/** Something was handed out that is not told: there was no room for it, or the body was not read to its end. */
export let unseen: bool = false;

export function openIds(): void {
  if (isDefined(CHECKED)) assert(ENTRY == 88); // the entries fit their buffer
  if (handedCount != 0) memory.fill(INDEX, 0, SLOTS << 1);
  usedCount = handedCount = 0;
  unseen = false;
}

export function setUnseen(): void {
  unseen = true;
}

export function usedAt(place: u32): Id {
  return changetype<Id>(IDS + place * ENTRY);
}

export function handedAt(place: u32): Id {
  return changetype<Id>(IDS + (MAX_USED + place) * ENTRY);
}

// @ts-ignore: decorator
@inline
export function idCollection(id: Id): usize {
  return changetype<usize>(id) + TEXTS;
}

// @ts-ignore: decorator
@inline
export function idName(id: Id): usize {
  return idCollection(id) + COLLECTION_ROOM;
}

// --- collections --------------------------------------------------------------------------------------------------------

/** The collection that `setCollection` has read. */
export const collection: usize = memory.data(64, 8);
export let collectionEnd: usize = collection;

/**
 * Reads the collection that a name is of: its last word in lower case and the singular. "purchase-orders", "orders" and "billingOrder"
 * are "order".
 */
export function setCollection(start: usize, end: usize): void {
  while (end > start && !isLetter(byteAt(end - 1)) && !isDigit(byteAt(end - 1))) end--;
  let from = end;
  while (from > start && (isLetter(byteAt(from - 1)) || isDigit(byteAt(from - 1)))) {
    from--;
    if (byteAt(from) - Char.A < 26 && from > start && byteAt(from - 1) - Char.a < 26) break;
  }
  if (end - from > COLLECTION_ROOM) from = end - COLLECTION_ROOM;
  let out = collection;
  for (; from < end; from++) out = putByte(out, lowerCase(byteAt(from)));
  collectionEnd = singular(out);
}

function singular(end: usize): usize {
  if (end - collection < 4 || byteAt(end - 1) != Char.s) return end;
  const last = byteAt(end - 2);
  if (last == Char.s || last == Char.u || last == Char.i) return end;
  if (last != Char.e) return end - 1;
  const before = byteAt(end - 3);
  if (before == Char.i && end - collection > 4) return putByte(end - 3, Char.y);
  const hissing = before == Char.s || before == Char.x || before == Char.z;
  const hushing = before == Char.h && (byteAt(end - 4) == Char.c || byteAt(end - 4) == Char.s);
  return hushing || (hissing && (before == Char.x || byteAt(end - 4) == before)) ? end - 2 : end - 1;
}

/** Makes `start..end` the collection, which is written as one already. */
export function restoreCollection(start: usize, end: usize): void {
  collectionEnd = putBytes(collection, start, end);
}

// --- ids ----------------------------------------------------------------------------------------------------------------

/** Bytes of the longest id. */
export const ID_LONGEST: usize = 64;

/** Whether `start..end` may be an id: one word of letters, digits and what stands between them. */
export function mayBeId(start: usize, end: usize): bool {
  if (start == end || end - start > ID_LONGEST) return false;
  for (; start < end; start++) {
    const byte = byteAt(start);
    if (isLetter(byte) || isDigit(byte) || byte == Char.Dash || byte == Char.Underscore || byte == Char.Dot) continue;
    if (byte != Char.Colon && byte != Char.Equals) return false;
  }
  return true;
}

export function isNumber(start: usize, end: usize): bool {
  if (start == end) return false;
  while (start < end) if (!isDigit(byteAt(start++))) return false;
  return true;
}

function formOf(start: usize, end: usize): Form {
  const size = end - start;
  if (isNumber(start, end)) return size <= 4 ? Form.Small : size <= 12 ? Form.Number : Form.Long;
  return size <= 12 ? Form.Short : Form.Long;
}

function fill(id: Id, hash: u64, form: Form): void {
  id.hash = hash;
  id.form = <u8>form;
  id.near = false;
  id.own = false;
  id.nameSize = 0;
  id.collectionSize = <u8>(putBytes(idCollection(id), collection, collectionEnd) - idCollection(id));
}

function isOf(id: Id): bool {
  return sameBytes(idCollection(id), idCollection(id) + id.collectionSize, collection, collectionEnd);
}

/** The exchange has used `start..end` of the current collection, which stands at a place by that name; `subject` says who. */
export function addUsed(subject: u64, part: Part, start: usize, end: usize, name: usize, nameEnd: usize): void {
  if (usedCount == MAX_USED || collectionEnd == collection) return;
  const id = usedAt(usedCount++);
  const form = formOf(start, end);
  fill(id, sipHash(hashingKey(0), start, end), form);
  id.part = <u8>part;
  id.nameSize = <u8>(putBytes(idName(id), name, min(nameEnd, name + NAME_ROOM)) - idName(id));
  if (form <= Form.Number) id.near = isNear(subject ^ hashBytes(collection, collectionEnd, HASH_SEED), start, end);
}

/** The exchange has handed out `start..end` of the current collection, unless it was asked for that. `guessed`: the path says which. */
export function addHanded(start: usize, end: usize, own: bool, guessed: bool): void {
  const hash = sipHash(hashingKey(0), start, end);
  const form = formOf(start, end);
  for (let i: u32 = 0; i < usedCount; i++) {
    const used = usedAt(i);
    if (used.hash == hash && (form != Form.Small || guessed || isOf(used))) return;
  }
  let slot = <u32>(hash ^ hashBytes(collection, collectionEnd, HASH_SEED));
  for (; ; slot++) {
    const at = INDEX + ((slot & (SLOTS - 1)) << 1);
    const place = <u32>load<u16>(at);
    if (place == 0) break;
    const known = handedAt(place - 1);
    if (known.hash == hash && isOf(known)) {
      known.own = known.own || own;
      return;
    }
  }
  if (handedCount == MAX_HANDED) {
    unseen = true;
    return;
  }
  const id = handedAt(handedCount++);
  fill(id, hash, form);
  id.own = own;
  store<u16>(INDEX + ((slot & (SLOTS - 1)) << 1), <u16>handedCount);
}

// --- neighbours ---------------------------------------------------------------------------------------------------------

/** How far apart numbers are that are neighbours. */
const NEAR: u64 = 8;
/** The last number that a subject used of a collection: u64 who and what, u64 number; the newer takes the place of the older. */
const LASTS: u32 = 512;
const LAST: usize = memory.data(8192, 8);

function isNear(key: u64, start: usize, end: usize): bool {
  let number: u64 = 0;
  for (; start < end; start++) number = number * 10 + (byteAt(start) - Char._0);
  const entry = LAST + ((<usize>((<u32>(key ^ (key >> 32))) & (LASTS - 1))) << 4);
  const last = load<u64>(entry, 8);
  const near = load<u64>(entry) == key && number != last && number - last + NEAR <= 2 * NEAR;
  store<u64>(entry, key);
  store<u64>(entry, number, 8);
  return near;
}

// --- what was lost ------------------------------------------------------------------------------------------------------

/** Exchanges since the last that was told of which it is not known what they handed out. */
export let lostExchanges: u32 = 0;

export function loseExchange(): void {
  lostExchanges++;
}

export function clearLost(): void {
  lostExchanges = 0;
}
