/** Exceptions that a policy could have for findings: whoever takes one over has to say why. */
import { Document } from "yaml";
import { loadPolicy } from "./load.ts";

/** Days that a proposed exception lasts. */
const LIFE_DAYS = 90;

/** A finding to be excepted: the rule, and where its value stood. */
export interface Excepted {
  id: string;
  rule: string;
  method: string;
  /** A path template. */
  route: string;
  part: string;
  /** Null where the value has none. */
  name: string | null;
  why: string;
}

const exceptionOf = ({ id, rule, method, route, part, name, why }: Excepted, expires: string): object => ({
  id,
  rules: [rule],
  path: route,
  ...(/^[A-Z][A-Z0-9_-]{0,31}$/.test(method) ? { methods: [method] } : {}),
  part,
  ...(name === null || name === "" ? {} : { name }),
  why,
  expires,
});

/**
 * YAML with an exception for each of `findings` that a policy can have; "" where there is none. A name or path that an attacker
 * made up may be one that no policy can name: what stays is what `policy check` accepts.
 */
export function exceptionsFor(findings: readonly Excepted[], now: Date): string {
  const expires = new Date(now.getTime() + LIFE_DAYS * 86_400_000).toISOString().slice(0, 10);
  const exceptions = findings
    .map((finding) => exceptionOf(finding, expires))
    .filter((entry) => loadPolicy(new Document({ exceptions: [entry] }).toString(), now).policy !== null);
  return exceptions.length === 0 ? "" : new Document({ exceptions }).toString({ lineWidth: 0 });
}
