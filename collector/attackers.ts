/** Whose attacks came within the last minutes, by service: one client or many tells a try from a campaign. */
import { PASSIVE_CLASSES } from "../scripts/policy/rule-ids.ts";
import type { NewEvent } from "./event.ts";
import { ATTACKERS } from "./limits.ts";

const WINDOW_MILLISECONDS = 600_000;
const PASSIVE: ReadonlySet<string> = new Set(PASSIVE_CLASSES);

export interface Attackers {
  saw(event: Pick<NewEvent, "class" | "exception" | "direction" | "principal">, service: string, now: number): void;
  /** How many there are, by service. */
  counts(now: number): Map<string, number>;
}

export function createAttackers(): Attackers {
  /** The client at a service, and when it was seen last; who was seen last stands last. */
  const seen = new Map<string, { service: string; time: number }>();
  return {
    saw(event, service, now) {
      if (PASSIVE.has(event.class) || event.exception !== "" || event.direction === "outbound") return;
      const key = `${service}\0${event.principal}`;
      seen.delete(key);
      seen.set(key, { service, time: now });
      if (seen.size > ATTACKERS) seen.delete(seen.keys().next().value!);
    },
    counts(now) {
      const counts = new Map<string, number>();
      for (const [key, { service, time }] of seen) {
        if (time < now - WINDOW_MILLISECONDS) seen.delete(key);
        else counts.set(service, (counts.get(service) ?? 0) + 1);
      }
      return counts;
    },
  };
}
