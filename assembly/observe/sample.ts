// Which exchanges are inspected: never more than the policy's share of them, and of those the ones that may say something new.
//
//   bucket: each response adds the share (10,000 = 1), each inspection takes 1; at most BURST of them are saved up
//   a stream takes one     with a finding              while there is one
//                          of an endpoint that is new, or answers otherwise than before       while there are 3
//                          of any other endpoint       while there are 6, and the more rarely the oftener it was inspected
//
// A stream asks when its headers have been judged: then the exchange is observed as a whole (observe/observed.ts). One that got none, but
// holds a value which a response may show (observe/taint.ts), asks again when that comes, and is judged for its values.
//
// Endpoints lie in a table of fixed size by the hash of method and template of the path; the newer one takes the place of the older,
// so hostile paths make an endpoint new again and no more.

import { byteAt, findByte, isDigit } from "../core/bytes";
import { Char } from "../core/char";
import { HASH_SEED, hashBytes } from "../core/hash";

/** What one inspection takes, and a share of all responses. */
export const ALL: u32 = 10000;
const BURST: u32 = 8 * ALL;
/** What is left for endpoints that are new, and for streams with findings. */
const FOR_KNOWN: u32 = 6 * ALL;
const FOR_NEW: u32 = 3 * ALL;

let tokens: u32 = BURST;
/** Responses since tokens were last added. */
let earned: u32 = 0;

/** An endpoint (12 bytes). */
// @ts-ignore: decorator
@unmanaged
class Endpoint {
  key: u32;
  /** Classes of status and content types that it has answered with, a bit each by their hash. */
  answers: u32;
  /** Inspections that it passes over until the next one, and how many it does then. */
  rest: u16;
  pause: u16;
}

/** Endpoints that are told apart. */
const ENDPOINTS: u32 = 1024;
const TABLE: usize = memory.data(12288, 8);
const MAX_PAUSE: u32 = 64;

/** A response has come. */
// @ts-ignore: decorator
@inline
export function countResponse(): void {
  earned++;
}

/** Whether there may be an inspection left for a request that begins now. */
// @ts-ignore: decorator
@inline
export function mayInspect(share: u32): bool {
  return share != 0 && (share >= ALL || <u64>tokens + <u64>earned * <u64>share >= <u64>ALL);
}

/** What is asked with before there is an answer. */
export const REQUEST: u32 = 0;

/** Takes an inspection for an exchange of `endpoint`; false where it is to be passed over. `answer`: hash of status and type. */
export function takeInspection(share: u32, endpoint: u32, answer: u32, suspicious: bool): bool {
  tokens = <u32>min<u64>(BURST, <u64>tokens + <u64>earned * <u64>share);
  earned = 0;
  if (share == 0) return false;
  if (share >= ALL) return true;
  const entry = changetype<Endpoint>(TABLE + (endpoint & (ENDPOINTS - 1)) * 12);
  const bit: u32 = 1 << (answer & 31);
  const known = entry.key == endpoint && (entry.answers & bit) != 0;
  const least = suspicious ? ALL : known ? FOR_KNOWN : FOR_NEW;
  if (tokens < least) return false;
  if (entry.key != endpoint) {
    entry.key = endpoint;
    entry.answers = 0;
    entry.rest = entry.pause = 0;
  }
  entry.answers |= bit;
  if (known && !suspicious) {
    if (entry.rest != 0) {
      entry.rest--;
      return false;
    }
    entry.pause = <u16>min<u32>(MAX_PAUSE, ((<u32>entry.pause) << 1) | 1);
    entry.rest = entry.pause;
  }
  tokens -= ALL;
  return true;
}

/** Longest segment of a path that is taken for a name. */
const LONGEST_NAME: usize = 32;

/** Names the endpoint of a method and a path without query: segments that are no names are all alike. */
export function endpointOf(method: usize, methodEnd: usize, path: usize, pathEnd: usize): u32 {
  let hash = hashBytes(method, methodEnd, HASH_SEED);
  while (path < pathEnd) {
    const end = findByte(path + 1, pathEnd, Char.Slash);
    hash = (isName(path + 1, end) ? hashBytes(path, end, hash) : hash ^ 1) * 0x100000001b3;
    path = end;
  }
  return (<u32>(hash ^ (hash >> 32))) | 1;
}

function isName(start: usize, end: usize): bool {
  if (end - start > LONGEST_NAME) return false;
  for (; start < end; start++) {
    if (isDigit(byteAt(start)) || byteAt(start) == Char.Percent) return false;
  }
  return true;
}
