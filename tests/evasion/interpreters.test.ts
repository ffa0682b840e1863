// Transformations keep the meaning: an interpreter of the language gives the same before and after. PostgreSQL (PGlite) and sh are
// real ones, Node runs the scripts and reads the URLs; references in attributes are checked by a small reader of our own here.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { runInNewContext } from "node:vm";
import { PGlite } from "@electric-sql/pglite";
import { TRANSFORMATIONS } from "./transformations.ts";

const apply = (id: string, value: string): string | null =>
  TRANSFORMATIONS.find((one) => one.id === id)!.apply(value, "q");

describe("PostgreSQL", async () => {
  const database = new PGlite();
  await database.exec("CREATE TABLE users(id int, name text); INSERT INTO users VALUES (1, 'ann'), (2, 'bob')");
  after(() => database.close());
  const numbers = [
    "1 OR 2=2",
    "0 UNION ALL SELECT id, name FROM users -- ",
    "1 and 'ab' = 'ab'",
    "2 or name like 'ann'",
  ];
  const strings = ["x' OR 'a'='a", "' UNION SELECT 7, 'x' FROM users WHERE id between 1 and 2 -- "];
  for (const id of ["sql-case", "sql-comment", "sql-tab", "sql-newline", "sql-form-feed", "sql-concatenation"]) {
    it(`answers the same under ${id}`, async () => {
      let changes = 0;
      for (const [context, values] of [
        ["id = ", numbers],
        ["name = '", strings],
      ] as const) {
        for (const value of values) {
          const changed = apply(id, value);
          if (changed === null) continue;
          changes++;
          const query = (text: string) =>
            `SELECT id, name FROM users WHERE ${context}${text}${context.endsWith("'") && !text.includes("-- ") ? "'" : ""}`;
          assert.deepEqual(
            (await database.query(query(changed))).rows,
            (await database.query(query(value))).rows,
            changed,
          );
        }
      }
      assert.ok(changes > 0);
    });
  }
});

describe("sh", () => {
  const folder = mkdtempSync(join(tmpdir(), "meshward-evasion-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "a.txt"), "found\n");
  const run = (script: string): string =>
    execFileSync("sh", ["-c", script], { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  for (const id of ["shell-quotes", "shell-double-quotes", "shell-backslash", "shell-empty", "shell-ifs"]) {
    it(`does the same under ${id}`, () => {
      const changes = ["printf x;cat a.txt", "printf y|cat a.txt", "printf '';ls a.txt", "printf x;head a.txt"]
        .map((script) => [script, apply(id, script)] as const)
        .filter(([, changed]) => changed !== null);
      assert.ok(changes.length > 0);
      for (const [script, changed] of changes) assert.equal(run(changed!), run(script), changed!);
    });
  }
});

describe("JavaScript, URLs and attributes", () => {
  const said = (script: string): unknown[] => {
    const calls: unknown[] = [];
    runInNewContext(script, {
      alert: (value: unknown) => calls.push(value),
      confirm: (value: unknown) => calls.push(value),
    });
    return calls;
  };
  for (const id of ["js-identifier", "js-comment"]) {
    it(`runs the same under ${id}`, () => {
      for (const script of ["alert(1)", "x=1;confirm('a')", "[1].map(a=>alert(a))"]) {
        assert.deepEqual(said(apply(id, script)!), said(script));
      }
    });
  }
  /** Character references of an attribute's value: decimal, hexadecimal and the two names that are used. */
  const unreferenced = (value: string): string =>
    value
      .replace(/&#x([0-9a-f]+);/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
      .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
      .replaceAll("&lpar;", "(")
      .replaceAll("&rpar;", ")");
  for (const id of ["handler-decimal", "handler-hex", "handler-named"]) {
    it(`reads the same under ${id}`, () => {
      const value = '<img src=x onerror="alert(1);a[0]=2">';
      const changed = apply(id, value)!;
      assert.notEqual(changed, value);
      assert.equal(unreferenced(changed), value);
    });
  }
  it("is the same URL under url-break", () => {
    const changed = apply("url-break", '<a href="javascript:alert(1)">')!;
    assert.equal(new URL(unreferenced(/"(.*)"/.exec(changed)![1]!)).protocol, "javascript:");
  });
});

describe("encodings", () => {
  it("are undone by the decoders that they are for", () => {
    const value = "1' UNION/**/SELECT <b> -- &";
    assert.equal(decodeURIComponent(apply("percent", value)!), value);
    assert.equal(decodeURIComponent(apply("percent-marks", value)!), value);
    assert.equal(unescape(apply("percent-u", value)!), value);
    assert.equal(JSON.parse(`"${apply("escapes-u", value)!}"`), value);
    assert.equal(runInNewContext(`"${apply("escapes-x", value)!}"`), value);
    assert.equal(apply("full-width", value)!.normalize("NFKC"), value);
    assert.equal(Buffer.from(apply("base64", value)!, "base64").toString(), value);
    assert.equal(Buffer.from(apply("hex", value)!, "hex").toString(), value);
    assert.equal((JSON.parse(apply("json-in-field", value)!) as { q: string }).q, value);
    assert.equal(new URLSearchParams(apply("form-in-field", value)!).get("q"), value);
  });
});
