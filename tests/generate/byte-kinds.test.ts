import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { bytesOf, emitByteKinds, isProduct, readByteKinds } from "../../scripts/generate/byte-kinds.ts";
import { buildProbe } from "../probe/build.ts";

test("a product of nibbles is told from what is none", () => {
  const bytes = (text: string): number[] => [...text].map((character) => character.charCodeAt(0));
  assert.ok(isProduct(bytes("()")));
  assert.ok(isProduct(bytes("^~")));
  assert.ok(isProduct(bytes("'")));
  assert.ok(!isProduct(bytes("'<")));
  assert.ok(!isProduct(bytes("()<")));
});

test("a kind that is no product, or named twice, is refused with its line", () => {
  const emit = (text: string): string => emitByteKinds(readByteKinds("rules/kinds.yaml", text));
  assert.throws(() => emit('kinds:\n  - {name: Good, bytes: "()"}\n  - {name: Bad, bytes: "\'<"}\n'), {
    message: "rules/kinds.yaml:3: Bad is no product of low and high nibbles",
  });
  assert.throws(() => emit('kinds:\n  - {name: A, bytes: "("}\n  - {name: A, bytes: ")"}\n'), {
    message: /:3: A is named twice/,
  });
  assert.throws(() => emit("kinds:\n  - {name: A, range: ff-00}\n"), { message: /:2: A is no product/ });
});

interface ClassifyProbe {
  classify(start: number, end: number): number;
}

test("every byte is of the kinds that rules/kinds.yaml gives it, in every lane and whatever stands behind", async () => {
  const { data } = readByteKinds(
    "rules/kinds.yaml",
    await readFile(new URL("../../rules/kinds.yaml", import.meta.url), "utf8"),
  );
  const probe = await buildProbe<ClassifyProbe>("kinds");
  for (let byte = 0; byte < 256; byte++) {
    const expected = data.kinds.reduce((set, kind, bit) => (bytesOf(kind).includes(byte) ? set | (1 << bit) : set), 0);
    for (let length = 1; length <= 33; length++) {
      const value = new Uint8Array(length).fill(0x61);
      value[length - 1] = byte;
      assert.equal(probe.exports.classify(...probe.write(value)), expected, `byte ${byte} at ${length - 1}`);
    }
  }
});
