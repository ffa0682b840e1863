// application/x-www-form-urlencoded bodies, chunk by chunk. WHATWG URL Standard 5.1; pairs as in query.ts.
//
//   ┌──────────┐ "="  ┌───────────┐
//   │ in name  │─────►│ in value  │   "&" or the end finishes either; names and values are events when they are not empty
//   └──────────┘◄─────└───────────┘
//                 "&"
// One look and at most one copy a byte; the state block and the buffers of value.ts are all the memory.

import { byteAt } from "../core/bytes";
import { Char } from "../core/char";
import { findEither } from "../core/scan";
import { nameHoldsOperator } from "../core/field";
import { NAME_ROOM, appendName } from "./name";
import { Coding, Unfinished, collectValue, finishValue, valueEnd, valueRoom, valueStart } from "./value";

export const enum FormEvent {
  /** The chunk is used up. */
  NeedMore,
  /** The value (value.ts) is a name, or a window of one. */
  Name,
  /** The value is a field's value, or a window of one; `formName` is its name. */
  Value,
  /** The body is over. */
  Done,
}


@unmanaged
class FormState extends Unfinished {
  at: u32;
  end: u32;
  last: bool;
  inValue: bool;
  nameSize: u32;
}

/** Offset of the name in the state block. */
const NAME: usize = offsetof<FormState>();
/** Bytes of the state block, which stands at a multiple of 4. */
export const FORM_STATE_SIZE: usize = NAME + NAME_ROOM;

/** Starts on a body; `state` is a block of FORM_STATE_SIZE bytes. */
export function openForm(state: usize): void {
  memory.fill(state, 0, FORM_STATE_SIZE);
}

/** Gives the next chunk, which stays until `nextForm` has asked for more. */
export function feedForm(state: usize, start: usize, end: usize, last: bool): void {
  const form = changetype<FormState>(state);
  form.at = <u32>start;
  form.end = <u32>end;
  form.last = last;
}

/** Reads on to the next event. */
export function nextForm(state: usize): FormEvent {
  const form = changetype<FormState>(state);
  const end = <usize>form.end;
  while (true) {
    const start = <usize>form.at;
    const full = start + valueRoom(state);
    const limit = min(end, full);
    const stop = findEither(start, limit, Char.Ampersand, form.inValue ? Char.Ampersand : Char.Equals);
    const event = form.inValue ? FormEvent.Value : FormEvent.Name;
    if (stop == limit && (limit < end || !form.last || limit == full)) {
      form.at = <u32>stop;
      if (!collectValue(state, start, stop, Coding.Form)) return FormEvent.NeedMore;
      if (event == FormEvent.Name) nameField(state);
      return event;
    }
    // An empty value is passed over, but the operand of an operator: `user[$ne]=`
    const operand = form.inValue && nameHoldsOperator(formName(state), formNameEnd(state));
    const empty = form.size == 0 && start == stop && !operand;
    if (stop == end && empty) return FormEvent.Done;
    form.at = <u32>min(stop + 1, end);
    form.inValue = stop < end && byteAt(stop) == Char.Equals && !form.inValue;
    if (!empty) finishValue(state, start, stop, Coding.Form);
    if (event == FormEvent.Name) {
      if (form.windows == 0) form.nameSize = 0;
      if (!empty) nameField(state);
    }
    if (!empty) return event;
  }
}

/** The name of the field that `nextForm` read last, decoded, cut as name.ts says. */
export function formName(state: usize): usize {
  return state + NAME;
}

export function formNameEnd(state: usize): usize {
  return state + NAME + changetype<FormState>(state).nameSize;
}

function nameField(state: usize): void {
  const form = changetype<FormState>(state);
  form.nameSize = appendName(state + NAME, 0, valueStart, valueEnd);
}
