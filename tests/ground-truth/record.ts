/**
 * Drives the whole ground truth directly, with no proxy, and writes each exchange as a line that `meshward scan` takes:
 *
 *     node --import tsx tests/ground-truth/record.ts --out FILE [--set 2] [--seed N] [--visits N]
 *
 * A line's `id` is that of the request (`ENTRY#n`, `ENTRY#n.k` for what prepares it, `visit#n`). What the services ask
 * of each other meanwhile follows as lines of its own, `ID>1`, `ID>2`, …, of the service that was asked, or, where that
 * is nobody of the shop, of the one that asked.
 */
import { writeFileSync } from "node:fs";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { SETS, loadManifest, parseSets } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import type { InnerExchange, ServiceName } from "./ground/ground.ts";
import { startShop } from "./shop.ts";
import { planOrdinary, planTour, sendPlanned } from "./traffic.ts";
import type { OrdinaryOptions, Sent } from "./traffic.ts";

/** The recorded minute begins here; one request each 200 ms. */
const BEGIN = Date.parse("2026-11-21T10:00:00Z");
const STEP_MS = 200;

const SERVICE_ADDRESS: Readonly<Record<ServiceName, string>> = {
  edge: "10.20.4.9",
  catalogue: "10.20.4.10",
  orders: "10.20.4.12",
};

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

/** When the `n`th request was sent, in the recorded minute. */
const timeOf = (n: number): string => new Date(BEGIN + n * STEP_MS).toISOString();

/** The `n`th exchange as a scan line. */
export function scanLine({ id, to, from, method, path, headers, body, response }: Sent, n: number): string {
  return JSON.stringify({
    id,
    request: { method, path, headers, ...bodyOf(body) },
    response: { status: response.status, headers: response.headers, ...bodyOf(response.body) },
    source: { address: from },
    time: timeOf(n),
    service: to,
  });
}

const pairs = (headers: object): [string, string][] =>
  Object.entries(headers).flatMap(([name, values]) =>
    [values as string | string[]].flat().map((value): [string, string] => [name, String(value)]),
  );

/** An exchange between services, which happened while the `n`th request was answered. */
function innerLine({ from, to, host, path, ask, answer }: InnerExchange, id: string, n: number): string {
  const { method = "GET", headers = {}, body = null } = ask;
  return JSON.stringify({
    id,
    request: {
      method,
      path,
      headers: [["host", host], ...pairs(headers)],
      ...bodyOf(body === null ? null : Buffer.from(body)),
    },
    response: { status: answer.status, headers: pairs(answer.headers), ...bodyOf(Buffer.from(answer.body)) },
    source: { address: SERVICE_ADDRESS[from] },
    time: timeOf(n),
    service: to ?? from,
  });
}

/** Everything, as scan lines: a minute's ordinary traffic, then the tour. Starts a shop of its own for it. */
export async function record(manifest: Manifest, options: OrdinaryOptions = {}): Promise<string[]> {
  let meanwhile: InnerExchange[] = [];
  const shop = await startShop({ observe: (exchange) => meanwhile.push(exchange) });
  const lines: string[] = [];
  try {
    for (const [n, planned] of [...planOrdinary(manifest, options), ...planTour(manifest)].entries()) {
      meanwhile = [];
      lines.push(scanLine(await sendPlanned(planned, shop.addresses), n));
      lines.push(...meanwhile.map((exchange, k) => innerLine(exchange, `${planned.id}>${k + 1}`, n)));
    }
  } finally {
    await shop.stop();
  }
  return lines;
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) {
  const { values } = parseArgs({
    options: {
      out: { type: "string" },
      set: { type: "string", default: SETS.join(",") },
      seed: { type: "string", default: "1" },
      visits: { type: "string", default: "300" },
    },
  });
  if (values.out === undefined) throw new Error("--out FILE is missing");
  const lines = await record(loadManifest(parseSets(values.set)), {
    seed: Number(values.seed),
    visits: Number(values.visits),
  });
  writeFileSync(values.out, `${lines.join("\n")}\n`);
  console.error(`${lines.length} exchanges`);
}
