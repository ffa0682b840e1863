/** The HTML report in a real Chromium. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import type { AxeResults } from "axe-core";
import { reportText } from "../../scripts/report/report.ts";
import { HOSTILE, finding } from "../report/findings.ts";
import { findChromium, startChromium } from "./chromium.ts";

const program = findChromium();
const skip = program === null ? "no Chromium: set CHROMIUM_BIN, or install the package chromium" : false;

it("the HTML report runs nothing, loads nothing, fits 360 pixels and hinders nobody", { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "meshward-report-page-"));
  const browser = await startChromium(program!);
  try {
    const hostile = finding({
      ...{ fingerprint: "f".repeat(32), rule: HOSTILE, class: HOSTILE, service: HOSTILE, namespace: HOSTILE },
      ...{ method: HOSTILE, route: HOSTILE, part: HOSTILE, parameter: HOSTILE, evidence: HOSTILE, note: HOSTILE },
      ...{ request_id: HOSTILE, trace_id: HOSTILE, hops: [HOSTILE], outcomes: { [HOSTILE]: 1 }, stage: "likely" },
    });
    const decided = finding({ fingerprint: "e".repeat(32), state: "accepted", note: HOSTILE, stage: "attempted" });
    const findings = [finding(), hostile, decided];
    const now = new Date("2026-11-22T12:00:00Z");
    const file = join(folder, "report.html");
    await writeFile(file, reportText({ findings, collector: "http://127.0.0.1:4318", now, version: "0.1.0" }, "html"));
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await browser.newPage({ viewport: { width: 360, height: 740 }, colorScheme });
      const wrong: string[] = [];
      page.on("console", (message) => void wrong.push(message.text()));
      page.on("dialog", (dialog) => void (wrong.push(dialog.message()), void dialog.dismiss()));
      page.on("request", (request) => {
        if (request.url() !== pathToFileURL(file).href) wrong.push(request.url());
      });
      await page.goto(pathToFileURL(file).href);
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 360);
      // Nor has anything to be moved aside to be read.
      assert.deepEqual(
        await page.locator(".table").evaluateAll((tables) => tables.map((one) => one.scrollWidth - one.clientWidth)),
        [0, 0],
      );
      assert.equal(await page.locator("article").count(), 3);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate<AxeResults>("axe.run()");
      assert.deepEqual(
        violations.map(({ id, nodes }) => `${id} ${nodes[0]!.html}`),
        [],
      );
      assert.deepEqual(wrong, []);
      await page.close();
    }
  } finally {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  }
});
