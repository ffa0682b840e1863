// The module with events on, on the TypeScript host, and a collector that does what a test says.

import { readFile } from "node:fs/promises";
import { createEnvoyProcess, type EnvoyProcess, type HttpCall, type Plugin } from "../../scripts/host/index.ts";
import { modulePath } from "../../scripts/package.ts";
import { compilePolicy } from "../../scripts/policy/compile.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import type { PolicySource } from "../../scripts/policy/schema.ts";
import { accessSchema, type AccessEvent } from "../../scripts/events/access.ts";
import { endpointSchema, type EndpointRecord } from "../../scripts/events/endpoint.ts";
import { eventSchema, type Event } from "../../scripts/events/event.ts";
import { answerBody, eventsOf } from "./otlp.ts";

export const NODE = {
  id: "cart-1",
  cluster: "cart.shop",
  metadata: { NAMESPACE: "shop", LABELS: { app: "cart" } },
};

/** What the collector answers: a status, with headers and a body; null leaves a call open. */
export type Answer =
  { status: number; headers?: [string, string][]; body?: Uint8Array } | "no host" | "no cluster" | null;

export const TAKEN: Answer = { status: 200, body: answerBody() };

export interface Bench {
  envoy: EnvoyProcess;
  plugin: Plugin;
  /** All calls, in order; `events` of what was answered for with 200. */
  calls: HttpCall[];
  taken: Event[];
  /** The same of what was seen of endpoints. */
  endpoints: EndpointRecord[];
  /** And of the ids that exchanges used and handed out. */
  accesses: AccessEvent[];
  lines: string[];
  /** What the next calls are answered with, one after the other; `TAKEN` once it is empty. */
  answers: Answer[];
  /** Another plugin in the same VMs, with the same bench around it. */
  another(name: string, policy: PolicySource): Promise<Plugin>;
  push(policy: PolicySource): void;
  attack(request?: Attack): void;
  /** Host calls since the last look, in order. */
  hostCalls: string[];
  /** A statistic by its name behind `meshward_`; 0 where there is none. */
  count(name: string): number;
}

export interface Attack {
  method?: string;
  path?: string;
  host?: string | Uint8Array;
  headers?: [string, string | Uint8Array][];
  body?: string | Uint8Array;
  status?: number;
  properties?: Record<string, unknown>;
}

export const SQLI = "1%20UNION%20SELECT%20password%20FROM%20users";

/** The configuration of a policy that sends events; nothing is told of endpoints unless it says so. */
export function configurationOf(policy: PolicySource): string {
  const events = { otlp: "http://collector:4318" };
  const observe = { sample: "0%" };
  return JSON.stringify(compilePolicy(policyFrom({ events, observe, ...policy }), { holdHeaders: true }));
}

const isNamed =
  (name: string) =>
  (record: object): boolean =>
    "event_name" in record && record.event_name === name;

/** The events of a call, each held against the schema. */
export function eventsIn(call: HttpCall): Event[] {
  return eventsOf(call.body)
    .filter(isNamed("meshward.finding"))
    .map((event) => eventSchema.parse(event));
}

/** What a call says of endpoints, likewise. */
export function endpointsIn(call: HttpCall): EndpointRecord[] {
  return eventsOf(call.body)
    .filter(isNamed("meshward.endpoint"))
    .map((record) => endpointSchema.parse(record));
}

/** What a call says of ids, likewise. */
export function accessesIn(call: HttpCall): AccessEvent[] {
  return eventsOf(call.body)
    .filter(isNamed("meshward.access"))
    .map((record) => accessSchema.parse(record));
}

export async function startBench(
  policy: PolicySource = {},
  options: { environment?: Record<string, string> } = {},
): Promise<Bench> {
  const calls: HttpCall[] = [];
  const taken: Event[] = [];
  const endpoints: EndpointRecord[] = [];
  const accesses: AccessEvent[] = [];
  const lines: string[] = [];
  const answers: Answer[] = [];
  const hostCalls: string[] = [];
  const envoy = createEnvoyProcess({
    seed: 1,
    hostCall: (name) => hostCalls.push(name),
    log: (_level, message) => lines.push(message),
    httpCall: (call) => {
      const answer = answers.length === 0 ? TAKEN : answers.shift()!;
      if (answer === "no host" || answer === "no cluster") return answer;
      calls.push(call);
      if (answer === null) return;
      if (answer.status < 300) {
        taken.push(...eventsIn(call));
        endpoints.push(...endpointsIn(call));
        accesses.push(...accessesIn(call));
      }
      call.respond({
        headers: [[":status", String(answer.status)], ...(answer.headers ?? [])],
        ...(answer.body === undefined ? {} : { body: answer.body }),
      });
    },
  });
  const module = await readFile(modulePath("checked"));
  const add = (name: string): Promise<Plugin> =>
    envoy.addPlugin({ name, rootId: "meshward", vmId: "meshward", module, node: NODE, ...options });
  const plugin = await add("meshward");
  const push = (next: PolicySource): void => {
    if (!plugin.configure(configurationOf(next)).accepted) throw new Error(`refused: ${lines.join("; ")}`);
  };
  push(policy);
  return {
    envoy,
    plugin,
    calls,
    taken,
    endpoints,
    accesses,
    lines,
    answers,
    hostCalls,
    async another(name, its) {
      const other = await add(name);
      if (!other.configure(configurationOf(its)).accepted) throw new Error(`refused: ${lines.join("; ")}`);
      return other;
    },
    push,
    attack({
      method = "GET",
      path = `/items/17?id=${SQLI}`,
      host = "shop.example:8080",
      headers = [],
      body,
      status = 200,
    } = {}) {
      plugin.exchange(
        { method, path, headers: [["host", host], ...headers] },
        { ...(body === undefined ? {} : { body }), source: "10.0.0.9:40000", response: { status, headers: [] } },
      );
    },
    count: (name) => Number(envoy.metrics().get(`wasmcustom.meshward.${name}`) ?? 0),
  };
}
