// Properties of the host by name. A path is written with NUL between its segments.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes

import { Status } from "../abi/enums";
import { readProperty } from "../abi/host";
import { putText, textSize } from "../core/text";

const PATH: usize = memory.data(128);

/** Reads a property; what it holds is `given..givenEnd` of abi/host. False where there is none or it is empty. */
export function property(path: string): bool {
  if (isDefined(CHECKED)) assert(textSize(path) <= 128); // the path fits its buffer
  return readProperty(PATH, putText(PATH, path)) == Status.Ok;
}
