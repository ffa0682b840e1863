// The checks of a response that ask for nothing of its request. Each is a file; here they are only listed.

import { findBodyComponents, findHeaderComponents } from "./components";
import { inspectLines } from "./headers";
import { inspectLeaks } from "./leak";
import { inspectLeakHeaders } from "./leak-headers";
import { inspectContent } from "./page";

/** Once the headers have come. */
export function inspectPassiveHeaders(): void {
  findHeaderComponents();
  inspectLeakHeaders();
  inspectLines();
}

/** Once there is a body: the beginning of it, see reply.ts. */
export function inspectPassiveBody(): void {
  findBodyComponents();
  inspectLeaks();
  inspectContent();
}
