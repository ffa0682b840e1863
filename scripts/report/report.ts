/** `meshward report`: what the collector has found, for people, for code scanning and for the next step of a pipeline. */
import { z } from "zod";
import { STAGES, findingSchema, ruleTextSchema } from "../../collector/api.ts";
import type { Finding, Stage } from "../../collector/api.ts";
import { ruleText } from "../policy/rule-texts.ts";
import { isOpen } from "./finding.ts";
import { reportPage } from "./html.ts";
import { sarifText } from "./sarif.ts";
import { reportLines } from "./text.ts";

export const REPORT_FORMATS = ["text", "json", "html", "sarif"] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];
/** The stages that `--fail-on` takes. */
export const FAIL_STAGES = ["likely", "confirmed"] as const satisfies readonly Stage[];
export type FailStage = (typeof FAIL_STAGES)[number];

export interface Report {
  /** In the order of the collector: the gravest first. */
  findings: readonly Finding[];
  /** The collector's address. */
  collector: string;
  /** When it was asked. */
  now: Date;
  /** Of the package. */
  version: string;
}

/** The document of `--format json`. */
export const reportSchema = z
  .object({
    schema: z.literal(1),
    version: z.string().describe("of Meshward"),
    collector: z.string(),
    generated: z.iso.datetime(),
    findings: z.array(findingSchema.extend({ rule_text: ruleTextSchema.nullable() })),
  })
  .describe("What `meshward report --format json` writes");

function reportJson({ findings, collector, now, version }: Report): string {
  const document: z.infer<typeof reportSchema> = {
    schema: 1,
    version,
    collector,
    generated: now.toISOString(),
    findings: findings.map((finding) => {
      const text = ruleText(finding.rule);
      if (text === null) return { ...finding, rule_text: null };
      const { summary, reason, blind, remedy } = text;
      return { ...finding, rule_text: { summary, reason, blind, remedy } };
    }),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The whole report as text. */
export function reportText(report: Report, format: ReportFormat): string {
  return { text: reportLines, json: reportJson, html: reportPage, sarif: sarifText }[format](report);
}

/** The open findings that have come as far as `stage`. */
export function failures({ findings, now }: Report, stage: FailStage): Finding[] {
  return findings.filter((finding) => isOpen(finding, now) && STAGES.indexOf(finding.stage) >= STAGES.indexOf(stage));
}
