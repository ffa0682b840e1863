// The inflater against node's zlib and a slow twin: every level, strategy and wrapping, cut on both sides, broken in every way.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import zlib from "node:zlib";
import { randomFrom, type Random } from "../../scripts/bench/random.ts";
import { buildProbe } from "../probe/build.ts";
import { inflateTwin, type Wrapping } from "./inflate-twin.ts";

const probe = await buildProbe("inflate");
const { open, feed, next, pieceStart, pieceEnd, full, came, used, intact } = probe.exports;

/** assembly/decode/inflate.ts, Wrapper and InflateEvent. */
const WRAPPER = { gzip: 1, zlib: 2, raw: 4 } as const;
const NONE = 8;
const ENDINGS = ["more", "piece", "done", "broken", "twofold"] as const;
const STEP = 32_768;

interface Read {
  output: Buffer;
  ending: (typeof ENDINGS)[number];
  /** What had come out and what was used where a step ended. */
  steps: string[];
}

/** `sizes`: chunks of the input, the rest comes as one more. */
function inflate(input: Uint8Array, wrappers: number, sizes: readonly number[] = [], step = STEP): Read {
  open!(0, wrappers, step);
  const pieces: Uint8Array[] = [];
  const steps: string[] = [];
  let ending: Read["ending"] = "more";
  let at = 0;
  for (const size of [...sizes, Infinity]) {
    const chunk = input.subarray(at, at + size);
    at += chunk.length;
    feed!(0, ...probe.write(chunk));
    while ((ending = ENDINGS[next!(0)]!) === "piece") {
      assert.ok(pieceEnd!() > pieceStart!());
      pieces.push(probe.bytes(pieceStart!(), pieceEnd!()));
      if (full!(0)) steps.push(`${came!(0)} of ${used!(0)}`);
    }
  }
  assert.ok(intact!(0));
  return { output: Buffer.concat(pieces), ending, steps };
}

const WRAPPINGS = [
  ["gzip", zlib.gzipSync],
  ["zlib", zlib.deflateSync],
  ["raw", zlib.deflateRawSync],
] as const;
const { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE } = zlib.constants;

/** Bytes that are like text, like numbers, like noise, and of frequencies that make the longest codes. */
function samplesOf(random: Random, size: number): Buffer[] {
  const words = ["select", "the", '{"id":', ",", "name", "0.5", "\n", "é", "union", "  "];
  let text = "";
  while (text.length < size) text += random.pick(words) + String(random.below(1000));
  const noise = Buffer.from(Array.from({ length: size }, () => random.below(256)));
  const skewed = Buffer.from(
    Array.from({ length: size }, () => Math.floor(-Math.log2(1 - random.below(1e6) / 1e6) * 1.4)),
  );
  const runs = Buffer.from(Array.from({ length: size }, (_, i) => (i >> 4) * (i >> 9)));
  return [Buffer.from(text.slice(0, size)), noise, skewed, runs, Buffer.alloc(size), Buffer.alloc(0)];
}

