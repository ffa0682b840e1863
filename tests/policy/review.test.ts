import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { closest } from "../../scripts/policy/suggest.ts";
import { pathCovers } from "../../scripts/policy/review.ts";

/** Whether a template matches a path, by turning it into a regular expression: slow, and obviously right. */
function matches(template: string, path: string): boolean {
  const source = template
    .slice(1)
    .split("/")
    .map((segment) => (segment === "**" ? "(?:/[^/]*)*" : /^(?:\*|\{.*\})$/.test(segment) ? "/[^/]+" : `/${segment}`))
    .join("");
  return new RegExp(`^${source}$`).test(path);
}

const segments = (...of: string[]) =>
  fc.array(fc.constantFrom(...of), { minLength: 1, maxLength: 4 }).map((list) => `/${list.join("/")}`);
const template = segments("a", "b", "*", "**", "{x}");
const path = segments("a", "b", "c", "");

test("a template that covers another matches every path that the other does", () => {
  fc.assert(
    fc.property(template, template, path, (wide, narrow, at) => {
      if (pathCovers(wide, narrow) && matches(narrow, at)) assert.ok(matches(wide, at), `${wide} ${narrow} ${at}`);
    }),
    { numRuns: 5000 },
  );
});

test("a template covers itself and what it was made from", () => {
  fc.assert(
    fc.property(template, (one) => pathCovers(one, one) && pathCovers(undefined, one) && pathCovers("/**", one)),
  );
  assert.ok(pathCovers("/a/**", "/a"));
  assert.ok(pathCovers("/a/*/c", "/a/{id}/c"));
  assert.ok(pathCovers("/**/z", "/a/**/z"));
  assert.ok(!pathCovers("/a/*", "/a/**"));
  assert.ok(!pathCovers("/a/*", "/a/"));
  assert.ok(!pathCovers("/a", undefined));
});

test("suggestions", () => {
  const keys = ["mode", "sensitivity", "onError", "limits"];
  assert.equal(closest("mod", keys), "mode");
  assert.equal(closest("moed", keys), "mode");
  assert.equal(closest("onerror", keys), "onError");
  assert.equal(closest("sensitivty", keys), "sensitivity");
  assert.equal(closest("observe", keys), null);
  assert.equal(closest("x".repeat(100_000), keys), null);
});
