// What was answered about each configuration of one plugin, so that the canary, the workers and a reloaded VM all answer the
// same. The record lives in shared data (the VMs of one process see it, nothing in it can be deleted), this file only reads and
// changes a copy of it; filter/configure.ts writes it back by compare-and-swap.
//
//   record (24 + 16 × 24 bytes)
//   ┌───────────┬─────────────┬─────────────┬───────────────┐   ┌──────────┬─────────────┬───────────────────────┐
//   │ u32 magic │ u8 hasGood  │ u8 invalid  │ u32 next slot │ … │ u64 hash │ u32 answer  │ u64 lease, seconds    │ × 16
//   └───────────┴─────────────┴─────────────┴───────────────┘   └──────────┴─────────────┴───────────────────────┘
//
// A bad configuration is accepted on safe defaults only where the plugin has had no good one: refusing the first would leave the
// proxy without a working plugin. That answer is a lease, renewed by each VM that lives on those defaults, so that the same bad
// configuration pushed again later, after a good one, is refused like any other.

/** What is answered about a configuration. */
export const enum Answer {
  Unknown = 0,
  /** It reads well. */
  Good = 1,
  /** It does not; the plugin runs on safe defaults, since it never had a good one. */
  Defaults = 2,
  /** It does not; the last good one stays. */
  Rejected = 3,
}

const ENTRIES: u32 = 16;
const HEAD: u32 = 24;
const ENTRY: u32 = 24;
export const RECORD_SIZE: u32 = HEAD + ENTRIES * ENTRY;
const MAGIC: u32 = 0x4d575231;
/** How long the answer `Defaults` holds without being renewed; VMs renew it each second. */
const LEASE_SECONDS: u64 = 30;

/** Whether the last `judge` changed which is the plugin's newest configuration: 1 it became invalid, -1 valid again, 0 neither. */
export let invalidChange: i32 = 0;

/** Makes `record` an empty one unless it is one already. */
export function openRecord(record: usize, size: usize): void {
  if (size == RECORD_SIZE && load<u32>(record) == MAGIC) return;
  memory.fill(record, 0, RECORD_SIZE);
  store<u32>(record, MAGIC);
}

/** Answers about the configuration `hash`, which reads well or not, and notes the answer. */
export function judge(record: usize, hash: u64, good: bool, seconds: u64): Answer {
  const wasInvalid = load<u8>(record, 5) != 0;
  const entry = entryOf(record, hash);
  const answer = good ? Answer.Good : answerBad(record, entry, hash, seconds);
  store<u64>(entry, hash);
  store<u32>(entry, answer, 8);
  if (answer == Answer.Defaults) store<u64>(entry, seconds + LEASE_SECONDS, 16);
  if (good) store<u8>(record, 1, 4);
  store<u8>(record, good ? 0 : 1, 5);
  invalidChange = good ? (wasInvalid ? -1 : 0) : wasInvalid ? 0 : 1;
  return answer;
}

function answerBad(record: usize, entry: usize, hash: u64, seconds: u64): Answer {
  if (load<u64>(entry) == hash) {
    const answer = <Answer>load<u32>(entry, 8);
    if (answer == Answer.Defaults && seconds < load<u64>(entry, 16)) return answer;
    if (answer == Answer.Rejected) return answer;
  }
  return load<u8>(record, 4) != 0 ? Answer.Rejected : Answer.Defaults;
}

/** Renews the lease of a configuration that a VM runs on safe defaults for. */
export function renewLease(record: usize, hash: u64, seconds: u64): void {
  const entry = entryOf(record, hash);
  store<u64>(entry, hash);
  store<u32>(entry, Answer.Defaults, 8);
  store<u64>(entry, seconds + LEASE_SECONDS, 16);
}

/** The entry of `hash`, or the one that is to be written next: the oldest. */
function entryOf(record: usize, hash: u64): usize {
  for (let i: u32 = 0; i < ENTRIES; i++) {
    const entry = record + HEAD + i * ENTRY;
    if (load<u64>(entry) == hash) return entry;
  }
  const next = load<u32>(record, 8);
  store<u32>(record, (next + 1) % ENTRIES, 8);
  return record + HEAD + next * ENTRY;
}
