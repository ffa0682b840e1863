/** A repeatable source of numbers, the same on every machine. */
export interface Random {
  /** A whole number, 0 ≤ n < `below`. */
  below(below: number): number;
  pick<T>(values: readonly T[]): T;
}

/** Marsaglia's xorshift32; the seed may be any number but 0. */
export function randomFrom(seed: number): Random {
  let state = seed | 0 || 1;
  const below = (limit: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
  return { below, pick: (values) => values[below(values.length)]! };
}
