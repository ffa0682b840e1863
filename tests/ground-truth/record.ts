/**
 * Drives the whole ground truth directly, with no proxy, and writes each exchange as a line that `meshward scan` takes:
 *
 *     node --import tsx tests/ground-truth/record.ts --out FILE [--seed N] [--visits N]
 *
 * A line's `id` is that of the request (`ENTRY#n`, `ENTRY#n.k` for what prepares it, `visit#n`). Exchanges between the
 * services are not in it: nothing stands between them.
 */
import { writeFileSync } from "node:fs";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { loadManifest } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import { startShop } from "./shop.ts";
import { sendOrdinary, sendTour } from "./traffic.ts";
import type { OrdinaryOptions, Sent, Urls } from "./traffic.ts";

/** The recorded minute begins here; one request each 200 ms. */
const BEGIN = Date.parse("2026-11-21T10:00:00Z");
const STEP_MS = 200;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A body as a scan line has it: text where it is UTF-8. */
function bodyOf(body: Buffer | null): { body?: string; body_base64?: string } {
  if (body === null || body.length === 0) return {};
  try {
    return { body: utf8.decode(body) };
  } catch {
    return { body_base64: body.toString("base64") };
  }
}

/** The `n`th exchange as a scan line. */
export function scanLine({ id, to, from, method, path, headers, body, response }: Sent, n: number): string {
  return JSON.stringify({
    id,
    request: { method, path, headers: [["host", `${to}.shop.example`], ...headers], ...bodyOf(body) },
    response: { status: response.status, headers: response.headers, ...bodyOf(response.body) },
    source: { address: from },
    time: new Date(BEGIN + n * STEP_MS).toISOString(),
    service: to,
  });
}

/** Everything, as scan lines: a minute's ordinary traffic, then the tour. */
export async function record(manifest: Manifest, urls: Urls, options: OrdinaryOptions = {}): Promise<string[]> {
  const sent = [...(await sendOrdinary(manifest, urls, options)), ...(await sendTour(manifest, urls))];
  return sent.map(scanLine);
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) {
  const { values } = parseArgs({
    options: {
      out: { type: "string" },
      seed: { type: "string", default: "1" },
      visits: { type: "string", default: "300" },
    },
  });
  if (values.out === undefined) throw new Error("--out FILE is missing");
  const shop = await startShop();
  try {
    const lines = await record(loadManifest(), shop.addresses, {
      seed: Number(values.seed),
      visits: Number(values.visits),
    });
    writeFileSync(values.out, `${lines.join("\n")}\n`);
    console.error(`${lines.length} exchanges`);
  } finally {
    await shop.stop();
  }
}
