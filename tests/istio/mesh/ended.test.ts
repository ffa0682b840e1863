// A mesh goes with the process that has started it, whatever ends that one.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { poll } from "../../../scripts/envoy/admin.ts";
import { packageRoot } from "../../../scripts/package.ts";
import { noProc, processes } from "../../processes.ts";
import { noMesh } from "./mesh.ts";

const UP_MILLISECONDS = 60_000;
/** pilot-agent lets its Envoy go on for a second; what has not ended is ended by force after five. */
const GONE_MILLISECONDS = 20_000;
const PROGRAMS = ["docker-registry", "mini-istiod", "pilot-agent", "envoy"];

const SCRIPT = `
  import { BLOCK, pushed } from "./tests/istio/mesh/front.ts";
  import { guard, withGateway } from "./tests/istio/mesh/gateway.ts";
  const { registry, compat } = await pushed();
  await withGateway(registry, { module: await guard(BLOCK, compat) }, async () => {
    console.log("up");
    await new Promise((resolve) => setTimeout(resolve, ${UP_MILLISECONDS}));
  });`;

describe("a mesh whose process ends", { skip: noMesh || noProc }, () => {
  for (const signal of ["SIGTERM", "SIGINT", "SIGKILL"] as const) {
    it(`leaves nothing running after ${signal}`, async () => {
      // All that it starts inherits this.
      const mark = `MESHWARD_TEST=${process.pid}-${signal}`;
      const [name, value] = mark.split("=") as [string, string];
      const args = ["--import", "tsx", "--input-type=module", "-e", SCRIPT];
      const options = { cwd: packageRoot(), env: { ...process.env, [name]: value, NODE_TEST_CONTEXT: undefined } };
      const parent = spawn(process.execPath, args, { ...options, stdio: ["ignore", "pipe", "inherit"] });
      const running = (): string[] =>
        processes("environ").flatMap(({ pid, text }) => {
          if (!text.split("\0").includes(mark)) return [];
          try {
            return [readFileSync(`/proc/${pid}/comm`, "utf8").trim()];
          } catch {
            return [];
          }
        });
      try {
        let said = "";
        parent.stdout.on("data", (text: Buffer) => (said += text.toString()));
        await poll(
          () => Promise.resolve(/^up$/m.test(said) || null),
          UP_MILLISECONDS,
          () => new Error(`no mesh: ${said}`),
        );
        const names = running();
        for (const program of PROGRAMS) assert.ok(names.includes(program), `${program} is not among ${names.join()}`);
      } finally {
        parent.kill(signal);
      }
      if (parent.exitCode === null && parent.signalCode === null) await once(parent, "exit");
      let left: string[] = [];
      await poll(
        () => Promise.resolve((left = running()).length === 0 || null),
        GONE_MILLISECONDS,
        () => new Error(`${left.join()} run still`),
      );
    });
  }
});
