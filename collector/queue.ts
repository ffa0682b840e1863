/** Requests of ingest on their way to the database: one after the other, so many at a time and no more. */
import { QUEUE_BYTES, QUEUE_REQUESTS } from "./limits.ts";
import type { QueueState } from "./metrics.ts";

/** There is no room: come again. */
export class BusyError extends Error {}

export interface Queue {
  /** Takes a place for a request whose body is here, and room for `bytes` more; what it returns gives it back. Throws `BusyError`. */
  enter(bytes: number): () => void;
  /** Takes room for bytes that have come, without a place; what it returns gives it back. Throws `BusyError`. */
  hold(bytes: number): () => void;
  /** Runs `work` when all that came before has ended. */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
  state(): QueueState;
}

export function createQueue(mostRequests = QUEUE_REQUESTS, mostBytes = QUEUE_BYTES): Queue {
  const taken: QueueState = { requests: 0, bytes: 0 };
  let last: Promise<unknown> = Promise.resolve();
  const take = (requests: number, bytes: number): (() => void) => {
    if (taken.requests + requests > mostRequests || taken.bytes + bytes > mostBytes) {
      throw new BusyError("the queue is full");
    }
    taken.requests += requests;
    taken.bytes += bytes;
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      taken.requests -= requests;
      taken.bytes -= bytes;
    };
  };
  return {
    enter: (bytes) => take(1, bytes),
    hold: (bytes) => take(0, bytes),
    run(work) {
      const result = last.then(work);
      last = result.catch(() => {});
      return result;
    },
    state: () => ({ ...taken }),
  };
}
