/**
 * The engine under inputs of any kind (assembly/fuzz.ts): nothing may trap or write over a table, a body in pieces must give what it gives whole, and an
 * input gives the same in a build without SIMD, behind other inputs and with other bytes around it. `growthOf` measures inputs whose
 * time may grow faster than their length.
 */
import type { Input } from "./values.ts";

interface Guest {
  memory: WebAssembly.Memory;
  input(): number;
  failed: { value: number };
  run(length: number, seed: number): number;
}

/** Bytes in front of an input and behind it that are not its own. */
const AROUND = 64;
const QUOTES: Buffer = Buffer.from("'");
/** What may stand there: each is the rest of something. */
const OTHERS = ["..", "/", "\\", "<a", ">", "%2", "=1", ";", " ", "\0", "\xff", "(", "a.", "}", "-", "\r", "&lt;"].map(
  (text) => Buffer.from(text, "latin1"),
);

/** assembly/fuzz.ts, What. */
const CHECKS = [
  "a trap",
  "an input that does not fit",
  "a decoder wrote more than it was given",
  "a parser gave what is not of its input",
  "a parser wants more behind the last chunk",
  "a confidence above 100",
  "other bytes inflated in pieces than whole",
];
const PARSERS = [
  ...["json", "form", "text", "xml", "multipart", "websocket", "MessagePack", "CBOR"],
  ...["gRPC", "gRPC-Web-text", "protobuf"],
];

/** What an input did that it may not do. */
export interface Failure {
  input: Input;
  message: string;
  /** Whether it fails without the inputs around it, too. */
  alone: boolean;
}

/** A build of assembly/fuzz.ts. */
export class EngineGuest {
  readonly #module: WebAssembly.Module;
  #guest: Guest;
  /** The tables: the words of a new memory that are not zero, by their places. */
  readonly #tables: [place: number, word: bigint][] = [];

  constructor(module: WebAssembly.Module) {
    this.#module = module;
    this.#guest = this.#start();
    new BigUint64Array(this.#guest.memory.buffer).forEach((word, place) => {
      if (word !== 0n) this.#tables.push([place, word]);
    });
  }

  #start(): Guest {
    return new WebAssembly.Instance(this.#module, {}).exports as unknown as Guest;
  }

  /** Whether an input has written over the tables: nothing may, as buffers have their bounds. */
  get overwritten(): boolean {
    const words = new BigUint64Array(this.#guest.memory.buffer);
    return this.#tables.some(([place, word]) => words[place] !== word);
  }

  /** A new instance, without anything that inputs have left. */
  restart(): void {
    this.#guest = this.#start();
  }

  /** What an input gave, with `others` again and again around it, as one number. Throws what the module threw. */
  run({ bytes, seed }: Input, others = QUOTES): number {
    const { memory, input } = this.#guest;
    const room = Buffer.from(memory.buffer, input(), AROUND + bytes.length + AROUND);
    room.fill(others, 0, AROUND);
    bytes.copy(room, AROUND);
    room.fill(others, AROUND + bytes.length);
    return this.#guest.run(bytes.length, seed) >>> 0;
  }

  /** What did not hold, as a person reads it. */
  get failed(): string {
    const code = this.#guest.failed.value;
    const parser = PARSERS[code - 100];
    return parser === undefined ? (CHECKS[code] ?? "a trap") : `${parser}: other events in pieces than whole`;
  }
}

/** The first failure among `inputs`, or null: `twin` takes them the other way round, and with something else around each. */
export function failureOf(inputs: readonly Input[], guest: EngineGuest, twin: EngineGuest): Failure | null {
  const seen: number[] = [];
  for (const input of inputs) {
    try {
      seen.push(guest.run(input));
    } catch (error) {
      const message = `${guest.failed}: ${(error as Error).message}`;
      guest.restart();
      return { input, message, alone: traps(input, guest) };
    }
  }
  if (guest.overwritten) {
    const input = inputs.find((each) => overwrites(each, guest)) ?? inputs[0]!;
    const alone = guest.overwritten;
    guest.restart();
    return { input, message: "a table was written over", alone };
  }
  for (const [index, input] of [...inputs.entries()].reverse()) {
    const others = OTHERS[input.seed % OTHERS.length]!;
    if (twin.run(input, others) === seen[index]) continue;
    const fresh = (build: EngineGuest, around: Buffer): number => {
      build.restart();
      return build.run(input, around);
    };
    const alone = fresh(guest, QUOTES);
    if (alone !== fresh(twin, QUOTES)) return { input, message: "differs without SIMD", alone: true };
    if (alone !== fresh(twin, others)) return { input, message: "depends on what stands around it", alone: true };
    return { input, message: "depends on the inputs before it", alone: false };
  }
  return null;
}

function overwrites(input: Input, guest: EngineGuest): boolean {
  guest.restart();
  guest.run(input);
  return guest.overwritten;
}

function traps(input: Input, guest: EngineGuest): boolean {
  try {
    guest.run(input);
    return false;
  } catch {
    guest.restart();
    return true;
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
      guest.run(input);
      best = Math.min(best, Number(process.hrtime.bigint() - began) / length);
    }
    return best;
  };
  const slow = time(long);
  return { growth: slow / time(short), ns: slow };
}
