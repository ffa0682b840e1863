import assert from "node:assert/strict";
import { test } from "node:test";
import { createAttackers } from "../../collector/attackers.ts";
import { ATTACKERS } from "../../collector/limits.ts";

const NOW = 1_800_000_000_000;
const attack = (principal: string): Parameters<ReturnType<typeof createAttackers>["saw"]>[0] => ({
  class: "sqli",
  exception: "",
  direction: "inbound",
  principal,
});

test("clients count once at each service, for ten minutes from their last attack", () => {
  const attackers = createAttackers();
  for (const principal of ["10.0.0.1", "10.0.0.2", "10.0.0.1"]) attackers.saw(attack(principal), "cart", NOW);
  attackers.saw(attack("10.0.0.1"), "orders", NOW);
  attackers.saw(attack("10.0.0.1"), "cart", NOW + 300_000);
  assert.deepEqual(Object.fromEntries(attackers.counts(NOW + 300_000)), { cart: 2, orders: 1 });
  assert.deepEqual(Object.fromEntries(attackers.counts(NOW + 600_001)), { cart: 1 });
  assert.equal(attackers.counts(NOW + 900_001).size, 0);
});

test("what a service does by itself, calls of its own, and what an exception covers are no attack", () => {
  const attackers = createAttackers();
  attackers.saw({ ...attack("a"), class: "header" }, "cart", NOW);
  attackers.saw({ ...attack("a"), direction: "outbound" }, "cart", NOW);
  attackers.saw({ ...attack("a"), exception: "search" }, "cart", NOW);
  assert.equal(attackers.counts(NOW).size, 0);
});

test("clients without end cost no memory without end; the newest stay", () => {
  const attackers = createAttackers();
  for (let at = 0; at < ATTACKERS + 100; at++) attackers.saw(attack(String(at)), at < 100 ? "old" : "new", NOW);
  assert.deepEqual(Object.fromEntries(attackers.counts(NOW)), { new: ATTACKERS });
});
