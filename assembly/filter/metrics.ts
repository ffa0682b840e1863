// Takes the counts of report/counters to the host's statistics. Names carry their labels in the form that Istio's tag regexes
// read, and that the generated Envoy configuration reads too:
//
//   meshward.LABEL=.=VALUE;.;NAME   →   meshward_NAME{LABEL="VALUE"}

import { MetricType } from "../abi/enums";
import { addToMetric, defineMetric, recordMetric } from "../abi/host";
import { putBytes } from "../core/bytes";
import { putText } from "../core/text";
import { CLASS_COUNT } from "../generated/rules";
import { VERSION } from "../generated/version";
import { ALL_RULES, className, classNameEnd, ruleCode, ruleId, ruleIdEnd } from "../match/rules";
import { Mode, Policy, policySettings } from "../policy/layout";
import {
  JOURNEY_COUNTS,
  journeyName,
  outcomeName,
  OUTCOMES,
  overflowName,
  OVERFLOWS,
  takeEventsDropped,
  takeEventsSent,
  takeFindings,
  takeJourney,
  takeOverflow,
  takePassive,
  takeRequests,
  takeRuleHits,
} from "../report/counters";
import { modeName } from "../report/verdict";

/** Where a name is put together. */
const NAME: usize = memory.data(512);

/** Ids of the metrics, 0 before they are defined. */
const REQUESTS: usize = memory.data(OUTCOMES * 4, 8);
const FINDINGS: usize = memory.data(32 * 2 * 4, 8);
const RULE_HITS: usize = memory.data(ALL_RULES * 2 * 4, 8);
const OVERFLOW: usize = memory.data(OVERFLOWS * 4, 8);
const JOURNEYS: usize = memory.data(JOURNEY_COUNTS * 4, 8);
/** Events that were sent, and that were dropped. */
const EVENTS: usize = memory.data(8, 8);
/** Requests that another instance of the filter had judged. */
const PASSIVE: usize = memory.data(4, 8);
let inspection: u32 = 0;
let configInvalid: u32 = 0;

/** Adds all counts since the last call to the statistics. */
export function flushCounters(): void {
  for (let i: u32 = 0; i < CLASS_COUNT * 2; i++) {
    const count = takeFindings(i >> 1, i & 1);
    if (count == 0) continue;
    let end = putText(NAME, "meshward.class=.=");
    end = putText(putBytes(end, className(i >> 1), classNameEnd(i >> 1)), ";.;");
    end = label(end, "action", (i & 1) != 0 ? "block" : "detect");
    addTo(FINDINGS + (i << 2), putText(end, "findings_total"), count);
  }
  for (let i: u32 = 0; i < ALL_RULES * 2; i++) {
    const count = takeRuleHits(i >> 1, i & 1);
    if (count == 0) continue;
    const rule = ruleCode(i >> 1);
    let end = putText(NAME, "meshward.rule=.=");
    end = putText(putBytes(end, ruleId(rule), ruleIdEnd(rule)), ";.;");
    end = label(end, "mode", (i & 1) != 0 ? "block" : "detect");
    addTo(RULE_HITS + (i << 2), putText(end, "rule_hits_total"), count);
  }
  for (let what: u32 = 0; what < OVERFLOWS; what++) {
    const count = takeOverflow(what);
    if (count == 0) continue;
    let end = label(putText(NAME, "meshward."), "what", overflowName(what));
    addTo(OVERFLOW + (what << 2), putText(end, "overflow_total"), count);
  }
  for (let what: u32 = 0; what < JOURNEY_COUNTS; what++) {
    const count = takeJourney(what);
    if (count == 0) continue;
    const end = label(putText(NAME, "meshward."), "what", journeyName(what));
    addTo(JOURNEYS + (what << 2), putText(end, "hops_total"), count);
  }
  const passive = takePassive();
  if (passive != 0) addTo(PASSIVE, putText(NAME, "meshward.passive_total"), passive);
  // Requests last: who sees a request counted, sees all that was counted of it.
  for (let outcome: u32 = 0; outcome < OUTCOMES; outcome++) {
    // Defined even at zero: a rate needs the series before the first attack.
    const id = metricAt(REQUESTS + (outcome << 2));
    const count = takeRequests(outcome);
    if (id == 0) {
      let end = label(putText(NAME, "meshward."), "outcome", outcomeName(outcome));
      addTo(REQUESTS + (outcome << 2), putText(end, "requests_total"), count);
    } else if (count != 0) {
      addToMetric(id, count);
    }
  }
}

/** Likewise what became of events; for VMs that send some. */
export function flushEventCounters(): void {
  addTo(EVENTS, putText(NAME, "meshward.events_sent_total"), takeEventsSent());
  addTo(EVENTS + 4, putText(NAME, "meshward.events_dropped_total"), takeEventsDropped());
}

/** Adds a sample to `meshward_inspection_microseconds`. */
export function recordInspection(microseconds: u64): void {
  if (inspection == 0) {
    inspection = defineMetric(MetricType.Histogram, NAME, putText(NAME, "meshward.inspection_microseconds"));
  }
  recordMetric(inspection, microseconds);
}

/** Adds `change` to `meshward_config_invalid`, the number of plugins whose newest configuration is bad. */
export function changeConfigInvalid(change: i32): void {
  if (configInvalid == 0) {
    configInvalid = defineMetric(MetricType.Gauge, NAME, putText(NAME, "meshward.config_invalid"));
  }
  addToMetric(configInvalid, change);
}

/** Adds `change` to `meshward_info{version,policy,mode}`, which counts the VMs that run that policy. */
export function changeInfo(policy: Policy, change: i32): void {
  let end = label(putText(NAME, "meshward."), "version", VERSION);
  end = putText(end, "policy=.=");
  end = policy.id == policy.idEnd ? putText(end, "none") : putBytes(end, policy.id, min(policy.idEnd, policy.id + 64));
  end = label(putText(end, ";.;"), "mode", modeName(<Mode>policySettings(policy).mode));
  addToMetric(defineMetric(MetricType.Gauge, NAME, putText(end, "info")), change);
}

// @ts-ignore: decorator
@inline
function metricAt(slot: usize): u32 {
  return load<u32>(slot);
}

/** Adds to the counter whose id is kept at `slot`; on its first use it is defined by the name in `NAME..end`. */
function addTo(slot: usize, end: usize, count: u32): void {
  if (metricAt(slot) == 0) store<u32>(slot, defineMetric(MetricType.Counter, NAME, end));
  if (count != 0) addToMetric(metricAt(slot), count);
}

function label(out: usize, name: string, value: string): usize {
  out = putText(putText(out, name), "=.=");
  return putText(putText(out, value), ";.;");
}
