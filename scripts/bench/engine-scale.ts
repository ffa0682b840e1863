/**
 * `meshward bench engine --scale`: how the time of each decoder, parser and detector grows with the length of each hostile input, from
 * 128 bytes to 1 MiB in doublings: by itself, in the windows and chunks in which values and bodies come.
 *
 * CPU time is measured, but other programs still share the caches and the cores' units: a doubling that looks bad is measured again, in
 * pairs of both lengths one right behind the other, and the median of the pairs counts.
 */
import { setFlagsFromString } from "node:v8";
import { readModule } from "../package.ts";
import { BODIES, HOSTILE } from "./engine-inputs.ts";
import { commitText, machineText } from "./machine.ts";

/** assembly/bench-scale.ts, Unit, in that order. */
export const UNITS = [
  ...["percent", "entities", "escapes", "unicode", "utf-7", "content of XML", "base64"],
  ...["query", "cookies", "path segments", "path, normalized", "json", "form", "text", "xml", "multipart"],
  ...[
    "sqli",
    "xss",
    "cmdi",
    "traversal",
    "xxe",
    "deser",
    "jndi",
    "ssti, codei",
    "ssi",
    "ssrf, rfi, redirect",
    "nosqli",
  ],
  ...["ldapi", "xpath", "graphql", "prototype", "crlf", "auth", "protocol, scanner", "upload"],
  ...["query", "path", "header", "cookie", "form", "json", "body", "xml", "multipart"].map((part) => `all: a ${part}`),
  ...["json", "form", "text", "xml", "multipart"].map((kind) => `all: ${kind} parsed`),
] as const;

interface ScaleModule {
  memory: WebAssembly.Memory;
  input(): number;
  yardstick(length: number, times: number): number;
  scale(unit: number, length: number, times: number): number;
  scaleUnits(): number;
}

/** What one unit costs at most. */
export interface ScaleRow {
  unit: string;
  /** The highest multiple of the yardstick, from `LONG` bytes on. */
  worst: { input: string; bytes: number; ratio: number };
  /** The most that doubling a length multiplied the time by: the longer of the two lengths. */
  doubling: { input: string; bytes: number; ratio: number };
}

/** One document of `--scale --json`. */
export interface ScaleResult {
  machine: string;
  commit: string | null;
  yardstick_ns_per_byte: number;
  longest: number;
  rows: ScaleRow[];
  /** The worst of all. */
  doubling: ScaleRow["doubling"] & { unit: string };
}

export interface ScaleOptions {
  rounds: number;
  longest: number;
  progress: (line: string) => void;
  inputs?: typeof HOSTILE;
}

/** assembly/parse/value.ts: bytes of a window, and from one to the next. */
const WINDOW = 16_384;
const STEP = 15_360;
/** The shortest length: below, most of the time is what any value costs, and the least lengths of rules are crossed. */
const SHORTEST = 128;
/** Length from which on a multiple of the yardstick is told: `bench engine` has short values. */
const LONG = 1024;
/** What costs less than this multiple of the yardstick is not looked at: there it shows where bytes must be copied once. */
const LEAST = 0.5;
/** A doubling above this is measured again, by four pairs for each round and one more. */
const SUSPECT = 2.05;
/** Nanoseconds that a turn takes at the least: long enough for a clock of microseconds. */
const TURN = 200_000;

export async function benchScale({
  rounds,
  longest,
  progress,
  inputs = [...HOSTILE, ...BODIES],
}: ScaleOptions): Promise<ScaleResult> {
  // Envoy runs what V8's optimizing compiler made.
  setFlagsFromString("--no-liftoff");
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readModule("bench")));
  const module = exports as unknown as ScaleModule;
  const yardstick = fastest(5, () => module.yardstick(longest, 1)) / longest;
  const rows: ScaleRow[] = [];
  for (const [index, unit] of UNITS.entries()) {
    progress(unit);
    const none = { input: "", bytes: 0, ratio: 0 };
    const row: ScaleRow = { unit, worst: none, doubling: none };
    for (const { name, unit: text } of inputs) {
      const scale = new Scale(module, index, text);
      let before = 0;
      for (let bytes = SHORTEST; bytes <= longest; bytes *= 2) {
        const time = scale.time(bytes, rounds);
        const ratio = time / (yardstick * bytes);
        if (bytes >= Math.min(LONG, longest) && ratio > row.worst.ratio) row.worst = { input: name, bytes, ratio };
        let times = before === 0 || ratio < LEAST ? 0 : time / before;
        if (times > SUSPECT && times > row.doubling.ratio) times = scale.doubling(bytes, 4 * rounds + 1);
        if (times > row.doubling.ratio) row.doubling = { input: name, bytes, ratio: times };
        before = time;
      }
    }
    rows.push(row);
  }
  const { unit, doubling } = rows.reduce((most, row) => (row.doubling.ratio > most.doubling.ratio ? row : most));
  return {
    machine: machineText(),
    commit: await commitText(),
    yardstick_ns_per_byte: yardstick,
    longest,
    rows,
    doubling: { unit, ...doubling },
  };
}

