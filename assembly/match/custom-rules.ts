// Rules that policies bring along, as findings and statistics know them: by codes from `CUSTOM` on, which mean the same in all policies
// of a VM, so that a push changes nothing for what was found before. What a rule matches is in the policy itself.
//
//   entry (88 bytes): u32 size of the id, u8 class, u8 severity, u8 mode, u8 number of CWEs, u16 cwe[4], then up to 64 bytes of the id, 8 free

import { putBytes, sameBytes } from "../core/bytes";
import { putText } from "../core/text";

/** The code of the first. */
export const CUSTOM: u32 = 0x8000;
/** Rules of policies that a VM can tell apart; those that come later share the last entry, `other`. */
export const CUSTOM_RULES: u32 = 500;
export const CUSTOM_CWES: u32 = 4;
const ENTRY: u32 = 88;
const CWES: u32 = 8;
const ID: u32 = 16;
export const CUSTOM_ID_CAPACITY: usize = 64;
const ENTRIES: usize = memory.data(500 * 88, 8);

/** The one to compare with and to add. */
const DRAFT: usize = memory.data(88, 8);
let count: u32 = 0;

/** Begins with a rule; the others fill in the rest. */
export function draftRule(ruleClass: u32, severity: u32, mode: u32, id: usize, idEnd: usize): void {
  memory.fill(DRAFT, 0, ENTRY);
  const size = min(idEnd - id, CUSTOM_ID_CAPACITY);
  store<u32>(DRAFT, <u32>size);
  store<u8>(DRAFT, ruleClass, 4);
  store<u8>(DRAFT, severity, 5);
  store<u8>(DRAFT, mode, 6);
  putBytes(DRAFT + ID, id, id + size);
}

/** Adds a CWE to the draft; more than it has room for are left out. */
export function draftCwe(cwe: u32): void {
  const known = load<u8>(DRAFT, 7);
  if (known >= CUSTOM_CWES) return;
  store<u16>(DRAFT + CWES + (known << 1), cwe);
  store<u8>(DRAFT, known + 1, 7);
}

/** The code of the draft: that of an equal rule, or a new one. */
export function customCode(): u32 {
  for (let i: u32 = 0; i < count; i++) {
    if (memory.compare(ENTRIES + i * ENTRY, DRAFT, ENTRY) == 0) return CUSTOM + i;
  }
  if (count == CUSTOM_RULES) return CUSTOM + count - 1;
  if (count == CUSTOM_RULES - 1) store<u32>(DRAFT, <u32>(putText(DRAFT + ID, "other") - DRAFT - ID));
  memory.copy(ENTRIES + count * ENTRY, DRAFT, ENTRY);
  return CUSTOM + count++;
}

// @ts-ignore: decorator
@inline
function entry(code: u32): usize {
  if (isDefined(CHECKED)) assert(code - CUSTOM < count); // one that was added
  return ENTRIES + (code - CUSTOM) * ENTRY;
}

export function customId(code: u32): usize {
  return entry(code) + ID;
}

export function customIdEnd(code: u32): usize {
  return entry(code) + ID + load<u32>(entry(code));
}

export function customClass(code: u32): u32 {
  return load<u8>(entry(code), 4);
}

export function customSeverity(code: u32): u32 {
  return load<u8>(entry(code), 5);
}

/** The most that may happen, as `Mode` of policy/layout.ts. */
export function customMode(code: u32): u32 {
  return load<u8>(entry(code), 6);
}

export function customCweCount(code: u32): u32 {
  return load<u8>(entry(code), 7);
}

export function customCwe(code: u32, at: u32): u32 {
  return load<u16>(entry(code) + CWES + (at << 1));
}
