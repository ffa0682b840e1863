// The decoders for TypeScript tests: each takes a span and leaves its result in a buffer of its own.

import { classify } from "../../assembly/core/classify";
import { decodeEntities } from "../../assembly/decode/entity";
import { decodeEscapes } from "../../assembly/decode/escape";
import { layerEnd, layerStart, layersBegin, layersNext } from "../../assembly/decode/layers";
import { decodePercent } from "../../assembly/decode/percent";
import { decodeUnicode } from "../../assembly/decode/unicode";
import { decodeUtf7 } from "../../assembly/decode/utf7";

/** As long as the longest value that the tests write, and what decoders write behind it. */
const OUT: usize = memory.data(1_048_640, 16);

export function out(): usize {
  return OUT;
}
export function percent(start: usize, end: usize): usize {
  return decodePercent(start, end, OUT, false);
}
export function form(start: usize, end: usize): usize {
  return decodePercent(start, end, OUT, true);
}
export function entity(start: usize, end: usize): usize {
  return decodeEntities(start, end, OUT);
}
export function escape(start: usize, end: usize): usize {
  return decodeEscapes(start, end, OUT);
}
export function unicode(start: usize, end: usize): usize {
  return decodeUnicode(start, end, OUT);
}
export function utf7(start: usize, end: usize): usize {
  return decodeUtf7(start, end, OUT);
}

let kinds: u32 = 0;

export function openLayers(start: usize, end: usize): void {
  kinds = classify(start, end);
  layersBegin(start, end);
}
/** The start of the next layer, or 0; `layerStop` is its end. */
export function nextLayer(): usize {
  if (!layersNext(kinds)) return 0;
  kinds = classify(layerStart, layerEnd);
  return layerStart;
}
export function layerStop(): usize {
  return layerEnd;
}
