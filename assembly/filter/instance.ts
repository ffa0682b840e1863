// Another instance of this filter in the same chain, such as one for the mesh and one for the namespace: each would judge, count and tell
// all. The first one judges, and leaves its verdict in the stream's filter state; who finds it there stays out of the way, unless it is
// to block and the first one only detects.
//
// A look costs a host call. So one stream in 64 is looked at, from the first on; once another instance was met, each, for a minute.

import { given, givenEnd } from "../abi/host";
import { byteAt, findByte } from "../core/bytes";
import { Char } from "../core/char";
import { findText, textIs } from "../core/text";
import { Mode } from "../policy/layout";
import { countPassive } from "../report/counters";
import { property } from "./property";
import { Root } from "./root";

/** One stream in so many is looked at. */
const SAMPLE: u32 = 64;
/** Ticks for which each is, then. */
const SHADOW: u32 = 60;

/** Whether the stream at work, which is to be judged in `mode`, has been so by an instance before; `ticks`: of the VM. */
export function isJudgedBefore(root: Root, mode: Mode, ticks: u32): bool {
  if (root.shadowed <= ticks && root.asked++ % SAMPLE != 0) return false;
  if (!property("meshward.verdict")) return false;
  root.shadowed = ticks + SHADOW;
  if (mode == Mode.Block && !saysBlock()) return false;
  countPassive();
  return true;
}

/** Whether the verdict that was given is of block mode, in either of its forms (report/verdict.ts). */
function saysBlock(): bool {
  if (byteAt(given) == Char.BraceOpen) return findText(given, givenEnd, '"mode":"block"') < givenEnd;
  return textIs(findByte(given, givenEnd, Char.Space) + 1, givenEnd, "block");
}
