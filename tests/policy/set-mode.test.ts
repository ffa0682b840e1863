import assert from "node:assert/strict";
import { test } from "node:test";
import { PolicyError, parsePolicy } from "../../scripts/policy/load.ts";
import { setMode } from "../../scripts/policy/set-mode.ts";

const CASES: [id: string, before: string, after: string][] = [
  ["word", "mode: detect\n", "mode: block\n"],
  [
    "comments and layout stay",
    "# a\nversion:   1 # b\nmode:   detect   # c\n\n# d\nroutes: []\n",
    "# a\nversion:   1 # b\nmode:   block   # c\n\n# d\nroutes: []\n",
  ],
  ["quotes stay", "mode: 'off'\n", 'mode: "block"\n'],
  ["CRLF stays", "version: 1\r\nmode: off\r\n", "version: 1\r\nmode: block\r\n"],
  ["byte order mark stays", "\ufeffmode: off\n", "\ufeffmode: block\n"],
  ["no key yet", "sensitivity: low\n", "mode: block\nsensitivity: low\n"],
  [
    "no key yet, behind the version",
    "# a\nversion: 1 # b\n# c\nsensitivity: low\n",
    "# a\nversion: 1 # b\nmode: block\n# c\nsensitivity: low\n",
  ],
  ["no key yet, the version alone", "version: 1", "mode: block\nversion: 1"],
  ["no key yet, CRLF", "sensitivity: low\r\n", "mode: block\r\nsensitivity: low\r\n"],
  [
    "no key yet, indented",
    "  sensitivity: low\n  onError: deny\n",
    "  mode: block\n  sensitivity: low\n  onError: deny\n",
  ],
  ["empty file", "", "mode: block\n"],
  ["comments alone", "# a", "# a\nmode: block\n"],
  ["braces", "{mode: off, sensitivity: low}\n", "{mode: block, sensitivity: low}\n"],
  ["braces without the key", "{sensitivity: low}\n", "{mode: block, sensitivity: low}\n"],
  ["empty braces", "{}\n", "{mode: block}\n"],
  [
    "the routes keep theirs",
    "routes: [{match: {path: /a}, mode: off}]\nmode: off\n",
    "routes: [{match: {path: /a}, mode: off}]\nmode: block\n",
  ],
  ["document start", "---\nsensitivity: low\n", "---\nmode: block\nsensitivity: low\n"],
  ["as it was", "mode: block\n", "mode: block\n"],
];

for (const [id, before, after] of CASES) {
  test(`mode: ${id}`, () => {
    const changed = setMode(before, "block");
    assert.equal(changed, after);
    assert.equal(parsePolicy(changed).mode, "block");
  });
}

test("what is no policy is not edited", () => {
  assert.throws(
    () => setMode("mode: blok\n", "block", "m.yaml"),
    (error: unknown) => error instanceof PolicyError,
  );
});

test("an edit that would change more is refused", () => {
  const shared = "mode: &m detect\nroutes: [{match: {path: /a}, mode: *m}]\n";
  assert.throws(
    () => setMode(shared, "block", "m.yaml"),
    /^Error: m\.yaml: the mode cannot be changed without changing more/,
  );
});
