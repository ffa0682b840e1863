/**
 * A transform of the AssemblyScript compiler: where static data lies in memory. By itself the compiler places it as it comes.
 *
 *   lowest: tables and texts, in one piece │ 288 KiB  buffers of up to 8 KiB │ 640 KiB  packed │ 1 MiB  pools, the compiler's library
 *
 * Where the program has assembly/core/unpack.ts, tables and texts come packed, and it puts them in their place when it starts.
 * An address below 1 MiB takes two bytes less in each place that names it, a piece of data nine bytes beside itself. Buffers and pools
 * are zero, so the module holds nothing of them.
 */
import { Compiler, MemorySegment } from "assemblyscript";
import { Transform } from "assemblyscript/transform";
import { pack } from "./pack.mjs";

const BUFFERS = 0x48000;
const PACKED = 0xa0000;
const POOLS = 1 << 20;
const UNPACKER = "assembly/core/unpack/unpack";
/** Bytes of the largest buffer that does not lie among the pools. */
const LARGEST = 8192;

const { addAlignedMemorySegment, initDefaultMemory } = Compiler.prototype;
/** The next free address in front of the pools, by compiler: that for data and that for buffers. */
const cursors = new WeakMap();

export default class MemoryLayout extends Transform {
  afterParse() {
    Compiler.prototype.addAlignedMemorySegment = addSegment;
    Compiler.prototype.initDefaultMemory = initMemory;
  }
}

/** Called for each `memory.data`. */
function addSegment(bytes, alignment) {
  if (!cursors.has(this)) {
    cursors.set(this, { data: this.memoryOffset, buffers: i64_new(BUFFERS) });
    this.memoryOffset = i64_new(POOLS);
  }
  const isBuffer = bytes.every((byte) => byte === 0);
  const segment =
    isBuffer && bytes.length > LARGEST
      ? addAlignedMemorySegment.call(this, bytes, alignment)
      : addBelow.call(this, isBuffer ? "buffers" : "data", isBuffer ? PACKED : BUFFERS, bytes, alignment);
  if (isBuffer) this.memorySegments.pop();
  return segment;
}

/** Places `bytes` in front of the pools, below `limit`. */
function addBelow(kind, limit, bytes, alignment) {
  const cursor = cursors.get(this);
  const pools = this.memoryOffset;
  this.memoryOffset = cursor[kind];
  const segment = addAlignedMemorySegment.call(this, bytes, alignment);
  if (i64_low(this.memoryOffset) > limit) throw new Error(`memory-layout: ${kind} reach beyond ${limit}`);
  cursor[kind] = this.memoryOffset;
  this.memoryOffset = pools;
  return segment;
}

/** What assembly/core/unpack.ts reads: where `bytes` go, their packed size, and they, packed. */
function packedSegment(bytes, start) {
  const packed = pack(bytes);
  const segment = new Uint8Array(8 + packed.length);
  new DataView(segment.buffer).setUint32(0, start, true);
  new DataView(segment.buffer).setUint32(4, packed.length, true);
  segment.set(packed, 8);
  if (PACKED + segment.length > POOLS) throw new Error(`memory-layout: packed data reach beyond ${POOLS}`);
  return new MemorySegment(segment, i64_new(PACKED));
}

/** Joins the data to one piece, which the optimizer cuts where there is nothing in it. */
function initMemory(end) {
  const cursor = cursors.get(this);
  if (cursor !== undefined) {
    const isData = ({ offset }) => i64_low(offset) < BUFFERS;
    const pieces = this.memorySegments.filter(isData);
    const others = this.memorySegments.filter((segment) => !isData(segment));
    const start = pieces[0]?.offset ?? cursor.data;
    const bytes = new Uint8Array(i64_low(cursor.data) - i64_low(start));
    for (const { offset, buffer } of pieces) bytes.set(buffer, i64_low(offset) - i64_low(start));
    const data = this.program.elementsByName.has(UNPACKER)
      ? packedSegment(bytes, i64_low(start))
      : new MemorySegment(bytes, start);
    this.memorySegments.splice(0, Infinity, data, ...others);
  }
  initDefaultMemory.call(this, end);
}
