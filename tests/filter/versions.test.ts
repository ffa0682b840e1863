import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { createEnvoyProcess, type Plugin } from "../../scripts/host/index.ts";
import { modulePath } from "../../scripts/package.ts";
import { ATTACKS, PASSED, REFUSED } from "./service.ts";
import { BAD, otherVersions, plainVersion } from "./versions.ts";

const module = await readFile(modulePath("checked"));
const INVALID = "wasmcustom.meshward.config_invalid";

async function plugin(log: string[] = []): Promise<Plugin> {
  const process = createEnvoyProcess({ log: (level, line) => log.push(`${level} ${line}`) });
  return process.addPlugin({
    name: "meshward",
    rootId: "meshward",
    vmId: "meshward",
    module,
    node: { cluster: "cart" },
  });
}

/** Statuses of the attacks, by class. */
function attack(target: Plugin): Record<string, number> {
  return Object.fromEntries(
    Object.entries(ATTACKS).map(([name, { path, init }]) => {
      const headers = [...new Headers(init?.headers)];
      const form = init?.body instanceof URLSearchParams;
      if (form) headers.push(["content-type", "application/x-www-form-urlencoded"]);
      const body = init?.body === undefined ? {} : { body: String(init.body) };
      const { local } = target.exchange(
        { method: init?.method ?? "GET", path, headers },
        { ...body, response: { status: 200 } },
      );
      return [name, local?.status ?? 200];
    }),
  );
}

describe("a configuration of another version", () => {
  it("is refused nowhere and blocks as before", async () => {
    for (const [what, text] of otherVersions()) {
      const target = await plugin();
      assert.ok(target.configure(text).accepted, what);
      assert.equal(target.process.metrics().get(INVALID) ?? 0, 0, what);
      assert.deepEqual(attack(target), REFUSED, what);
    }
  });

  it("says how many keys it does not know", async () => {
    const log: string[] = [];
    const target = await plugin(log);
    target.configure(JSON.stringify({ ...plainVersion(), a: 1, b: { c: 2 } }));
    assert.ok(
      log.some((line) => /^warn .*does not know, ignored: 2$/.test(line)),
      log.join("\n"),
    );
    target.process.advance(1000);
    const counted = target.process.metrics().get("wasmcustom.meshward.what=.=config_key;.;overflow_total") as number;
    assert.ok(counted >= 2 && counted % 2 === 0, String(counted));
  });
});

describe("a bad configuration", () => {
  for (const [what, text] of Object.entries(BAD)) {
    it(`that is ${what}: at start safe defaults, after a good one the good one`, async () => {
      const log: string[] = [];
      const target = await plugin(log);
      assert.deepEqual(target.configure(text), { accepted: true, live: true });
      assert.deepEqual(attack(target), PASSED);
      assert.equal(target.process.metrics().get(INVALID), 1);
      assert.ok(
        log.some((line) => line.startsWith("error ") && line.includes("safe defaults hold")),
        log.join("\n"),
      );

      assert.ok(target.configure(JSON.stringify(plainVersion())).accepted);
      assert.deepEqual(attack(target), REFUSED);
      assert.equal(target.process.metrics().get(INVALID), 0);

      assert.deepEqual(target.configure(`${text} `), { accepted: false, live: true });
      assert.deepEqual(attack(target), REFUSED);
      assert.equal(target.process.metrics().get(INVALID), 1);
      assert.ok(log.some((line) => line.startsWith("error ") && line.includes("last good configuration stays")));
    });
  }
});
