// Events that wait to be sent: log records in a ring of static memory, one ring a VM. Whoever is at work writes at its end, the sender
// takes from its front, and gives back only what was answered for: a batch that failed is still there.
//
//   ┌──────┬────────┬─────────────┬──────┬────────┬────────┬───────────┐
//   │ free │ u32    │ 12 bytes    │ log  │ … more │ free   │ u32 WRAP  │   an entry never wraps: where it does not fit before
//   │      │ size   │ policy's id │ re-  │        │        │ (the rest │   the end, the rest is left out
//   │      │        │             │ cord │        │        │ is empty) │
//   └──────┴────────┴─────────────┴──────┴────────┴────────┴───────────┘
//          ▲ head                                 ▲ tail
//
// A full ring takes no more: the newest is dropped and counted. The first events of an attack say where it came in, what comes
// after them repeats it; and what is being sent must stay as it is until it was answered.

import { putBytes } from "../core/bytes";
import { GROUP_CAPACITY, POLICY_ID, pushGroup } from "./otlp";

const CAPACITY: usize = 262144;
const RING: usize = memory.data(262144, 16);
const RING_END: usize = RING + CAPACITY;
const ENTRY_HEAD: usize = 4 + POLICY_ID;
const WRAP: u32 = u32.MAX_VALUE;

/** Bytes of a batch. */
const BATCH_CAPACITY: usize = 65536;
const BATCH: usize = memory.data(65536, 16);

let head: usize = RING;
let tail: usize = RING;
/** Records in the ring, and bytes of its entries. */
export let pending: u32 = 0;
export let pendingBytes: usize = 0;

/** What the batch at hand is: records of the front of the ring, all of one policy, as the body of a request. */
export let batch: usize = 0;
export const batchEnd: usize = BATCH + BATCH_CAPACITY;
export let batchCount: u32 = 0;

/** Takes a record that was made under a policy, `policy` its 12 hex digits, or 12 zeros for none. False: there is no room. */
export function keepEvent(start: usize, end: usize, policy: usize): bool {
  const size = ENTRY_HEAD + ((end - start + 3) & ~3);
  if (pending == 0) head = tail = RING;
  // With `head` behind `tail` the free run is between them; else it is behind `tail`, and then in front of `head`.
  let at = tail;
  if (pending != 0 && head >= tail) {
    if (size > head - tail) return false;
  } else if (size > RING_END - tail) {
    if (size > head - RING) return false;
    if (tail != RING_END) store<u32>(tail, WRAP);
    at = RING;
  }
  store<u32>(at, <u32>(ENTRY_HEAD + (end - start)));
  putBytes(at + ENTRY_HEAD, start, end);
  memory.copy(at + 4, policy, POLICY_ID);
  tail = at + size;
  pending++;
  pendingBytes += size;
  return true;
}

/** Where the entry at or behind `at` begins. */
function entryAt(at: usize): usize {
  return at == RING_END || load<u32>(at) == WRAP ? RING : at;
}

function sizeOf(entry: usize): usize {
  return (load<u32>(entry) + 3) & ~3;
}

/** Makes a batch of what waits longest; it stays in the ring until `finishBatch`. False where nothing waits. */
export function openBatch(): bool {
  batchCount = 0;
  if (pending == 0) return false;
  const first = entryAt(head);
  let size: usize = 0;
  for (let at = first; batchCount < pending; at = entryAt(at + sizeOf(at))) {
    if (memory.compare(at + 4, first + 4, POLICY_ID) != 0) break;
    const length = <usize>load<u32>(at) - ENTRY_HEAD;
    if (size + length > BATCH_CAPACITY - GROUP_CAPACITY) break;
    size += length;
    batchCount++;
  }
  let out = batchEnd - size;
  const records = out;
  let at = first;
  for (let i: u32 = 0; i < batchCount; i++) {
    out = putBytes(out, at + ENTRY_HEAD, at + load<u32>(at));
    at = entryAt(at + sizeOf(at));
  }
  batch = pushGroup(records, batchEnd, first + 4);
  if (isDefined(CHECKED)) assert(batch >= BATCH && out == batchEnd);
  return true;
}

/** Forgets the records of the batch: they were taken, or will never be. */
export function finishBatch(): void {
  for (; batchCount > 0; batchCount--) {
    const at = entryAt(head);
    head = at + sizeOf(at);
    pending--;
    pendingBytes -= sizeOf(at);
  }
}

/** Forgets all that waits; how many that were. */
export function dropEvents(): u32 {
  const dropped = pending;
  pending = batchCount = 0;
  pendingBytes = 0;
  return dropped;
}
