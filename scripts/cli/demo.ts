import type { Command } from "commander";
import type { Exit, Io } from "./io.ts";
import { example, positive } from "./options.ts";

interface DemoOptions {
  once?: boolean;
  observe?: boolean;
  seconds: number;
  listen?: string;
}

async function demoCommand({ observe, seconds, ...options }: DemoOptions, io: Io): Promise<number> {
  const told = {
    out: (line: string) => void io.stdout.write(`${line}\n`),
    err: (line: string) => void io.stderr.write(`meshward demo: ${line}\n`),
    // https://no-color.org: any value but the empty one.
    isColored: "isTTY" in io.stdout && io.stdout.isTTY === true && !io.env.NO_COLOR && io.env.TERM !== "dumb",
  };
  if (observe) {
    const { observeUntilStopped } = await import("../demo/observe.ts");
    return observeUntilStopped({ ...options, seconds, env: io.env }, told);
  }
  const { demoUntilStopped } = await import("../demo/demo.ts");
  return demoUntilStopped({ ...options, env: io.env }, told);
}

export function addDemo(program: Command, io: Io, exit: Exit): void {
  program
    .command("demo")
    .description("run before a vulnerable sample shop: a tour of attacks and look-alikes, with the filter off and on")
    .option("--once", "end after the tour; exit code 0 only if all is as promised")
    .option("--observe", "three services with planted flaws behind sidecars, and what the collector finds of them")
    .option("--seconds <n>", "with --observe: how long ordinary traffic lasts", positive(true, 3_600), 60)
    .option("--listen <host:port>", "address of the loopback to use (default: 127.0.0.1:8080, or a free port)")
    .addHelpText("after", example("meshward demo --once", "meshward demo --observe"))
    .action(async (options: DemoOptions) => exit(await demoCommand(options, io)));
}
