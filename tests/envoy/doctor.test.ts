import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { doctor, doctorText } from "../../scripts/envoy/doctor.ts";

let home: string;
before(async () => void (home = await mkdtemp(join(tmpdir(), "meshward-doctor-"))));
after(() => rm(home, { recursive: true, force: true }));

const nowhere = (): NodeJS.ProcessEnv => ({
  HOME: home,
  PATH: "/nonexistent",
  MESHWARD_CACHE: join(home, "cache"),
  DOCKER_HOST: `unix://${join(home, "none.sock")}`,
});

async function fakeEnvoy(name: string, version: string): Promise<string> {
  const path = join(home, name);
  await writeFile(path, `#!/bin/sh\necho "envoy  version: abc/${version}/Clean/RELEASE/BoringSSL"\n`);
  await chmod(path, 0o755);
  return path;
}

describe("doctor", () => {
  it("says of each choice why it failed", async () => {
    const report = await doctor(nowhere());
    assert.equal(report.ok, false);
    assert.equal(report.chosen, null);
    assert.deepEqual(
      report.envoy.map(({ choice }) => choice),
      ["ENVOY_BIN", "PATH", "docker", "cache"],
    );
    for (const { found, detail } of report.envoy)
      assert.ok(!found && detail.length > 0 && !detail.includes("\n"), detail);
    assert.match(doctorText(report), /^ {2}no {2}docker +no container engine answers \(unix:.*: no such socket\)$/m);
  });

  it("names the one that would be used", async () => {
    const named = await fakeEnvoy("good", "1.40.0");
    const report = await doctor({ ...nowhere(), ENVOY_BIN: named });
    assert.equal(report.ok, true);
    assert.equal(report.chosen, "ENVOY_BIN");
    assert.match(doctorText(report), /^ {2}ok {2}ENVOY_BIN +.*good, Envoy 1\.40\.0 {2}<- used$/m);
  });

  it("is not content with the next one where ENVOY_BIN is set and wrong", async () => {
    await fakeEnvoy("envoy", "1.40.0");
    const report = await doctor({ ...nowhere(), ENVOY_BIN: await fakeEnvoy("old", "1.30.0"), PATH: home });
    assert.equal(report.envoy[1]!.found, true);
    assert.equal(report.ok, false);
    assert.match(report.envoy[0]!.detail, /is Envoy 1\.30\.0; 1\.35 or newer is needed/);
    assert.match(doctorText(report), /\nWhile ENVOY_BIN is set nothing else is tried: correct it, or unset it\.$/);
  });

  it("looks at Node, the module and the ports, of which a taken one is told", async () => {
    const holder = createServer();
    const holds = await new Promise<boolean>((resolve) => {
      holder.once("error", () => resolve(false));
      holder.listen(9901, "127.0.0.1", () => resolve(true));
    });
    try {
      const { checks } = await doctor(nowhere());
      assert.deepEqual(
        checks.map(({ name }) => name),
        ["Node", "module", "port 8080", "port 9901"],
      );
      assert.equal(checks[0]!.ok, true);
      assert.equal(checks[3]!.ok, false);
    } finally {
      if (holds) await new Promise((resolve) => holder.close(resolve));
    }
  });

  it("is one JSON document as it is", async () => {
    const report = await doctor(nowhere());
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  });
});
