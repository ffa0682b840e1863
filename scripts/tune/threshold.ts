/** From which confidence a finding can decide anywhere under a policy: what is surely below needs no exception. */
import type { Policy } from "../policy/schema.ts";

const THRESHOLDS = { low: 80, balanced: 60, high: 40 };
/** What a declared kind of field can take away (assembly/policy/kinds.ts). */
const STEP = 20;

type Scope = Partial<Pick<Policy, "sensitivity" | "detectors" | "fields">>;

const sensitivities = ({ sensitivity, detectors }: Scope): (Policy["sensitivity"] | undefined)[] => [
  sensitivity,
  ...Object.values(detectors ?? {}).map((detector) => detector?.sensitivity),
];

export function leastThreshold(policy: Policy): number {
  const scopes: Scope[] = [
    policy,
    ...policy.routes,
    ...policy.workloads,
    ...policy.workloads.flatMap(({ routes }) => routes ?? []),
  ];
  const said = scopes.flatMap(sensitivities).filter((one) => one !== undefined);
  const hasStricter = scopes.some(({ fields }) => fields?.some(({ kind }) => kind === "id" || kind === "url"));
  return Math.min(...said.map((one) => THRESHOLDS[one])) - (hasStricter ? STEP : 0);
}
