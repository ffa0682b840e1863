/** The manifest by itself: enough of everything, each flaw with its look-alike, and no two entries in one place. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { atLeast, loadManifest, parseSets, SETS } from "./manifest.ts";
import { planOrdinary, planTour } from "./traffic.ts";

const manifest = loadManifest();
const flaws = manifest.filter(({ kind }) => kind === "flaw");
const clean = manifest.filter(({ kind }) => kind === "clean");

describe("the ground truth's manifest", () => {
  it("is of several sets, none of which needs another", () => {
    for (const set of SETS) {
      const own = loadManifest([set]);
      assert.ok(own.filter(({ kind }) => kind === "flaw").length >= (set === 3 ? 15 : 60), `set ${set}`);
      for (const { id, twin } of own) assert.ok(twin === undefined || own.some((one) => one.id === twin), id);
    }
    assert.deepEqual(parseSets("2,1"), [2, 1]);
    for (const text of ["", "4", "1,"]) assert.throws(() => parseSets(text), text);
  });

  it("has ids of its own", () => {
    assert.equal(new Set(manifest.map(({ id }) => id)).size, manifest.length);
  });

  it("gives each flaw a look-alike of the same class and says of none that it is more than attempted", () => {
    for (const { id, class: name, twin, stage } of flaws) {
      assert.ok(atLeast(stage, "likely"), id);
      const found = clean.find((entry) => entry.id === twin);
      assert.ok(found !== undefined, `${id}: no look-alike ${twin}`);
      assert.equal(found.class, name, id);
    }
    for (const { id, stage } of clean) assert.ok(!atLeast(stage, "likely"), id);
  });

  it("proves every entry by at least one of its drives", () => {
    for (const { id, drives } of manifest)
      assert.ok(
        drives.some(({ shows }) => shows !== undefined),
        id,
      );
  });

  it("has one entry a place and parameter, so that a finding belongs to one", () => {
    const places = new Map<string, string>();
    for (const { id, at } of manifest) {
      const place = [at.service, at.method, at.route, at.part, at.parameter].join(" ");
      assert.equal(places.get(place), undefined, `${id} and ${places.get(place)}: ${place}`);
      places.set(place, id);
    }
  });

  it("plans the same traffic from the same seed", () => {
    assert.deepEqual(planOrdinary(manifest, { seed: 7 }), planOrdinary(manifest, { seed: 7 }));
    assert.notDeepEqual(planOrdinary(manifest, { seed: 7 }), planOrdinary(manifest, { seed: 8 }));
    const ids = [...planOrdinary(manifest), ...planTour(manifest)].map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  });
});