/** One unit on one input, repeated to any length. */
export class Scale {
  readonly #module: ScaleModule;
  readonly #unit: number;
  /** The input, and as it begins in later windows: they cut it anywhere, and what is cheap from its start may not be from elsewhere. */
  readonly #texts: readonly Buffer[];

  constructor(module: ScaleModule, unit: number, text: string) {
    this.#module = module;
    this.#unit = unit;
    const starts = new Set([0, 1, 2, 3].map((window) => (window * STEP) % text.length));
    this.#texts = [...starts].map((start) => Buffer.from(text.slice(start) + text.slice(0, start), "latin1"));
  }

  /** Nanoseconds of the text that takes longest. */
  time(bytes: number, rounds: number): number {
    const texts = bytes > WINDOW ? this.#texts.slice(0, 1) : this.#texts;
    return Math.max(...texts.map((text) => this.#timed(text, bytes, rounds)));
  }

  #timed(text: Buffer, bytes: number, rounds: number): number {
    const module = this.#module;
    Buffer.from(module.memory.buffer, module.input(), bytes).fill(text);
    let times = 1;
    for (let once = 0; once < TURN; times = Math.ceil((times * TURN * 1.5) / Math.max(once, TURN / 16)))
      once = fastest(1, () => module.scale(this.#unit, bytes, times));
    return fastest(rounds, () => module.scale(this.#unit, bytes, times)) / times;
  }

  /** By what the time at half of `bytes` is multiplied: the median of many pairs, each measured in one go. */
  doubling(bytes: number, count: number): number {
    const pairs = Array.from({ length: count }, () => this.time(bytes, 1) / this.time(bytes / 2, 1));
    return pairs.sort((left, right) => left - right)[count >> 1]!;
  }
}

/** Nanoseconds of this process's CPU time in the fastest of `rounds` runs: whatever else runs on the machine is left out. */
function fastest(rounds: number, run: () => unknown): number {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const began = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(began);
    best = Math.min(best, 1000 * (user + system));
  }
  return best;
}

/** The result as a table for people. */
export function scaleText({ rows, doubling, longest, ...result }: ScaleResult): string {
  const cell = ({ input, bytes, ratio }: ScaleRow["worst"]): string =>
    `${ratio.toFixed(2).padStart(7)}  ${input.padEnd(22)} ${String(bytes).padStart(8)}`;
  return [
    `Growth with the length, ${SHORTEST} to ${longest} bytes: the most that a doubling multiplied the time by,`,
    `and the highest multiple of a table walk over the same bytes (from ${LONG} bytes on)`,
    "",
    `${"".padEnd(22)} ${"doubling".padStart(7)}  ${"input".padEnd(22)} ${"bytes".padStart(7)} ${"×".padStart(8)}  ${"input".padEnd(22)} ${"bytes".padStart(8)}`,
    ...rows.map((row) => `${row.unit.padEnd(22)} ${cell(row.doubling)} ${cell(row.worst)}`),
    "",
    `doubling  at most × ${doubling.ratio.toFixed(2)} (${doubling.unit}: ${doubling.input}, ${doubling.bytes} bytes)`,
    `yardstick ${result.yardstick_ns_per_byte.toFixed(2)} ns/byte`,
    `commit    ${result.commit ?? "unknown"}`,
    `machine   ${result.machine}`,
  ].join("\n");
}
