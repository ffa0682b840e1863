// The notes of values (observe/notes.ts) in shared data: fetched, changed and put back, by whoever of the workers comes first. And by which
// keys values are hashed: of the secret that sidecars share, else random and the same in all VMs of the process.

import { LogLevel, Status } from "../abi/enums";
import { environment, variable, variableEnd } from "../abi/environ";
import { fillRandom, given, givenCas, givenEnd, log, now, readShared, writeShared } from "../abi/host";
import { inboxMark, releaseInbox } from "../abi/inbox";
import { putByte } from "../core/bytes";
import { Char } from "../core/char";
import { SIPHASH_KEY_SIZE, sipHash } from "../core/siphash";
import { putText } from "../core/text";
import { hashingKey, hasSecret, setHashing, setSecret } from "../observe/hop-keys";
import {
  bucket,
  bucketEnd,
  bucketOf,
  fileNote,
  Index,
  openBucket,
  STORED_SECONDS,
  TRACED_SECONDS,
} from "../observe/notes";
import { stepAt, stepHops, Journey } from "../observe/journey";
import { countOverflow, Overflow } from "../report/counters";
import { readBareHost, readUrl, urlAddress, urlHost, urlHostEnd, urlPort } from "../tokenize/url";

const KEY: usize = memory.data(32);
const VALUE: usize = memory.data(16, 8);
const LINE: usize = memory.data(160);
/** How often a lost race for a bucket is run again. */
const ATTEMPTS: u32 = 4;
/** A version that no data has: writes only where there is none yet. */
const FRESH: u32 = u32.MAX_VALUE;

/** Seconds since the epoch. */
export function seconds(): u32 {
  return <u32>(now() / 1000000000);
}

// --- keys ---------------------------------------------------------------------------------------------------------------

let opened: bool = false;

/** Learns the keys, once a VM; called while a configuration arrives. `asked`: its policy says where headers go. */
export function openKeys(asked: bool): void {
  if (!opened) {
    opened = true;
    takeSecret(0, "MESHWARD_HOP_KEY");
    takeSecret(1, "MESHWARD_HOP_KEY_PREVIOUS");
    if (!hasSecret(0)) setHashing(randomKey());
  }
  if (asked) tellUnsigned(LogLevel.Warn);
}

/** Says once that nothing is told to the next sidecar. */
function tellUnsigned(level: LogLevel): void {
  if (hasSecret(0) || !isFirst("meshward.unsigned")) return;
  log(level, LINE, putText(LINE, "meshward: no MESHWARD_HOP_KEY: values are not followed from service to service"));
}

function takeSecret(index: u32, name: string): void {
  if (!environment(name) || setSecret(index, variable, variableEnd) || !isFirst(name)) return;
  const end = putText(putText(putText(LINE, "meshward: "), name), " is shorter than 16 characters, and not used");
  log(LogLevel.Error, LINE, end);
}

/** The process's random key: that of whichever VM came first. */
function randomKey(): usize {
  fillRandom(VALUE, VALUE + SIPHASH_KEY_SIZE);
  const keyEnd = putText(KEY, "meshward.hashing");
  if (writeShared(KEY, keyEnd, VALUE, VALUE + SIPHASH_KEY_SIZE, FRESH) == Status.Ok) return VALUE;
  return readShared(KEY, keyEnd) == Status.Ok && givenEnd - given == SIPHASH_KEY_SIZE ? given : VALUE;
}

/** Whether this is the first VM of the process to ask for that. */
function isFirst(name: string): bool {
  return writeShared(KEY, putText(KEY, name), VALUE, VALUE + 1, FRESH) == Status.Ok;
}

// --- whether anybody looks ----------------------------------------------------------------------------------------------

/** The service's own calls pass through this proxy, so that notes are of use. */
export let following: bool = false;

/** One of the service's own calls was seen, or a listener for them. */
export function beginFollowing(): void {
  if (following) return;
  following = true;
  isFirst("meshward.calls");
  tellUnsigned(LogLevel.Info);
}

/** Learns on the tick whether another worker has seen one. */
export function tickFollowing(): void {
  if (!following) following = readShared(KEY, putText(KEY, "meshward.calls")) == Status.Ok;
}

/** The second that this VM has last said a note in. */
let noted: u32 = 0;

/** Whether some note may be found at `second`: a call asks no more than this as long as there is none. */
export function areNotes(second: u32): bool {
  return isWithin("meshward.noted", second, TRACED_SECONDS);
}

/** The same of tags. */
export function areStored(second: u32): bool {
  return isWithin("meshward.stored", second, STORED_SECONDS);
}

