/**
 * Flaws of what a service is made of and of whom it calls: components with known flaws, scripts from hijacked domains, and what is new at
 * a service that has been known for long.
 */
import { isIP } from "node:net";
import type { Severity } from "../api.ts";
import { HOUR, type Check, type Flaw } from "../judge.ts";
import type { ServiceInventory, StoredComponent, StoredOperation } from "../inventory.ts";
import { HIJACKED_DOMAINS } from "./library-facts.ts";
import type { Knowledge, Libraries } from "./libraries.ts";

/** For so long all that a service shows is new: nothing is said of that. */
const LEARNED_MILLISECONDS = 24 * HOUR;
/** What is new is told for so long. */
const NEWS_MILLISECONDS = 7 * 24 * HOUR;
/** News of a service at a time: more of it is no news of a deploy, but a way of naming hosts. */
const MOST_NEWS = 10;

const RULES = {
  vulnerable: { rule: "dependency-vulnerable", confidence: 80 },
  hijacked: { rule: "dependency-hijacked", confidence: 80 },
  ended: { rule: "dependency-end-of-life", confidence: 70 },
} as const satisfies Record<Knowledge["what"], { rule: string; confidence: number }>;

/** The check by what is known of libraries. */
export function dependencyFlaws(libraries: Libraries): Check {
  return (inventory, now) => [
    ...inventory.components.flatMap((component) => knownFlaws(component, libraries, now)),
    ...inventory.components.flatMap(hijackedHost),
    ...changedProducts(inventory, now),
    ...newScriptHosts(inventory, now),
    ...newCalls(inventory, now),
  ];
}

/** A flaw of the component, at the endpoint that showed it first. */
const flawAt = (
  { method, route }: Pick<StoredComponent, "method" | "route">,
  rest: Pick<Flaw, "rule" | "stage" | "confidence" | "parameter" | "evidence"> & { severity?: Severity; host?: string },
): Flaw => ({ method, route, part: "component", host: "", ...rest });

/** Products of a host that the service calls are somebody else's. */
const isOwn = ({ host }: StoredComponent): boolean => host === "";

function knownFlaws(component: StoredComponent, libraries: Libraries, now: number): Flaw[] {
  if (!isOwn(component)) return [];
  // A banner or a URL says which version it is; whether that flaw can be reached there, it does not.
  return libraries.knowledgeOf(component, now).map(({ what, severity, text }) =>
    flawAt(component, {
      ...RULES[what],
      stage: "likely",
      severity,
      parameter: `${component.name} ${component.version}`.trim(),
      evidence: text,
    }),
  );
}

function hijackedHost(component: StoredComponent): Flaw[] {
  if (component.kind !== "script-host" || !isOwn(component)) return [];
  const { name } = component;
  const found = HIJACKED_DOMAINS.find(([domains]) =>
    domains.some((domain) => name === domain || name.endsWith(`.${domain}`)),
  );
  if (found === undefined) return [];
  const [, what, source] = found;
  const evidence = `a page loads a script from ${name}: ${what} (${source})`;
  return [
    flawAt(component, { rule: "dependency-hijacked", stage: "confirmed", confidence: 95, parameter: name, evidence }),
  ];
}

const time = (date: Date): number => date.getTime();
const isoDay = (date: Date): string => date.toISOString().slice(0, 10);

/** Of those seen since `from`, what came after all was learned, and not long ago. */
const isNews = (first: Date, from: number, now: number): boolean =>
  time(first) > from + LEARNED_MILLISECONDS && time(first) > now - NEWS_MILLISECONDS;

const earliest = (sightings: readonly { first_seen: Date }[]): number =>
  Math.min(...sightings.map(({ first_seen }) => time(first_seen)));

/** Groups in the order in which their first was seen. */
function bySight<One extends { first_seen: Date }>(
  all: readonly One[],
  keyOf: (one: One) => string,
): [string, One[]][] {
  const groups = new Map<string, One[]>();
  for (const one of [...all].sort((a, b) => time(a.first_seen) - time(b.first_seen))) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return [...groups];
}

