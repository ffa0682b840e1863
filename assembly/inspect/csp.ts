// A Content-Security-Policy by its directives: what it leaves open of scripts, of plugins and of the base of addresses. CSP Level 3.
//
//   policy = directive *( ";" directive )     directive = name *( blanks source )     of a name that repeats the first counts
//
// Scripts are governed by script-src-elem, else script-src, else default-src; plugins by object-src, else default-src. One look a byte.

import { byteAt, findByte, isSpace, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { Stage } from "../core/findings";
import { textStartsNoCase } from "../core/text";
import { CSP_NAME, CSP_SOURCE, CspName, CspSource } from "../generated/header";
import { Rule } from "../generated/rules";
import { wordIn } from "../match/vocabulary";
import { Fact } from "./exchange";

/** What the sources of a directive hold, a bit each: bit n for the kind n of `CspSource`, and a nonce or a hash. */
const TRUSTED: u32 = 1 << 16;

/** Where the sources of each directive stand. */
const DIRECTIVES: usize = memory.data(72, 8);

/** Rules that the policy breaks, a bit each from HeaderCspMissing on. */
export let cspFlaws: u32 = 0;

/** Judges the policy `start..end`; the facts that come of it. `cspFlaws` says what it leaves open. */
export function judgeCsp(start: usize, end: usize): u32 {
  memory.fill(DIRECTIVES, 0, 72);
  let bare: u32 = 0;
  let facts: u32 = Fact.Csp;
  while (start < end) {
    const stop = findByte(start, end, Char.Semicolon);
    const name = skipSpaces(start, stop);
    const nameEnd = wordEnd(name, stop);
    const kind = wordIn(CSP_NAME, name, nameEnd);
    const directive = DIRECTIVES + ((<usize>kind) << 3);
    if (kind != 0 && load<u32>(directive) == 0) {
      store<u32>(directive, <u32>nameEnd);
      store<u32>(directive, <u32>stop, 4);
      bare |= sourcesOf(kind);
    }
    start = stop + 1;
  }
  if (has(CspName.Upgrade)) facts |= Fact.Upgrade;
  if (has(CspName.Ancestors))
    facts |= (sourcesOf(CspName.Ancestors) & bit(CspSource.Any)) != 0 ? Fact.WideFrames : Fact.Ancestors;
  cspFlaws = (bare & bit(CspSource.Bare)) != 0 ? flaw(Rule.HeaderCspUnquoted) : 0;
  const script = has(CspName.ScriptElement)
    ? CspName.ScriptElement
    : has(CspName.Script)
      ? CspName.Script
      : CspName.Default;
  if (!has(script)) {
    cspFlaws |= flaw(Rule.HeaderCspIncomplete);
    return facts;
  }
  const sources = sourcesOf(script);
  const trusted = (sources & TRUSTED) != 0;
  const strict = trusted && (sources & bit(CspSource.Strict)) != 0;
  if ((sources & bit(CspSource.Inline)) != 0 && !trusted) cspFlaws |= flaw(Rule.HeaderCspInline);
  if ((sources & bit(CspSource.Eval)) != 0) cspFlaws |= flaw(Rule.HeaderCspEval);
  if ((sources & bit(CspSource.Any)) != 0 && !strict) cspFlaws |= flaw(Rule.HeaderCspWildcard);
  const noObject = !has(CspName.Object) && !has(CspName.Default);
  if (noObject || (trusted && !has(CspName.Base))) cspFlaws |= flaw(Rule.HeaderCspIncomplete);
  return facts;
}

// @ts-ignore: decorator
@inline
function bit(kind: u32): u32 {
  return 1 << kind;
}

// @ts-ignore: decorator
@inline
function flaw(rule: u32): u32 {
  return 1 << (rule - Rule.HeaderCspMissing);
}

function has(kind: u32): bool {
  return load<u32>(DIRECTIVES + ((<usize>kind) << 3)) != 0;
}

/** What the sources of a directive hold. */
function sourcesOf(kind: u32): u32 {
  const directive = DIRECTIVES + ((<usize>kind) << 3);
  const end: usize = load<u32>(directive, 4);
  let seen: u32 = 0;
  for (let at: usize = skipSpaces(load<u32>(directive), end); at < end;) {
    const stop = wordEnd(at, end);
    if (textStartsNoCase(at, stop, "'nonce-") || textStartsNoCase(at, stop, "'sha")) {
      seen |= TRUSTED;
    } else {
      seen |= bit(wordIn(CSP_SOURCE, at, stop));
    }
    at = skipSpaces(stop, end);
  }
  return seen;
}

function wordEnd(at: usize, end: usize): usize {
  while (at < end && !isSpace(byteAt(at))) at++;
  return at;
}
