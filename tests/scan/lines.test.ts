import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lineBatches } from "../../scripts/scan/lines.ts";

async function linesOf(chunks: Uint8Array[], limit?: number): Promise<[number, string | null][]> {
  const lines: [number, string | null][] = [];
  for await (const batch of lineBatches(chunks, limit)) {
    for (const { number, bytes } of batch) lines.push([number, bytes?.toString("latin1") ?? null]);
  }
  return lines;
}

const CASES: [id: string, text: string, expected: [number, string | null][]][] = [
  ["nothing", "", []],
  ["one without an end", "a", [[1, "a"]]],
  [
    "LF and CRLF",
    "a\nb\r\nc",
    [
      [1, "a"],
      [2, "b"],
      [3, "c"],
    ],
  ],
  [
    "blank lines count",
    "\n\r\n\na\n",
    [
      [1, ""],
      [2, ""],
      [3, ""],
      [4, "a"],
    ],
  ],
  ["a lone CR is content", "a\rb\r\r\n", [[1, "a\rb\r"]]],
  [
    "byte order mark at the start only",
    "\xef\xbb\xbfa\n\xef\xbb\xbfb\n",
    [
      [1, "a"],
      [2, "\xef\xbb\xbfb"],
    ],
  ],
  [
    "at the limit of 8",
    "12345678\n12345678\r\n",
    [
      [1, "12345678"],
      [2, "12345678"],
    ],
  ],
  [
    "over the limit of 8",
    "123456789\nok\n1234567890123\r\nok",
    [
      [1, null],
      [2, "ok"],
      [3, null],
      [4, "ok"],
    ],
  ],
  [
    "over the limit at the end",
    "ok\n123456789",
    [
      [1, "ok"],
      [2, null],
    ],
  ],
];

for (const [id, text, expected] of CASES) {
  test(`lines: ${id}, cut at every byte`, async () => {
    const bytes = Buffer.from(text, "latin1");
    assert.deepEqual(await linesOf([bytes], 8), expected);
    assert.deepEqual(
      await linesOf(
        [...bytes].map((byte) => Buffer.from([byte])),
        8,
      ),
      expected,
    );
    for (let cut = 1; cut < bytes.length; cut++) {
      assert.deepEqual(await linesOf([bytes.subarray(0, cut), bytes.subarray(cut)], 8), expected, `cut at ${cut}`);
    }
  });
}

test("lines do not change when the stream uses its buffer again", async () => {
  const buffer = Buffer.from("ab");
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield buffer;
    buffer.write("c\n");
    yield buffer;
  }
  const lines: string[] = [];
  for await (const batch of lineBatches(chunks())) lines.push(...batch.map(({ bytes }) => bytes!.toString()));
  assert.deepEqual(lines, ["abc"]);
});

test("any text in any cuts has the lines that split gives", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.stringMatching(/^[ab\n\r]{0,6}$/), { maxLength: 8 }), async (parts) => {
      const text = parts.join("");
      const expected = text.split("\n").map((line) => line.replace(/\r$/, ""));
      if (text === "" || text.endsWith("\n")) expected.pop();
      const lines = await linesOf(parts.map((part) => Buffer.from(part)));
      assert.deepEqual(
        lines,
        expected.map((line, index) => [index + 1, line]),
      );
    }),
  );
});
