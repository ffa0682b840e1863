/**
 * The same configuration in less text: what stands one after the other and says the same is said once. The module reads both forms
 * (assembly/policy/read.ts), and finds the same in both.
 *
 *   routes     [{path: A, …}, {path: B, …}]         →  [{paths: [A, B], …}]
 *   workloads  [{namespace: A, …}, {service: B, …}] →  [{any: [{namespace: A}, {service: B}], …}]
 */
import type { Json, JsonObject } from "../envoy/json.ts";

/** The object's members that `names` has, and the others. */
function parted(object: JsonObject, names: readonly string[]): [JsonObject, JsonObject] {
  const entries = Object.entries(object);
  const isNamed = ([key]: [string, Json]): boolean => names.includes(key);
  return [Object.fromEntries(entries.filter(isNamed)), Object.fromEntries(entries.filter((entry) => !isNamed(entry)))];
}

/** Joins neighbours that differ in nothing but the members `names`; `join` says what those of several become. */
function joined(
  entries: readonly JsonObject[],
  names: readonly string[],
  join: (own: JsonObject[]) => JsonObject,
): JsonObject[] {
  const runs: { rest: string; own: JsonObject[]; entries: JsonObject[] }[] = [];
  for (const entry of entries) {
    const [own, others] = parted(entry, names);
    const rest = JSON.stringify(others);
    const last = runs.at(-1);
    // What has none of the members is met by everything, and stands alone.
    const isSame = last?.rest === rest && Object.keys(own).length > 0 && Object.keys(last.own[0]!).length > 0;
    if (isSame) {
      last.own.push(own);
      last.entries.push(entry);
    } else runs.push({ rest, own: [own], entries: [entry] });
  }
  return runs.map(({ rest, own, entries }) =>
    entries.length === 1 ? entries[0]! : { ...join(own), ...(JSON.parse(rest) as JsonObject) },
  );
}

const joinRoutes = (routes: readonly JsonObject[]): JsonObject[] =>
  joined(routes, ["path"], (own) => ({ paths: own.map(({ path }) => path!) }));

const joinSections = (sections: readonly JsonObject[]): JsonObject[] =>
  joined(sections.map(compacted), ["namespace", "service", "labels"], (own) => ({ any: own }));

/** The configuration, or a section of it, shorter where it repeats itself. */
export function compacted(configuration: object): JsonObject {
  const members = Object.entries(configuration as JsonObject).map(([key, value]) => {
    if (key === "routes") return [key, joinRoutes(value as JsonObject[])];
    return [key, key === "workloads" ? joinSections(value as JsonObject[]) : value];
  });
  return Object.fromEntries(members) as JsonObject;
}
