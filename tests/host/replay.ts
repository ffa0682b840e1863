// Plays a case of `cases.ts` against the host.

import { createEnvoyProcess, type EnvoyProcess, type HttpCall, type Stream } from "../../scripts/host/index.ts";
import type { Case } from "./cases.ts";
import { guest } from "./guest.ts";
import { ENVIRONMENT, NODE, PEER, comparable, firstStart, type Seen } from "./seen.ts";

/** Headers that Envoy's codec shows beside the client's own. */
const CHUNKED = ["transfer-encoding", "chunked"] as const;

export async function replay(given: Case): Promise<Seen> {
  let log: string[] = [];
  const calls: HttpCall[] = [];
  const envoy = createEnvoyProcess({
    strict: false,
    log: (_level, message) => log.push(message),
    httpCall: (call) => {
      if (call.cluster === "empty") return "no host";
      if (!["upstream", "peer", "down"].includes(call.cluster)) return "no cluster";
      return void calls.push(call);
    },
  });
  const plugin = await envoy.addPlugin({
    name: "script",
    rootId: "root",
    vmId: "vm",
    module: await guest("script"),
    environment: ENVIRONMENT,
    holdHeaders: given.holdHeaders ?? true,
    node: NODE,
    ...(given.bufferLimit === undefined ? {} : { bufferLimit: given.bufferLimit }),
  });
  plugin.configure(given.script.join("\n"));
  const start = firstStart(log);
  log = [];
  const bodyless = given.bodyless ?? false;
  const stream = plugin.openStream({
    request: {
      method: given.method ?? "POST",
      path: given.path ?? "/a",
      headers: [["host", "shop"], ...(given.headers ?? []), ...(bodyless ? [] : [CHUNKED])],
    },
    properties: { xds: { route_name: "route", virtual_host_name: "host", cluster_name: "upstream" } },
  });
  stream.sendHeaders(bodyless);
  for (const call of calls) answerCall(call);
  if (given.headers?.some(([name]) => name === "upgrade")) stream.sendBody("", false);
  const upstream = new Answering(envoy, stream, given.answer);
  for (const piece of given.body ?? []) {
    if (typeof piece === "number") envoy.advance(piece);
    else stream.sendBody(piece, false);
    upstream.look();
  }
  if (given.trailers !== undefined) {
    stream.sendTrailers(given.trailers);
    upstream.look();
    envoy.advance(1000);
  } else if (!bodyless && given.endless !== true) stream.sendBody("", true);
  upstream.look();
  stream.reset();
  return seen(stream, start, log.filter(isGuestLine));
}

/** Answers as the clusters of a recording do; "/slow" is left to run out of time. */
function answerCall(call: HttpCall): void {
  if (call.cluster === "down") return call.break("remote connection failure");
  const answer = PEER[call.headers.text(":path")!];
  if (answer === null) call.break("connection termination");
  else if (answer !== undefined) call.respond(answer);
}

/** The host's own line for a trap is not the module's. */
function isGuestLine(line: string): boolean {
  return !line.startsWith("the VM failed");
}

/** The upstream: answers chunk by chunk once it has the whole request. */
class Answering {
  readonly #stream: Stream;
  readonly #envoy: EnvoyProcess;
  readonly #answer: readonly (string | number)[] | null;
  #done = false;

  constructor(envoy: EnvoyProcess, stream: Stream, answer: Case["answer"] = ["hello"]) {
    this.#envoy = envoy;
    this.#stream = stream;
    this.#answer = answer;
    this.look();
  }

  look(): void {
    if (this.#done || this.#answer === null || !this.#stream.request.out.ended || this.#stream.local !== null) return;
    this.#done = true;
    this.#stream.respondHeaders({ status: 200, headers: [["content-type", "text/plain"]] }, this.#answer.length === 0);
    for (const chunk of this.#answer) {
      if (typeof chunk === "number") this.#envoy.advance(chunk);
      else this.#stream.respondBody(chunk, false);
    }
    if (this.#answer.length > 0) this.#stream.respondBody("", true);
  }
}

function seen(stream: Stream, start: string[], log: string[]): Seen {
  const { request, response, filterState } = stream;
  const { out } = request;
  const kept = out.headers?.toJSON().filter(([name]) => ["x-a", "x-gone", "x"].includes(name)) ?? [];
  const shown = response.out.headers?.toJSON() ?? [];
  return {
    start,
    logs: comparable(log),
    upstream: {
      headers: out.headers === null ? null : [["path", out.headers.text(":path")!], ...kept],
      body: Buffer.from(out.body).toString("latin1"),
      trailers: out.trailers?.toJSON() ?? [],
      ended: out.ended,
    },
    client: {
      status: Number(response.out.headers?.text(":status") ?? 0),
      headers: shown.filter(([name]) => ["a", "x", "q", "content-type", "grpc-status", "grpc-message"].includes(name)),
      body: Buffer.from(response.out.body).toString("latin1"),
      complete: response.out.ended,
    },
    details: `${stream.details ?? "-"} ${filterState.get("wasm.k")?.toString() ?? "-"}`,
  };
}
