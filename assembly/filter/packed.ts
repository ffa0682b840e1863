// A body of MessagePack or CBOR: its values are judged as those of JSON, which they are to the service, and told of as of the body.

import { Part, reportAs, setField } from "../core/field";
import { feedPacked, nextPacked, PackedEvent, packedRest } from "../parse/packed";
import { pointerEnd, pointerOf } from "../parse/pointer";
import { valueEnd, valueStart } from "../parse/value";
import { judgeValue, judgeWhole } from "./judgement";

/** Judges the next chunk; where the body ends to be what it was called, the address of what is left of the chunk, else 0. */
export function judgePacked(state: usize, start: usize, end: usize, last: bool): usize {
  feedPacked(state, start, end, last);
  while (true) {
    const event = nextPacked(state);
    if (event == PackedEvent.NeedMore || event == PackedEvent.Done) return 0;
    if (event > PackedEvent.Done) return packedRest(state);
    setField(Part.Json, pointerOf(state), pointerEnd(state));
    reportAs(Part.Body);
    if (event == PackedEvent.Binary) judgeWhole(valueStart, valueEnd);
    else judgeValue(valueStart, valueEnd);
  }
}

/** Whether it ended there at a container beyond the limit. */
export function isTooDeep(state: usize): bool {
  return nextPacked(state) == PackedEvent.TooDeep;
}
