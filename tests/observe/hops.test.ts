/** The header between sidecars against one written with node:crypto, and the notes of values in their buckets. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { buildProbe } from "../probe/build.ts";
import { readHeader, signContent, writeHeader } from "./header.ts";

const probe = await buildProbe<{
  out(): number;
  setSecret(index: number, start: number, end: number): number;
  openHeader(seconds: number): void;
  addEntry(hash: number, hops: number, hopsEnd: number): number;
  closeHeader(trace: number): number;
  headerText(): number;
  readHeader(start: number, end: number, trace: number, seconds: number): number;
  headerKey(): number;
  nextEntry(): number;
  openBucket(start: number, end: number, seconds: number): void;
  bucket(): number;
  bucketEnd(): number;
  fileNote(
    index: number,
    key: number,
    value: number,
    host: number,
    owner: number,
    seconds: number,
    hops: number,
    hopsEnd: number,
  ): number;
  findNote(after: number, index: number, key: number): number;
  noteValue(note: number): number;
  noteReached(note: number): number;
  markReached(note: number, how: number): number;
  noteHops(note: number): number;
  noteHopsEnd(note: number): number;
}>("hops");
const { exports } = probe;

const SECRET = "correct horse battery staple";
const OTHER = "another secret of good length";
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const NOW = 1_800_000_000;
const ENTRIES = [
  { hash: 7n, hops: ["edge GET /search query q"] },
  { hash: 0xfedcba9876543210n, hops: ["edge GET /search query q", "catalogue GET /items/{number} path 1"] },
];

const FATES = ["taken", "malformed", "unknown key", "forged", "stale"];

function secrets(first: string, second = ""): void {
  assert.equal(exports.setSecret(0, ...probe.write(first)), 1);
  assert.equal(exports.setSecret(1, ...probe.write(second)), 1);
}

/** What becomes of a header, and its entries. */
function take(text: string, trace: string | undefined = TRACE, seconds = NOW) {
  const fate = FATES[exports.readHeader(...probe.write(text), trace === "" ? 0 : probe.write(trace)[0], seconds)];
  const entries: { hash: bigint; hops: string[] }[] = [];
  while (exports.nextEntry() !== 0) {
    const found = Buffer.from(probe.bytes(exports.out(), exports.out() + 16));
    const hops = probe.text(found.readUInt32LE(8), found.readUInt32LE(12)).split("\n");
    entries.push({ hash: found.readBigUInt64LE(0), hops });
  }
  return { fate, entries };
}

describe("the header between sidecars", () => {
  it("is taken as it was written", () => {
    secrets(SECRET);
    const text = writeHeader({ secret: SECRET, seconds: NOW, trace: TRACE, entries: ENTRIES });
    assert.deepEqual(take(text), { fate: "taken", entries: ENTRIES });
    const untraced = writeHeader({ secret: SECRET, seconds: NOW, entries: ENTRIES });
    assert.deepEqual(take(untraced, ""), { fate: "taken", entries: ENTRIES });
  });

  it("is written as others read it", () => {
    secrets(SECRET);
    exports.openHeader(NOW);
    for (const { hops } of ENTRIES) assert.equal(exports.addEntry(9, ...probe.write(hops.join("\n"))), 1);
    const size = exports.closeHeader(probe.write(TRACE)[0]);
    const text = probe.text(exports.headerText(), exports.headerText() + size);
    assert.deepEqual(readHeader(text, SECRET, TRACE), { seconds: NOW, hops: ENTRIES.map(({ hops }) => hops) });
  });

  it("never has more than 512 characters, and none without an entry", () => {
    secrets(SECRET);
    exports.openHeader(NOW);
    assert.equal(exports.closeHeader(0), 0);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 40 }), (sizes) => {
        exports.openHeader(NOW);
        const added = sizes.filter((size) => exports.addEntry(1, ...probe.write("x".repeat(size))) !== 0);
        const size = exports.closeHeader(0);
        assert.ok(size <= 512);
        if (added.length === 0) return assert.equal(size, 0);
        const text = probe.text(exports.headerText(), exports.headerText() + size);
        assert.deepEqual(
          readHeader(text, SECRET).hops,
          added.map((length) => ["x".repeat(length)]),
        );
      }),
    );
  });

  it("is nobody else's: another trace, another secret, another time", () => {
    secrets(SECRET);
    const parts = { secret: SECRET, seconds: NOW, trace: TRACE, entries: ENTRIES };
    const text = writeHeader(parts);
    const none = (fate: string) => ({ fate, entries: [] });
    assert.deepEqual(take(text, "1" + TRACE.slice(1)), none("forged"));
    assert.deepEqual(take(text, ""), none("forged"));
    const untraced = writeHeader({ secret: SECRET, seconds: NOW, entries: ENTRIES });
    assert.equal(take(untraced).fate, "taken", "a proxy on the way has begun a trace");
    assert.deepEqual(take(writeHeader({ ...parts, form: 2 })), none("forged"));
    assert.deepEqual(take(writeHeader({ ...parts, secret: OTHER })), none("unknown key"));
    assert.deepEqual(take(text, TRACE, NOW + 61), none("stale"));
    assert.equal(take(text, TRACE, NOW + 60).fate, "taken");
    assert.deepEqual(take(text, TRACE, NOW - 61), none("stale"));
    assert.deepEqual(take(writeHeader({ ...parts, form: 3 })), none("malformed"));
    secrets("");
    assert.deepEqual(take(text), none("unknown key"));
  });

  it("is taken by the key before, and said so", () => {
    secrets(OTHER, SECRET);
    const parts = { seconds: NOW, trace: TRACE, entries: ENTRIES };
    assert.equal(take(writeHeader({ ...parts, secret: SECRET })).fate, "taken");
    assert.equal(exports.headerKey(), 1);
    assert.equal(take(writeHeader({ ...parts, secret: OTHER })).fate, "taken");
    assert.equal(exports.headerKey(), 0);
  });

  it("is not taken with any character changed, cut or added", () => {
    secrets(SECRET);
    const text = writeHeader({ secret: SECRET, seconds: NOW, trace: TRACE, entries: ENTRIES });
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === "A" ? "B" : "A";
      const changed = text.slice(0, at) + other + text.slice(at + 1);
      assert.notEqual(take(changed).fate, "taken", `character ${at}`);
      assert.notEqual(take(text.slice(0, at)).fate, "taken", `${at} characters`);
    }
    for (const added of ["A", "AAAA", "=", " ", ",", "\0"]) assert.notEqual(take(text + added).fate, "taken");
  });

  it("is nothing where it is anything else", () => {
    secrets(SECRET);
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 700 }), fc.string({ maxLength: 700 })), (bytes) => {
        const text = typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("base64url");
        assert.notEqual(take(text).fate, "taken");
      }),
      { numRuns: 2000 },
    );
  });

  it("may be signed by who says nonsense: an entry that is torn ends it", () => {
    secrets(SECRET);
    const content = Buffer.from(writeHeader({ secret: SECRET, seconds: NOW, entries: ENTRIES }), "base64url");
    const torn = content.subarray(0, -32);
    torn[9 + 8 + 9 + ENTRIES[0]!.hops[0]!.length] = 255;
    assert.deepEqual(take(signContent(torn, SECRET), ""), { fate: "taken", entries: ENTRIES.slice(0, 1) });
  });
});