function isWithin(name: string, second: u32, limit: u32): bool {
  if (readShared(KEY, putText(KEY, name)) != Status.Ok || givenEnd - given != 4) return false;
  return <i32>(second - load<u32>(given)) <= <i32>limit;
}

export function sayStored(second: u32): void {
  saySecond("meshward.stored", second);
}

function saySecond(name: string, second: u32): void {
  store<u32>(VALUE, second);
  writeShared(KEY, putText(KEY, name), VALUE, VALUE + 4, 0);
}

// --- buckets ------------------------------------------------------------------------------------------------------------

/** Makes the bucket of a key the one at hand; yields the version to give back to `storeBucket`. */
export function loadBucket(key: u64, second: u32): u32 {
  const mark = inboxMark();
  const keyEnd = bucketKey(key);
  const found = readShared(KEY, keyEnd) == Status.Ok;
  openBucket(found ? given : 0, found ? givenEnd : 0, second);
  releaseInbox(mark);
  return found ? givenCas : FRESH;
}

/** Puts it back; false where another VM has changed it since. */
export function storeBucket(key: u64, version: u32): bool {
  return writeShared(KEY, bucketKey(key), bucket, bucketEnd, version) == Status.Ok;
}

function bucketKey(key: u64): usize {
  const index = bucketOf(key);
  const end = putText(KEY, "meshward.notes.");
  return putByte(putByte(end, Char.a + (index >> 4)), Char.a + (index & 15));
}

/** In place of the number of a step. */
export const ALL_STEPS: u32 = u32.MAX_VALUE;

/** Files step `which` of a journey, or all that are not filed yet, under `key`. */
export function fileSteps(index: Index, key: u64, journey: Journey, which: u32, second: u32): void {
  for (let attempt: u32 = 0; attempt < ATTEMPTS; attempt++) {
    const version = loadBucket(key, second);
    let dropped: u32 = 0;
    for (let i: u32 = 0; i < journey.steps; i++) {
      const step = stepAt(journey, i);
      if (which == ALL_STEPS ? step.filed : i != which) continue;
      const hops = stepHops(step);
      dropped += fileNote(index, key, step.value, step.host, journey.owner, second, hops, hops + step.size);
    }
    if (!storeBucket(key, version)) continue;
    return sayNoted(dropped, second);
  }
  countOverflow(Overflow.Notes);
}

/** Files one note. */
export function fileOne(
  index: Index,
  key: u64,
  value: u64,
  host: u64,
  owner: u32,
  second: u32,
  hops: usize,
  hopsEnd: usize,
): void {
  for (let attempt: u32 = 0; attempt < ATTEMPTS; attempt++) {
    const version = loadBucket(key, second);
    const dropped = fileNote(index, key, value, host, owner, second, hops, hopsEnd);
    if (storeBucket(key, version)) return sayNoted(dropped, second);
  }
  countOverflow(Overflow.Notes);
}

function sayNoted(dropped: u32, second: u32): void {
  for (; dropped != 0; dropped--) countOverflow(Overflow.Notes);
  if (noted == second) return;
  noted = second;
  saySecond("meshward.noted", second);
}

// --- hashes -------------------------------------------------------------------------------------------------------------

export function hashOf(start: usize, end: usize): u64 {
  return sipHash(hashingKey(0), start, end);
}

/** A host in its one spelling, behind its port. */
const HOST: usize = memory.data(272, 8);
/** Stands for whatever port. */
export const ANY_PORT: u32 = u32.MAX_VALUE;

/** The hash of the host of the URL `start..end`, and of its port; 0 where it is none. `bare`: it may stand without a scheme too. */
export function hashOfUrl(start: usize, end: usize, bare: bool): u64 {
  if (readUrl(start, end)) return hashOfHost(urlPort);
  return bare && readBareHost(start, end) ? hashOfHost(urlPort == 0 ? ANY_PORT : urlPort) : 0;
}

/** The hash of the host that was read last with that port; 0 where there is none. */
export function hashOfHost(port: u32): u64 {
  if (urlHostEnd == urlHost) return 0;
  // A name that a URL leaves out is the scheme's.
  store<u32>(HOST, port == 80 || port == 443 ? 0 : port);
  const end = HOST + 4;
  if (urlAddress != 0) {
    store<u32>(end, urlAddress);
    return hashOf(HOST, end + 4);
  }
  memory.copy(end, urlHost, urlHostEnd - urlHost);
  return hashOf(HOST, end + (urlHostEnd - urlHost));
}
