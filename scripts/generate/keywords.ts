// Words → a perfect hash table (hash and displace): a word is hashed once, its bucket says how far its slot is displaced, and the
// slot names the only word that it can be. The layout is drawn in assembly/match/keywords.ts, whose hash this one repeats.

import { MAX_KEYWORD_BYTES } from "./limits.ts";

const PRIME = 0x9e3779b97f4a7c15n;
const MASK_64 = (1n << 64n) - 1n;
const MAX_DISPLACEMENT = 255;
const HEADER_BYTES = 20;
/** Bits of the filter for each word: more than nine of ten other words end there. */
const FILTER_BITS = 16;
const HEAD_SPREAD = 0x9e3779b1;
const SIZE_SPREAD = 0x85ebca6b;
const SLOT_BYTES = 4;

export interface Keywords {
  words: number;
  bytes: Uint8Array;
}

/** Builds the table of lower-case words and their kinds (1–255). Throws an Error where it outgrows its limit. */
export function buildKeywords(kinds: ReadonlyMap<string, number>): Keywords {
  const words = [...kinds.keys()].sort();
  let slotCount = powerOfTwo(words.length + (words.length >> 2));
  const bucketCount = powerOfTwo(Math.ceil(words.length / 3));
  let placed = displace(words, bucketCount, slotCount);
  while (!placed) {
    slotCount *= 2;
    if (slotCount * SLOT_BYTES > MAX_KEYWORD_BYTES) throw new Error("two words have the same hash");
    placed = displace(words, bucketCount, slotCount);
  }
  const filter = filterOf(words);
  const filterAt = HEADER_BYTES + bucketCount;
  const slotsAt = Math.ceil((filterAt + filter.length) / SLOT_BYTES) * SLOT_BYTES;
  const textAt = slotsAt + slotCount * SLOT_BYTES;
  const size = textAt + words.reduce((sum, word) => sum + word.length, 0);
  if (size > MAX_KEYWORD_BYTES) throw new Error(`${size} bytes of keywords, at most ${MAX_KEYWORD_BYTES}`);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const lengths = words.reduce((set, word) => set | (1n << BigInt(word.length)), 0n);
  view.setBigUint64(0, lengths, true);
  view.setUint16(8, bucketCount - 1, true);
  view.setUint16(10, slotCount - 1, true);
  view.setUint32(12, slotsAt, true);
  view.setUint16(16, filterAt, true);
  view.setUint16(18, filter.length * 8 - 1, true);
  bytes.set(placed.displacements, HEADER_BYTES);
  bytes.set(filter, filterAt);
  let text = textAt;
  placed.slots.forEach((word, slot) => {
    if (word === undefined) return;
    view.setUint16(slotsAt + slot * SLOT_BYTES, text, true);
    view.setUint8(slotsAt + slot * SLOT_BYTES + 2, word.length);
    view.setUint8(slotsAt + slot * SLOT_BYTES + 3, kinds.get(word) ?? 0);
    bytes.set(new TextEncoder().encode(word), text);
    text += word.length;
  });
  return { words: words.length, bytes };
}

/** A bit for each length together with the first four letters, that some word has. */
function filterOf(words: readonly string[]): Uint8Array {
  const bits = Math.max(8, powerOfTwo(words.length * FILTER_BITS));
  const filter = new Uint8Array(bits / 8);
  for (const word of words) {
    const head = [...new TextEncoder().encode(word.slice(0, 4))];
    const chunk = head.reduce((sum, byte, index) => sum | ((byte | 0x20) << (8 * index)), 0);
    const bit = ((Math.imul(chunk, HEAD_SPREAD) + Math.imul(word.length, SIZE_SPREAD)) >>> 16) & (bits - 1);
    filter[bit >> 3]! |= 1 << (bit & 7);
  }
  return filter;
}

/** Finds a displacement for each bucket, the fullest first, or undefined where one finds none. */
function displace(
  words: readonly string[],
  bucketCount: number,
  slotCount: number,
): { displacements: Uint8Array; slots: (string | undefined)[] } | undefined {
  const buckets = Array.from({ length: bucketCount }, (_, index) => ({ index, members: [] as string[] }));
  for (const word of words) buckets[hashWord(word) & (bucketCount - 1)]?.members.push(word);
  const displacements = new Uint8Array(bucketCount);
  const slots = new Array<string | undefined>(slotCount).fill(undefined);
  for (const { index, members } of buckets.sort((a, b) => b.members.length - a.members.length || a.index - b.index)) {
    let displacement = 0;
    let places: number[] = [];
    for (; displacement <= MAX_DISPLACEMENT; displacement++) {
      places = members.map((word) => slotOf(hashWord(word), displacement, slotCount));
      if (new Set(places).size === members.length && places.every((place) => slots[place] === undefined)) break;
    }
    if (displacement > MAX_DISPLACEMENT) return undefined;
    displacements[index] = displacement;
    places.forEach((place, each) => (slots[place] = members[each]));
  }
  return { displacements, slots };
}

/** The slot of a hash; the step is odd, so that two words of a bucket part with some displacement. */
function slotOf(hash: number, displacement: number, slotCount: number): number {
  return ((hash >>> 8) + displacement * ((hash >>> 20) | 1)) & (slotCount - 1);
}

/** Eight bytes at a time, little endian, each with the bit set that tells small letters from capitals; the upper 32 bits. */
function hashWord(word: string): number {
  const bytes = new TextEncoder().encode(word);
  let hash = 0n;
  for (let at = 0; at < bytes.length; at += 8) {
    let chunk = 0n;
    bytes.subarray(at, at + 8).forEach((byte, index) => (chunk |= BigInt(byte | 0x20) << BigInt(8 * index)));
    hash = ((hash ^ chunk) * PRIME) & MASK_64;
    hash ^= hash >> 32n;
  }
  return Number(((hash * PRIME) & MASK_64) >> 32n);
}

function powerOfTwo(atLeast: number): number {
  let power = 1;
  while (power < atLeast) power *= 2;
  return power;
}
