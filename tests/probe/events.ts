// report/ of events for tests: path templates, text that is safe to show, answers of collectors, waits.

import { rejectedRecords } from "../../assembly/report/otlp";
import { pushSafe, pushVarint } from "../../assembly/report/protobuf";
import { retryDelay } from "../../assembly/report/retry";
import { putTemplate } from "../../assembly/report/template";

const OUT: usize = memory.data(65536);
const OUT_END: usize = OUT + 65536;

export function out(): usize {
  return OUT;
}

export function outEnd(): usize {
  return OUT_END;
}

/** Writes the template of a path at `out`; returns its end. */
export function template(start: usize, end: usize, room: u32): usize {
  return putTemplate(OUT, room, start, end);
}

/** Writes `start..end` as safe text in front of `outEnd`; returns its start. */
export function safe(start: usize, end: usize, room: u32): usize {
  return pushSafe(OUT_END, start, end, room);
}

/** Writes the varint of `high << 32 | low` in front of `outEnd`; returns its start. */
export function varint(high: u32, low: u32): usize {
  return pushVarint(OUT_END, ((<u64>high) << 32) | low);
}

/** The lower 32 bits of how many records an answer says were rejected. */
export function rejected(start: usize, end: usize): u32 {
  return <u32>rejectedRecords(start, end);
}

export function delay(failures: u32, asked: u32): u32 {
  return retryDelay(failures, asked);
}
