// Rows of numbers that are equal, by a hash table of first rows: joining lanes asks tens of thousands of times.

/** `rows` has rows of `width` numbers, one behind the other. Gives each a number, equal ones the same, counted by first appearance. */
export function numberRows(rows: Int32Array, width: number): { ids: Int32Array; count: number } {
  const ids = new Int32Array(width === 0 ? 0 : rows.length / width);
  // Indices of first rows, plus one; at most half full.
  const mask = 2 ** Math.ceil(Math.log2(2 * ids.length + 1)) - 1;
  const firsts = new Int32Array(mask + 1);
  let count = 0;
  for (let row = 0; row < ids.length; row++) {
    let hash = 0;
    for (let at = row * width; at < (row + 1) * width; at++) hash = Math.imul(hash ^ rows[at]!, 0x9e3779b1);
    let slot = (hash ^ (hash >>> 15)) & mask;
    while (firsts[slot] !== 0 && !isSame(rows, row * width, (firsts[slot]! - 1) * width, width))
      slot = (slot + 1) & mask;
    if (firsts[slot] === 0) {
      firsts[slot] = row + 1;
      ids[row] = count++;
    } else ids[row] = ids[firsts[slot]! - 1]!;
  }
  return { ids, count };
}

function isSame(rows: Int32Array, a: number, b: number, width: number): boolean {
  for (let at = 0; at < width; at++) if (rows[a + at] !== rows[b + at]) return false;
  return true;
}
