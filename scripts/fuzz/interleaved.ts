/**
 * Many streams at once on one VM, their bodies in pieces that come in any order, each compared with the same request alone and
 * whole: no stream may see anything of another, or of the one that had its slot before.
 */
import type { Random } from "../bench/random.ts";
import { createEnvoyProcess, VERDICT_KEY, type Plugin, type Stream } from "../host/index.ts";
import { parseVerdict } from "../scan/verdict.ts";
import { randomConfiguration, randomPieces, randomRequest, type FuzzRequest } from "./inputs.ts";

/**
 * What is decided about a stream, but the ids that are made for it. Of a refused one only that: the piece that decided ended it, and
 * what is found up to there depends on the pieces.
 */
function decisionOf(stream: Stream): unknown {
  if (stream.local !== null || stream.outcome === "reset") return "refused";
  const verdict = parseVerdict(stream.filterState.get(VERDICT_KEY)?.toString() ?? "null") as Record<
    string,
    unknown
  > | null;
  if (verdict !== null) delete verdict["request_id"];
  return { outcome: stream.outcome, verdict };
}

function open(plugin: Plugin, { method, path, headers, body }: FuzzRequest): Stream {
  const stream = plugin.openStream({ request: { method, path, headers }, source: "10.0.0.1:4000" });
  stream.sendHeaders(body === null);
  return stream;
}

const isOver = (stream: Stream): boolean => stream.finished || stream.local !== null;

/** One configuration, `count` streams. Throws at the first that is not decided on as it is alone. */
export async function fuzzInterleaved(module: Uint8Array, random: Random, count: number): Promise<void> {
  const configuration = randomConfiguration(random);
  // What is held or passed on at a limit depends on the pieces; the findings do not.
  configuration["limits"] = { ...(configuration["limits"] as object), holdBytes: 983_040, onLimit: "continue" };
  const process = createEnvoyProcess({ seed: 1 });
  const make = (): Promise<Plugin> =>
    process.addPlugin({ name: "meshward", rootId: "meshward", vmId: String(random.below(1e9)), module });
  const [together, alone] = [await make(), await make()];
  for (const plugin of [together, alone]) plugin.configure(JSON.stringify(configuration));

  const waiting = Array.from({ length: count }, () => randomRequest(random)).filter(
    ({ body }) => (body?.length ?? 0) < 900_000,
  );
  const running: { request: FuzzRequest; stream: Stream; pieces: Buffer[] }[] = [];
  while (waiting.length > 0 || running.length > 0) {
    if (waiting.length > 0 && (running.length === 0 || (running.length < 30 && random.below(3) === 0))) {
      const request = waiting.pop()!;
      const pieces = request.body === null ? [] : randomPieces(random, request.body);
      running.push({ request, stream: open(together, request), pieces });
      continue;
    }
    const at = random.below(running.length);
    const { request, stream, pieces } = running[at]!;
    if (pieces.length > 0 && !isOver(stream)) {
      stream.sendBody(pieces.shift()!, pieces.length === 0);
      continue;
    }
    running.splice(at, 1);
    const single = open(alone, request);
    if (request.body !== null && !isOver(single)) single.sendBody(request.body, true);
    const [seen, wanted] = [JSON.stringify(decisionOf(stream)), JSON.stringify(decisionOf(single))];
    stream.end();
    single.end();
    if (process.traps > 0) throw new Error(`the module trapped: ${process.lastTrap?.message}`);
    if (seen !== wanted)
      throw new Error(`among others:\n  ${seen}\nalone:\n  ${wanted}\n${requestText(request, configuration)}`);
  }
}

function requestText({ method, path, headers, body }: FuzzRequest, configuration: unknown): string {
  const texts = headers.map(([name, value]) => [name, Buffer.from(value as string).toString("latin1")]);
  const parts = {
    method,
    path: path.toString("latin1"),
    headers: texts,
    body: body?.toString("latin1"),
    configuration,
  };
  return JSON.stringify(parts).slice(0, 20_000);
}
