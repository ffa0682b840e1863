/** What every form of the report says of a finding. */
import type { Finding, Stage } from "../../collector/api.ts";

/** The gravest first. */
export const STAGE_ORDER = ["confirmed", "likely", "attempted"] as const satisfies readonly Stage[];

/** Whether somebody still has to look at it: nobody has decided on it, or the time for which it was muted is over. */
export function isOpen({ state, until }: Finding, now: Date): boolean {
  return state === "open" || (state === "muted" && until !== null && Date.parse(until) <= now.getTime());
}

/** `ns/service METHOD /route`. */
export function endpointOf({
  namespace,
  service,
  method,
  route,
}: Pick<Finding, "namespace" | "service" | "method" | "route">): string {
  return `${namespace === null ? "" : `${namespace}/`}${service} ${method} ${route}`;
}

/** `query parameter "q"`; for a value without a name its part alone. */
export function fieldOf({ part, parameter }: Pick<Finding, "part" | "parameter">): string {
  return parameter === null ? part : `${part} "${parameter}"`;
}

/** What each stage means. */
export const STAGE_WORDS: Record<Stage, string> = {
  confirmed: "the response proves it",
  likely: "the response speaks for it",
  attempted: "somebody tried; nothing shows that it worked",
};
