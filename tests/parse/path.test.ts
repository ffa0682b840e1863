/** Paths: vectors and a slow twin for the normalization, and the segments. `path-envoy.test.ts` asks Envoy itself. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { toBytes } from "../decode/twins.ts";
import { call, probe, span } from "./chunks.ts";

/** What the module makes of a path; null where it says that Envoy refuses. */
function normalize(path: string): string | null {
  const end = call("normalize", ...probe.write(toBytes(path)));
  return end === 0 ? null : span(call("out"), end);
}

/** The first step of Envoy's normalization on lists of output characters, one branch a rule. */
function slowNormalize(given: string): string | null {
  const path = given
    .split("/")
    .map((segment) => /^(\.\.?);/.exec(segment)?.[1] ?? segment)
    .join("/");
  const units = path.match(/%[0-9a-f]{2}|[^]/gi) ?? [];
  let out = /^[/\\]/.test(path) ? "" : "/";
  let lone = -1;
  for (let n = 0; n < units.length; n++) {
    const unit = units[n] ?? "";
    const isDot = (at: number) => /^(\.|%2e)$/i.test(units[at] ?? "");
    const isEnd = (at: number) => at >= units.length || /^[/\\]$/.test(units[at] ?? "");
    if (isDot(n)) {
      if (out.endsWith("/") && isEnd(n + 1)) {
        n += 1;
      } else if (out.endsWith("/") && isDot(n + 1) && isEnd(n + 2)) {
        out = out === "/" ? out : out.slice(0, out.lastIndexOf("/", out.length - 2) + 1);
        if (lone >= out.length) lone = -1;
        n += 2;
      } else {
        out += ".";
      }
    } else if (unit === "\\") {
      out += "/";
    } else if (unit === "%") {
      lone = out.length;
      out += unit;
    } else if (unit.length === 3) {
      const character = String.fromCharCode(parseInt(unit.slice(1), 16));
      if (character === "\0") return null;
      if (!/[A-Za-z0-9_~-]/.test(character)) {
        out += unit;
        continue;
      }
      out += character;
      if (lone < 0 || out.length - lone > 3) continue;
      // "%" and what stands behind it now: an escape that the input did not have gets its sign escaped.
      const following = path.charAt(units.slice(0, n + 1).join("").length);
      const behind = out.slice(lone + 1);
      if (/^[0-9a-f]{2}/i.test(behind.length === 2 ? behind : behind + following))
        out = `${out.slice(0, lone)}%25${behind}`;
    } else if (unit === "\0") {
      return null;
    } else {
      const code = unit.charCodeAt(0);
      const escaped = code <= 0x20 || code >= 0x7f || '"#<>?^`{|}'.includes(unit);
      out += escaped ? `%${code.toString(16).toUpperCase().padStart(2, "0")}` : unit;
    }
  }
  const merged = out.replace(/\/+/g, "/");
  return merged === "/" && out.length > 1 ? "//" : merged;
}

function segments(path: string): { segment: string; index: number }[] {
  call("openSegments", ...probe.write(toBytes(path)));
  const found = [];
  while (call("nextSegment") !== 0) {
    found.push({ segment: span(call("segmentAt", 0), call("segmentAt", 1)), index: call("segmentAt", 2) });
  }
  return found;
}

suite("parse path", () => {
  const file = new URL("../vectors/parse/path.yaml", import.meta.url);
  const { vectors } = parse(readFileSync(file, "utf8")) as {
    vectors: { id: string; in: string; out: string | null }[];
  };
  for (const { id, in: path, out } of vectors) {
    test(id, () => {
      assert.equal(normalize(path), out);
      assert.equal(slowNormalize(path), out, "the twin agrees");
    });
  }

  const pieces = [
    "/",
    "//",
    ".",
    "..",
    "/../",
    "/./",
    "%2e",
    "%2E",
    "%2f",
    "%5c",
    "\\",
    "%",
    "%3",
    "%30",
    "%41",
    "%%",
    "%00",
    "a",
    "b",
    "0",
    "e",
    "2",
    "~",
    ";",
    "..;",
    "/.;",
    "%7e",
    "\xe9",
    "?",
    "#",
    " ",
    "{",
  ];
  const paths = fc
    .array(
      fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom(...pieces) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) },
      ),
      { maxLength: 16 },
    )
    .map((parts) => parts.join(""));

  test("does what the slow twin does, and grows threefold at most", () => {
    fc.assert(
      fc.property(paths, (path) => {
        const result = normalize(path);
        assert.equal(result, slowNormalize(path));
        assert.ok((result ?? "").length <= 3 * path.length + 1);
      }),
      { numRuns: 20_000 },
    );
  });

  test("stays linear", () => {
    for (const piece of ["/", "../", "a/../", "%2e%2e/", "%", "%30", "/a", "\\", "%%30"]) {
      const begun = performance.now();
      normalize(piece.repeat(60_000 / piece.length));
      assert.ok(performance.now() - begun < 10_000, piece);
    }
  });

  test("unescapes slashes for the other reading", () => {
    const unescaped = (path: string) => span(call("out"), call("unescape", ...probe.write(toBytes(path))));
    assert.equal(unescaped("/a%2f..%5Cb%2Fc%2e"), "/a/..\\b/c%2e");
    fc.assert(
      fc.property(paths, (path) => {
        assert.equal(unescaped(path), path.replace(/%2f/gi, "/").replace(/%5c/gi, "\\"));
      }),
    );
  });

  test("yields segments that are not empty, numbered", () => {
    assert.deepEqual(segments("/a//b%2fc/"), [
      { segment: "a", index: 0 },
      { segment: "b%2fc", index: 1 },
    ]);
    for (const path of ["", "/", "///"]) assert.deepEqual(segments(path), []);
    fc.assert(
      fc.property(paths, (path) => {
        const expected = path.split("/").filter((segment) => segment !== "");
        assert.deepEqual(
          segments(path),
          expected.map((segment, index) => ({ segment, index })),
        );
      }),
    );
  });
});
