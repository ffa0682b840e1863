// Properties of the host by name. A path is written with NUL between its segments.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes

import { Status } from "../abi/enums";
import { given, givenEnd, readProperty } from "../abi/host";
import { putText, textSize } from "../core/text";

const PATH: usize = memory.data(128);

/** Reads a property; what it holds is `given..givenEnd` of abi/host. False where there is none or it is empty. */
export function property(path: string): bool {
  if (isDefined(CHECKED)) assert(textSize(path) <= 128); // the path fits its buffer
  return readProperty(PATH, putText(PATH, path)) == Status.Ok && given != givenEnd;
}

/**
 * Reads what the service is called in the mesh to `given..givenEnd`: Istio's canonical name, by the labels and in the order of its
 * `CanonicalService` (istio/istio, pkg/kube/labels), else Envoy's `--service-cluster`.
 */
export function readServiceName(): bool {
  return (
    property("xds\0node\0metadata\0LABELS\0service.istio.io/canonical-name") ||
    property("xds\0node\0metadata\0LABELS\0app.kubernetes.io/name") ||
    property("xds\0node\0metadata\0LABELS\0app") ||
    property("xds\0node\0metadata\0WORKLOAD_NAME") ||
    property("xds\0node\0cluster")
  );
}
