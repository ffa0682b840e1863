/** What the checked build of the module says of its work on one request (assembly/filter/explain.ts, match/trace.ts). */

/** One run of an automaton over a layer: the kinds of the tokens that it was given. */
export interface Run {
  class: string;
  tokens: string[];
}

/** A form of a value: as it stands, or what a decoder made of it. */
export interface Layer {
  bytes: Buffer;
  runs: Run[];
}

export interface TracedValue {
  part: string;
  name: string | null;
  layers: Layer[];
}

export interface TracedFinding {
  rule: string;
  part: string;
  name: string | null;
  /** The confidence from which it decides; above 100 for never. */
  threshold: number;
  /** The declared field that it stands in: its place from 0 in the list of the route, or in the one for all. */
  field: { ofRoute: boolean; index: number } | null;
}

export interface Trace {
  /** Positions from 1 of the route by the path as Envoy routes it and by the decoded path; 0 for none. */
  routes: [number, number];
  mode: string;
  /** By class: the most that may happen. */
  caps: Map<string, string>;
  findings: TracedFinding[];
  values: TracedValue[];
}

const PREFIX = "explain\n";
const bytesOf = (hex: string): Buffer => (hex === "-" ? Buffer.alloc(0) : Buffer.from(hex, "hex"));

const nameOf = (hex: string): string | null => (hex === "-" ? null : bytesOf(hex).toString("utf8"));

function addSettings(trace: Trace, lines: readonly string[]): void {
  for (const line of lines) {
    const [word, first, second, third, fourth, fifth] = line.split(" ");
    if (word === "route") trace.routes = [Number(first), Number(second)];
    else if (word === "mode") trace.mode = first!;
    else if (word === "class") trace.caps.set(first!, second!);
    else if (word === "finding") {
      const place = { ofRoute: fifth!.startsWith("r"), index: Number(fifth!.slice(1)) - 1 };
      const field = fifth === "-" ? null : place;
      trace.findings.push({ rule: first!, part: second!, name: nameOf(third!), threshold: Number(fourth), field });
    }
  }
}

function valueOf(lines: readonly string[]): TracedValue {
  const [, part, name] = lines[0]!.split(" ");
  const value: TracedValue = { part: part!, name: nameOf(name!), layers: [] };
  for (const line of lines.slice(1)) {
    const [word, first, ...rest] = line.split(" ");
    if (word === "layer") value.layers.push({ bytes: bytesOf(first!), runs: [] });
    else if (rest.length > 0) value.layers.at(-1)?.runs.push({ class: first!, tokens: rest });
  }
  return value;
}

/** The trace in the messages that the module logged for one request. */
export function parseTrace(messages: readonly string[]): Trace {
  const trace: Trace = { routes: [0, 0], mode: "off", caps: new Map(), findings: [], values: [] };
  for (const message of messages) {
    if (!message.startsWith(PREFIX)) continue;
    const lines = message.slice(PREFIX.length).split("\n");
    if (lines[0]!.startsWith("value ")) trace.values.push(valueOf(lines));
    else addSettings(trace, lines);
  }
  return trace;
}
