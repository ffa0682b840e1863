/**
 * `meshward tune`: what a policy would refuse in recorded traffic, by route, field and rule, and exceptions for it as a policy.
 * Holds a bounded number of groups and of clients in each, whatever the traffic's size.
 */
import { exceptionsFor } from "../policy/propose.ts";
import type { Engine } from "../scan/engine.ts";
import { BadLine, oneLine, parseExchange, parseJsonLine } from "../scan/exchange-line.ts";
import { LINE_TOO_LONG, lineBatches } from "../scan/lines.ts";
import type { Finding } from "../scan/verdict.ts";
import { templateOf } from "./template.ts";

const MAX_GROUPS = 10_000;
const MAX_CLIENTS = 1_000;
/** Exceptions in one patch. */
const MAX_EXCEPTIONS = 200;

export interface Group {
  route: string;
  method: string;
  part: Finding["where"]["part"];
  name: string | null;
  rule: string;
  /** Requests that are refused with this finding in them. */
  requests: number;
  clients: Set<string>;
  /** Of them, those that the other firewall refused too. */
  otherDenied: number;
  confidence: number;
  evidence: string;
}

export interface Tuning {
  requests: number;
  denied: number;
  /** Requests that carry the word of another firewall, and those that it refused. */
  others: number;
  otherDenied: number;
  /** That it refused and the policy lets pass. */
  otherOnly: number;
  bad: { line: number; error: string }[];
  badLines: number;
  groups: Map<string, Group>;
  /** Findings that had no room. */
  left: number;
}

export const newTuning = (): Tuning => ({
  requests: 0,
  denied: 0,
  others: 0,
  otherDenied: 0,
  otherOnly: 0,
  bad: [],
  badLines: 0,
  groups: new Map(),
  left: 0,
});

function addFinding(
  tuning: Tuning,
  finding: Finding,
  method: string,
  route: string,
  client: string,
  otherDenied: boolean,
): void {
  const { rule, where, confidence, evidence } = finding;
  const key = JSON.stringify([method, route, where.part, where.name, rule]);
  let group = tuning.groups.get(key);
  if (group === undefined) {
    if (tuning.groups.size === MAX_GROUPS) {
      tuning.left++;
      return;
    }
    group = { route, method, ...where, rule, requests: 0, clients: new Set(), otherDenied: 0, confidence, evidence };
    tuning.groups.set(key, group);
  }
  group.requests++;
  if (otherDenied) group.otherDenied++;
  if (group.clients.size < MAX_CLIENTS) group.clients.add(client);
  if (confidence > group.confidence) Object.assign(group, { confidence, evidence });
}

/** Judges the lines of a recording; findings from `least` on count in refused requests. */
export async function tuneLines(
  chunks: AsyncIterable<Uint8Array>,
  engine: Engine,
  least: number,
  tuning: Tuning,
): Promise<void> {
  for await (const lines of lineBatches(chunks)) {
    for (const { number, bytes } of lines) {
      if (bytes?.toString("latin1").trim() === "") continue;
      try {
        if (bytes === null) throw new BadLine(LINE_TOO_LONG);
        const { value } = parseJsonLine(bytes);
        const exchange = parseExchange(value);
        const { verdict, findings } = await engine.judge(exchange);
        const other = (value as { other?: { denied?: unknown } }).other;
        const otherDenied = other?.denied === true;
        tuning.requests++;
        if (other !== undefined) tuning.others++;
        if (otherDenied) tuning.otherDenied++;
        if (verdict === "allow") {
          if (otherDenied) tuning.otherOnly++;
          continue;
        }
        tuning.denied++;
        const path = exchange.request.path;
        const route = templateOf(typeof path === "string" ? path : Buffer.from(path).toString("latin1"));
        for (const finding of findings) {
          if (finding.exception !== undefined || finding.confidence < least) continue;
          addFinding(tuning, finding, exchange.request.method, route, exchange.address ?? "unknown", otherDenied);
        }
      } catch (error) {
        tuning.badLines++;
        if (tuning.bad.length < 10) tuning.bad.push({ line: number, error: oneLine((error as Error).message) });
      }
    }
  }
}

/** The groups, those with most clients first: one client alone is more often an attacker than a mistake of ours. */
export function sortedGroups({ groups }: Tuning): Group[] {
  return [...groups.values()].sort(
    (left, right) => right.clients.size - left.clients.size || right.requests - left.requests,
  );
}

/** A policy with an exception for each group of at least `clients` clients; each is one that `policy check` accepts. */
export function exceptionsPatch(groups: readonly Group[], clients: number, now: Date): string {
  const proposed = groups.filter((group) => group.clients.size >= clients).slice(0, MAX_EXCEPTIONS);
  const findings = proposed.map((group, index) => {
    const why = `REASON: ${group.requests} requests of ${group.clients.size} clients; say why they are harmless, or delete this`;
    return { ...group, id: `tune-${index + 1}`, why };
  });
  return exceptionsFor(findings, now);
}
