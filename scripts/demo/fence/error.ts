/** The demo's word, not the shop's: this is where the fence stands. */
export class FenceError extends Error {
  readonly status = 422;

  constructor(what: string) {
    super(`the demo's fence: ${what}`);
  }
}
