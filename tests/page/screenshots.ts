/**
 * Makes the pictures of docs/images: the real page of a real collector, with the events of an invented shop.
 *
 *     node --import tsx tests/page/screenshots.ts
 */
import { mkdtemp, mkdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCollector } from "../../collector/collector.ts";
import { packageRoot } from "../../scripts/package.ts";
import { findChromium, startChromium } from "./chromium.ts";
import { sendEvents, shopEvents } from "./records.ts";

const TOKEN = "a-token-for-reading";
/** Bytes of a picture: docs are read over slow lines too. */
const MAX_BYTES = 150_000;
const PICTURES = [
  { name: "overview", scheme: "light", rows: null },
  { name: "finding", scheme: "dark", rows: "orders" },
] as const;

const program = findChromium();
if (program === null) throw new Error("no Chromium: set CHROMIUM_BIN, or install the package chromium");
const images = join(packageRoot(), "docs/images");
await mkdir(images, { recursive: true });
const folder = await mkdtemp(join(tmpdir(), "meshward-screenshots-"));
const browser = await startChromium(program);
const collector = await startCollector({
  ...{ host: "127.0.0.1", port: 0, database: join(folder, "data"), retentionSeconds: 2_592_000, hosts: [] },
  ...{ ingestTokens: [], readTokens: [{ name: "ada", value: TOKEN }], log: console.error },
});
try {
  await sendEvents(collector.url, shopEvents());
  for (const { name, scheme, rows } of PICTURES) {
    const page = await browser.newPage({ viewport: { width: 1120, height: 700 }, colorScheme: scheme });
    await page.goto(`${collector.url}/#token=${TOKEN}`);
    await page.locator(".event").first().waitFor();
    if (rows !== null) {
      await page.getByRole("link", { name: "Findings", exact: true }).click();
      await page.locator("[data-rows] .row", { hasText: rows }).first().click();
      await page.locator(".occurrences li").first().waitFor();
    }
    await page.locator(".loading").first().waitFor({ state: "detached" });
    const path = join(images, `collector-${name}.png`);
    await page.screenshot({ path });
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw new Error(`${path}: ${size} bytes, more than ${MAX_BYTES}`);
    console.log(`${path}: ${size} bytes`);
  }
} finally {
  await browser.close();
  await collector.stop();
  await rm(folder, { recursive: true, force: true });
}
