/**
 * Inputs for the engine: attacks, look-alikes and documents of tests/vectors and rules/, taken apart and put together wrongly.
 * Each batch is made from its seed alone.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { parse } from "yaml";
import { randomFrom, type Random } from "../bench/random.ts";
import { packageRoot } from "../package.ts";
import { randomBytes } from "./inputs.ts";

/** One input: its bytes, and the number by which part, name and cuts are chosen. */
export interface Input {
  bytes: Buffer;
  seed: number;
}

/** Bytes of the longest input of a batch, but for a few of up to sixteen times that. */
const LONGEST = 4096;

/** Every text in a document of YAML, whatever it is for. */
function textsIn(document: unknown): string[] {
  if (typeof document === "string") return [document];
  return typeof document === "object" && document !== null ? Object.values(document).flatMap(textsIn) : [];
}

/** What inputs are made of. */
export function readPieces(): Buffer[] {
  const root = packageRoot();
  const files = ["tests/vectors", "rules"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".yaml"))
      .sort()
      .map((name) => join(root, folder, name)),
  );
  const texts = new Set(files.flatMap((file) => textsIn(parse(readFileSync(file, "utf8"), { maxAliasCount: -1 }))));
  return [...texts].filter((text) => text.length > 0 && text.length <= LONGEST).map((text) => Buffer.from(text));
}

/** Marks on which the grammars turn. */
// prettier-ignore
const MARKS = ["'", "\"", "`", "<", ">", "/", "\\", "{", "}", "[", "]", "(", ")", ";", "|", "&", "=", ":", ",", ".", "..", "-", "--", "#", "%", "%25", "$", "${", "#{", "{{", "%{", "<%",
  "*", "/*", "*/", "!", "?", "+", " ", "\t", "\n", "\r\n", "\0", "@", "^", "~", "//", "\\x", "\\u00", "&#x", "&lt;", "0x", "+ADw-", "<!--", "-->", "<![CDATA[", "<!ENTITY", "\xff", "\xc0\xae", "１", "0", "1e9",
  "rO0AB", "O:8:", "gASV", "\r\n--B\r\n", "\x80\x04", "\xac\xed\x00\x05"].map((mark) => Buffer.from(mark, "latin1"));

const WRAPS: readonly ((bytes: Buffer) => Buffer)[] = [
  (bytes) => Buffer.from(encodeURIComponent(bytes.toString("latin1"))),
  (bytes) => Buffer.from([...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")),
  (bytes) => Buffer.from(bytes.toString("base64")),
  (bytes) => Buffer.from(bytes.toString("hex")),
  (bytes) => Buffer.from([...bytes].map((byte) => `&#${byte};`).join("")),
  (bytes) => Buffer.from([...bytes].map((byte) => `\\u00${byte.toString(16).padStart(2, "0")}`).join("")),
  (bytes) => Buffer.from(bytes.toString("utf8"), "utf16le"),
  (bytes) => gzipSync(bytes),
  (bytes) => deflateSync(bytes, { level: bytes.length % 3 }),
  (bytes) => deflateRawSync(bytes),
  (bytes) => Buffer.from(JSON.stringify({ q: bytes.toString("utf8") })),
  (bytes) => around('[{"a":', bytes, "}]"),
  (bytes) => around("<a b='", bytes, "'>c</a>"),
  (bytes) => around("<a>", bytes, "</a>"),
  (bytes) => around("a=", bytes, "&b=1"),
  (bytes) => around('--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n', bytes, "\r\n--B--\r\n"),
  (bytes) => around('--B\r\nContent-Disposition: form-data; name="a"; filename="', bytes, '"\r\n\r\nk\r\n--B--'),
];

const around = (before: string, bytes: Buffer, after: string): Buffer =>
  Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);

/** `bytes` changed in one way. */
function mutated(random: Random, bytes: Buffer, pieces: readonly Buffer[]): Buffer {
  const at = random.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + random.below(random.pick([2, 8, 64, 4096])));
  const replaced = (middle: Buffer, until = at): Buffer =>
    Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(until)]);
  switch (random.below(12)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return bytes.subarray(at);
    case 2:
      return replaced(Buffer.alloc(0), to);
    case 3: {
      const other = random.pick(pieces);
      return replaced(other.subarray(random.below(other.length)), bytes.length);
    }
    case 4:
      return replaced(random.pick(pieces));
    case 5:
    case 6:
    case 7:
      return replaced(random.pick(MARKS), random.below(2) === 0 ? at : to);
    case 8: {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) copy[random.below(copy.length)]! ^= 1 << random.below(8);
      return copy;
    }
    case 9:
      return random.pick(WRAPS)(bytes);
    case 10:
      return replaced(Buffer.concat(Array<Buffer>(random.below(5)).fill(bytes.subarray(at, to))));
    default:
      if (random.below(8) !== 0) return replaced(randomBytes(random, 1).subarray(0, 40));
      return replaced(
        repeated(random.below(3) === 0 ? bytes.subarray(at, to) : random.pick(MARKS), random.below(2000)),
      );
  }
}

function repeated(unit: Buffer, length: number): Buffer {
  return Buffer.alloc(unit.length === 0 ? 0 : length, unit);
}

/** The inputs of a batch. */
export function inputsOf(seed: number, count: number, pieces: readonly Buffer[]): Input[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, () => {
    let bytes = random.pick(pieces);
    for (let changes = random.below(5); changes > 0; changes--) bytes = mutated(random, bytes, pieces);
    const longest = random.below(500) === 0 ? 16 * LONGEST : LONGEST;
    return { bytes: bytes.subarray(0, longest), seed: random.below(0x7fff_ffff) };
  });
}

/** What costs most where anything is quadratic: up to four marks or pieces, again and again. */
export function unitOf(seed: number, pieces: readonly Buffer[]): Buffer {
  const random = randomFrom(seed);
  const few = (): Buffer => (random.below(3) === 0 ? random.pick(pieces).subarray(0, 24) : random.pick(MARKS));
  return Buffer.concat(Array.from({ length: 1 + random.below(4) }, few));
}
