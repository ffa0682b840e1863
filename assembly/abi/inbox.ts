// Where the host puts what it hands over. `proxy_on_memory_allocate` takes from this arena, and every export that can receive
// something resets it first: what the host gave is valid until the callback that asked for it returns.
//
//   INBOX ├── header map ──┤pad├── property ──┤pad├── body piece ──┤pad│ …        at ▲      end of buffer

/**
 * Bytes that the host can hand over in one callback: a header map at Envoy's default limit of 60 KiB, the properties, and one
 * body piece, or a plugin configuration. What does not fit is refused, and the host call that asked for it fails.
 */
export const INBOX_CAPACITY: usize = 1048576;
/** Readable bytes behind each block, for code that loads 16 or 32 bytes at once. */
const PADDING: usize = 48;
const INBOX: usize = memory.data(1048576, 16);

let at: usize = INBOX;

/** Forgets all that the host handed over. Called on entry to an export, nowhere else. */
// @ts-ignore: decorator
@inline
export function resetInbox(): void {
  at = INBOX;
}

/** `size` bytes for the host to write to, or 0 where there is no room. */
export function allocateInbox(size: usize): usize {
  // Compared without adding to `size`, which the host may give as anything.
  if (size > INBOX + INBOX_CAPACITY - PADDING - at) return 0;
  const block = at;
  at = min<usize>((at + size + PADDING + 15) & ~15, INBOX + INBOX_CAPACITY - PADDING);
  return block;
}

/** A mark to return to once a piece was consumed, so that many pieces can pass in one callback. */
// @ts-ignore: decorator
@inline
export function inboxMark(): usize {
  return at;
}

/** Forgets all that came after `mark`. */
// @ts-ignore: decorator
@inline
export function releaseInbox(mark: usize): void {
  at = mark;
}
