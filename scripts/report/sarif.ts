/**
 * SARIF 2.1.0 for code scanning. A finding stands at a logical location, `ns/service METHOD /route`, since what runs has no file;
 * the artifact beside it only names the same place as a path, for viewers that show nothing without one.
 *
 * Text of findings was written by attackers. A message of SARIF knows links, `[text](target)`, and placeholders, `{0}`: both are
 * escaped in every message (sections 3.11.5 and 3.11.6 of the standard).
 */
import type { Finding, Severity, Stage } from "../../collector/api.ts";
import { printable } from "../envoy/printable.ts";
import { ruleText, splitSource } from "../policy/rule-texts.ts";
import { endpointOf, fieldOf, isOpen } from "./finding.ts";
import type { Report } from "./report.ts";

type Level = "error" | "warning" | "note";

const LEVELS: Record<Stage, Record<Severity, Level>> = {
  confirmed: { critical: "error", high: "error", medium: "error", low: "warning", info: "note" },
  likely: { critical: "warning", high: "warning", medium: "warning", low: "note", info: "note" },
  attempted: { critical: "note", high: "note", medium: "note", low: "note", info: "note" },
};
/** What code scanning sorts rules by: within its bands for critical (9.0), high (7.0), medium (4.0) and low. */
const SECURITY_SEVERITIES: Record<Severity, string> = {
  critical: "9.5",
  high: "8.0",
  medium: "5.5",
  low: "2.5",
  info: "0.1",
};

/** Text for a message. */
const escaped = (text: string): string =>
  printable(text, 1_000)
    .replace(/[\\[\]]/g, "\\$&")
    .replace(/[{}]/g, "$&$&");

/** A path out of names that hold any bytes. */
function artifactPath({ namespace, service, method, route }: Finding): string {
  const names = [...(namespace === null ? [] : [namespace]), service, method, ...route.split("/")];
  const isName = (name: string): boolean => name !== "" && name !== "." && name !== "..";
  return names
    .filter(isName)
    .map((name) => encodeURIComponent(printable(name, 256)))
    .join("/");
}

function ruleOf(id: string): object {
  const text = ruleText(id);
  if (text === null) {
    const shortDescription = { text: escaped(`The policy's own rule ${id}`) };
    return { id, shortDescription, properties: { tags: ["security"] } };
  }
  const { sentence, source } = splitSource(text.reason);
  const remedy = [
    ["In code", text.remedy.code],
    ["In configuration", text.remedy.configuration],
    ["At the proxy", text.remedy.proxy],
  ] as const;
  return {
    id,
    shortDescription: { text: escaped(text.summary) },
    fullDescription: { text: escaped(sentence) },
    help: {
      text: escaped(remedy.map(([where, what]) => `${where}: ${what}.`).join(" ")),
      markdown: remedy
        .map(([where, what]) => `- **${where}**: ${what.replace(/[\\`*_{}[\]<>#|]/g, "\\$&")}`)
        .join("\n"),
    },
    ...(source === null ? {} : { helpUri: source }),
    properties: {
      tags: ["security", ...text.cwe.map((cwe) => `external/cwe/cwe-${String(cwe).padStart(3, "0")}`), ...text.owasp],
      "security-severity": SECURITY_SEVERITIES[text.severity as Severity],
    },
  };
}

/** `service METHOD route part name`, as far as it can be told apart. */
function hopLocation(hop: string, index: number): object {
  const [service, method, route, ...field] = printable(hop, 512).split(" ");
  return {
    id: index + 1,
    logicalLocations: [{ fullyQualifiedName: [service, method, route].filter(Boolean).join(" "), kind: "endpoint" }],
    message: { text: escaped(`hop ${index + 1}${field.length === 0 ? "" : `: ${field.join(" ")}`}`) },
  };
}

function suppressionsOf(finding: Finding, now: Date): object[] {
  if (isOpen(finding, now)) return [];
  const until = finding.state === "muted" && finding.until !== null ? ` until ${finding.until}` : "";
  const note = finding.note === null ? "" : `: ${printable(finding.note, 1_000)}`;
  return [{ kind: "external", status: "accepted", justification: `${finding.state}${until}${note}` }];
}

function resultOf(finding: Finding, rules: readonly string[], now: Date): object {
  const { rule, stage, severity, confidence, state } = finding;
  const summary = ruleText(rule)?.summary ?? rule;
  return {
    ruleId: rule,
    ruleIndex: rules.indexOf(rule),
    level: LEVELS[stage][severity],
    message: { text: escaped(`${summary}, in ${fieldOf(finding)}: ${stage}, ${severity}, confidence ${confidence}`) },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: artifactPath(finding), uriBaseId: "SERVICES" } },
        logicalLocations: [
          {
            name: printable(finding.route, 256),
            fullyQualifiedName: printable(endpointOf(finding), 1_000),
            kind: "endpoint",
          },
        ],
      },
    ],
    ...(finding.hops.length === 0 ? {} : { relatedLocations: finding.hops.map(hopLocation) }),
    partialFingerprints: { "meshward/v1": finding.fingerprint },
    occurrenceCount: Math.max(1, finding.count),
    suppressions: suppressionsOf(finding, now),
    provenance: { firstDetectionTimeUtc: finding.first_seen, lastDetectionTimeUtc: finding.last_seen },
    rank: confidence,
    properties: {
      class: finding.class,
      cwe: finding.cwe,
      stage,
      severity,
      confidence,
      part: finding.part,
      parameter: finding.parameter,
      evidence: finding.evidence,
      request_id: finding.request_id,
      trace_id: finding.trace_id,
      state,
    },
  };
}

/** The report as a SARIF log of one run. */
export function sarifText({ findings, collector, now, version }: Report): string {
  const rules = [...new Set(findings.map(({ rule }) => rule))];
  const document = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "Meshward",
            version,
            semanticVersion: version,
            rules: rules.map(ruleOf),
          },
        },
        automationDetails: { id: "meshward/" },
        invocations: [{ executionSuccessful: true, endTimeUtc: now.toISOString() }],
        originalUriBaseIds: {
          SERVICES: { description: { text: "No folder: paths below it are namespace, service, method and route." } },
        },
        properties: { collector },
        results: findings.map((finding) => resultOf(finding, rules, now)),
      },
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
