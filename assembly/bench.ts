// The engine's parts in loops, for `meshward bench engine`: each export runs one part over `length` bytes of the input, `times` times,
// inside Wasm, so that a call from outside is paid once. What they return depends on all they did, and is checked before any time is
// looked at. The yardstick is a byte-by-byte table walk: each byte's next state from a 256-byte row of a table of zeros, the least
// that any automaton costs.

import { decideFinding, readConfiguration, resolveRequest } from "./bench-policy";
import { scaleOnce, Unit } from "./bench-scale";
import { classify } from "./core/classify";
import { Part, setField } from "./core/field";
import { closeFindings, findingCount, freeFindings, openFindings } from "./core/findings";
import { layerEnd, layersBegin, layersNext, layerStart } from "./decode/layers";
import { judge } from "./detect/judge";
import {
  jsonFeed,
  JsonEvent,
  jsonNext,
  jsonOpen,
  jsonPass,
  jsonPointer,
  jsonPointerEnd,
  JSON_STATE_SIZE,
} from "./parse/json";
import { Coding, nextWindow, openSpan, valueEnd, valueStart } from "./parse/value";

/** The longest input. */
const CAPACITY: i32 = 1 << 20;
const INPUT: usize = memory.data(1048576 + 64, 16);
/** 256 rows of 256 bytes, all zero. */
const ZEROS: usize = memory.data(65536, 16);
const STATE: usize = memory.data(768, 16);

const DEPTH: u32 = 64;

/** Where the input is written. */
export function input(): usize {
  return INPUT;
}

/** Bytes that fit. */
export function capacity(): i32 {
  return CAPACITY;
}

/** The walk over a table: one load a byte, each waiting for the one before. */
export function yardstick(length: usize, times: u32): u32 {
  let state: u32 = 0;
  for (; times != 0; times--) {
    for (let at = INPUT; at < INPUT + length; at++) state = load<u8>(ZEROS + (state << 8) + load<u8>(at));
  }
  return state;
}

/** Which kinds of byte occur; the kinds of the last round. */
export function classification(length: usize, times: u32): u32 {
  let kinds: u32 = 0;
  for (; times != 0; times--) kinds = classify(INPUT, INPUT + length);
  return kinds;
}

/** The decoders of all layers, without a detector; how many layers there are. */
export function layers(length: usize, times: u32): u32 {
  let count: u32 = 0;
  for (; times != 0; times--) {
    openSpan(INPUT, INPUT + length, Coding.None);
    while (nextWindow()) {
      let kinds = classify(valueStart, valueEnd);
      layersBegin(valueStart, valueEnd);
      while (layersNext(kinds)) {
        kinds = classify(layerStart, layerEnd);
        count++;
      }
    }
  }
  return count;
}

/** The input as the value of a query parameter, decoded and judged, in windows as the filter has them; how much was found. */
export function value(length: usize, times: u32): u32 {
  let count: u32 = 0;
  for (; times != 0; times--) {
    openFindings(0);
    setField(Part.Query, 0, 0);
    openSpan(INPUT, INPUT + length, Coding.Form);
    while (nextWindow()) judge(valueStart, valueEnd);
    const list = closeFindings();
    count += findingCount(list);
    freeFindings(list);
  }
  return count;
}

/** The input as a JSON body: the number of its values. */
export function jsonParsed(length: usize, times: u32): u32 {
  return json(length, times, false);
}

/** The input as a JSON body, each value judged; how much was found. */
export function jsonJudged(length: usize, times: u32): u32 {
  return json(length, times, true);
}

function json(length: usize, times: u32, judging: bool): u32 {
  let count: u32 = 0;
  for (; times != 0; times--) {
    openFindings(0);
    jsonOpen(STATE, DEPTH);
    jsonFeed(STATE, INPUT, INPUT + length, true);
    while (true) {
      if (judging) jsonPass(STATE);
      const event = jsonNext(STATE);
      if (event >= JsonEvent.Done || event == JsonEvent.NeedMore) break;
      if (event > JsonEvent.Literal) continue;
      if (judging) {
        setField(Part.Json, jsonPointer(STATE), jsonPointerEnd(STATE));
        judge(valueStart, valueEnd);
      } else count++;
    }
    const list = closeFindings();
    if (judging) count += findingCount(list);
    freeFindings(list);
  }
  if (isDefined(CHECKED)) assert(<usize>JSON_STATE_SIZE <= 768); // STATE holds it
  return count;
}

/** The input through one unit of bench-scale.ts. */
export function scale(unit: i32, length: usize, times: u32): u32 {
  let sum: u32 = 0;
  for (; times != 0; times--) sum += scaleOnce(unit, INPUT, INPUT + length);
  return sum;
}

/** How many units there are. */
export function scaleUnits(): i32 {
  return Unit.Count;
}

/** The input as a plugin configuration: the bytes that its policy takes in the module, 0 where it is bad. */
export function configuration(length: usize, times: u32): usize {
  let bytes: usize = 0;
  for (; times != 0; times--) bytes = readConfiguration(INPUT, INPUT + length);
  return bytes;
}

/** The input as a request to the policy that was read last: the place of its route, or -1. */
export function routing(length: usize, times: u32): i32 {
  let place = -1;
  for (; times != 0; times--) place = resolveRequest(INPUT, INPUT + length);
  return place;
}

/** The same with a finding: the place of the exception that covers it, or -1. */
export function excepting(length: usize, times: u32): i32 {
  let place = -1;
  for (; times != 0; times--) place = decideFinding(INPUT, INPUT + length);
  return place;
}
