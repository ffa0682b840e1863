/** Rules as Prometheus reads them from a file, and as its operator takes them in Kubernetes. */
import { stringify } from "yaml";
import type { RuleGroup } from "./rules.ts";

export const RULE_FORMS = ["rules", "prometheusrule"] as const;
export type RuleForm = (typeof RULE_FORMS)[number];

/** `name` is the resource's. */
export function rulesText(groups: readonly RuleGroup[], form: RuleForm, name: string): string {
  const resource = { apiVersion: "monitoring.coreos.com/v1", kind: "PrometheusRule", metadata: { name } };
  return stringify(form === "rules" ? { groups } : { ...resource, spec: { groups } }, { lineWidth: 0 });
}
