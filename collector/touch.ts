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

/** Takes the oldest away; these. */
export function trim<Value>(map: Map<string, Value>, most: number): Value[] {
  const gone: Value[] = [];
  for (const [name, value] of map) {
    if (map.size <= most) break;
    map.delete(name);
    gone.push(value);
  }
  return gone;
}

/** A key of several parts. */
export const join = (...parts: string[]): string => parts.join("\u0001");

export const serviceOf = ({ namespace, service }: Exchange): string => join(namespace, service);
