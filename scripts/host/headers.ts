// Header maps and their form in linear memory ("pairs", proxy-wasm-cpp-host pairs_util.cc), little-endian:
//
//   u32 count │ count × (u32 name size, u32 value size) │ count × (name NUL value NUL)

/** A header as callers write it: the name in any case, text meaning its UTF-8 bytes. */
export type Header = readonly [name: string, value: string | Uint8Array];

/** Limits of proxy-wasm-cpp-host (limits.h): a larger block of pairs is read as none. */
const MAX_PAIRS = 1024;
const MAX_PAIRS_BYTES = 1024 * 1024;

/** An ordered multi-map with names in lower case. Names are text of one character a byte, values are bytes. */
export class HeaderMap {
  readonly names: string[] = [];
  readonly values: Uint8Array[] = [];

  static from(headers: readonly Header[]): HeaderMap {
    const map = new HeaderMap();
    for (const [name, value] of headers) map.add(name, value);
    return map;
  }

  get size(): number {
    return this.names.length;
  }

  /** Bytes of names and values, as Envoy's `byteSize` counts them. */
  get byteSize(): number {
    let size = 0;
    for (let i = 0; i < this.names.length; i++) size += this.names[i]!.length + this.values[i]!.length;
    return size;
  }

  /** The first value of a name in lower case, or null. */
  get(name: string): Uint8Array | null {
    const at = this.names.indexOf(name);
    return at < 0 ? null : this.values[at]!;
  }

  /** The first value as UTF-8 text, or null. */
  text(name: string): string | null {
    const value = this.get(name);
    return value === null ? null : Buffer.from(value.buffer, value.byteOffset, value.length).toString("utf8");
  }

  add(name: string, value: string | Uint8Array): void {
    this.names.push(name.toLowerCase());
    this.values.push(typeof value === "string" ? Buffer.from(value, "utf8") : value);
  }

  /** Adds a pair as it is: the name already one character a byte, its case kept. */
  append(name: string, value: Uint8Array): void {
    this.names.push(name);
    this.values.push(value);
  }

  /** Sets the one value of a name: at the place of its first, or at the end. */
  set(name: string, value: string | Uint8Array): void {
    const at = this.names.indexOf(name.toLowerCase());
    if (at < 0) return this.add(name, value);
    this.values[at] = typeof value === "string" ? Buffer.from(value, "utf8") : value;
    for (let i = this.names.length - 1; i > at; i--) if (this.names[i] === this.names[at]) this.#drop(i);
  }

  remove(name: string): void {
    const wanted = name.toLowerCase();
    for (let i = this.names.length - 1; i >= 0; i--) if (this.names[i] === wanted) this.#drop(i);
  }

  clear(): void {
    this.names.length = 0;
    this.values.length = 0;
  }

  /** Names with their values as UTF-8 text, in order. */
  toJSON(): [name: string, value: string][] {
    return this.names.map((name, i) => [name, Buffer.from(this.values[i]!).toString("utf8")]);
  }

  #drop(at: number): void {
    this.names.splice(at, 1);
    this.values.splice(at, 1);
  }
}

/** Bytes that `writePairs` writes. */
export function pairsSize(map: HeaderMap): number {
  return 4 + 10 * map.size + map.byteSize;
}

/** Writes a map as pairs at `at`; the caller made room for `pairsSize` bytes. */
export function writePairs(map: HeaderMap, out: Buffer, at: number): void {
  const { names, values } = map;
  out.writeUInt32LE(names.length, at);
  let sizes = at + 4;
  let text = sizes + 8 * names.length;
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const value = values[i]!;
    out.writeUInt32LE(name.length, sizes);
    out.writeUInt32LE(value.length, sizes + 4);
    sizes += 8;
    out.write(name, text, "latin1");
    text += name.length;
    out[text++] = 0;
    out.set(value, text);
    text += value.length;
    out[text++] = 0;
  }
}

/** Reads pairs strictly; null where the block is not exactly one. Values are copies. */
export function readPairs(block: Buffer): HeaderMap | null {
  if (block.length < 4 || block.length > MAX_PAIRS_BYTES) return null;
  const count = block.readUInt32LE(0);
  if (count > MAX_PAIRS || 4 + 8 * count > block.length) return null;
  const map = new HeaderMap();
  let text = 4 + 8 * count;
  for (let i = 0; i < count; i++) {
    const nameSize = block.readUInt32LE(4 + 8 * i);
    const valueSize = block.readUInt32LE(8 + 8 * i);
    const end = text + nameSize + valueSize + 2;
    if (end > block.length || block[text + nameSize] !== 0 || block[end - 1] !== 0) return null;
    map.add(block.toString("latin1", text, text + nameSize), Buffer.from(block.subarray(text + nameSize + 1, end - 1)));
    text = end;
  }
  return text === block.length ? map : null;
}
