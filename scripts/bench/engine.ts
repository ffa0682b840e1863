/**
 * `meshward bench engine`: what the engine costs, as a multiple of a yardstick of the same run: a byte-by-byte walk over a table
 * of zeros, in the same Wasm build over the same bytes. Absolute times change with the machine, multiples hardly do.
 *
 * Each part is called in a loop inside Wasm. It and the yardstick take turns; of each the shortest turn counts, since whatever
 * else the machine does can only add to it. Before a time is looked at, the part must have found what is known of its input.
 */
import { setFlagsFromString } from "node:v8";
import { readModule } from "../package.ts";
import { HOSTILE, ordinaryInputs } from "./engine-inputs.ts";
import { round } from "./figures.ts";
import { commitText, machineText } from "./machine.ts";

interface BenchModule {
  memory: WebAssembly.Memory;
  input(): number;
  capacity(): number;
  yardstick(length: number, times: number): number;
  classification(length: number, times: number): number;
  layers(length: number, times: number): number;
  value(length: number, times: number): number;
  jsonParsed(length: number, times: number): number;
  jsonJudged(length: number, times: number): number;
}
export type EnginePart = "classification" | "layers" | "value" | "jsonParsed" | "jsonJudged";

export interface EngineRow {
  part: EnginePart;
  input: string;
  bytes: number;
  ns_per_byte: number;
  ns_per_value: number;
  /** Of the yardstick over the same bytes. */
  ratio: number;
}

/** One document of `--json`. */
export interface EngineResult {
  machine: string;
  /** Null where the package is not in git. */
  commit: string | null;
  yardstick_ns_per_byte: number;
  ordinary: EngineRow[];
  /** For each hostile input the length at which it costs most. */
  hostile: EngineRow[];
  /** The worst of them. */
  worst: EngineRow;
  /** The most that doubling a length of 16 KiB or more multiplied the time by. */
  doubling: { input: string; bytes: number; ratio: number };
}

export interface EngineOptions {
  rounds: number;
  /** Lengths of hostile inputs reach up to here, bytes. */
  longest: number;
  progress: (line: string) => void;
}

/** Bytes that a turn goes through, at the least: long enough for the clock. */
const TURN_BYTES = 200_000;
/** Length from which on doubling is looked at: below, what a value costs at all is part of it. */
const LONG = 16_384;
const SHORTEST = 16;

/** Rejects with an Error where a part does not find what it must, before any time is reported. */
export async function benchEngine({ rounds, longest, progress }: EngineOptions): Promise<EngineResult> {
  // Envoy runs what V8's optimizing compiler made; here nothing else is measured either.
  setFlagsFromString("--no-liftoff");
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readModule("bench")));
  const bench = new EngineBench(exports as unknown as BenchModule, rounds);
  const ordinary: EngineRow[] = [];
  for (const input of ordinaryInputs()) {
    for (const part of input.parts) {
      progress(`${input.name}: ${part}`);
      ordinary.push(bench.measure(part, input.name, input.bytes, (found) => input.expect(part, found)));
    }
  }
  const hostile: EngineRow[] = [];
  let doubling = { input: "", bytes: 0, ratio: 0 };
  for (const { name, unit } of HOSTILE) {
    progress(`hostile: ${name}`);
    let worst: EngineRow | null = null;
    let before: EngineRow | null = null;
    for (let bytes = SHORTEST; bytes <= longest; bytes *= 2) {
      const row = bench.measure("value", name, repeated(unit, bytes), () => true);
      if (worst === null || row.ratio > worst.ratio) worst = row;
      const times = before === null ? 0 : row.ns_per_value / before.ns_per_value;
      if (bytes > LONG && times > doubling.ratio) doubling = { input: name, bytes, ratio: round(times, 2) };
      before = row;
    }
    hostile.push(worst!);
  }
  return {
    machine: machineText(),
    commit: await commitText(),
    yardstick_ns_per_byte: round(bench.fastest, 3),
    ordinary,
    hostile: hostile.sort((left, right) => right.ratio - left.ratio),
    worst: hostile[0]!,
    doubling,
  };
}

/** `unit` again and again up to `bytes`, cut where that is. */
function repeated(unit: string, bytes: number): Buffer {
  return Buffer.alloc(bytes, Buffer.from(unit, "latin1"));
}

class EngineBench {
  readonly #module: BenchModule;
  readonly #rounds: number;
  /** ns a byte of the yardstick, the fastest of all turns. */
  fastest = Infinity;

  constructor(module: BenchModule, rounds: number) {
    this.#module = module;
    this.#rounds = rounds;
  }

  measure(part: EnginePart, name: string, input: Buffer, isExpected: (found: number) => boolean): EngineRow {
    const module = this.#module;
    if (input.length > module.capacity()) throw new Error(`${name}: longer than ${module.capacity()} bytes`);
    new Uint8Array(module.memory.buffer).set(input, module.input());
    const found = module[part](input.length, 1);
    if (!isExpected(found)) throw new Error(`${name}: ${part} gave ${found}, which is wrong`);
    let yardstick = Infinity;
    let own = Infinity;
    let times = 1;
    for (let turn = 0; turn <= this.#rounds; turn++) {
      const count = Math.max(1, Math.ceil(TURN_BYTES / input.length));
      const walked = timed(() => module.yardstick(input.length, count)) / count;
      const cost = timed(() => module[part](input.length, times)) / times;
      // Whatever costs much is called seldom, whatever costs little often: a turn takes about as long as the yardstick's.
      times = Math.min(1e6, Math.max(1, Math.round((walked * count) / cost)));
      if (turn === 0) continue;
      yardstick = Math.min(yardstick, walked);
      own = Math.min(own, cost);
    }
    this.fastest = Math.min(this.fastest, yardstick / input.length);
    return {
      part,
      input: name,
      bytes: input.length,
      ns_per_byte: round(own / input.length, 3),
      ns_per_value: round(own, 1),
      ratio: round(own / yardstick, 3),
    };
  }
}

/** Nanoseconds that `run` takes. */
function timed(run: () => unknown): number {
  const began = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - began);
}

/** The result as tables for people. */
export function engineText(result: EngineResult): string {
  const { ordinary, hostile, doubling, machine, commit } = result;
  const line = ({ part, input, bytes, ns_per_byte: each, ns_per_value: whole, ratio }: EngineRow): string =>
    `${part.padEnd(15)} ${input.padEnd(26)} ${String(bytes).padStart(8)} ${each.toFixed(2).padStart(9)} ${whole.toFixed(0).padStart(10)} ${ratio.toFixed(2).padStart(8)}`;
  const head = `${"part".padEnd(15)} ${"input".padEnd(26)} ${"bytes".padStart(8)} ${"ns/byte".padStart(9)} ${"ns/value".padStart(10)} ${"×".padStart(8)}`;
  return [
    "Time of the engine's parts; × is the multiple of a table walk over the same bytes",
    "",
    head,
    ...ordinary.map(line),
    "",
    "Hostile inputs, each at the length at which it costs most",
    "",
    head,
    ...hostile.map(line),
    "",
    `yardstick ${result.yardstick_ns_per_byte} ns/byte`,
    `doubling  at most × ${doubling.ratio} (${doubling.input}, ${doubling.bytes} bytes)`,
    `commit    ${commit ?? "unknown"}`,
    `machine   ${machine}`,
  ].join("\n");
}
