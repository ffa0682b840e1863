// Which way a stream goes. A listener's filter knows from its configuration, as `meshward envoy` writes it. One that serves listeners of
// both directions (a mesh's sidecar) has to ask the host about each stream: a host call costs about a hundredth of what Envoy takes for
// a request.

import { given, givenEnd } from "../abi/host";
import { Direction, Policy } from "../policy/layout";
import { property } from "./property";

/** `OUTBOUND` of Envoy's `TrafficDirection`. */
const OUTBOUND: u64 = 2;

/** Whether the stream at work is one of the service's own calls. */
export function isOutbound(policy: Policy): bool {
  if (policy.direction != Direction.Ask) return policy.direction == Direction.Outbound;
  return property("xds\0listener_direction") && givenEnd - given == 8 && load<u64>(given) == OUTBOUND;
}
