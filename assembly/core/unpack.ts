// The tables and texts of the module, which the build packs (scripts/build/memory-layout.mjs): dense tables repeat themselves, so they
// take half of their bytes. An entry imports this file first: what stands here runs when a VM starts, before anything reads a table.
//
//   PACKED   u32 where they go │ u32 size │ blocks of LZ4 (scripts/build/pack.mjs)         all zero where nothing is packed
//
// One step a byte, once a VM. https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md

/** Where the build puts what it has packed, behind all small buffers. */
const PACKED: usize = 0xa0000;
/** Sizes that do not fit four bits go on in the bytes that follow. */
const MORE: usize = 15;

let at: usize = PACKED + 8;

function readSize(size: usize): usize {
  if (size < MORE) return size;
  let byte: usize = 0;
  do {
    byte = load<u8>(at++);
    size += byte;
  } while (byte == 255);
  return size;
}

function unpack(): void {
  let out: usize = load<u32>(PACKED);
  const end = at + load<u32>(PACKED, 4);
  while (at < end) {
    const token: usize = load<u8>(at++);
    const literals = readSize(token >> 4);
    memory.copy(out, at, literals);
    at += literals;
    out += literals;
    if (at == end) return;
    let from = out - load<u16>(at);
    at += 2;
    // It may reach into what it writes.
    for (const last = out + readSize(token & 15) + 4; out < last; out++) store<u8>(out, load<u8>(from++));
  }
}

unpack();