/** News, unless there is so much that it is none. */
const few = (flaws: Flaw[]): Flaw[] => (flaws.length > MOST_NEWS ? [] : flaws);

/** A server or framework that shows itself in another version, or for the first time. */
function changedProducts({ components }: ServiceInventory, now: number): Flaw[] {
  const products = components.filter((one) => isOwn(one) && (one.kind === "server" || one.kind === "framework"));
  const from = earliest(products);
  const flaws = bySight(products, ({ kind, name }) => `${kind} ${name}`).flatMap(([, versions]): Flaw[] => {
    const newest = versions.at(-1)!;
    const before = versions.at(-2);
    // Where it told no version before, it may have been the same.
    if (
      !isNews(newest.first_seen, from, now) ||
      (before !== undefined && (before.version === "" || newest.version === ""))
    )
      return [];
    const name = `${newest.name} ${newest.version}`.trim();
    const was = before === undefined ? "" : `, ${before.version} before`;
    return [
      flawAt(newest, {
        rule: "dependency-changed",
        stage: "likely",
        confidence: 70,
        parameter: name,
        evidence: `${name} since ${isoDay(newest.first_seen)}${was}`,
      }),
    ];
  });
  return few(flaws);
}

/** Pages load scripts from a domain from which they loaded none before. */
function newScriptHosts({ components }: ServiceInventory, now: number): Flaw[] {
  const own = components.filter(isOwn);
  const from = earliest(own);
  const hosts = own.filter(({ kind }) => kind === "script-host");
  const flaws = bySight(hosts, ({ name }) => domainOf(name)).flatMap(([, [first]]): Flaw[] => {
    if (!isNews(first!.first_seen, from, now)) return [];
    const evidence = `scripts from ${first!.name} since ${isoDay(first!.first_seen)}`;
    const parameter = first!.name;
    return [
      flawAt(first!, { rule: "dependency-new-script-host", stage: "likely", confidence: 60, parameter, evidence }),
    ];
  });
  return few(flaws);
}

/** Calls to a domain outside that the service did not call before. */
function newCalls({ operations }: ServiceInventory, now: number): Flaw[] {
  const calls = operations.filter(({ direction }) => direction === "outbound");
  const from = earliest(calls);
  const outside = calls.filter(({ host }) => isOutside(host));
  const flaws = bySight(outside, ({ host }) => domainOf(host)).flatMap(
    ([, [first]]: [string, StoredOperation[]]): Flaw[] => {
      if (!isNews(first!.first_seen, from, now)) return [];
      const { host, method, route } = first!;
      const evidence = `calls ${host} since ${isoDay(first!.first_seen)}, first ${method} ${route}`;
      const rest = {
        rule: "dependency-new-outbound",
        stage: "likely",
        confidence: 60,
        parameter: host,
        evidence,
        host,
      } as const;
      return [flawAt(first!, rest)];
    },
  );
  return few(flaws);
}

/** Whether a host is on the internet, as far as its name tells. */
function isOutside(host: string): boolean {
  const name = host.replace(/\.$/, "");
  const bare = name.replace(/^\[|\]$/g, "");
  if (isIP(bare) === 4)
    return !/^(?:0|10|127|169\.254|192\.168|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(
      bare,
    );
  if (isIP(bare) === 6) return !/^(?:::1?$|f[cd]|fe[89ab])/i.test(bare);
  return name.includes(".") && !/\.(?:local|localhost|internal|intranet|lan|svc|corp|home|private|consul)$/.test(name);
}

/** The domain that a host belongs to, as far as its name tells: the last two names, three where they are as short as "co.uk". */
function domainOf(host: string): string {
  if (isIP(host.replace(/^\[|\]$/g, "")) !== 0) return host;
  const names = host.replace(/\.$/, "").split(".");
  const [second = "", last = ""] = names.slice(-2);
  return names.slice(last.length === 2 && second.length <= 3 ? -3 : -2).join(".");
}
