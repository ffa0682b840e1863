// The demo's mesh in a short form: all that is planted is found and nothing else, in the table and on the page.

import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { PLANTED } from "../../scripts/demo/planted.ts";
import { collectorAt } from "../../scripts/report/client.ts";
import { findChromium, startChromium } from "../page/chromium.ts";
import { demo, until, UP_MS } from "./demo-run.ts";
import type { Run } from "./demo-run.ts";

/** Ordinary traffic, in seconds. */
const SECONDS = "3";
const STOP_MS = 20_000;
const PATIENCE_MS = 15_000;

let folder: string;
before(async () => void (folder = await mkdtemp(join(tmpdir(), "meshward-observe-test-"))));
after(() => rm(folder, { recursive: true, force: true }));

const program = findChromium();

describe("meshward demo --observe", () => {
  let run: Run;
  let page: URL;
  before(async () => {
    run = demo(folder, ["--observe", "--seconds", SECONDS, "--listen", "127.0.0.1:0"]);
    await until(run, run.out, /Ctrl-C ends it/);
    page = new URL(/^ {2}(http:\/\/127\.0\.0\.1:\d+\/#token=\S+)$/m.exec(run.out())![1]!);
  });
  after(async () => {
    run.child.kill("SIGKILL");
    await run.ended;
  });

  it("finds each planted flaw, and nothing that nobody planted", () => {
    const lines = run.out().split("\n");
    for (const { what, at, stage } of PLANTED) {
      const row = lines.find((line) => line.startsWith(`${what.padEnd(20)} `)) ?? assert.fail(`no row for ${what}`);
      assert.ok(row.includes(at.split(" ").slice(1).join(" ")), row);
      assert.match(row, stage === "confirmed" ? / confirmed$/ : / (?:likely|confirmed)$/);
    }
    assert.match(run.out(), /^(\d+) of \1 planted flaws found; 0 findings that nobody planted\.$/m, run.out());
    assert.doesNotMatch(run.out(), /NOT PLANTED|\u001b/);
    for (const line of lines) if (!line.startsWith("  ")) assert.ok(line.length < 80, line);
  });

  it("says of the flaw between services how the value came there", async () => {
    assert.match(run.out(), /^ {2}by way of edge GET \/stock, catalogue GET \/availability$/m);
    const token = page.hash.replace("#token=", "");
    const findings = await collectorAt(new URL("/", page), token).findings();
    const [{ hops } = { hops: [] }] = findings.filter(
      ({ route, stage }) => route === "/reservations" && stage === "likely",
    );
    assert.deepEqual(hops, [
      "edge GET /stock query item",
      "catalogue GET /availability query item",
      "orders GET /reservations query sku",
    ]);
  });

  const skip = program === null ? "no Chromium: set CHROMIUM_BIN, or install the package chromium" : false;
  it("lists them on the page", { skip }, async () => {
    const browser = await startChromium(program!);
    try {
      const opened = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      opened.setDefaultTimeout(PATIENCE_MS);
      await opened.goto(page.href);
      await opened.getByRole("navigation").waitFor();
      await opened.evaluate("location.hash = '#/findings?stage=likely,confirmed'");
      const rows = opened.locator("[data-rows] .row");
      await rows.first().waitFor();
      const texts = await rows.allInnerTexts();
      const isAt = (text: string, at: string): boolean => {
        const [service = "", method = "", route = ""] = at.split(" ");
        return [service, method, route].every((word) => text.split(/\s+/).includes(word));
      };
      for (const { at } of PLANTED)
        assert.ok(
          texts.some((text) => isAt(text, at)),
          `${at} in:\n${texts.join("\n\n")}`,
        );
      for (const text of texts)
        assert.ok(
          PLANTED.some(({ at }) => isAt(text, at)),
          `nobody planted:\n${text}`,
        );
    } finally {
      await browser.close();
    }
  });

  it("is open to who has the token alone, and ends with all of it by Ctrl-C", async () => {
    const [, edge] = /-G (http:\/\/127\.0\.0\.1:\d+)\/search/.exec(run.out())!;
    assert.equal((await fetch(`${edge}/`)).status, 401);
    assert.equal((await fetch(new URL("/api/v1/findings", page))).status, 401);
    run.child.kill("SIGINT");
    assert.equal(await Promise.race([run.ended, delay(STOP_MS, "it did not end", { ref: false })]), 0, run.err());
    assert.deepEqual(await readdir(folder), []);
    for (const url of [`${edge}/`, page.href]) {
      await assert.rejects(fetch(url), (error: Error) => /ECONNREFUSED/.test(String(error.cause)));
    }
  });
});

describe("meshward demo --observe, cut short", () => {
  it("ends when it is interrupted while it starts, and has shown nothing", async () => {
    const run = demo(folder, ["--observe", "--once", "--listen", "127.0.0.1:0"]);
    await until(run, run.err, /starting three services/);
    run.child.kill("SIGTERM");
    assert.equal(await Promise.race([run.ended, delay(UP_MS, "it did not end", { ref: false })]), 130, run.err());
    assert.equal(run.out(), "");
    assert.deepEqual(await readdir(folder), []);
  });
});
