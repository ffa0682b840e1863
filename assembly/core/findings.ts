// What detectors saw in one stream: a bounded list, claimed from a pool at the first finding and given back with the stream.
// A second finding of the same rule in the same field keeps the surer one. A full list drops the least sure.
//
//   list                                    finding (348 bytes)
//   ┌─────────┬───────┬──────────────┐      ┌────────┬──────┬──────────┐
//   │ u32     │ u32   │ 16 findings  │      │ fields │ name │ evidence │
//   │ next    │ count │              │      │ 20     │ 128  │ 200      │
//   │ (pool)  │       │              │      └────────┴──────┴──────────┘
//   └─────────┴───────┴──────────────┘
//
// A full list makes room for what the policy has not seen yet: whoever fills it with findings that are excepted, or only reported,
// must not crowd out the one that decides (policy/decide.ts marks the findings that it has seen, and those that decide).

import { Part } from "./field";
import { claimBlock, releaseBlock, POOL_HEAD } from "./pool";

/** Findings kept for one stream. */
export const MAX_FINDINGS: u32 = 16;
/** Bytes of a field's name that a finding keeps (design.md, section 6: at most 128). */
export const NAME_CAPACITY: u32 = 128;
/** Bytes of masked evidence that a finding keeps. */
export const EVIDENCE_CAPACITY: u32 = 200;

/** How far an attack is known to have come. */
export const enum Stage {
  /** It was sent. */
  Attempted = 0,
  /** The response changed with it. */
  Likely = 1,
  /** The response holds what only a success puts there. */
  Confirmed = 2,
}

/** What a finding was made of: nothing is decided on what the response shows. */
export const enum Basis {
  /** The request. */
  Request = 0,
  /** It shows what a value of the request has done. */
  Effect = 1,
  /** It shows what the service does anyway, so the request does not score by it. */
  Trait = 2,
}

/** One finding; the texts follow the fields. */
// @ts-ignore: decorator
@unmanaged
export class Finding {
  rule: u16;
  /** 0–100. */
  confidence: u8;
  part: u8;
  nameLength: u8;
  evidenceLength: u8;
  /** Index + 1 of the exception of the policy that covers it, 0 for none. */
  exception: u16;
  /** The policy refuses the request for it. */
  decides: bool;
  /** The policy has not seen it. */
  fresh: bool;
  /** The confidence from which it decides. */
  threshold: u8;
  /** The policy has seen it, and no exception covered it. */
  counted: bool;
  /** A `Stage`: the response may raise it. */
  stage: u8;
  /** A `Basis`. */
  basis: u8;
  /** The statistics have it. */
  told: bool;
  /** Bytes of its hops: where its value came in, and each service up to here, a line each; 0 where it came in here. */
  hopsSize: u8;
  hops: usize;
}

const FINDING_SIZE: u32 = offsetof<Finding>() + NAME_CAPACITY + EVIDENCE_CAPACITY;
const LIST_HEAD: u32 = 8;
const LIST_SIZE: u32 = LIST_HEAD + FINDING_SIZE * MAX_FINDINGS;
/** Streams with findings that can be open at once in one VM. */
const LISTS: u32 = 1024;
const POOL: usize = memory.data(5709840, 16);
/** Where findings go when all lists are in use: still decided on, lost for the event if the stream goes on. */
const SPARE: usize = memory.data(5576, 16);

/** The list of the stream at work; 0 until its first finding. */
export let findings: usize = 0;
/** Lists that were asked for and not there, since the counter was last taken. */
export let findingsOverflow: u32 = 0;

/** Makes `list` (0 for none yet) the one that detectors add to. */
export function openFindings(list: usize): void {
  if (isDefined(CHECKED)) assert(POOL_HEAD + LISTS * LIST_SIZE == 5709840 && LIST_SIZE == 5576); // the pool fits its buffer
  findings = list;
}

/** The list to keep for the stream at the end of a callback: 0 where there is none of its own. */
export function closeFindings(): usize {
  const list: usize = findings == SPARE ? 0 : findings;
  findings = 0;
  return list;
}