const By = {
  Trace: 1,
  Value: 2,
} as const;

/** Files a note and puts the bucket back, as the filter does it. */
function file(index: number, key: number, value: number, seconds: number, hops = "h", owner = 1): number {
  const bucket = probe.bytes(exports.bucket(), exports.bucketEnd());
  exports.openBucket(...probe.write(bucket), seconds);
  return exports.fileNote(index, key, value, 0, owner, seconds, ...probe.write(hops));
}

/** Values of the notes under a key. */
function found(index: number, key: number): number[] {
  const values: number[] = [];
  for (let note = exports.findNote(0, index, key); note !== 0; note = exports.findNote(note, index, key)) {
    values.push(exports.noteValue(note));
  }
  return values;
}

describe("notes of values", () => {
  it("are found by their key alone, until they are too old", () => {
    exports.openBucket(0, 0, NOW);
    file(By.Trace, 1, 10, NOW);
    file(By.Trace, 1, 11, NOW);
    file(By.Value, 1, 12, NOW);
    file(By.Trace, 2, 13, NOW);
    assert.deepEqual([found(By.Trace, 1), found(By.Value, 1), found(By.Trace, 2)], [[10, 11], [12], [13]]);
    file(By.Trace, 3, 14, NOW + 11);
    assert.deepEqual([found(By.Trace, 1), found(By.Value, 1)], [[10, 11], []]);
    file(By.Trace, 3, 15, NOW + 61);
    assert.deepEqual([found(By.Trace, 1), found(By.Trace, 3)], [[], [14, 15]]);
    file(By.Trace, 3, 16, NOW - 60);
    assert.deepEqual(found(By.Trace, 3), [16], "the clock was set back");
  });

  it("stand once, with what they have reached", () => {
    exports.openBucket(0, 0, NOW);
    file(By.Trace, 1, 10, NOW);
    assert.equal(exports.markReached(exports.findNote(0, By.Trace, 1), 2), 1);
    assert.equal(exports.markReached(exports.findNote(0, By.Trace, 1), 1), 0);
    file(By.Trace, 1, 10, NOW + 1, "other");
    assert.deepEqual(found(By.Trace, 1), [10]);
    const note = exports.findNote(0, By.Trace, 1);
    assert.equal(exports.noteReached(note), 2);
    assert.equal(probe.text(exports.noteHops(note), exports.noteHopsEnd(note)), "other");
    file(By.Trace, 1, 10, NOW + 1, "another request's", 2);
    assert.deepEqual(found(By.Trace, 1), [10, 10]);
    assert.equal(exports.noteReached(exports.findNote(note, By.Trace, 1)), 0);
  });

  it("never take more than 2 KiB; the oldest go first, and are counted", () => {
    exports.openBucket(0, 0, NOW);
    let dropped = 0;
    for (let i = 0; i < 10_000; i++) {
      dropped += file(By.Trace, i, i, NOW, "x".repeat(i % 241));
      assert.ok(exports.bucketEnd() - exports.bucket() <= 2048);
      assert.deepEqual(found(By.Trace, i), [i]);
    }
    let left = 0;
    for (let i = 0; i < 10_000; i++) left += found(By.Trace, i).length;
    assert.equal(left + dropped, 10_000);
  });

  it("are read from any bytes without harm", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(), (bytes, seconds) => {
        exports.openBucket(...probe.write(bytes), seconds);
        assert.ok(exports.bucketEnd() - exports.bucket() <= 2048);
        exports.fileNote(1, 5, 6, 7, 8, seconds, ...probe.write("hop"));
        assert.ok(found(By.Trace, 5).includes(6));
      }),
      { numRuns: 500 },
    );
  });
});
