/** What the build packs of the module's tables and texts, and what the module unpacks when it starts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readModule } from "../../scripts/package.ts";

const { pack } = (await import(new URL("../../scripts/build/pack.mjs", import.meta.url).href)) as {
  pack(bytes: Uint8Array): Uint8Array;
};

/** Where assembly/core/unpack.ts reads. */
const PACKED = 0xa0000;

/** Blocks of LZ4, read byte by byte. */
function unpack(packed: Uint8Array): Buffer {
  const out: number[] = [];
  let at = 0;
  const size = (bits: number): number => {
    for (let more = bits === 15 ? 255 : 0; more === 255; bits += more) more = packed[at++]!;
    return bits;
  };
  while (at < packed.length) {
    const token = packed[at++]!;
    for (let literals = size(token >> 4); literals > 0; literals--) out.push(packed[at++]!);
    if (at === packed.length) break;
    const back = packed[at]! | (packed[at + 1]! << 8);
    at += 2;
    assert.ok(back > 0 && back <= out.length);
    for (let copied = size(token & 15) + 4; copied > 0; copied--) out.push(out.at(-back)!);
  }
  return Buffer.from(out);
}

test("what is packed comes out as it was", () => {
  const run = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 400 }));
  const bytes = fc.array(fc.oneof(run, fc.tuple(fc.uint8Array({ maxLength: 600 }), fc.constant(1))), { maxLength: 8 });
  fc.assert(
    fc.property(bytes, (runs) => {
      const all = Buffer.concat(runs.flatMap(([part, times]) => Array.from({ length: times }, () => part)));
      assert.deepEqual(unpack(pack(all)), all);
    }),
  );
  // Farther back than a copy can reach.
  const far = Buffer.concat([Buffer.from("four and more"), Buffer.alloc(70_000), Buffer.from("four and more")]);
  assert.deepEqual(unpack(pack(far)), far);
});

test("the module unpacks its tables when it starts", () => {
  for (const build of ["release", "checked"] as const) {
    const module = new WebAssembly.Module(new Uint8Array(readModule(build)));
    const imports: Record<string, Record<string, () => number>> = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => 0;
    const { memory } = new WebAssembly.Instance(module, imports).exports as { memory: WebAssembly.Memory };
    const bytes = Buffer.from(memory.buffer);
    const start = bytes.readUInt32LE(PACKED);
    const tables = unpack(bytes.subarray(PACKED + 8, PACKED + 8 + bytes.readUInt32LE(PACKED + 4)));
    assert.ok(tables.length > 100_000, `${tables.length} bytes`);
    assert.ok(bytes.subarray(start, start + tables.length).equals(tables));
  }
});
