/**
 * Packs bytes as blocks of LZ4 are: what assembly/core/unpack.ts reads.
 *
 *   { token │ literals │ u16 how far back the copy begins }         the last one ends behind its literals
 *   token    4 bits: how many literals │ 4 bits: how many bytes to copy, less 4;   15: bytes follow that are added, up to one below 255
 */
const SHORTEST = 4;
const FARTHEST = 0xffff;
/** Places that are tried for each copy. */
const TRIES = 256;

/** @param {Uint8Array} bytes */
export function pack(bytes) {
  const out = [];
  /** Where each run of four bytes stood, the last place first: the head of a chain, and what comes behind a place. */
  const heads = new Map();
  const before = new Int32Array(bytes.length).fill(-1);
  const keyAt = (at) => bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
  const note = (at) => {
    if (at + SHORTEST > bytes.length) return;
    const key = keyAt(at);
    before[at] = heads.get(key) ?? -1;
    heads.set(key, at);
  };
  const putSize = (size) => {
    for (size -= 15; size >= 0; size -= 255) out.push(Math.min(size, 255));
  };
  const put = (from, to, size, back) => {
    const literals = to - from;
    out.push((Math.min(literals, 15) << 4) | (size === 0 ? 0 : Math.min(size - SHORTEST, 15)));
    putSize(literals);
    out.push(...bytes.subarray(from, to));
    if (size === 0) return;
    out.push(back & 255, back >> 8);
    putSize(size - SHORTEST);
  };
  const longest = (at) => {
    let best = { size: 0, back: 0 };
    if (at + SHORTEST > bytes.length) return best;
    let place = heads.get(keyAt(at)) ?? -1;
    for (let tries = TRIES; place >= 0 && at - place <= FARTHEST && tries > 0; place = before[place], tries--) {
      let size = SHORTEST;
      while (at + size < bytes.length && bytes[place + size] === bytes[at + size]) size++;
      if (size > best.size) best = { size, back: at - place };
    }
    return best;
  };
  let from = 0;
  let at = 0;
  while (at < bytes.length) {
    const { size, back } = longest(at);
    if (size < SHORTEST) {
      note(at++);
      continue;
    }
    put(from, at, size, back);
    for (const end = at + size; at < end; at++) note(at);
    from = at;
  }
  put(from, at, 0, 0);
  return Uint8Array.from(out);
}
