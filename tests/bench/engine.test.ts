// The short form of `meshward bench engine`: the same checks of what each part finds, on short inputs; its times say nothing here and
// are not looked at.

import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { benchEngine, engineText } from "../../scripts/bench/engine.ts";
import { benchScale, Scale, scaleText, UNITS } from "../../scripts/bench/engine-scale.ts";
import { HOSTILE, ordinaryInputs } from "../../scripts/bench/engine-inputs.ts";
import { main } from "../../scripts/cli.ts";
import { readModule } from "../../scripts/package.ts";

const short = { rounds: 1, longest: 64, progress: () => {} };

test("bench engine: measures every part of every input, and says which hostile one is the worst", async () => {
  const result = await benchEngine(short);
  const asked = ordinaryInputs().flatMap(({ name, parts }) => parts.map((part) => `${part} ${name}`));
  assert.deepEqual(
    result.ordinary.map(({ part, input }) => `${part} ${input}`),
    asked,
  );
  assert.deepEqual(result.hostile.map(({ input }) => input).sort(), HOSTILE.map(({ name }) => name).sort());
  for (const row of [...result.ordinary, ...result.hostile])
    assert.ok(row.ratio > 0 && row.ns_per_value > 0, row.input);
  assert.equal(result.worst.ratio, Math.max(...result.hostile.map(({ ratio }) => ratio)));
  const text = engineText(result);
  for (const { name } of HOSTILE) assert.ok(text.includes(name), name);
});

test("bench engine --json prints one document", async () => {
  let out = "";
  const stdout = new Writable({ write: (chunk: Buffer, _, done) => done(void (out += chunk.toString())) });
  const stderr = new Writable({ write: (_chunk, _, done) => done() });
  const code = await main(["bench", "engine", "--rounds", "1", "--longest", "16", "--json"], {
    stdin: process.stdin,
    stdout,
    stderr,
    env: process.env,
  });
  assert.equal(code, 0);
  const keys = ["machine", "commit", "yardstick_ns_per_byte", "ordinary", "hostile", "worst", "doubling"];
  assert.deepEqual(Object.keys(JSON.parse(out) as object), keys);
});

test("bench engine --scale: measures every unit of the bench module, and tells its worst doubling", async () => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readModule("bench")));
  assert.equal((exports as { scaleUnits(): number }).scaleUnits(), UNITS.length);
  const result = await benchScale({ ...short, longest: 256, inputs: HOSTILE.slice(0, 2) });
  assert.deepEqual(
    result.rows.map(({ unit }) => unit),
    [...UNITS],
  );
  for (const { unit, worst } of result.rows) assert.ok(worst.ratio > 0 && worst.bytes === 256, unit);
  assert.equal(result.doubling.ratio, Math.max(...result.rows.map(({ doubling }) => doubling.ratio)));
  const text = scaleText(result);
  for (const unit of UNITS) assert.ok(text.includes(unit), unit);
});

test("a time that grows as the square of the length would show", async () => {
  // The bench module with a unit that looks at each byte again for each byte.
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readModule("bench")));
  const bench = exports as unknown as { yardstick(length: number, times: number): number };
  const square = { scale: (_unit: number, length: number, times: number) => bench.yardstick(length, length * times) };
  const scale = new Scale({ ...(exports as object), ...square } as never, 0, "a");
  assert.ok(scale.doubling(4096, 5) > 3, "quadratic");
  const straight = { scale: (_unit: number, length: number, times: number) => bench.yardstick(length, times) };
  assert.ok(new Scale({ ...(exports as object), ...straight } as never, 0, "a").doubling(4096, 5) < 3, "linear");
});

test("the bench module finds in an attack what the filter finds, and nothing in a plain value", () => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readModule("bench")));
  const bench = exports as unknown as {
    memory: WebAssembly.Memory;
    input(): number;
    value(length: number, times: number): number;
    jsonJudged(length: number, times: number): number;
    yardstick(length: number, times: number): number;
  };
  const put = (text: string): number => {
    const bytes = Buffer.from(text);
    new Uint8Array(bench.memory.buffer).set(bytes, bench.input());
    return bytes.length;
  };
  assert.ok(bench.value(put("1 union select name, password from users"), 3) >= 3);
  assert.equal(bench.value(put("the union selected a new leader"), 3), 0);
  assert.ok(bench.jsonJudged(put('{"a":["x","<script>alert(1)</script>"]}'), 2) >= 2);
  assert.equal(bench.yardstick(put("a table of zeros leads nowhere"), 2), 0);
});