/** Says that the policy has seen none of the list: between two callbacks another policy may have come into force. */
export function refreshFindings(list: usize): void {
  for (let i: u32 = 0; i < findingCount(list); i++) {
    findingAt(list, i).fresh = true;
    findingAt(list, i).counted = false;
  }
}

/** Gives a kept list back. */
export function freeFindings(list: usize): void {
  if (list != 0) releaseBlock(POOL, list);
}

/** Takes and clears the count of lists that were not there. */
export function takeFindingsOverflow(): u32 {
  const count = findingsOverflow;
  findingsOverflow = 0;
  return count;
}

/** How many findings the list holds; 0 for no list. */
export function findingCount(list: usize): u32 {
  return list == 0 ? 0 : load<u32>(list, 4);
}

/** The finding at `index`, in the order they were found. */
// @ts-ignore: decorator
@inline
export function findingAt(list: usize, index: u32): Finding {
  return changetype<Finding>(list + LIST_HEAD + index * FINDING_SIZE);
}

// @ts-ignore: decorator
@inline
export function findingName(finding: Finding): usize {
  return changetype<usize>(finding) + offsetof<Finding>();
}

// @ts-ignore: decorator
@inline
export function findingEvidence(finding: Finding): usize {
  return findingName(finding) + NAME_CAPACITY;
}

/**
 * Adds a finding to the open list and returns it, for the caller to fill in the evidence; null where the same rule already
 * stands for the same field at least as sure, or where the list is full of findings that matter more.
 */
export function addFinding(rule: u32, confidence: u32, part: Part, name: usize, nameEnd: usize): Finding | null {
  if (findings == 0) {
    findings = claimBlock(POOL, LIST_SIZE, LISTS);
    if (findings == 0) {
      findings = SPARE;
      findingsOverflow++;
    }
    store<u32>(findings, 0, 4);
  }
  const nameLength = min<usize>(nameEnd - name, NAME_CAPACITY);
  const count = findingCount(findings);
  for (let i: u32 = 0; i < count; i++) {
    const known = findingAt(findings, i);
    if (
      known.rule == rule &&
      known.part == part &&
      known.nameLength == nameLength &&
      memory.compare(findingName(known), name, nameLength) == 0
    ) {
      if (known.confidence >= confidence) {
        // What excused it may have been the value that it was found in before.
        if (known.exception != 0) known.fresh = true;
        return null;
      }
      known.confidence = <u8>confidence;
      known.fresh = true;
      return known;
    }
  }
  const index = count < MAX_FINDINGS ? count : dispensable(confidence);
  if (index == MAX_FINDINGS) return null;
  if (index == count) store<u32>(findings, count + 1, 4);
  const finding = findingAt(findings, index);
  finding.rule = <u16>rule;
  finding.confidence = <u8>confidence;
  finding.part = <u8>part;
  finding.exception = 0;
  finding.decides = false;
  finding.fresh = true;
  finding.counted = false;
  finding.stage = <u8>Stage.Attempted;
  finding.basis = <u8>Basis.Request;
  finding.told = false;
  finding.hopsSize = 0;
  finding.nameLength = <u8>nameLength;
  memory.copy(findingName(finding), name, nameLength);
  return finding;
}

/**
 * Which finding of the full list gives way to a new one of that confidence: the least sure of those that the policy has seen and
 * that do not decide; where there is none, the least sure of the fresh ones if it is less sure. MAX_FINDINGS for none.
 */
function dispensable(confidence: u32): u32 {
  let seen: u32 = MAX_FINDINGS;
  let fresh: u32 = MAX_FINDINGS;
  for (let i: u32 = 0; i < MAX_FINDINGS; i++) {
    const finding = findingAt(findings, i);
    if (finding.decides) continue;
    if (finding.fresh) {
      if (fresh == MAX_FINDINGS || finding.confidence < findingAt(findings, fresh).confidence) fresh = i;
    } else if (seen == MAX_FINDINGS || finding.confidence < findingAt(findings, seen).confidence) {
      seen = i;
    }
  }
  if (seen != MAX_FINDINGS) return seen;
  return fresh != MAX_FINDINGS && findingAt(findings, fresh).confidence < confidence ? fresh : MAX_FINDINGS;
}
