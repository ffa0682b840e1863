/** The largest whole number up to `limit` that fits, where whatever is smaller than one that fits fits too. */
export function largest(limit: number, fits: (candidate: number) => boolean): number {
  let low = 0;
  let high = limit;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
