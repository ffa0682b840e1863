/** What Linux's /proc says about a process that is running. */
import { readFileSync, readdirSync } from "node:fs";

/** Throws an Error of one line where there is no /proc with CPU times in nanoseconds. */
export function checkProc(): void {
  try {
    readFileSync("/proc/self/schedstat", "utf8");
  } catch (cause) {
    throw new Error("CPU time and memory of Envoy are read from /proc (schedstat): this runs on Linux only", { cause });
  }
}

/** Nanoseconds that all threads of a process have been on a CPU. Envoy's threads live as long as it does. */
export function onCpuNanos(pid: number): bigint {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.reduce((sum, task) => {
    const [onCpu] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ");
    return sum + BigInt(onCpu!);
  }, 0n);
}

/** Resident memory of a process, in MiB. */
export function rssMib(pid: number): number {
  const kib = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1024;
}

/** Of the machine below this one, and of all that runs here: ns of CPU time that all cores had, and those in which they did nothing. */
export function machineNanos(): { all: number; idle: number } {
  const line = readFileSync("/proc/stat", "utf8").split("\n", 1)[0]!;
  // user nice system idle iowait irq softirq steal, in hundredths of a second; what follows is within user and nice.
  const nanos = line
    .trim()
    .split(/\s+/)
    .slice(1, 9)
    .map((ticks) => Number(ticks) * 1e7);
  return { all: nanos.reduce((sum, each) => sum + each, 0), idle: nanos[3]! + nanos[4]! };
}
