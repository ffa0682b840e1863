// The values of a text of JSON, one by one, to the judge: of a body as it comes, or of a message that stands whole.

import { Part, setField } from "../core/field";
import { JsonEvent, jsonNext, jsonPass, jsonPointer, jsonPointerEnd } from "../parse/json";
import { valueEnd, valueStart } from "../parse/value";
import { judgeValue, passesPlain } from "./judgement";

/** Judges what was fed, and returns what ended it: `NeedMore`, `Done`, `Malformed` or `TooDeep`. */
export function judgeMembers(state: usize): JsonEvent {
  const passes = passesPlain();
  while (true) {
    if (passes) jsonPass(state);
    const event = jsonNext(state);
    if (event <= JsonEvent.NeedMore || event >= JsonEvent.Done) return event;
    if (event > JsonEvent.Literal) continue;
    setField(Part.Json, jsonPointer(state), jsonPointerEnd(state));
    judgeValue(valueStart, valueEnd);
  }
}
