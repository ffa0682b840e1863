// Server-side and edge-side includes: `<!--#name …` and `<esi:name …`, `<!--esi`. The introducer is the break-out, a name that the
// servers know the continuation; what stands behind it only mends the rest, so a cut directive counts. One step per byte.

import { byteAt, isLetter, isSpace, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { hasPair } from "../core/scan";
import { textStartsNoCase } from "../core/text";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { ESI_NAME, EsiName, SSI_NAME, SsiName } from "../generated/ssi";
import { keyword } from "../match/keywords";
import { ruleConfidence } from "../match/rules";
import { found } from "./finding";
import { proseLoss } from "./prose";

/** Whether `<!` or `<e` stands in the value; may say maybe too often, never a false no. */
export function maySsi(start: usize, end: usize, kinds: u32): bool {
  if ((kinds & Kind.Angle) == 0) return false;
  if ((kinds & Kind.Dash) != 0 && hasPair(start, end, Char.Less, Char.Bang)) return true;
  if ((kinds & Kind.Colon) == 0) return false;
  return hasPair(start, end, Char.Less, Char.e) || hasPair(start, end, Char.Less, 0x45);
}

/** Judges `start..end` and reports the surest directive in it. */
export function detectSsi(start: usize, end: usize, kinds: u32): void {
  if (!maySsi(start, end, kinds)) return;
  let best: u32 = 0;
  let bestAt = start;
  for (let at = start; at + 4 < end; at++) {
    if (byteAt(at) != Char.Less) continue;
    const rule = directive(at + 1, end);
    if (rule == 0 || (best != 0 && ruleConfidence(rule) <= ruleConfidence(best))) continue;
    best = rule;
    bestAt = at;
  }
  if (best == 0) return;
  const loss = proseLoss(start, bestAt);
  found(best, ruleConfidence(best) - min(loss, ruleConfidence(best)), bestAt, end);
}

/** The rule of the directive behind a `<`, 0 for none. */
function directive(at: usize, end: usize): u32 {
  if (textStartsNoCase(at, end, "esi:")) {
    at += 4;
    const name = keyword(ESI_NAME, at, nameEnd(at, end));
    return name == EsiName.Fetch ? Rule.SsiEsiFetch : name == EsiName.Show ? Rule.SsiEsiElement : 0;
  }
  if (byteAt(at) != Char.Bang) return 0;
  if (textStartsNoCase(at, end, "!--esi") && at + 6 < end && isSpace(byteAt(at + 6))) return Rule.SsiEsiElement;
  // Some servers take one dash, or none: `<!-#exec`, `<!#exec`.
  at++;
  while (at < end && byteAt(at) == Char.Dash) at++;
  const blank = at < end && isSpace(byteAt(at));
  if (blank) at++;
  if (at >= end || byteAt(at) != Char.Hash) return 0;
  at++;
  const next = nameEnd(at, end);
  // A name alone is a word; a directive is followed by its attributes or by its end.
  if (next >= end || (!isSpace(byteAt(next)) && byteAt(next) != Char.Dash)) return 0;
  const name = keyword(SSI_NAME, at, next);
  // Behind a blank it is a comment to most servers: only with an attribute.
  if (name == SsiName.None || (blank && !hasAttribute(next, end))) return 0;
  return name == SsiName.Exec ? Rule.SsiExec : name == SsiName.Include ? Rule.SsiInclude : Rule.SsiEcho;
}

/** Bytes of an attribute's name at most. */
const MAX_ATTRIBUTE: usize = 24;

/** Whether `name=` follows. */
function hasAttribute(at: usize, end: usize): bool {
  const limit = min(end, at + MAX_ATTRIBUTE);
  at = skipSpaces(at, limit);
  const name = at;
  at = nameEnd(at, limit);
  return at > name && at < limit && byteAt(at) == Char.Equals;
}

/** Letters of a directive's name at most. */
const MAX_NAME: usize = 12;

function nameEnd(at: usize, end: usize): usize {
  const limit = min(end, at + MAX_NAME);
  while (at < limit && isLetter(byteAt(at))) at++;
  return at;
}
