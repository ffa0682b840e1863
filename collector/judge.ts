/**
 * Flaws that no single exchange shows, only the inventory: checks look at all that is known of a service, and what they find becomes
 * events like those that sidecars send, so that it has a fingerprint, a state, a page and a report as any other.
 */
import { ruleText } from "../scripts/policy/rule-texts.ts";
import { SEVERITIES, STAGES, type Severity, type Stage } from "./api.ts";
import { digestOf, type NewEvent, type Sender } from "./event.ts";
import type { ServiceInventory } from "./inventory.ts";

/** What a check finds. Its texts are stored ones, so they are clean. */
export interface Flaw {
  /** One of rules/*.yaml that is `by: collector`. */
  rule: string;
  stage: Exclude<Stage, "attempted">;
  confidence: number;
  /** That of the rule, unless it is told here. */
  severity?: Severity;
  method: string;
  route: string;
  part: string;
  /** What tells it from others of the rule at the place; "" for nothing. */
  parameter: string;
  /** What shows it, in words and figures; no value of a client's. */
  evidence: string;
  /** Who is called, for a flaw of a call; "" for one of the service itself. */
  host: string;
}

/** Looks at a service, at `now` in milliseconds. What there is of one is bounded (limits.ts). */
export type Check = (inventory: ServiceInventory, now: number) => Flaw[];

/** Milliseconds. */
export const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The events of what the checks find at a service. A flaw that is still there is one event a day: the same key whoever looks. */
export function judge(inventory: ServiceInventory, checks: readonly Check[], now: number): NewEvent[] {
  return checks.flatMap((check) => check(inventory, now)).map((flaw) => flawEvent(flaw, inventory, now));
}

/** The event of a flaw of a service. */
export function flawEvent(flaw: Flaw, of: Omit<Sender, "instance">, now: number): NewEvent {
  const { service, namespace, version, policy } = of;
  const { rule, stage, confidence, method, route, part, parameter, evidence, host } = flaw;
  const text = ruleText(rule);
  if (text === null) throw new Error(`there is no rule ${rule}`);
  const day = String(Math.floor(now / DAY));
  return {
    key: digestOf(["judged", rule, stage, `${namespace}/${service}`, host, method, route, part, parameter, day]),
    time: now,
    ...{ service, namespace, instance: "", version, policy },
    ...{ rule, class: text.class, cwe: [...text.cwe] },
    severity: SEVERITIES.indexOf(flaw.severity ?? (text.severity as Severity)),
    stage: STAGES.indexOf(stage),
    ...{ confidence, method, route, part, parameter, evidence: evidence.slice(0, 1_024) },
    ...{ outcome: "allowed", mode: "", exception: "", request_id: "", trace_id: "", span_id: "", principal: "" },
    ...{ direction: host === "" ? "inbound" : "outbound", status: 0, host, scheme: "", hops: [] },
  };
}
