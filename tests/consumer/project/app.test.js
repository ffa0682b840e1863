// What a project writes to know that its service is protected.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { startMeshward } from "meshward/testing";
import { app } from "./app.js";

const ATTACK = `/search?q=${encodeURIComponent("' UNION SELECT email, password_hash FROM users--")}`;

let server;
let meshward;
before(async () => {
  server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  meshward = await startMeshward({
    policy: { mode: "block" },
    upstream: `http://127.0.0.1:${server.address().port}`,
    backend: "process",
  });
});
after(async () => {
  await meshward?.stop();
  server.close();
  server.closeAllConnections();
});

describe("the app behind Meshward", () => {
  it("answers what belongs there", async () => {
    const answer = await fetch(`${meshward.url}/search?q=${encodeURIComponent("O'Brien & union square; select")}`);
    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), { searched: "O'Brien & union square; select" });
    const note = { text: "Don't drop the <b>table</b>; it's -- fine" };
    const written = await fetch(`${meshward.url}/notes`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(note),
    });
    assert.equal(written.status, 201);
    assert.deepEqual(await written.json(), note);
    assert.deepEqual(await meshward.findings(), []);
  });

  it("never sees an attack, and the finding is there", async () => {
    const answer = await fetch(meshward.url + ATTACK);
    assert.equal(answer.status, 403);
    assert.match(answer.headers.get("content-type"), /^application\/problem\+json/);
    const finding = await meshward.waitForFinding({ class: "sqli" });
    assert.deepEqual(finding.where, { part: "query", name: "q" });
    assert.equal(finding.request.verdict.outcome, "denied");
    assert.doesNotMatch(finding.evidence, /email|users/);
  });

  it("takes another policy while it runs", async () => {
    await meshward.reload("mode: detect");
    assert.equal((await fetch(meshward.url + ATTACK)).status, 200);
    await assert.rejects(meshward.reload("mode: blok"), /mode/);
    assert.equal((await fetch(meshward.url + ATTACK)).status, 200);
    await meshward.reload({ mode: "block" });
    assert.equal((await fetch(meshward.url + ATTACK)).status, 403);
  });
});
