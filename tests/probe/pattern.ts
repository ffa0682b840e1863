// Patterns of policies, for tests.

import { compilePattern, PATTERN_CAPACITY, patternFinds } from "../../assembly/match/pattern";

const PATTERN: usize = memory.data(4096, 8);

/** Compiles the pattern `start..end`; the bytes that it takes, or 0 where it is none. */
export function compile(start: usize, end: usize): usize {
  const out = compilePattern(start, end, PATTERN);
  if (out > PATTERN + PATTERN_CAPACITY) unreachable();
  return out == 0 ? 0 : out - PATTERN;
}

/** Whether the compiled pattern is found in `start..end`. */
export function finds(start: usize, end: usize): bool {
  return patternFinds(PATTERN, start, end);
}
