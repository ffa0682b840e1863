// One value, judged by all detectors: as it stands, then layer by layer where it is encoded further. The field it belongs to was
// set before (core/field.ts). Each detector begins with a gate on the kinds of bytes that occur, so a plain value costs one
// vector pass and a few compares.

import { classify } from "../core/classify";
import { holdsOperator } from "../core/field";
import { layerEnd, layersBegin, layersNext, layerStart } from "../decode/layers";
import { Kind } from "../generated/kinds";
import { traceLayer, tracing } from "../match/trace";
import { detectAuth } from "./auth";
import { detectRequest } from "./protocol";
import { detectCmdi } from "./cmdi";
import { detectCrlf } from "./crlf";
import { detectExpression } from "./expression";
import { detectJndi } from "./jndi";
import { detectGraphql, forgetStrings, nextString, stringEnd, stringStart } from "./graphql";
import { detectLdapi } from "./ldapi";
import { detectNosqli, judgeOperand } from "./nosqli";
import { detectPrototype, judgeWord } from "./prototype";
import { isPlain } from "./plain";
import { detectSqli } from "./sqli";
import { detectSsi } from "./ssi";
import { detectTraversal } from "./traversal";
import { detectUrls } from "./url";
import { detectXpath } from "./xpath";
import { detectXss } from "./xss";
import { detectXxe } from "./xxe";

/** Kinds that can introduce an encoded layer. */
const ENCODED: u32 = Kind.Percent | Kind.Ampersand | Kind.Backslash | Kind.High | Kind.Plus;

/** Judges the value `start..end`, at most 16 KiB, with 32 readable bytes behind it. */
export function judge(start: usize, end: usize): void {
  if (holdsOperator()) judgeOperand(start, end);
  let kinds = classify(start, end);
  // Letters, digits, `_`, `,`, `?`, `!` and `@` alone are in no language more than a word.
  if (kinds == 0) {
    judgeWord(start, end);
    return;
  }
  if (isPlain(start, end, kinds)) return;
  detect(start, end, kinds);
  // The strings of a document are values to the service, as they stand and encoded.
  if (nextString()) {
    do {
      kinds = classify(stringStart, stringEnd);
      detect(stringStart, stringEnd, kinds);
      peel(stringStart, stringEnd, kinds);
    } while (nextString());
    kinds = classify(start, end);
  }
  peel(start, end, kinds);
  forgetStrings();
}

/** Judges what `start..end` is encoded from, layer by layer. */
function peel(start: usize, end: usize, kinds: u32): void {
  if ((kinds & ENCODED) == 0) return;
  layersBegin(start, end);
  while (layersNext(kinds)) {
    if (isDefined(CHECKED) && tracing) traceLayer(layerStart, layerEnd);
    kinds = classify(layerStart, layerEnd);
    detect(layerStart, layerEnd, kinds);
  }
}

/** Judges a start tag of XML: only as what it makes its reader load or build. */
export function judgeMarkup(start: usize, end: usize): void {
  detectXxe(start, end, classify(start, end));
}

/** All detectors on one reading of a value. */
export function detect(start: usize, end: usize, kinds: u32): void {
  detectSqli(start, end, kinds);
  detectXss(start, end, kinds);
  detectCmdi(start, end, kinds);
  detectTraversal(start, end, kinds);
  detectXxe(start, end, kinds);
  detectJndi(start, end, kinds);
  detectExpression(start, end, kinds);
  detectSsi(start, end, kinds);
  detectUrls(start, end, kinds);
  detectNosqli(start, end, kinds);
  detectLdapi(start, end, kinds);
  detectXpath(start, end, kinds);
  detectGraphql(start, end, kinds);
  detectPrototype(start, end, kinds);
  detectCrlf(start, end, kinds);
  detectAuth(start, end, kinds);
  detectRequest(start, end, kinds);
}
