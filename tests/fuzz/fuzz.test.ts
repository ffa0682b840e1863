// The short form of `npm run fuzz`: fixed seeds, a few seconds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { randomFrom } from "../../scripts/bench/random.ts";
import { EngineGuest, failureOf } from "../../scripts/fuzz/engine.ts";
import { fuzzFaults } from "../../scripts/fuzz/faults.ts";
import { fuzzInterleaved } from "../../scripts/fuzz/interleaved.ts";
import { fuzzResponses } from "../../scripts/fuzz/responses.ts";
import { inputsOf, readPieces, type Input } from "../../scripts/fuzz/values.ts";
import { packageRoot, readModule } from "../../scripts/package.ts";
import { compileProbe } from "../probe/build.ts";

const bytes = new Uint8Array(readModule("checked"));

test("no callback traps, whatever the host does", () => {
  const module = new WebAssembly.Module(bytes);
  const lines = [1, 2, 3].flatMap((seed) => fuzzFaults(module, randomFrom(seed), 4000));
  assert.ok(lines.length > 20, "refusals and bad configurations are logged");
  for (const line of lines) {
    assert.ok(Buffer.byteLength(line) <= 1024, line);
    assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/);
  }
});

test("streams among each other are decided on as alone", async () => {
  for (const seed of [1, 2, 3, 4, 5]) await fuzzInterleaved(bytes, randomFrom(seed), 60);
});

test("responses show in pieces, and behind others, what they show whole and alone", async () => {
  let shown = 0;
  for (const seed of [1, 2, 3]) shown += await fuzzResponses(bytes, randomFrom(seed), 300);
  assert.ok(shown > 20, `only ${shown} showed something`);
});

test("inputs of any kind trap nothing, and give the same in pieces, without SIMD, and whatever stands before and behind them", async () => {
  const guest = new EngineGuest(await compileProbe("fuzz"));
  const twin = new EngineGuest(await compileProbe("fuzz", { baseline: true }));
  const told = (inputs: readonly Input[]): string | null => {
    const failure = failureOf(inputs, guest, twin);
    return failure && `${failure.message}: ${JSON.stringify(failure.input.bytes.toString("latin1"))}`;
  };
  const folder = join(packageRoot(), "tests/fuzz/seeds");
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".json"))) {
    const { latin1, seed } = JSON.parse(readFileSync(join(folder, name), "utf8")) as { latin1: string; seed: number };
    assert.equal(told([{ bytes: Buffer.from(latin1, "latin1"), seed }]), null, name);
  }
  const pieces = readPieces();
  for (let seed = 1; seed <= 30; seed++) assert.equal(told(inputsOf(seed, 256, pieces)), null, `seed ${seed}`);
});

test("nothing is left of the value before", async () => {
  const probe = await compileProbe("fuzz");
  const value = (text: string): Input => ({ bytes: Buffer.from(text), seed: 1 });
  const pairs = [
    ["en\r\nSet-Cookie: a=1", "ee; 'en\r\n\r\nHTTP/1.1 200 OK\r\na'"],
    ['{ shop(q: "{ __schema }") { id } }', "<p>Type &lt;img src=x onerror=alert(1)&gt; and see</p>"],
  ] as const;
  for (const [first, second] of pairs) {
    const [used, fresh] = [new EngineGuest(probe), new EngineGuest(probe)];
    used.run(value(first));
    assert.equal(used.run(value(second)), fresh.run(value(second)), second);
  }
});

test("what an input gives depends on all of it", async () => {
  const guest = new EngineGuest(await compileProbe("fuzz"));
  const value = (text: string): Input => ({ bytes: Buffer.from(text), seed: 1 });
  const digests = ["1 or 1=1", "1 or 1=2", "1 or 1=1 ", "<a b='c'>", "<a b='d'>", '{"a":1}', '{"a":2}'].map((text) =>
    guest.run(value(text)),
  );
  assert.equal(new Set(digests).size, digests.length);
  assert.equal(guest.run(value("1 or 1=1")), digests[0]);
});
