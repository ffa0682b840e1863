// Reads the types of a Wasm module's imported and exported functions from its bytes, which the JavaScript API does not show.
// Only the type, import, function and export sections are read; everything else is skipped by its length.

import { HostError } from "./errors.ts";

/** Function types as "PARAMETERS:RESULTS", one letter a value (i, I, f, F, v), by "module.name" and by export name. */
export interface Signatures {
  imports: Map<string, string>;
  exports: Map<string, string>;
}

const SECTION = { type: 1, import: 2, function: 3, export: 7 } as const;
const KIND = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;
const VALUE_LETTERS: Readonly<Record<number, string>> = { 0x7f: "i", 0x7e: "I", 0x7d: "f", 0x7c: "F", 0x7b: "v" };

/** Throws HostError where the bytes are not a well-formed module as far as they are read. */
export function readSignatures(bytes: Uint8Array): Signatures {
  const reader = new Reader(bytes);
  const types: string[] = [];
  const functions: number[] = [];
  const signatures: Signatures = { imports: new Map(), exports: new Map() };
  const typeOf = (index: number): string => types[index] ?? reader.fail(`type ${index} does not exist`);
  reader.at = 8;
  while (reader.at < bytes.length) {
    const section = reader.byte();
    const size = reader.number();
    const end = reader.at + size;
    if (section === SECTION.type) {
      for (let left = reader.number(); left > 0; left--) types.push(functionType(reader));
    } else if (section === SECTION.import) {
      for (let left = reader.number(); left > 0; left--) {
        const name = `${reader.name()}.${reader.name()}`;
        const kind = reader.byte();
        if (kind === KIND.function) {
          const type = reader.number();
          functions.push(type);
          signatures.imports.set(name, typeOf(type));
        } else skipImport(reader, kind);
      }
    } else if (section === SECTION.function) {
      for (let left = reader.number(); left > 0; left--) functions.push(reader.number());
    } else if (section === SECTION.export) {
      for (let left = reader.number(); left > 0; left--) {
        const name = reader.name();
        const kind = reader.byte();
        const index = reader.number();
        if (kind === KIND.function) signatures.exports.set(name, typeOf(functions[index] ?? -1));
      }
    }
    reader.at = end;
  }
  return signatures;
}

function functionType(reader: Reader): string {
  if (reader.byte() !== 0x60) reader.fail("a type that is not a function");
  return `${values(reader)}:${values(reader)}`;
}

function values(reader: Reader): string {
  let letters = "";
  for (let left = reader.number(); left > 0; left--) letters += VALUE_LETTERS[reader.byte()] ?? "?";
  return letters;
}

function skipImport(reader: Reader, kind: number): void {
  if (kind === KIND.table) reader.byte();
  if (kind === KIND.table || kind === KIND.memory) {
    const flags = reader.byte();
    reader.number();
    if (flags & 1) reader.number();
  } else if (kind === KIND.global) reader.at += 2;
  else if (kind === KIND.tag) {
    reader.byte();
    reader.number();
  } else reader.fail(`an import of kind ${kind}`);
}

class Reader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#bytes[this.at++] ?? this.fail("it ends early");
  }

  /** LEB128, at most 32 bits. */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return this.fail("a number of more than 32 bits");
  }

  name(): string {
    const size = this.number();
    const text = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + this.at, size).toString("utf8");
    this.at += size;
    return text;
  }

  fail(what: string): never {
    throw new HostError(`the module's bytes cannot be read: ${what} (at ${this.at})`);
  }
}
