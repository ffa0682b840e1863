/** The time of a process. A virtual clock stands still until it is told to move. */
export class Clock {
  readonly virtual: boolean;
  #now: number;

  /** `start`: epoch milliseconds at which a virtual clock stands first. */
  constructor(virtual: boolean, start: number) {
    this.virtual = virtual;
    this.#now = start;
  }

  /** Epoch milliseconds. */
  get now(): number {
    return this.virtual ? this.#now : Date.now();
  }

  /** Moves a virtual clock forward; it never goes back. */
  moveTo(now: number): void {
    if (now > this.#now) this.#now = now;
  }
}
