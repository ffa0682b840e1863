/**
 * Fuzzes the checked build of the module.
 *
 *     npm run fuzz -- [--count N] [--seed N]
 *
 * Each of the `count` rounds takes 20,000 callbacks on a host that fails, and 200 streams among each other. Exit code 1, with the seed
 * of the round, where the module traps or a stream is decided on otherwise than alone.
 */
import { parseArgs } from "node:util";
import { randomFrom } from "../bench/random.ts";
import { readModule } from "../package.ts";
import { fuzzFaults } from "./faults.ts";
import { fuzzInterleaved } from "./interleaved.ts";

const { values } = parseArgs({ options: { count: { type: "string" }, seed: { type: "string" } } });
const count = Number(values.count ?? 50);
const first = Number(values.seed ?? Date.now() % 1_000_000_000);
const bytes = new Uint8Array(readModule("checked"));
const module = new WebAssembly.Module(bytes);

for (let round = 0; round < count; round++) {
  const seed = first + round;
  try {
    fuzzFaults(module, randomFrom(seed), 20_000);
    await fuzzInterleaved(bytes, randomFrom(seed), 200);
  } catch (error) {
    console.error(`npm run fuzz -- --count 1 --seed ${seed}\n${(error as Error).stack}`);
    process.exit(1);
  }
}
console.log(`${count} rounds from seed ${first}: no trap, every stream as alone`);
