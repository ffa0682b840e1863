/**
 * A program that ends when this process has ended, in whatever way: a signal and a crash run no code of ours, but they close a pipe.
 *
 *   Node ──spawns──► program
 *        ──pipe────► watcher    a shell that waits for the pipe to close, then ends the program
 */
import { spawn, type ChildProcess } from "node:child_process";
import type { Socket } from "node:net";

/** Ends process $1, with its group where it leads one, by force after 5 s; then removes folder $2. */
const WATCHER = `cat >/dev/null
end() { kill -s "$1" -- "-$pid" 2>/dev/null || kill -s "$1" "$pid" 2>/dev/null; }
pid=$1
end TERM
n=0; while [ $n -lt 50 ] && end 0; do sleep 0.1; n=$((n + 1)); done
end KILL
rm -rf -- "$2"`;

/** Ends the group of a process that was started as the leader of one; gone already is as good. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // No such process.
  }
}

/** Lets `child` outlive us in no case; `folder`, where it has one, goes as well then. */
export function endWithUs<Child extends ChildProcess>(child: Child, folder = ""): Child {
  if (child.pid === undefined) return child;
  // A group of its own, which Ctrl-C does not reach.
  const watcher = spawn("/bin/sh", ["-c", WATCHER, "meshward-watch", String(child.pid), folder], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  watcher.on("error", () => {});
  watcher.stdin.on("error", () => {});
  (watcher.stdin as Socket).unref();
  watcher.unref();
  child.once("exit", () => killGroup(watcher, "SIGKILL"));
  return child;
}
