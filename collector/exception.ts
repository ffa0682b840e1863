/** The exception of a policy that would let a finding pass. */
import { exceptionsFor } from "../scripts/policy/propose.ts";
import type { Finding } from "./api.ts";

type Place = Pick<Finding, "fingerprint" | "rule" | "method" | "route" | "part" | "parameter">;

/** YAML to be added to the policy, without a reason yet; null where no exception can name the finding's place. */
export function exceptionFor({ fingerprint, rule, method, route, part, parameter }: Place, now: Date): string | null {
  const why = "REASON: say why it is harmless here";
  const id = `finding-${fingerprint.slice(0, 8)}`;
  return exceptionsFor([{ id, rule, method, route, part, name: parameter, why }], now) || null;
}
