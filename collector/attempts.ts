/** Wrong tokens, counted by address: after so many in a minute an address has to wait. */

const WINDOW_MILLISECONDS = 60_000;
const PER_ADDRESS = 10;
/** Over all addresses, for an attacker who has many. */
const IN_ALL = 300;
const ADDRESSES = 10_000;

export interface Attempts {
  /** Whether `address` may not try now. */
  isBlocked(address: string, now: number): boolean;
  failed(address: string, now: number): void;
}

export function createAttempts(): Attempts {
  let counts = new Map<string, number>();
  let total = 0;
  let start = 0;
  const turn = (now: number): void => {
    if (now - start < WINDOW_MILLISECONDS) return;
    start = now;
    total = 0;
    counts = new Map();
  };
  return {
    isBlocked(address, now) {
      turn(now);
      return total >= IN_ALL || (counts.get(address) ?? 0) >= PER_ADDRESS;
    },
    failed(address, now) {
      turn(now);
      total++;
      if (counts.has(address) || counts.size < ADDRESSES) counts.set(address, (counts.get(address) ?? 0) + 1);
    },
  };
}
