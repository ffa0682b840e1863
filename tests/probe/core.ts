// core/ for tests: classification, numbers, JSON strings and ids.

import { putDecimal } from "../../assembly/core/bytes";
import { classify as classifyRun } from "../../assembly/core/classify";
import { isRemembered as isRememberedRun, remember as rememberRun } from "../../assembly/core/seen";
import { isUuid as isUuidRun, putNewUuid as putUuid, traceIdOf as traceIdOfRun } from "../../assembly/report/ids";
import { putJsonStringWithin } from "../../assembly/report/json";

const OUT: usize = memory.data(131072);

export function out(): usize {
  return OUT;
}

export function classify(start: usize, end: usize): u32 {
  return classifyRun(start, end);
}

/** Writes the decimal of `high << 32 | low`; returns its end. */
export function decimal(high: u32, low: u32): usize {
  return putDecimal(OUT, ((<u64>high) << 32) | low);
}

/** Writes `start..end` as a JSON string of at most `room` bytes; returns its end. */
export function jsonString(start: usize, end: usize, room: u32): usize {
  return putJsonStringWithin(OUT, start, end, room);
}

export function isUuid(start: usize, end: usize): bool {
  return isUuidRun(start, end);
}

/** The offset of the trace id in a traceparent, or -1. */
export function traceId(start: usize, end: usize): i32 {
  const at = traceIdOfRun(start, end);
  return at == 0 ? -1 : <i32>(at - start);
}

export function newUuid(): usize {
  return putUuid(OUT);
}

export function remember(place: u32, start: usize, end: usize): void {
  rememberRun(place, start, end, false);
}

export function isRemembered(place: u32, start: usize, end: usize): bool {
  return isRememberedRun(place, start, end) != 0;
}
