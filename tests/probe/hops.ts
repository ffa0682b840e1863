// observe/hop-*.ts and observe/notes.ts for tests.

import * as header from "../../assembly/observe/hop-header";
import * as keys from "../../assembly/observe/hop-keys";
import * as notes from "../../assembly/observe/notes";

const OUT: usize = memory.data(64, 8);

export function out(): usize {
  return OUT;
}

export function setSecret(index: u32, start: usize, end: usize): bool {
  return keys.setSecret(index, start, end);
}

export function openHeader(seconds: u32): void {
  header.openHeader(seconds);
}

export function addEntry(hash: u32, hops: usize, hopsEnd: usize): bool {
  return header.addEntry(hash, hops, hopsEnd);
}

/** The length of the header, 0 for none. */
export function closeHeader(trace: usize): usize {
  return header.closeHeader(trace) ? header.headerTextEnd - header.headerText : 0;
}

export function headerText(): usize {
  return header.headerText;
}

export function readHeader(start: usize, end: usize, trace: usize, seconds: u32): u32 {
  return header.readHeader(start, end, trace, seconds);
}

export function headerKey(): u32 {
  return header.headerKey;
}

/** Writes hash and hops of the next entry: u64, then where the hops begin and end; false behind the last. */
export function nextEntry(): bool {
  if (!header.nextEntry()) return false;
  store<u64>(OUT, header.entryHash);
  store<u32>(OUT, <u32>header.entryHops, 8);
  store<u32>(OUT, <u32>header.entryHopsEnd, 12);
  return true;
}

export function openBucket(start: usize, end: usize, seconds: u32): void {
  notes.openBucket(start, end, seconds);
}

export function bucket(): usize {
  return notes.bucket;
}

export function bucketEnd(): usize {
  return notes.bucketEnd;
}

export function fileNote(
  index: u32,
  key: u32,
  value: u32,
  host: u32,
  owner: u32,
  seconds: u32,
  hops: usize,
  end: usize,
): u32 {
  return notes.fileNote(index, key, value, host, owner, seconds, hops, end);
}

export function findNote(after: usize, index: u32, key: u32): usize {
  return notes.findNote(after, index, key);
}

export function noteValue(note: usize): u32 {
  return <u32>notes.noteValue(note);
}

export function noteReached(note: usize): u32 {
  return notes.noteReached(note);
}

export function markReached(note: usize, how: u32): bool {
  return notes.markReached(note, how);
}

export function noteHops(note: usize): usize {
  return notes.noteHops(note);
}

export function noteHopsEnd(note: usize): usize {
  return notes.noteHopsEnd(note);
}
