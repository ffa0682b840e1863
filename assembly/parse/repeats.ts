// A name that stands several times in a query. Servers take its first value, its last, a list, or (ASP.NET, for one) all of them
// joined by commas: then each half of an attack is harmless alone.
//
//   q=1 union/*&page=2&q=*/select 3        q=1 union/*,*/select 3
//
// Names that end in a bracket are lists everywhere. Looks at the first MOST_PAIRS pairs and at one name, the first that comes again,
// with at most MOST_VALUES values and JOINED_CAPACITY bytes: what does not fit is left out. A compare of two lengths for each two pairs
// whose names may be alike.

import { byteAt, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { copyRun } from "../core/scan";

const MOST_PAIRS: u32 = 32;
const MOST_VALUES: u32 = 4;
const JOINED_CAPACITY: usize = 16384;

/** Where the name of a pair begins and ends, and where its value ends. */
@unmanaged
class Pair {
  name: usize;
  nameEnd: usize;
  end: usize;
}

const PAIRS: usize = memory.data(32 * 12, 4);
/** `name=value,value`, with room to read and write behind it. Owner: this file. */
const JOINED: usize = memory.data(16448, 16);

/** What `joinRepeats` has made: the name, the first byte of the values, and their end; still encoded. */
export const joined: usize = JOINED;
export let joinedValue: usize = JOINED;
export let joinedEnd: usize = JOINED;

let pairs: u32 = 0;
/** Which lengths and first bytes of names have come, a bit each by their hash: most names come once. */
let names: u64 = 0;
/** The pair whose name has come again, or MOST_PAIRS. */
let repeated: u32 = MOST_PAIRS;

// @ts-ignore: decorator
@inline
function pair(index: u32): Pair {
  return changetype<Pair>(PAIRS + index * offsetof<Pair>());
}

/** Starts on a query. */
export function openRepeats(): void {
  pairs = 0;
  names = 0;
  repeated = MOST_PAIRS;
}

/** Adds the pair whose name is `name..nameEnd` and whose value ends at `end`. */
export function addPair(name: usize, nameEnd: usize, end: usize): void {
  if (pairs == MOST_PAIRS) return;
  const added = pair(pairs);
  added.name = name;
  added.nameEnd = nameEnd;
  added.end = end;
  const bit = (1 as u64) << ((<u64>(nameEnd - name) * 5 + byteAt(name)) & 63);
  if ((names & bit) != 0) {
    for (let index: u32 = 0; repeated == MOST_PAIRS && index < pairs; index++) {
      if (sameName(pair(index), added)) repeated = index;
    }
  }
  names |= bit;
  pairs++;
}

function sameName(a: Pair, b: Pair): bool {
  const size = a.nameEnd - a.name;
  return size == b.nameEnd - b.name && memory.compare(a.name, b.name, size) == 0;
}

/** Joins the values of the name that came again; false where none did. */
export function joinRepeats(): bool {
  if (repeated == MOST_PAIRS) return false;
  const first = pair(repeated);
  const size = first.nameEnd - first.name;
  if (size == 0 || size > JOINED_CAPACITY / 2 || byteAt(first.nameEnd - 1) == Char.BracketClose) return false;
  let out = putByte(copyRun(JOINED, first.name, first.nameEnd), Char.Equals);
  joinedValue = out;
  let values: u32 = 0;
  for (let index = repeated; index < pairs && values < MOST_VALUES; index++) {
    const next = pair(index);
    // A pair without "=" has no value.
    if (next.nameEnd == next.end || !sameName(first, next)) continue;
    const value = next.nameEnd + 1;
    if (out + (next.end - value) >= JOINED + JOINED_CAPACITY) break;
    if (values++ != 0) out = putByte(out, Char.Comma);
    out = copyRun(out, value, next.end);
  }
  joinedEnd = out;
  return values > 1;
}
