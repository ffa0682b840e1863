import assert from "node:assert/strict";
import { test } from "node:test";
import { formatSize, parseDuration, parseExpiry, parseSize } from "../../scripts/policy/units.ts";

test("sizes", () => {
  assert.equal(parseSize("256KiB"), 262_144);
  assert.equal(parseSize("1MiB"), 1_048_576);
  assert.equal(parseSize("17B"), 17);
  assert.equal(parseSize("17"), 17);
  assert.equal(parseSize(17), 17);
  for (const wrong of ["", "KiB", "1 KiB", "1kib", "1KB", "-1", "1e3", "0x10", "1_000", 1.5, -1, NaN, 2 ** 60]) {
    assert.equal(parseSize(wrong), null, String(wrong));
  }
});

test("durations", () => {
  assert.equal(parseDuration("1s"), 1000);
  assert.equal(parseDuration("250ms"), 250);
  assert.equal(parseDuration(250), 250);
  for (const wrong of ["1m", "1.5s", "s", " 1s", "1S"]) assert.equal(parseDuration(wrong), null, wrong);
});

test("a day is over when the next one begins in UTC", () => {
  assert.equal(parseExpiry("2027-06-01"), Date.UTC(2027, 5, 2) / 1000);
  assert.equal(parseExpiry("2028-02-29"), Date.UTC(2028, 2, 1) / 1000);
  assert.equal(parseExpiry("2026-12-31"), Date.UTC(2027, 0, 1) / 1000);
  for (const wrong of [
    "2027-02-29",
    "2027-13-01",
    "2027-00-10",
    "2027-06-00",
    "2027-6-1",
    "27-06-01",
    "2027-06-01T00:00",
  ]) {
    assert.equal(parseExpiry(wrong), null, wrong);
  }
});

test("sizes as people read them", () => {
  assert.equal(formatSize(983_040), "960 KiB");
  assert.equal(formatSize(2 * 1024 * 1024), "2 MiB");
  assert.equal(formatSize(1000), "1000 bytes");
  assert.equal(formatSize(0), "0 bytes");
});