describe("bodies that zlib has made", () => {
  for (const [wrapping, deflate] of WRAPPINGS) {
    it(`${wrapping}: every level and strategy gives what went in`, () => {
      const random = randomFrom(1);
      for (const sample of [...samplesOf(random, 700), ...samplesOf(random, 90_000)]) {
        for (const strategy of [Z_DEFAULT_STRATEGY, Z_FILTERED, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE]) {
          for (const level of strategy === Z_DEFAULT_STRATEGY ? [0, 1, 6, 9] : [6]) {
            const input = deflate(sample, { level, strategy, memLevel: 1 + random.below(9) });
            const whole = inflate(input, WRAPPER[wrapping]);
            assert.equal(whole.ending, "done");
            assert.ok(whole.output.equals(sample), `level ${level}, strategy ${strategy}, ${sample.length} bytes`);
            const sizes = Array.from({ length: 40 }, () => random.below(random.pick([3, 200, 5000])));
            const pieces = inflate(input, WRAPPER[wrapping], sizes, 1 + random.below(STEP));
            assert.equal(pieces.ending, "done");
            assert.ok(pieces.output.equals(sample));
          }
        }
      }
    });

    it(`${wrapping}: every cut of the input and of the output`, () => {
      for (const sample of samplesOf(randomFrom(2), 300)) {
        for (const strategy of [Z_DEFAULT_STRATEGY, Z_FIXED]) {
          const input = deflate(sample, { strategy });
          for (let at = 0; at <= input.length; at++) {
            const cut = inflate(input, WRAPPER[wrapping], [at]);
            assert.deepEqual([cut.ending, cut.output.equals(sample)], ["done", true], `input cut at ${at}`);
            const short = inflate(input.subarray(0, at), WRAPPER[wrapping]);
            assert.equal(short.ending, at === input.length ? "done" : "more");
            assert.ok(short.output.equals(sample.subarray(0, short.output.length)));
          }
          const single = inflate(input, WRAPPER[wrapping], Array<number>(input.length).fill(1));
          assert.ok(single.output.equals(sample));
          for (let step = 1; step <= 300; step++) {
            assert.ok(inflate(input, WRAPPER[wrapping], [], step).output.equals(sample), `output cut at ${step}`);
          }
        }
      }
    });
  }

  it("steps end at the same places however the body is cut", () => {
    const random = randomFrom(3);
    for (const sample of samplesOf(random, 200_000)) {
      const input = zlib.gzipSync(sample);
      for (const step of [STEP, 2048]) {
        const { steps } = inflate(input, 1, [], step);
        assert.ok(steps.length >= Math.floor(sample.length / (step + 258)));
        const sizes = Array.from({ length: 300 }, () => random.below(1000));
        assert.deepEqual(inflate(input, 1, sizes, step).steps, steps);
      }
    }
  });

  it("two bodies at once do not know of each other", () => {
    const [first, second] = samplesOf(randomFrom(4), 60_000) as [Buffer, Buffer];
    const bodies = [zlib.gzipSync(first), zlib.deflateSync(second, { strategy: Z_FIXED })];
    const out: Uint8Array[][] = [[], []];
    for (const which of [0, 1]) open!(which, 7 - 4, STEP);
    for (let at = 0; at < 80_000; at += 997) {
      for (const which of [0, 1]) {
        feed!(which, ...probe.write(bodies[which]!.subarray(at, at + 997)));
        while (next!(which) === 1) out[which]!.push(probe.bytes(pieceStart!(), pieceEnd!()));
      }
    }
    assert.ok(Buffer.concat(out[0]!).equals(first));
    assert.ok(Buffer.concat(out[1]!).equals(second));
  });

  it("10 MiB of zeros, and those compressed again, come out in full and in little time", () => {
    const bomb = zlib.gzipSync(Buffer.alloc(10 << 20), { level: 9 });
    const began = performance.now();
    assert.equal(inflate(bomb, 1).output.length, 10 << 20);
    assert.ok(inflate(zlib.gzipSync(bomb), 1).output.equals(bomb));
    assert.ok(performance.now() - began < 2000);
  });
});

/** A stream of bits, the first lowest; codes of Huffman are written the other way round. */
function bitsOf(...fields: (readonly [value: number, count: number])[]): Buffer {
  const bits = fields.flatMap(([value, count]) => Array.from({ length: count }, (_, i) => (value >> i) & 1));
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8));
  for (const [i, bit] of bits.entries()) bytes[i >> 3]! |= bit << (i & 7);
  return bytes;
}

/** The head of a block with codes of its own, which has these lengths, 0 to 15, one by one. */
function headOf(lengths: readonly number[], distances: readonly number[]): (readonly [number, number])[] {
  const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
  const reversed = (value: number): number => [0, 1, 2, 3].reduce((sum, i) => sum | (((value >> i) & 1) << (3 - i)), 0);
  return [
    [1, 1],
    [2, 2],
    [lengths.length - 257, 5],
    [distances.length - 1, 5],
    [15, 4],
    ...order.map((symbol) => [symbol < 16 ? 4 : 0, 3] as const),
    ...[...lengths, ...distances].map((length) => [reversed(length), 4] as const),
  ];
}

function lengthsOf(size: number, ...set: (readonly [symbol: number, length: number])[]): number[] {
  const lengths = Array<number>(size).fill(0);
  for (const [symbol, length] of set) lengths[symbol] = length;
  return lengths;
}

