/** The access log's JSON lines (fields: envoy/listener.ts), and what the module says in them of a request. */
import { parseVerdict } from "../scan/verdict.ts";

/** One thing that the module saw in a request; the fields are those of a scan line's findings. */
export interface Finding {
  rule: string;
  class: string;
  cwe: number[];
  severity: "info" | "low" | "medium" | "high" | "critical";
  /** 0 to 100. */
  confidence: number;
  stage: "attempted" | "likely" | "confirmed";
  where: { part: string; name: string | null };
  /** Structure and keywords; everything else is masked. */
  evidence: string;
  /** The exception of the policy that keeps it from counting. */
  exception?: string;
  /** Where the value came in and each service up to this one, where there is more than one. */
  hops?: string[];
}

/** The module's word on a request: filter state `meshward.verdict`. */
export interface Verdict {
  verdict: "allow" | "deny";
  outcome: "allowed" | "denied" | "would_deny" | "partial" | "error";
  mode: "off" | "detect" | "block";
  score: number;
  rule: string | null;
  route: string | null;
  identity: string | null;
  request_id: string | null;
  trace_id: string | null;
  findings: Finding[];
}

/** One request as Envoy logged it. */
export interface AccessEntry {
  time: string;
  /** These three are null where Envoy refused the request before it understood them. */
  method: string | null;
  host: string | null;
  path: string | null;
  status: number;
  flags: string;
  details: string | null;
  address: string | null;
  upstream: string | null;
  /** Null if the module had nothing to say: it is off, or Envoy answered before. */
  verdict: Verdict | null;
}

/** The entry of a line, or null if it is not one of the access log (Envoy's own log may share the stream). */
export function parseAccessLine(line: string): AccessEntry | null {
  if (!line.startsWith("{")) return null;
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
  if (typeof fields.time !== "string" || !("meshward" in fields)) return null;
  const text = (name: string): string | null => (typeof fields[name] === "string" ? (fields[name] as string) : null);
  return {
    time: fields.time,
    method: text("method"),
    host: text("host"),
    path: text("path"),
    status: typeof fields.status === "number" ? fields.status : 0,
    flags: text("flags") ?? "-",
    details: text("details"),
    address: text("address"),
    upstream: text("upstream"),
    verdict: readVerdict(text("meshward")),
  };
}

/** What the verdict of a clean request leaves out. */
const CLEAN = { score: 0, rule: null, route: null, identity: null, request_id: null, trace_id: null, findings: [] };

function readVerdict(text: string | null): Verdict | null {
  if (text === null) return null;
  try {
    const verdict = { ...CLEAN, ...(parseVerdict(text) as Verdict) };
    return Array.isArray(verdict.findings) && typeof verdict.outcome === "string" ? verdict : null;
  } catch {
    return null;
  }
}
