/**
 * Fuzzes checked builds.
 *
 *     npm run fuzz -- [--count N] [--seed N]
 *     npm run fuzz -- --engine [--count N] [--seed N]
 *     npm run fuzz -- --slow [--count N] [--seed N]
 *
 * Each of the `count` rounds takes 20,000 callbacks on a host that fails, and 200 streams among each other. Exit code 1, with the seed
 * of the round, where the module traps or a stream is decided on otherwise than alone.
 *
 * With --engine: `count` inputs, 10 million if it is not given, through all decoders, parsers and detectors, with SIMD and without,
 * in both orders and with other bytes around each (assembly/fuzz.ts). An input that fails is kept in tests/fuzz/seeds/, which the tests go through. With --slow: `count` short texts,
 * each repeated; those whose time for a byte more than doubles from 2 KiB to 16 KiB are printed, the worst first.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { positiveOption, readArguments } from "../arguments.ts";
import { randomFrom } from "../bench/random.ts";
import { packageRoot, readModule } from "../package.ts";
import { EngineGuest, failureOf, growthOf, type Failure } from "./engine.ts";
import { fuzzFaults } from "./faults.ts";
import { fuzzInterleaved } from "./interleaved.ts";
import { fuzzResponses } from "./responses.ts";
import { inputsOf, readPieces, unitOf } from "./values.ts";

const BATCH = 256;
/** Failures after which there is enough to do. */
const MOST_FAILURES = 20;

const USAGE = "npm run fuzz -- [--engine | --slow] [--count N] [--seed N]";
const { values } = readArguments(USAGE, {
  options: {
    count: { type: "string" },
    seed: { type: "string" },
    engine: { type: "boolean" },
    slow: { type: "boolean" },
  },
});
const first = positiveOption(USAGE, "seed", values.seed ?? String(1 + (Date.now() % 1_000_000_000)));
const COUNT = values.engine ? 10_000_000 : values.slow ? 2000 : 50;
const count = positiveOption(USAGE, "count", values.count ?? String(COUNT));
if (values.engine) await fuzzEngine();
else if (values.slow) await findSlow();
else await fuzzModule();

async function fuzzModule(): Promise<void> {
  const bytes = new Uint8Array(readModule("checked"));
  const module = new WebAssembly.Module(bytes);
  for (let round = 0; round < count; round++) {
    const seed = first + round;
    try {
      fuzzFaults(module, randomFrom(seed), 20_000);
      await fuzzInterleaved(bytes, randomFrom(seed), 200);
      await fuzzResponses(bytes, randomFrom(seed), 500);
    } catch (error) {
      console.error(`npm run fuzz -- --count 1 --seed ${seed}\n${(error as Error).stack}`);
      process.exit(1);
    }
  }
  console.log(`${count} rounds from seed ${first}: no trap, every stream and every response as alone`);
}

/** A build of assembly/fuzz.ts for `target` of asconfig.json. */
async function engineGuest(target: string): Promise<EngineGuest> {
  const asc = await import("assemblyscript/asc");
  const outFile = `dist/probe/engine-fuzz.${target}.wasm`;
  const stderr = asc.createMemoryStream();
  const { error } = await asc.main(
    ["assembly/fuzz.ts", "--baseDir", packageRoot(), "--target", target, "--outFile", outFile],
    { stdout: asc.createMemoryStream(), stderr },
  );
  if (error) throw new Error(stderr.toString());
  return new EngineGuest(new WebAssembly.Module(readFileSync(join(packageRoot(), outFile))));
}

async function fuzzEngine(): Promise<void> {
  const [guest, twin] = [await engineGuest("checked"), await engineGuest("baseline")];
  const pieces = readPieces();
  const began = Date.now();
  let done = 0;
  let failures = 0;
  for (let seed = first; done < count && failures < MOST_FAILURES; seed++) {
    const failure = failureOf(inputsOf(seed, Math.min(BATCH, count - done), pieces), guest, twin);
    done += BATCH;
    if (failure === null) continue;
    failures++;
    const command = `npm run fuzz -- --engine --count ${BATCH} --seed ${seed}`;
    console.error(`${failure.message}: ${failure.alone ? keep(failure) : "only among the others"}\n  ${command}`);
  }
  const seconds = Math.round((Date.now() - began) / 1000);
  console.log(`${Math.min(done, count)} inputs from seed ${first} in ${seconds} s: ${failures} failures`);
  if (failures > 0) process.exitCode = 1;
}

/** Keeps an input that fails; returns the name of its file. */
function keep({ input, message }: Failure): string {
  const folder = join(packageRoot(), "tests/fuzz/seeds");
  const name = `${createHash("sha256").update(input.bytes).digest("hex").slice(0, 12)}.json`;
  mkdirSync(folder, { recursive: true });
  const seed = { message, seed: input.seed, latin1: input.bytes.toString("latin1") };
  writeFileSync(join(folder, name), `${JSON.stringify(seed, null, 2)}\n`);
  return `tests/fuzz/seeds/${name}`;
}

async function findSlow(): Promise<void> {
  const guest = await engineGuest("release");
  const pieces = readPieces();
  const slow: { text: string; growth: number; ns: number }[] = [];
  for (let seed = first; seed < first + count; seed++) {
    const unit = unitOf(seed, pieces);
    const once = growthOf(unit, guest);
    if (once.growth < 2) continue;
    // Again: whatever else the machine does can only add to a time.
    const { growth, ns } = growthOf(unit, guest);
    if (growth >= 2) slow.push({ text: JSON.stringify(unit.toString("latin1")), growth, ns });
  }
  slow.sort((left, right) => right.growth - left.growth);
  for (const { text, growth, ns } of slow) console.log(`× ${growth.toFixed(1)} ${ns.toFixed(0)} ns/byte ${text}`);
  console.log(`${slow.length} of ${count} texts from seed ${first} take twice as long for a byte when they are long`);
  if (slow.length > 0) process.exitCode = 1;
}
