/**
 * The engine under inputs of any kind, in batches (assembly/fuzz.ts): nothing may trap, a body in pieces must give what it gives
 * whole, and a build without SIMD must say the same as the one with it. The other way round, `slowest` looks for inputs whose time
 * grows faster than their length.
 */
import type { Input } from "./values.ts";

interface Guest {
  memory: WebAssembly.Memory;
  batch(): number;
  batchCapacity(): number;
  current: { value: number };
  failed: { value: number };
  run(count: number): number;
}

const TAIL = 64;
const HEAD = 8;
const QUOTE = 0x27;

/** assembly/fuzz.ts, What. */
const CHECKS = [
  "a trap",
  "a batch that does not fit",
  "a decoder wrote more than it was given",
  "a parser gave what is not of its input",
  "a parser wants more behind the last chunk",
  "a confidence above 100",
];
const PARSERS = ["json", "form", "text", "xml", "multipart"];

/** What an input did that it may not do. */
export interface Failure {
  input: Input;
  message: string;
  /** Whether it fails without the inputs in front of it, too. */
  alone: boolean;
}

/** A build of assembly/fuzz.ts. */
export class EngineGuest {
  readonly #module: WebAssembly.Module;
  #guest: Guest;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
    this.#guest = this.#start();
  }

  #start(): Guest {
    return new WebAssembly.Instance(this.#module, {}).exports as unknown as Guest;
  }

  /** A new instance, without anything that inputs have left. */
  restart(): void {
    this.#guest = this.#start();
  }

  /** What the inputs gave, as one number. Throws what the module threw; `current` is the input that it was at. */
  run(inputs: readonly Input[]): number {
    const guest = this.#guest;
    const room = Buffer.from(guest.memory.buffer, guest.batch(), guest.batchCapacity());
    let at = 0;
    for (const { bytes, seed } of inputs) {
      const next = (at + HEAD + bytes.length + TAIL + 7) & ~7;
      if (next > room.length) throw new RangeError(`a batch holds at most ${room.length} bytes`);
      room.writeUInt32LE(bytes.length, at);
      room.writeUInt32LE(seed, at + 4);
      bytes.copy(room, at + HEAD);
      room.fill(QUOTE, at + HEAD + bytes.length, next);
      at = next;
    }
    return guest.run(inputs.length) >>> 0;
  }

  get current(): number {
    return this.#guest.current.value;
  }

  /** What did not hold, as a person reads it. */
  get failed(): string {
    const code = this.#guest.failed.value;
    const parser = PARSERS[code - 100];
    return parser === undefined ? (CHECKS[code] ?? "a trap") : `${parser}: other events in pieces than whole`;
  }
}

/** The first failure of a batch, or null; `twin` must give the same as `guest`. */
export function failureOf(inputs: readonly Input[], guest: EngineGuest, twin: EngineGuest | null): Failure | null {
  try {
    const seen = guest.run(inputs);
    if (twin === null || seen === twin.run(inputs)) return null;
  } catch (error) {
    const input = inputs[guest.current]!;
    const message = `${guest.failed}: ${(error as Error).message}`;
    guest.restart();
    twin?.restart();
    return { input, message, alone: trapOf(input, guest) !== null };
  }
  for (const input of inputs) {
    guest.restart();
    twin!.restart();
    if (guest.run([input]) !== twin!.run([input])) return { input, message: "differs without SIMD", alone: true };
  }
  return { input: inputs[0]!, message: "the batch differs without SIMD", alone: false };
}

function trapOf(input: Input, guest: EngineGuest): string | null {
  try {
    guest.run([input]);
    return null;
  } catch (error) {
    guest.restart();
    return (error as Error).message;
  }
}

/** How the time of `unit`, repeated, grows from `short` to `long` bytes: 1 for a time that grows as the length. */
export function growthOf(
  unit: Buffer,
  guest: EngineGuest,
  short = 2048,
  long = 16_384,
): { growth: number; ns: number } {
  const time = (length: number): number => {
    const input = { bytes: Buffer.alloc(length, unit), seed: 1 };
    let best = Infinity;
    for (let turn = 0; turn < 3; turn++) {
      const began = process.hrtime.bigint();
      guest.run([input]);
      best = Math.min(best, Number(process.hrtime.bigint() - began) / length);
    }
    return best;
  };
  const slow = time(long);
  return { growth: slow / time(short), ns: slow };
}
