// Which requests are observed together with their responses, whatever they carry; what is kept of such a one.

import { countOverflow, Overflow } from "../report/counters";
import { claimObserved } from "../observe/observed";
import { endpointOf, REQUEST, takeInspection } from "../observe/sample";
import { clearNoRoom, openWatch, Watch } from "../observe/taint";
import { Policy } from "../policy/layout";
import { requestMethod, requestMethodEnd, requestPath, requestPathEnd } from "../policy/request";
import { Stream } from "./stream";

/** Keeps the request of a stream, whose header map is at `headers`, where its exchange is to be observed. */
export function observe(stream: Stream, policy: Policy, headers: usize, headersEnd: usize): void {
  if (policy.sample == 0) return;
  const endpoint = endpointOf(requestMethod, requestMethodEnd, requestPath, requestPathEnd);
  const suspicious = stream.taints != 0 && changetype<Watch>(stream.taints).suspicious;
  if (!takeInspection(policy.sample, endpoint, REQUEST, suspicious)) return;
  if (stream.taints == 0) stream.taints = openWatch();
  const observed: usize = stream.taints == 0 ? 0 : claimObserved(headers, headersEnd, endpoint);
  if (observed != 0) {
    changetype<Watch>(stream.taints).observed = observed;
    return;
  }
  clearNoRoom();
  countOverflow(Overflow.Observed);
}
