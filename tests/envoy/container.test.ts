import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { it } from "node:test";
import { findEngine } from "../../scripts/envoy/docker.ts";
import { startMeshward } from "../../testing/index.ts";
import type { Ulimits } from "../../testing/index.ts";

const ATTACK = "/search?q=1%20UNION%20SELECT%20name,password%20FROM%20users--";

/** Why the container backend cannot be tried here, or false. */
const missing = await findEngine(process.env, 3_000).then(
  () => false as const,
  (error: Error) => error.message,
);
/** Rootless and nested engines may not raise limits: MESHWARD_TEST_ULIMITS='{"nofile":{"soft":1024,"hard":4096}}'. */
const limits = process.env.MESHWARD_TEST_ULIMITS;

it(
  "the container backend serves, refuses, reports, reloads and stops",
  { skip: missing, timeout: 300_000 },
  async () => {
    // On all addresses: so a container reaches it without a tunnel.
    const service = createServer((_, response) => response.end("served")).listen(0, "0.0.0.0");
    await new Promise((resolve) => service.once("listening", resolve));
    const upstream = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    const ulimits = limits === undefined ? {} : { ulimits: JSON.parse(limits) as Ulimits };
    const meshward = await startMeshward({ policy: { mode: "block" }, upstream, backend: "container", ...ulimits });
    try {
      assert.equal(await (await fetch(meshward.url)).text(), "served");
      assert.equal((await fetch(meshward.url + ATTACK)).status, 403);
      assert.equal((await meshward.waitForFinding({ class: "sqli" })).request.status, 403);
      assert.equal((await meshward.findings()).filter((finding) => finding.class === "sqli").length, 1);
      await meshward.reload({ mode: "off" });
      assert.equal((await fetch(meshward.url + ATTACK)).status, 200);
      assert.ok((await meshward.metrics()).samples.length > 0);
    } finally {
      await meshward.stop();
      service.closeAllConnections();
      service.close();
    }
    await assert.rejects(fetch(meshward.url));
  },
);
