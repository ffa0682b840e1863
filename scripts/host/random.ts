/** Fills a run with random bytes. */
export type RandomSource = (out: Uint8Array) => void;

/** The same bytes for the same seed (mulberry32), or the system's where there is no seed. */
export function randomSource(seed?: number): RandomSource {
  if (seed === undefined) return systemRandom;
  let state = seed >>> 0;
  return (out) => {
    for (let i = 0; i < out.length; i++) {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      out[i] = (mixed ^ (mixed >>> 14)) >>> 24;
    }
  };
}

/** The system refuses more than this at once. */
const QUOTA = 65_536;

function systemRandom(out: Uint8Array): void {
  for (let at = 0; at < out.length; at += QUOTA) crypto.getRandomValues(out.subarray(at, at + QUOTA));
}
