/**
 * `meshward demo --observe`: a mesh with planted flaws, a minute of ordinary traffic, a tour of attacks, and what the collector
 * has found, against what is planted.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Finding } from "../../collector/api.ts";
import { collectorAt } from "../report/client.ts";
import { fault, whileAsked } from "./demo.ts";
import type { DemoIo, DemoOptions } from "./demo.ts";
import { TOKEN_HEADER } from "./door.ts";
import { compare, countLines, foundLines, isAsPlanted } from "./found.ts";
import type { Found } from "./found.ts";
import { startMesh } from "./mesh.ts";
import type { Mesh } from "./mesh.ts";
import { sendOrdinary } from "./ordinary.ts";
import { PLANTED, TOUR } from "./planted.ts";
import { painter } from "./table.ts";
import { Visitors, traceOf } from "./visitor.ts";

export interface ObserveOptions extends DemoOptions {
  /** Of ordinary traffic. */
  seconds: number;
}

/** Events leave a sidecar on its tick, and the collector judges objects five seconds behind: what is quiet for longer is over. */
const QUIET_MS = 9_000;
/** What sidecars count they tell once a minute at the latest. */
const DEADLINE_MS = 70_000;
const JUDGE_MS = 1_000;

const TRACES: ReadonlySet<string> = new Set(TOUR.map(({ name }) => traceOf(name)));

/** What came of it, once nothing more comes. */
async function settled({ collector }: Mesh, isStopped: () => boolean): Promise<Found> {
  const asked = collectorAt(new URL(`${collector.url}/`), collector.madeToken ?? undefined);
  const begin = Date.now();
  let [last, since] = ["", begin];
  for (;;) {
    await collector.judge();
    const findings: Finding[] = await asked.findings();
    const found = compare(PLANTED, findings, TRACES);
    const now = Date.now();
    const state = findings.map(({ fingerprint, stage, count }) => `${fingerprint} ${stage} ${count}`).join();
    if (state !== last) [last, since] = [state, now];
    const isQuiet = now - since >= QUIET_MS;
    if (isStopped() || now - begin >= DEADLINE_MS || (isQuiet && found.rows.every(({ ok }) => ok))) return found;
    await delay(JUDGE_MS);
  }
}

/** What to do next. */
function invitation({ collector, urls, token }: Mesh): string[] {
  const curl = (url: string, pair: string): string =>
    `  curl -s -H ${TOKEN_HEADER}:${token} -G ${url} --data-urlencode "${pair}"`;
  return [
    "",
    "The page, with the token that opens it (it is this run's, and goes with it):",
    "",
    `  ${collector.url}/#token=${collector.madeToken ?? ""}`,
    "",
    "Services and collector stay up. Try, in another terminal, and look at the page:",
    "",
    curl(`${urls.edge}/search`, "q=<u onclick=steal()>lamp</u>"),
    curl(`${urls.catalogue}/manuals`, "file=../../../etc/passwd"),
    "",
    "Ctrl-C ends it.",
  ];
}

/**
 * The whole command, then up until SIGINT or SIGTERM. Resolves with the exit code: 0 if all that is planted was found and nothing
 * else, 1 if not, 2 if it could not run.
 */
export function observeUntilStopped(options: ObserveOptions, io: DemoIo): Promise<number> {
  return whileAsked(async ({ stopped, isStopped }) => {
    // A run that was cut short has shown nothing.
    const interrupted = options.once ? 130 : 0;
    const start = startMesh(options, io.err, isStopped);
    let mesh: Mesh | null = null;
    try {
      mesh = await Promise.race([start, stopped]);
      if (mesh === null) {
        // Interrupted while starting: what has begun is finished and then undone.
        mesh = await start.catch(() => null);
        return interrupted;
      }
      io.err(`the page: ${mesh.collector.url}/#token=${mesh.collector.madeToken ?? ""}`);
      io.err(`${options.seconds} s of ordinary traffic, then the tour`);
      const visitors = new Visitors(mesh.urls, mesh.token);
      const visits = await sendOrdinary(visitors, options.seconds, isStopped);
      for (const { name, step } of TOUR) if (!isStopped()) await visitors.send(step, name);
      if (isStopped()) return interrupted;
      io.err(`${visits} ordinary requests and ${TOUR.length} of the tour are through; waiting for the last events`);
      const found = await settled(mesh, isStopped);
      if (isStopped()) return interrupted;
      for (const line of [...foundLines(found, painter(io.isColored)), "", ...countLines(found)]) io.out(line);
      const code = isAsPlanted(found) ? 0 : 1;
      if (options.once) return code;
      for (const line of invitation(mesh)) io.out(line);
      const failure = await Promise.race([mesh.ended, stopped]);
      if (failure !== null) io.err(failure);
      return failure === null ? code : 2;
    } catch (error) {
      io.err(fault(error));
      return 2;
    } finally {
      await mesh?.stop();
    }
  });
}
