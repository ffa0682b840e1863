/** What runs on this machine, by Linux's /proc. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Why that is not to be known, or false. */
export const noProc = existsSync("/proc/self/cmdline") ? false : "no /proc: what runs is not to be seen";

/** A file of each process that we may read, where each word ends with a zero. */
export function processes(file: "cmdline" | "environ"): { pid: number; text: string }[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return [{ pid: Number(name), text: readFileSync(`/proc/${name}/${file}`, "utf8") }];
    } catch {
      // It has ended, or is another user's.
      return [];
    }
  });
}
