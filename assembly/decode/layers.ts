// Peels a value layer by layer: after each layer the caller judges what came out, and that is the input of the next.
//
//   round: percent → UTF-7 → entities → escapes → Unicode forms → plus      again while a round changed something
//
//     layersBegin(start, end);
//     while (layersNext(kinds)) {                       // kinds: of the value that was judged last
//       kinds = classify(layerStart, layerEnd);
//       …judge(layerStart, layerEnd, kinds)
//     }
//
// A family runs only where its introducer occurs, and only a changed value is a layer. `+` becomes a space only in a value that
// was percent-encoded inside, and as a layer of its own: the service may take it either way. At most MAX_LAYERS results, so at
// most MAX_LAYERS + 1 rounds over no more bytes than the value has; two buffers in turn, no memory besides.

import { sameBytes } from "../core/bytes";
import { Kind } from "../generated/kinds";
import { decodeEntities, needsEntities } from "./entity";
import { decodeEscapes, needsEscapes } from "./escape";
import { decodePercent, needsPercent } from "./percent";
import { decodeUnicode, needsUnicode } from "./unicode";
import { decodeUtf7, needsUtf7 } from "./utf7";

/** Layers that one value gives at most. */
export const MAX_LAYERS: u32 = 6;
/** Longest value that is peeled, in bytes; of a longer one the rest is not looked at. */
export const LAYER_CAPACITY: usize = 16384;

/** The two buffers: a value, what `copyRun` writes behind it and what readers look at behind that. Owner: this file. */
const EVEN: usize = memory.data(16448, 16);
const ODD: usize = memory.data(16448, 16);

const enum Family {
  Percent,
  Utf7,
  Entities,
  Escapes,
  Unicode,
  Plus,
  End,
}

/** The layer that `layersNext` found; valid until it is called again. */
export let layerStart: usize = 0;
export let layerEnd: usize = 0;

/** How many layers were peeled off to get it; 0: it is the value itself. */
export let layer: u32 = 0;
let family: u32 = 0;
/** Whether the current round gave a layer. */
let changed = false;
/** Whether a percent escape was decoded, and no plus yet. */
let plusMeansSpace = false;

/** Starts on `start..end`, which must stay as it is until the first layer has been found. */
export function layersBegin(start: usize, end: usize): void {
  layerStart = start;
  layerEnd = min(end, start + LAYER_CAPACITY);
  layer = 0;
  family = Family.Percent;
  changed = false;
  plusMeansSpace = false;
}

/** Finds the next layer; `kinds` are those of the current one (at first: of the value). False where there is none. */
export function layersNext(kinds: u32): bool {
  const out = (layer & 1) == 0 ? EVEN : ODD;
  while (layer < MAX_LAYERS) {
    if (family == Family.End) {
      if (!changed) return false;
      family = Family.Percent;
      changed = false;
    }
    const outEnd = decodeAs(family++, kinds, out);
    if (outEnd == 0 || sameBytes(layerStart, layerEnd, out, outEnd)) continue;
    if (family - 1 == Family.Percent) plusMeansSpace = true;
    if (family - 1 == Family.Plus) plusMeansSpace = false;
    layerStart = out;
    layerEnd = outEnd;
    layer++;
    changed = true;
    return true;
  }
  return false;
}

/** Decodes the current layer to `out` in one way; 0 where its introducer does not occur. */
function decodeAs(way: u32, kinds: u32, out: usize): usize {
  switch (way) {
    case Family.Percent:
      return needsPercent(kinds) ? decodePercent(layerStart, layerEnd, out, false) : 0;
    case Family.Utf7:
      return needsUtf7(kinds, layerStart, layerEnd) ? decodeUtf7(layerStart, layerEnd, out) : 0;
    case Family.Entities:
      return needsEntities(kinds, layerStart, layerEnd) ? decodeEntities(layerStart, layerEnd, out) : 0;
    case Family.Escapes:
      return needsEscapes(kinds) ? decodeEscapes(layerStart, layerEnd, out) : 0;
    case Family.Unicode:
      return needsUnicode(kinds, layerStart, layerEnd) ? decodeUnicode(layerStart, layerEnd, out) : 0;
    default:
      // The value as a form field once more: "%2527+or+1" was "%27+or+1" one round ago.
      return plusMeansSpace && (kinds & Kind.Plus) != 0 ? decodePercent(layerStart, layerEnd, out, true) : 0;
  }
}
