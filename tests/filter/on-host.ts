// Runs a case on the TypeScript host, with the checked build of the module.

import { readFile } from "node:fs/promises";
import {
  createEnvoyProcess,
  VERDICT_KEY,
  type EnvoyProcess,
  type Plugin,
  type Stream,
} from "../../scripts/host/index.ts";
import { modulePath } from "../../scripts/package.ts";
import { parseVerdict } from "../../scripts/scan/verdict.ts";
import { bodyOf, bytesOf, configurationOf, responseChunks, type Case, type Step } from "./case.ts";
import { decisionOf, SERVED, type Decision } from "./decision.ts";

const plugins = new Map<string, Plugin>();
let bytes: Promise<Uint8Array> | null = null;

/** Time that a held request may wait before somebody must have done something about it, ms. */
const PATIENCE = 3000;

/** The plugin with the policy of a case, in a process of its own. */
async function pluginFor(given: Case): Promise<Plugin> {
  const known = plugins.get(given.policy);
  if (known !== undefined) return known;
  bytes ??= readFile(modulePath("checked"));
  const process = createEnvoyProcess({ seed: 1 });
  const options = { name: "meshward", rootId: "meshward", vmId: "meshward", module: await bytes };
  const plugin = await process.addPlugin({ ...options, node: NODE });
  const { accepted } = plugin.configure(JSON.stringify(configurationOf(given)));
  if (!accepted) throw new Error(`the policy of case ${given.id} was refused`);
  plugins.set(given.policy, plugin);
  return plugin;
}

/** The node that both proxies say they are. */
export const NODE = {
  id: "cart-1",
  cluster: "cart",
  metadata: { NAMESPACE: "shop", LABELS: { app: "cart", tier: "web" } },
};

export interface OnHost {
  decision: Decision;
  /** What `meshward_overflow_total` counted for it, by `what`. */
  overflow: string[];
}

/**
 * `sizes`: cuts of the body, the rest comes as one more chunk; `responseSizes`: the same of the response's. A case that sends in steps
 * has cuts of its own.
 */
export async function runOnHost(
  given: Case,
  sizes: readonly number[] = [],
  responseSizes: readonly number[] = [],
): Promise<OnHost> {
  const plugin = await pluginFor(given);
  const before = overflowOf(plugin.process);
  const { request } = given;
  const stream = plugin.openStream({
    request: {
      method: request.method ?? "GET",
      path: request.path ?? "/",
      headers: [["host", request.host ?? "shop"], ...(request.headers ?? [])],
      protocol: request.protocol === "http2" ? "HTTP/2" : "HTTP/1.1",
    },
    source: "127.0.0.1:40000",
  });
  try {
    send(plugin.process, stream, given, sizes);
  } catch (error) {
    stream.end();
    throw error;
  }
  const { local, request: half, response } = stream;
  if (local === null && (half.out.ended || request.endless === true)) {
    if (request.endless === true) open(stream);
    else {
      answer(stream, given, responseSizes);
    }
  }
  const { outcome } = stream;
  stream.end();
  const answered = response.out.headers;
  const opens = request.send?.some((step) => "until" in step && step.until === "opened");
  const decision = decisionOf(given, {
    verdict: parseVerdict(stream.filterState.get(VERDICT_KEY)?.toString() ?? "null"),
    answer:
      answered === null || (outcome === "reset" && !opens)
        ? null
        : {
            status: Number(answered.text(":status")),
            headers: answered.toJSON(),
            body: Buffer.from(response.out.body).toString("latin1"),
          },
    upstream: half.out.headers && {
      method: half.out.headers.text(":method")!,
      // Envoy has normalized the path before the module sees it; the host's caller has to.
      path: request.routed ?? Buffer.from(half.out.headers.get(":path") ?? []).toString("latin1"),
      host: half.out.headers.text(":authority")!,
      headers: half.out.headers.names.map(
        (name, i) => [name, Buffer.from(half.out.headers!.values[i]!).toString("latin1")] as const,
      ),
      body: Buffer.from(half.out.body).toString("latin1"),
      ended: half.out.ended,
    },
  });
  // Counts leave the module on its tick.
  plugin.process.advance(1000);
  const overflow = [...overflowOf(plugin.process)].filter(([what, count]) => count !== (before.get(what) ?? 0));
  return { decision, overflow: overflow.map(([what]) => what).sort() };
}

/** Sends what the upstream answers. */
function answer(stream: Stream, given: Case, sizes: readonly number[]): void {
  const { request, response = { headers: [["content-type", "text/plain"]], body: SERVED } } = given;
  const { status = 200, headers = [], trailers, broken = false } = response;
  const whole = request.method === "HEAD" ? [] : responseChunks({ ...given, response });
  let chunks = whole;
  if (sizes.length > 0) {
    let at = 0;
    const all = Buffer.concat(whole);
    chunks = [...sizes.map((size) => all.subarray(at, (at += size))), all.subarray(at)];
  }
  const open = trailers !== undefined || broken;
  stream.respondHeaders({ status, headers }, chunks.length === 0 && !open);
  chunks.forEach((chunk, i) => stream.respondBody(chunk, i === chunks.length - 1 && !open));
  if (trailers !== undefined) stream.respondTrailers(trailers);
}

function send(process: EnvoyProcess, stream: Stream, given: Case, sizes: readonly number[]): void {
  const { request } = given;
  const body = bodyOf(given);
  const open = request.endless === true || request.trailers !== undefined;
  const empty = request.send === undefined && body.length === 0 && sizes.length === 0;
  stream.sendHeaders(empty && !open);
  // After the headers of an upgrade Envoy's codec passes an empty piece of body.
  if (request.endless === true) stream.sendBody("", false);
  if (request.send !== undefined) {
    request.send.forEach((step) => take(process, stream, given, step));
    if (!open && !stream.finished && stream.local === null) stream.sendBody("", true);
  } else if (!empty) {
    let at = 0;
    for (const size of sizes) {
      if (!stream.finished) stream.sendBody(body.subarray(at, at + size), false);
      at += size;
    }
    if (!stream.finished) stream.sendBody(body.subarray(at), !open);
  }
  if (request.trailers !== undefined && !stream.finished) stream.sendTrailers(request.trailers);
}

function take(process: EnvoyProcess, stream: Stream, given: Case, step: Step): void {
  if ("chunk" in step) {
    if (!stream.finished) stream.sendBody(bytesOf(step.chunk), false);
    return;
  }
  if (step.until === "opened") open(stream);
  else if (step.until === "released" || step.until === "answered") {
    const done = (): boolean => (step.until === "answered" ? stream.local !== null || stream.finished : passed(stream));
    for (let waited = 0; waited < PATIENCE && !done(); waited += 500) process.advance(500);
    if (!done()) throw new Error(`case ${given.id}: not ${step.until} after ${PATIENCE} ms`);
  } else if (!passed(stream)) throw new Error(`case ${given.id}: held`);
}

/** The upstream opens the tunnel, once. */
function open(stream: Stream): void {
  if (stream.details === "via_upstream") return;
  stream.respondHeaders({ status: 101, headers: [["content-type", "text/plain"]] }, false);
}

/** Whether the upstream has all that was sent. */
function passed({ request }: Stream): boolean {
  return request.headersPassed && request.held.length === 0;
}

function overflowOf(process: EnvoyProcess): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [name, value] of process.metrics()) {
    const what = /what=\.=(\w+);\.;overflow_total$/.exec(name)?.[1];
    if (what !== undefined) counts.set(what, value as number);
  }
  return counts;
}