const A = 97;
const plain = zlib.deflateRawSync("plain words");
const HANDMADE: readonly [name: string, wrapping: Wrapping, input: Buffer, ending: string, output: string][] = [
  ["a block of the type that is none", "raw", Buffer.from([7, 0]), "broken", ""],
  ["a stored block whose length is not said twice", "raw", Buffer.from([1, 3, 0, 0xfc, 0xfe, 97]), "broken", ""],
  ["an empty stored block that is the last", "raw", Buffer.from([1, 0, 0, 0xff, 0xff]), "done", ""],
  ["more codes for literals than there are", "raw", bitsOf([5, 3], [30, 5], [0, 5], [15, 4], [0, 20]), "broken", ""],
  ["more codes for distances than there are", "raw", bitsOf([5, 3], [0, 5], [30, 5], [15, 4], [0, 20]), "broken", ""],
  ["no code for lengths", "raw", bitsOf([5, 3], [0, 5], [0, 5], [15, 4], [0, 57], [0, 99]), "broken", ""],
  ["no end of the block", "raw", bitsOf(...headOf(lengthsOf(257, [A, 1], [98, 1]), [0])), "broken", ""],
  [
    "too many codes of one length",
    "raw",
    bitsOf(...headOf(lengthsOf(257, [A, 1], [98, 1], [256, 1]), [0])),
    "broken",
    "",
  ],
  ["a code with places left over", "raw", bitsOf(...headOf(lengthsOf(257, [A, 2], [256, 2]), [0])), "broken", ""],
  ["distances with places left over", "raw", bitsOf(...headOf(lengthsOf(257, [A, 1], [256, 1]), [2, 2])), "broken", ""],
  ["a single code", "raw", bitsOf(...headOf(lengthsOf(257, [256, 1]), [0]), [0, 1]), "done", ""],
  [
    "what a single code does not have",
    "raw",
    bitsOf(...headOf(lengthsOf(257, [256, 1]), [0]), [0xffff, 16]),
    "broken",
    "",
  ],
  [
    "a copy without a code of distances",
    "raw",
    bitsOf(...headOf(lengthsOf(258, [A, 1], [256, 2], [257, 2]), [0]), [0, 1], [3, 2], [0, 16]),
    "broken",
    "a",
  ],
  [
    "a copy by the only distance",
    "raw",
    bitsOf(...headOf(lengthsOf(258, [A, 1], [256, 2], [257, 2]), [1]), [0, 1], [3, 2], [0, 1], [1, 2]),
    "done",
    "aaaa",
  ],
  [
    "a copy from before the first byte",
    "raw",
    bitsOf(...headOf(lengthsOf(258, [A, 1], [256, 2], [257, 2]), [0, 1]), [0, 1], [3, 2], [0, 1], [1, 2]),
    "broken",
    "a",
  ],
  ["fixed codes that are none", "raw", bitsOf([3, 3], [0b01100011, 8], [0, 16]), "broken", ""],
  [
    "a fixed distance that is none",
    "raw",
    bitsOf([3, 3], [0b0000011 << 0, 0], [0b1000000, 7], [0b01111, 5], [0, 16]),
    "broken",
    "",
  ],
  ["zeros behind the end", "gzip", Buffer.concat([zlib.gzipSync("a"), Buffer.alloc(9)]), "done", "a"],
  ["bytes behind the end", "gzip", Buffer.concat([zlib.gzipSync("a"), Buffer.from("x")]), "more", "a"],
  ["more bytes behind the end", "gzip", Buffer.concat([zlib.gzipSync("a"), Buffer.from("xy")]), "broken", "a"],
  ["bytes behind the end of zlib", "zlib", Buffer.concat([zlib.deflateSync("a"), Buffer.from("x")]), "broken", "a"],
  [
    "members in a row",
    "gzip",
    Buffer.concat([zlib.gzipSync("a"), zlib.gzipSync(""), zlib.gzipSync("b")]),
    "done",
    "ab",
  ],
  [
    "all fields of a head",
    "gzip",
    Buffer.concat([
      Buffer.from([31, 139, 8, 31, 0, 0, 0, 0, 0, 3, 2, 0, 120, 121, 110, 0, 99, 0, 7, 7]),
      plain,
      Buffer.alloc(8),
    ]),
    "done",
    "plain words",
  ],
  [
    "a reserved flag, which some readers pass over",
    "gzip",
    Buffer.concat([Buffer.from([31, 139, 8, 32, 0, 0, 0, 0, 0, 3]), plain, Buffer.alloc(8)]),
    "done",
    "plain words",
  ],
  [
    "a method that is none",
    "gzip",
    Buffer.concat([Buffer.from([31, 139, 7, 0, 0, 0, 0, 0, 0, 3]), plain, Buffer.alloc(8)]),
    "broken",
    "",
  ],
  ["a preset dictionary", "zlib", zlib.deflateSync("plain words", { dictionary: Buffer.from("plain") }), "broken", ""],
  [
    "a member that copies from the one before",
    "gzip",
    Buffer.concat([
      zlib.gzipSync("plain words"),
      Buffer.from([31, 139, 8, 0, 0, 0, 0, 0, 0, 3]),
      zlib.deflateRawSync("plain words", { dictionary: Buffer.from("plain words") }),
    ]),
    "broken",
    "plain wordsp",
  ],
];

