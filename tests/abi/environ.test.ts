// The module's environment: what is found in it, and what does not fit.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createEnvoyProcess } from "../../scripts/host/index.ts";
import { guest } from "../host/guest.ts";

async function ask(environment: Record<string, string>): Promise<string[]> {
  const lines: string[] = [];
  const envoy = createEnvoyProcess({ log: (_level, message) => lines.push(message) });
  const plugin = await envoy.addPlugin({ name: "environ", module: await guest("environ"), environment });
  plugin.configure("");
  // Canary, main thread and worker say the same.
  assert.deepEqual(lines.slice(5, 10), lines.slice(0, 5));
  return lines.slice(0, 5);
}

const NONE = ["A [none]", "AB [none]", "EMPTY [none]", "LONG [none]"];

test("a variable is found by its whole name, with all of its value", async () => {
  const found = await ask({ AB: "a=b c=", XA: "no", A: "ü", EMPTY: "" });
  assert.deepEqual(found, ["ok", "A [ü]", "AB [a=b c=]", "EMPTY [none]", "LONG [none]"]);
});

test("no environment is an empty one", async () => {
  assert.deepEqual(await ask({}), ["ok", ...NONE]);
});

test("an environment up to its bound is read, a larger one is as none", async () => {
  const room = 8192 - "LONG=\0".length;
  const [state, , , , long] = await ask({ LONG: "x".repeat(room) });
  assert.equal(state, "ok");
  assert.equal(long, `LONG [${"x".repeat(room)}]`);
  assert.deepEqual(await ask({ LONG: "x".repeat(room + 1) }), ["too large", ...NONE]);
});

test("so is one of too many variables", async () => {
  const many = (count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [i === 0 ? "A" : `V${i}`, "1"]));
  assert.equal((await ask(many(64)))[1], "A [1]");
  assert.deepEqual(await ask(many(65)), ["too large", ...NONE]);
});
