// The way of a finding, with nothing left out: a client, three services behind real sidecars, a collector that crashes on the way.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { loadManifest } from "./manifest.ts";
import type { Entry } from "./manifest.ts";
import { startMesh } from "./mesh.ts";
import type { Mesh } from "./mesh.ts";
import { makeTable, seenByCollector } from "./table.ts";
import { planEntry, sendPlanned } from "./traffic.ts";

/** Flaws of several services and classes; each is sent with its look-alike. */
const PLANTED = ["xss-text", "xss-attribute-double", "redirect-location", "across-sqli"];

const DEADLINE_MS = 60_000;

const manifest = loadManifest();
const chosen = (id: string): Entry => {
  const entry = manifest.find((each) => each.id === id);
  assert.ok(entry !== undefined, `${id} is in the manifest`);
  return entry;
};
const flaws = PLANTED.map(chosen);
const clean = flaws.map(({ twin }) => chosen(twin ?? ""));

let mesh: Mesh;
before(async () => {
  mesh = await startMesh();
});
after(() => mesh?.stop());

describe("a mesh of three services", () => {
  it("says of each planted flaw what it is, of each look-alike nothing, though the collector crashes", async () => {
    const entries = [...flaws, ...clean];
    for (const [at, entry] of entries.entries()) {
      // What happens while it is away waits in the sidecars.
      const crashed = at === entries.length >> 1 ? mesh.crashCollector() : null;
      for (const planned of planEntry(entry)) await sendPlanned(planned, mesh.urls);
      await crashed;
    }
    // A sidecar that found nobody waits up to some seconds before it tries again.
    const deadline = Date.now() + DEADLINE_MS;
    let table = makeTable(entries, seenByCollector(await mesh.findings()));
    while (table.all.missed.length > 0 && Date.now() < deadline)
      table = makeTable(entries, seenByCollector(await mesh.findings()));
    assert.deepEqual([...table.all.missed, ...table.all.falseConfirmed, ...table.all.falseLikely], []);
    assert.equal(table.all.found, PLANTED.length);
  });

  it("loses no event and delays none", async () => {
    for (const sidecar of Object.values(mesh.sidecars)) {
      const metrics = await sidecar.metrics();
      assert.equal(metrics.value("meshward_events_dropped_total"), 0);
    }
  });
});
