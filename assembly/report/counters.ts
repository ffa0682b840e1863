// Counts in linear memory, taken to the host's statistics on each tick (filter/metrics.ts). One set a VM: what a root did not
// hand over before it went is handed over by the next.

import { ALL_RULES } from "../match/rules";
import { CLASSES } from "../policy/layout";

/** How a request ended. The order is that of `outcomeName` and of the counters. */
export const enum Outcome {
  Allowed = 0,
  Denied = 1,
  WouldDeny = 2,
  /** Refused after part of it had passed. */
  Partial = 3,
  /** The filter could not do its work; `onError` decided. */
  Error = 4,
}

export const OUTCOMES: u32 = 5;

/** Which bound was met. The order is that of `overflowName` and of the counters. */
export const enum Overflow {
  /** No slot for a stream. */
  Streams = 0,
  /** A header map larger than the inbox. */
  Headers = 1,
  /** No page for a body value that was cut by a chunk. */
  Values = 2,
  /** Nesting beyond `limits.depth`: inspected as text from there. */
  Depth = 3,
  /** A body that was let go before its verdict: `limits.holdBytes` or `holdMillis`. */
  Hold = 4,
  /** A content coding that cannot be read. */
  Encoded = 5,
  /** No list for a stream's findings. */
  Findings = 6,
  /** A key of the configuration that this module does not know. */
  ConfigKey = 7,
  /** A body that does not parse: inspected as text from there. */
  Malformed = 8,
  /** A coded body that holds too much, or too much for its size. */
  Inflated = 9,
  /** No inflater for a coded body or message, or no window for the messages of a WebSocket. */
  Inflaters = 10,
  /** A body that costs more than `limits.work`. */
  Work = 11,
  /** No room for the values of a request, or for the body of a response. */
  Responses = 12,
  /** A response in a content coding that cannot be read. */
  Unread = 13,
  /** A note of a value that had to go before its time, or was not made. */
  Notes = 14,
  /** A note for which the header to the next sidecar had no room. */
  Hops = 15,
  /** No room for the way of a request's values. */
  Journeys = 16,
  /** No room for a request that is to be observed as a whole. */
  Observed = 17,
}

export const OVERFLOWS: u32 = 18;

const REQUESTS: usize = memory.data(OUTCOMES * 4, 8);
const FINDINGS: usize = memory.data(CLASSES * 2 * 4, 8);
const RULE_HITS: usize = memory.data(ALL_RULES * 2 * 4, 8);
const OVERFLOW: usize = memory.data(OVERFLOWS * 4, 8);

// @ts-ignore: decorator
@inline
function add(counter: usize): void {
  store<u32>(counter, load<u32>(counter) + 1);
}

export function countRequest(outcome: Outcome): void {
  add(REQUESTS + (outcome << 2));
}

/** `blocked`: the finding led to a refusal. */
export function countFinding(ruleClass: u32, blocked: bool): void {
  add(FINDINGS + (((ruleClass << 1) | u32(blocked)) << 2));
}

/** `blocking`: the stream was in block mode. */
export function countRuleHit(ruleIndex: u32, blocking: bool): void {
  add(RULE_HITS + (((ruleIndex << 1) | u32(blocking)) << 2));
}

export function countOverflow(what: Overflow): void {
  add(OVERFLOW + (what << 2));
}

/** What became of headers between sidecars; the first are those of observe/hop-header.ts. The order is that of `journeyName`. */
export const enum JourneyCount {
  Taken = 0,
  Malformed = 1,
  UnknownKey = 2,
  Forged = 3,
  Stale = 4,
  Sent = 5,
  /** A value that the sidecar before has spoken of. */
  Travelled = 6,
}

export const JOURNEY_COUNTS: u32 = 7;
const JOURNEYS: usize = memory.data(JOURNEY_COUNTS * 4, 8);

export function countJourney(what: JourneyCount): void {
  add(JOURNEYS + (what << 2));
}

export function takeJourney(what: u32): u32 {
  return take(JOURNEYS + (what << 2));
}

export function journeyName(what: u32): string {
  switch (what) {
    case JourneyCount.Taken:
      return "taken";
    case JourneyCount.Malformed:
      return "malformed";
    case JourneyCount.UnknownKey:
      return "unknown_key";
    case JourneyCount.Forged:
      return "forged";
    case JourneyCount.Stale:
      return "stale";
    case JourneyCount.Sent:
      return "sent";
    default:
      return "travelled";
  }
}

let passive: u32 = 0;

/** A stream that another instance of the filter had judged. */
export function countPassive(): void {
  passive++;
}

export function takePassive(): u32 {
  const count = passive;
  passive = 0;
  return count;
}

let eventsSent: u32 = 0;
let eventsDropped: u32 = 0;

export function countEventsSent(count: u32): void {
  eventsSent += count;
}

/** Events that will not be sent: the ring was full, the collector refused them, or nobody was left to send them. */
export function countEventsDropped(count: u32): void {
  eventsDropped += count;
}

export function takeEventsSent(): u32 {
  const count = eventsSent;
  eventsSent = 0;
  return count;
}

export function takeEventsDropped(): u32 {
  const count = eventsDropped;
  eventsDropped = 0;
  return count;
}

// @ts-ignore: decorator
@inline
function take(counter: usize): u32 {
  const count = load<u32>(counter);
  store<u32>(counter, 0);
  return count;
}

/** Takes and clears a count; likewise the three below. */
export function takeRequests(outcome: u32): u32 {
  return take(REQUESTS + (outcome << 2));
}

export function takeFindings(ruleClass: u32, blocked: u32): u32 {
  return take(FINDINGS + (((ruleClass << 1) | blocked) << 2));
}

export function takeRuleHits(ruleIndex: u32, blocking: u32): u32 {
  return take(RULE_HITS + (((ruleIndex << 1) | blocking) << 2));
}

export function takeOverflow(what: u32): u32 {
  return take(OVERFLOW + (what << 2));
}

export function outcomeName(outcome: u32): string {
  switch (outcome) {
    case Outcome.Allowed:
      return "allowed";
    case Outcome.Denied:
      return "denied";
    case Outcome.WouldDeny:
      return "would_deny";
    case Outcome.Partial:
      return "partial";
    default:
      return "error";
  }
}

export function overflowName(what: u32): string {
  switch (what) {
    case Overflow.Streams:
      return "streams";
    case Overflow.Headers:
      return "headers";
    case Overflow.Values:
      return "values";
    case Overflow.Depth:
      return "depth";
    case Overflow.Hold:
      return "hold";
    case Overflow.Encoded:
      return "encoded";
    case Overflow.Findings:
      return "findings";
    case Overflow.ConfigKey:
      return "config_key";
    case Overflow.Malformed:
      return "malformed";
    case Overflow.Inflated:
      return "inflated";
    case Overflow.Inflaters:
      return "inflaters";
    case Overflow.Work:
      return "work";
    case Overflow.Responses:
      return "responses";
    case Overflow.Unread:
      return "unread";
    case Overflow.Notes:
      return "notes";
    case Overflow.Hops:
      return "hops";
    case Overflow.Journeys:
      return "journeys";
    default:
      return "observed";
  }
}
