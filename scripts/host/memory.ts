// Checked access to a guest's linear memory. Addresses and sizes are the guest's signed 32-bit numbers until `>>> 0`.
// A view of memory is thrown away by `memory.grow`, so every access goes through `bytes`, which notices.

/** A guest's linear memory, seen as one run of bytes. */
export class GuestMemory {
  readonly #memory: WebAssembly.Memory;
  #bytes: Buffer;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.#bytes = Buffer.from(memory.buffer);
  }

  /** Size in bytes. */
  get size(): number {
    return this.bytes.length;
  }

  get bytes(): Buffer {
    if (this.#bytes.buffer !== this.#memory.buffer) {
      this.#bytes = Buffer.from(this.#memory.buffer);
    }
    return this.#bytes;
  }

  /** Whether `size` bytes from `at` lie in memory. */
  holds(at: number, size: number): boolean {
    return (at >>> 0) + (size >>> 0) <= this.bytes.length;
  }

  /** The run itself, not a copy, or null where it leaves memory; valid until the guest runs again. */
  run(at: number, size: number): Buffer | null {
    return this.holds(at, size) ? this.bytes.subarray(at >>> 0, (at >>> 0) + (size >>> 0)) : null;
  }

  /** The run as text of one character a byte, or null where it leaves memory. */
  latin1(at: number, size: number): string | null {
    return this.holds(at, size) ? this.bytes.toString("latin1", at >>> 0, (at >>> 0) + (size >>> 0)) : null;
  }

  /** Writes a little-endian u32; false where it leaves memory. */
  putU32(at: number, value: number): boolean {
    if (!this.holds(at, 4)) return false;
    this.bytes.writeUInt32LE(value >>> 0, at >>> 0);
    return true;
  }

  /** Writes a little-endian u64; false where it leaves memory. */
  putU64(at: number, value: bigint): boolean {
    if (!this.holds(at, 8)) return false;
    this.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at >>> 0);
    return true;
  }
}
