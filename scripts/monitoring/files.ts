/** The files that are made from this folder, by their paths in the package. */
import { DASHBOARDS } from "./dashboards.ts";
import { rulesText } from "./rules-text.ts";
import { GROUPS } from "./rules.ts";

export const MONITORING_FOLDER = "envoy/examples/monitoring";
/** Helm reads no file from outside of a chart. */
const CHART_RULES = "istio/chart/meshward.rules.yaml";
const HEAD = "# Made from scripts/monitoring by `npm run monitoring`; do not edit.\n";

export function monitoringFiles(): Map<string, string> {
  const rules = HEAD + rulesText(GROUPS, "rules", "meshward");
  return new Map([
    ...Object.entries(DASHBOARDS).map(
      ([name, dashboard]) =>
        [`${MONITORING_FOLDER}/dashboards/${name}.json`, `${JSON.stringify(dashboard, null, 2)}\n`] as const,
    ),
    [`${MONITORING_FOLDER}/meshward.rules.yaml`, rules],
    [CHART_RULES, rules],
    [`${MONITORING_FOLDER}/meshward.prometheusrule.yaml`, HEAD + rulesText(GROUPS, "prometheusrule", "meshward")],
  ]);
}
