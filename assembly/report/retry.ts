// When to try again what failed: exponential back-off with jitter, in seconds, since the tick is its grain.

import { nextRandom } from "./ids";

/** Seconds that are waited at most, for our own reasons and for the other side's. */
const MOST: u32 = 60;
const MOST_ASKED: u32 = 300;

/**
 * Seconds to wait after `failures` (1 or more) in a row: between half and all of 2, 4, 8 … 60, so that proxies that failed together
 * do not come back together. `asked`: what the other side asked for, 0 for nothing; not less than that then, but at most 5 minutes.
 */
export function retryDelay(failures: u32, asked: u32): u32 {
  const most = failures < 6 ? (<u32>1) << failures : MOST;
  const delay = (most >> 1) + <u32>(nextRandom() % ((most >> 1) + 1));
  return max(delay, min(asked, MOST_ASKED));
}
