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