describe("bodies made by hand", () => {
  for (const [name, wrapping, input, ending, output] of HANDMADE) {
    it(`${name}: ${ending}`, () => {
      assert.deepEqual({ ...inflateTwin(input, wrapping) }, { output: Buffer.from(output), ending });
      for (let at = 0; at <= input.length; at++) {
        const read = inflate(input, WRAPPER[wrapping], [at]);
        assert.deepEqual([read.ending, read.output.toString()], [ending, output], `cut at ${at}`);
      }
    });
  }

  it("what it is is told from its first bytes", () => {
    const words = Buffer.from("plain words");
    for (const [input, wrappers, ending, output] of [
      [zlib.gzipSync(words), 7, "done", words],
      [zlib.deflateSync(words), 7, "done", words],
      [zlib.deflateRawSync(words), 7, "done", words],
      [zlib.deflateSync(words), 3, "done", words],
      [Buffer.from([0x78, 0, ...zlib.deflateSync(words).subarray(2)]), 7, "done", words],
      [Buffer.from([0x78, 0, ...zlib.deflateSync(words).subarray(2)]), 3, "broken", ""],
      [Buffer.from([8, 2, 0, 0xfd, 0xff, 97, 98, 1, 0, 0, 0xff, 0xff]), 7, "done", "ab"],
      [zlib.deflateRawSync(words), 3, "broken", ""],
      [words, 3, "broken", ""],
      [words, 3 | NONE, "done", words],
      [Buffer.from("x. is no zlib"), 3 | NONE, "done", Buffer.from("x. is no zlib")],
      [Buffer.alloc(100_000, words), 3 | NONE, "done", Buffer.alloc(100_000, words)],
      [zlib.gzipSync(words), 3 | NONE, "done", words],
    ] as const) {
      for (let at = 0; at <= Math.min(40, input.length); at++) {
        const read = inflate(input, wrappers, [at]);
        assert.deepEqual([read.ending, read.output], [ending, Buffer.from(output)]);
      }
    }
  });

  it("zlib that is bare deflate too is neither", () => {
    // To the one a block with fixed codes, to the other a stored one.
    const length = 0x9c | (0x03 << 8);
    const input = Buffer.concat([
      Buffer.from([0x78, 0x9c, 0x03, ~0x9c & 0xff, ~0x03 & 0xff]),
      Buffer.alloc(length + 9),
    ]);
    for (let at = 0; at <= 6; at++) {
      assert.equal(inflate(input, 7, [at]).ending, "twofold");
      assert.notEqual(inflate(input, 3, [at]).ending, "twofold");
    }
  });
});

