/** Uploaded files: pairs of attack and look-alike, cut anywhere, and content that is passed over in pieces. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { classVectors } from "./class-vectors.ts";
import { buildProbe } from "../probe/build.ts";

const BLOCKS = 60;
const probe = await buildProbe("judge");

/** Name, type and content of a file. */
type File = [name: string, type: string, content: string];

function fileOf(text: string): File {
  const [, name, type, content] = /^(\S+) (\S+)\n\n([^]*)$/.exec(text) ?? [];
  assert.ok(name !== undefined && type !== undefined && content !== undefined, text);
  return [name.replaceAll("+", " "), type, content];
}

/** The surest finding of class upload. */
function sure(file: File): number {
  const count = probe.exports.judgeUpload!(...file.flatMap((part) => probe.write(Buffer.from(part, "latin1"))));
  let surest = 0;
  for (let index = 0; index < count; index++) {
    const rule = probe.exports.foundRule!(index);
    if (rule >= 1800 && rule < 1900) surest = Math.max(surest, probe.exports.foundConfidence!(index));
  }
  return surest;
}

await suite("upload vectors", () => {
  const vectors = classVectors("upload");
  for (const { id, why, attack, lookalike } of vectors) {
    if (attack !== null) test(`${id} is found: ${why}`, () => assert.ok(sure(fileOf(attack)) >= BLOCKS));
    if (lookalike !== null) {
      test(`${id} passes: ${why}`, () => {
        const confidence = sure(fileOf(lookalike));
        assert.ok(confidence < BLOCKS, `${confidence}`);
      });
    }
  }
  test("cut anywhere, they never trap", () => {
    for (const { attack, lookalike } of vectors) {
      for (const text of [attack, lookalike]) {
        if (text === null) continue;
        const [name, type, content] = fileOf(text);
        for (let at = 0; at <= content.length; at++) assert.ok(sure([name, type, content.slice(at)]) <= 100);
        for (let at = 0; at <= name.length; at++) assert.ok(sure([name.slice(0, at), type, content]) <= 100);
      }
    }
  });
  test("sixteen KiB of anything take a few milliseconds", () => {
    for (const piece of [
      "<",
      "<?",
      "<%",
      "<%=a",
      "<?php ",
      "<script ",
      "<svg",
      "PK\x03\x04",
      "PK\x01\x02",
      "..",
      "MZ",
      "%!",
    ]) {
      const content = piece.repeat(16_384 / piece.length);
      const spans = ["a.jpg", "image/jpeg", content].flatMap((part) => probe.write(Buffer.from(part, "latin1")));
      const begin = performance.now();
      probe.exports.judgeUpload!(...spans);
      assert.ok(performance.now() - begin < 200, JSON.stringify(piece));
    }
  });
});

test("code in content that is passed over is found however it is cut", () => {
  const content = "\xff<<?p<?xml <\x00?<?PhP @eval(1)";
  const bytes = Buffer.from(content, "latin1");
  for (let cut = 0; cut <= bytes.length; cut++) {
    for (let other = cut; other <= bytes.length; other++) {
      const pieces = [bytes.subarray(0, cut), bytes.subarray(cut, other), bytes.subarray(other)];
      assert.equal(probe.exports.skipped!(...pieces.flatMap((piece) => probe.write(piece))), 1, `${cut}, ${other}`);
    }
  }
});
