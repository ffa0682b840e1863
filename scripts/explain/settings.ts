/**
 * Which lines of a policy hold for a request: the keys that could say a setting, in the order in which the module asks
 * them (assembly/policy/resolve.ts). What holds is the module's own word; here is only where it was said.
 */
import type { Locate } from "../policy/load.ts";
import { showPath } from "../policy/review.ts";
import type { Path } from "../policy/review.ts";
import type { AttackClass } from "../policy/rule-ids.ts";
import type { Policy } from "../policy/schema.ts";

/** A key of the policy and where it stands. */
export interface Said {
  /** As `routes[0].mode`. */
  path: string;
  line: number;
  column: number;
}

/** What was chosen for a request: -1 for none. */
export interface Choice {
  workload: number;
  route: Path | null;
}

/** The path of the route at `position` (from 1) of those in force: a workload's own come before the others. */
export function routePath({ workloads }: Policy, workload: number, position: number): Path | null {
  if (position === 0) return null;
  const own = workloads[workload]?.routes?.length ?? 0;
  return position <= own ? ["workloads", workload, "routes", position - 1] : ["routes", position - 1 - own];
}

/** The first of `paths` that the file has. */
export function firstSaid(locate: Locate, paths: readonly Path[]): Said | null {
  for (const path of paths) {
    const place = locate(path);
    if (place !== null) return { path: showPath(path), ...place };
  }
  return null;
}

/** Where the sections are that may say something, the innermost first; the top is the empty path. */
function scopes({ workload, route }: Choice): { route: Path[]; outer: Path[] } {
  return { route: route === null ? [] : [route], outer: workload < 0 ? [[]] : [["workloads", workload], []] };
}

const at = (sections: readonly Path[], ...keys: Path): Path[] => sections.map((section) => [...section, ...keys]);

/** Where the mode may have been said. */
export function modePaths(choice: Choice, isOff: boolean): Path[] {
  const { route, outer } = scopes(choice);
  // An outer `off` is final; a route's own is asked only where there is none.
  return isOff ? [...at(outer, "mode"), ...at(route, "mode")] : [...at(route, "mode"), ...at(outer, "mode")];
}

/** Where the most that may happen about a class may have been said. */
export function capPaths(choice: Choice, attackClass: AttackClass): Path[] {
  const { route, outer } = scopes(choice);
  return at([...route, ...outer], "detectors", attackClass, "mode");
}

/** Where the sensitivity for a class may have been said. */
export function sensitivityPaths(choice: Choice, attackClass: AttackClass): Path[] {
  const { route, outer } = scopes(choice);
  return [
    ...at(route, "detectors", attackClass, "sensitivity"),
    ...at(route, "sensitivity"),
    ...at(outer, "detectors", attackClass, "sensitivity"),
    ...at(outer, "sensitivity"),
  ];
}

/** Where the declared field stands: of the route, or of those in force for all, a workload's own before the others. */
export function fieldPaths(
  { workloads }: Policy,
  { workload, route }: Choice,
  { ofRoute, index }: { ofRoute: boolean; index: number },
): Path[] {
  if (ofRoute) return route === null ? [] : [[...route, "fields", index]];
  const own = workloads[workload]?.fields?.length ?? 0;
  return [index < own ? ["workloads", workload, "fields", index] : ["fields", index - own]];
}

/** Where the policy's own rule of that id stands. */
export function rulePaths(policy: Policy, { workload }: Choice, id: string): Path[] {
  const own = policy.workloads[workload]?.rules?.findIndex((rule) => rule.id === id) ?? -1;
  const top = policy.rules.findIndex((rule) => rule.id === id);
  return [...(own < 0 ? [] : [["workloads", workload, "rules", own]]), ...(top < 0 ? [] : [["rules", top]])];
}

/** Where the exception of that id stands. */
export function exceptionPaths(policy: Policy, { workload }: Choice, id: string): Path[] {
  const own = policy.workloads[workload]?.exceptions?.findIndex((exception) => exception.id === id) ?? -1;
  const top = policy.exceptions.findIndex((exception) => exception.id === id);
  return [...(own < 0 ? [] : [["workloads", workload, "exceptions", own]]), ...(top < 0 ? [] : [["exceptions", top]])];
}
