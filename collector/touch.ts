/** Maps that forget: the first entry is the one that was set longest ago. */
import type { Exchange } from "./exchange.ts";

/** The entry of that key, which becomes the last. */
export function touch<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) map.delete(key);
  const value = known ?? make();
  map.set(key, value);
  return value;
}

/** Takes the oldest away. */
export function trim(map: Map<string, unknown>, most: number): void {
  for (const name of map.keys()) {
    if (map.size <= most) break;
    map.delete(name);
  }
}

/** A key of several parts. */
export const join = (...parts: string[]): string => parts.join("\u0001");

export const serviceOf = ({ namespace, service }: Exchange): string => join(namespace, service);