/** What node's zlib gives byte by byte, and whether it ends with an error. */
async function nodeRead(input: Buffer, wrapping: Wrapping): Promise<{ output: Buffer; failed: boolean }> {
  const make = { gzip: zlib.createGunzip, zlib: zlib.createInflate, raw: zlib.createInflateRaw }[wrapping];
  const stream = make({ flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH });
  const pieces: Buffer[] = [];
  let failed = false;
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  const over = new Promise<void>((resolve) => {
    stream.on("end", resolve);
    stream.on("error", () => {
      failed = true;
      resolve();
    });
  });
  for (const byte of input) {
    if (stream.destroyed || stream.readableEnded) break;
    await Promise.race([over, new Promise<void>((resolve) => stream.write(Buffer.of(byte), () => resolve()))]);
  }
  stream.destroy();
  return { output: Buffer.concat(pieces), failed };
}

describe("bodies that are broken", () => {
  it("give what the twin gives, whole and in pieces", () => {
    const random = randomFrom(5);
    let broken = 0;
    for (let round = 0; round < 1500; round++) {
      const [wrapping, deflate] = random.pick(WRAPPINGS);
      const strategy = random.pick([Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY]);
      const sample = random.pick(samplesOf(random, 20 + random.below(600)));
      const input = Buffer.from(deflate(sample, { strategy, level: random.pick([0, 6]) }));
      for (let hits = 1 + random.below(3); hits > 0; hits--)
        input[random.below(Math.min(input.length, 150))] = random.below(256);
      const expected = inflateTwin(input, wrapping);
      if (expected.ending === "broken") broken++;
      for (const sizes of [
        [],
        Array.from({ length: 20 }, () => random.below(40)),
        Array<number>(input.length).fill(1),
      ]) {
        const read = inflate(input, WRAPPER[wrapping], sizes, random.pick([STEP, 7]));
        assert.deepEqual([read.ending, read.output], [expected.ending, expected.output], input.toString("base64"));
      }
    }
    assert.ok(broken > 500, `${broken} broken`);
  });

  it("are broken to node's zlib too, which has given the same before", async () => {
    const random = randomFrom(6);
    for (let round = 0; round < 150; round++) {
      const sample = random.pick(samplesOf(random, 20 + random.below(300)));
      const input = Buffer.from(zlib.deflateRawSync(sample, { strategy: random.pick([Z_DEFAULT_STRATEGY, Z_FIXED]) }));
      input[random.below(input.length)] = random.below(256);
      const read = inflate(input, WRAPPER.raw);
      const node = await nodeRead(input, "raw");
      // What stands behind the end is broken to us, and not looked at by node.
      if (node.failed) assert.equal(read.ending, "broken", input.toString("base64"));
      assert.ok(read.output.subarray(0, node.output.length).equals(node.output), input.toString("base64"));
      if (read.ending !== "broken") assert.ok(node.output.equals(read.output), input.toString("base64"));
    }
  });

  it("cost no more than their length: empty blocks and members, and codes that change all the time", () => {
    const fixed = Buffer.from(
      zlib.deflateRawSync("a", {
        strategy: Z_FIXED,
        flush: zlib.constants.Z_SYNC_FLUSH,
        finishFlush: zlib.constants.Z_SYNC_FLUSH,
      }),
    );
    const wide = lengthsOf(257, ...Array.from({ length: 14 }, (_, i) => [i, i + 1] as const), [14, 15], [256, 15]);
    const own = bitsOf(
      [0, 0],
      ...headOf(wide, [0]).map(([value, count], i) => [i === 0 ? 0 : value, count] as const),
      [0x7fff, 15],
    );
    const units = [Buffer.from([0, 0, 0, 0xff, 0xff]), fixed, Buffer.concat([own, Buffer.from([0, 0, 0xff, 0xff])])];
    for (const [i, unit] of units.entries()) {
      const time = (length: number): number => {
        const input = Buffer.alloc(length, unit);
        const began = performance.now();
        assert.equal(inflate(input, WRAPPER.raw).ending, "more");
        return performance.now() - began;
      };
      time(10_000);
      const long = Math.min(time(400_000), time(400_000));
      // Some 100 ns a byte in the checked build.
      assert.ok(long < 2000, `unit ${i}: ${long} ms`);
    }
    const members = Buffer.alloc(20 * 20_000, zlib.gzipSync(""));
    assert.deepEqual(inflate(members, 1).ending, "done");
  });
});
