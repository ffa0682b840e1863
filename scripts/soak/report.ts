/** What a soak saw, whether that is flat, and how it is told. */

/** One look at the memory, in the course of a run. */
export interface Sample {
  /** Streams or pushes done. */
  done: number;
  rssMib: number;
  /** Pages (64 KiB) of linear memory of all VMs; null where they cannot be seen. */
  pages: number | null;
}

export interface Report {
  title: string;
  /** "1000000 streams in 81 s", and whatever else is worth a line. */
  lines: string[];
  samples: Sample[];
  /** What is not as it must be; empty is a success. */
  problems: string[];
}

/** What RSS may grow by between the second quarter of a run and its last: noise of allocators, not a leak. */
const NOISE_MIB = 6;
const NOISE_SHARE = 0.03;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[sorted.length >> 1]!;
}

const quarter = <T>(values: readonly T[], index: number): T[] =>
  values.slice(Math.floor((values.length * index) / 4), Math.floor((values.length * (index + 1)) / 4));

/**
 * What drifts: memory that is larger at the end than after the first quarter, which is the warm-up. `mib`: what it may grow
 * by; what allocators do, where it is not said.
 */
export function driftOf(samples: readonly Sample[], mib?: number): string[] {
  if (samples.length < 8) return [`there are only ${samples.length} samples`];
  const problems: string[] = [];
  const [before, after] = [1, 3].map((index) => median(quarter(samples, index).map(({ rssMib }) => rssMib)));
  const room = mib ?? NOISE_MIB + before! * NOISE_SHARE;
  if (after! - before! > room) problems.push(`RSS went from ${before!.toFixed(1)} to ${after!.toFixed(1)} MiB`);
  const pages = new Set(samples.slice(samples.length >> 2).map((sample) => sample.pages));
  if (pages.size !== 1) problems.push(`linear memory changed: ${[...pages].join(", ")} pages`);
  return problems;
}

export function reportText({ title, lines, samples, problems }: Report): string {
  const shown = [0, 1, 2, 3, 4].map((index) => samples[Math.min(samples.length - 1, (samples.length * index) >> 2)]!);
  const row = ({ done, rssMib, pages }: Sample): string =>
    `  after ${String(done).padStart(9)}  RSS ${rssMib.toFixed(1).padStart(7)} MiB${pages === null ? "" : `  ${pages} pages`}`;
  return [
    title,
    ...lines.map((line) => `  ${line}`),
    ...(samples.length === 0 ? [] : shown.map(row)),
    ...problems.map((problem) => `  PROBLEM: ${problem}`),
    `  ${problems.length === 0 ? "flat, and everything adds up" : "failed"}`,
  ].join("\n");
}
