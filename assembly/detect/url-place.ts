// How a URL stands in its value: what the judges of URLs are told by url.ts.

export const enum Place {
  Whole = 0,
  Inside = 1,
  /** At the start of a text. */
  Text = 2,
}
