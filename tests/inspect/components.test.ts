/** What responses show of products and libraries: vectors, and that no input is slow, large or a way out of the buffers. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { headerMap } from "../detect/header-map.ts";
import { buildProbe } from "../probe/build.ts";

interface Vector {
  id: string;
  why: string;
  headers?: string[];
  page?: string;
  script?: string;
  path?: string;
  expect: string[];
}

const probe = await buildProbe<{
  componentCount(): number;
  componentAt(index: number): number;
  componentEnd(index: number): number;
  readHeaderComponents(start: number, end: number): void;
  readPageComponents(start: number, end: number, host: number, hostEnd: number): void;
  readScriptComponents(start: number, end: number, path: number, pathEnd: number): void;
}>("components");
const { exports: module, write } = probe;

const found = (): string[] =>
  Array.from({ length: module.componentCount() }, (_, index) =>
    probe.text(module.componentAt(index), module.componentEnd(index)),
  );

function ofHeaders(lines: readonly string[]): string[] {
  const headers = lines.map((line) => /^([^:]+): (.*)$/.exec(line)?.slice(1) ?? []);
  module.readHeaderComponents(...write(headerMap(headers)));
  return found();
}

function ofPage(page: string | Uint8Array): string[] {
  module.readPageComponents(...write(page), ...write("shop.example:8080"));
  return found();
}

function ofScript(script: string | Uint8Array, path = "/app.js"): string[] {
  module.readScriptComponents(...write(script), ...write(path));
  return found();
}

for (const file of ["headers", "pages", "scripts"]) {
  describe(`components of ${file}`, () => {
    const text = readFileSync(new URL(`../vectors/components/${file}.yaml`, import.meta.url), "utf8");
    for (const { id, why, headers, page, script, path, expect } of parse(text) as Vector[]) {
      it(`${id}: ${why}`, () => {
        const components =
          headers !== undefined ? ofHeaders(headers) : page !== undefined ? ofPage(page) : ofScript(script!, path);
        assert.deepEqual(components, expect);
      });
    }
  });
}

/** Pieces that the readers look for, and what may stand between them. */
const pieces = fc.array(
  fc.oneof(
    fc.constantFrom(
      "<script src=",
      "<!--",
      "-->",
      '"',
      "//",
      "/",
      "@",
      "-1.2.3",
      ".js",
      "//1.1",
      "<meta name=generator content=",
    ),
    fc.constantFrom(
      "</script>",
      "/*!",
      "*/",
      " v1.2.3",
      "\n",
      "version: 1.0",
      ' ng-version="',
      "/libs/",
      "a.b",
      "?ver=",
      ">",
    ),
    fc.string({ maxLength: 6 }),
  ),
  { maxLength: 60 },
);
const FORM = /^(server|framework|library|script-host|script) [\x21-\x7e]+ ([0-9][\x21-\x7e]*|-)$/;

describe("components of anything", () => {
  it("have the form that the collector reads, and fit", () => {
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join("");
        const all = [...ofPage(text), ...ofScript(text, text), ...ofHeaders([`server: ${text.replaceAll("\n", " ")}`])];
        for (const each of all) {
          assert.match(each, FORM);
          assert.ok(each.length <= 104, each);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("are those of the whole, wherever they stand", () => {
    fc.assert(
      fc.property(pieces, (parts) => {
        const page = `${parts.join("").replace(/<!--|<(?=script)|["']/g, "")}>`;
        const library = '<script src="/jquery-3.4.1.js"></script>';
        assert.ok(ofPage(library + page).includes("library jquery 3.4.1"));
      }),
    );
  });

  it("are 32 at most", () => {
    const page = Array.from({ length: 100 }, (_, index) => `<script src="/lib-1.0.${index}.js"></script>`).join("");
    assert.equal(ofPage(page).length, 32);
  });

  it("are read in time that grows with the bytes", () => {
    const hostile = [
      "<script src=a",
      "<script ",
      "<!--",
      "<script>",
      "//1.1",
      "/1.1",
      "-1.1",
      "a@",
      "/*",
      "//\n",
      "/*!\nversion",
      '<script src="/1.1/',
      "<meta name=generator content='a 1.1'",
      "<script src=//a.b/x-1.1>",
      '<script type=importmap>"/',
    ];
    for (const piece of hostile) {
      const long = Buffer.from(piece.repeat(Math.ceil(65_536 / piece.length)).slice(0, 65_536));
      const url = Buffer.concat([Buffer.from('<script src="/'), long.subarray(0, 65_000), Buffer.from('">')]);
      const before = performance.now();
      ofPage(long);
      ofPage(
        Buffer.concat([
          Buffer.from(`<script src="//${"abcd.".repeat(6_000)}`),
          long.subarray(0, 30_000),
          Buffer.from('/abcdef.js">'),
        ]),
      );
      ofPage(url);
      ofScript(long, String(long));
      ofHeaders([`server: ${String(long.subarray(0, 60_000)).replaceAll("\n", " ")}`]);
      // Some milliseconds in fact; what grows with the square takes seconds.
      assert.ok(performance.now() - before < 500, `${JSON.stringify(piece)} took ${performance.now() - before} ms`);
    }
  });
});
