/**
 * Policies that grow in one thing, with requests and what must be found for them: what `meshward bench growth` measures, and what the
 * tests count the steps of.
 */
import type { PolicySource } from "../policy/schema.ts";

/** What `meshward bench growth` lets grow. */
export const GROWTH_PARTS = ["policies", "streams", "workers", "memory"] as const;
export type GrowthPart = (typeof GROWTH_PARTS)[number];

/** What grows in a policy. */
export const GROWTHS = [
  "routes by path",
  "routes by host",
  "routes by template",
  "exceptions by path",
  "exceptions by name",
  "routes and exceptions",
] as const;
export type Growth = (typeof GROWTHS)[number];

/** A request with a finding of `sqli-union-select` in the query parameter `name`. */
export interface GrowthRequest {
  host: string;
  method: string;
  path: string;
  name: string;
  /** The place of the route, and of the exception for the finding; -1 for none. */
  route: number;
  exception: number;
}

export interface GrowthSource {
  policy: PolicySource;
  /** One for the first entry, one for the last, and one for none. */
  requests: GrowthRequest[];
}

/** The policy with `count` entries. */
export function growthSource(growth: Growth, count: number): GrowthSource {
  const list = <T>(make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
  const hasRoutes = growth.startsWith("routes");
  const hasExceptions = growth.includes("exceptions");
  const at = places[growth];
  return {
    policy: {
      // So that what is found shows in what happens: a route refuses where the rest does not, an exception allows where the rest refuses.
      mode: hasExceptions ? "block" : "detect",
      routes: hasRoutes
        ? list((i) => ({ match: at(i).match, ...(hasExceptions ? { sensitivity: "low" } : { mode: "block" }) }))
        : [],
      exceptions: hasExceptions
        ? list((i) => ({
            id: `e${i}`,
            rules: ["sqli-*"],
            part: "query",
            ...at(i).match,
            name: at(i).name,
            why: "search",
          }))
        : [],
    },
    requests: [0, count - 1, count].map((i) => ({
      method: "GET",
      ...at(i).request,
      name: at(i).name,
      route: hasRoutes && i < count ? i : -1,
      exception: hasExceptions && i < count ? i : -1,
    })),
  };
}

interface Place {
  match: { host?: string; path?: string };
  name: string;
  request: { host: string; path: string };
}

const HOST = "shop.example";
const byPath = (i: number): Place => {
  const path = `/shop/v1/resource-${i}/search`;
  return { match: { path }, name: "q", request: { host: HOST, path } };
};
const places: Record<Growth, (index: number) => Place> = {
  "routes by path": byPath,
  "routes by host": (i) => {
    const host = `service-${i}.shop.example`;
    return { match: { host, path: "/**" }, name: "q", request: { host, path: "/v1/search" } };
  },
  "routes by template": (i) => ({
    match: { host: HOST, path: `/api/{tenant}/resource-${i}/{id}/**` },
    name: "q",
    request: { host: HOST, path: `/api/acme/resource-${i}/17/history/2` },
  }),
  "exceptions by path": byPath,
  "exceptions by name": (i) => ({
    match: { path: "/graphql" },
    name: `filter-${i}`,
    request: { host: HOST, path: "/graphql" },
  }),
  "routes and exceptions": (i) => {
    const path = `/team-${i % 20}/v1/resource-${i}`;
    return {
      match: { host: HOST, path: `${path}/**` },
      name: "query",
      request: { host: HOST, path: `${path}/search` },
    };
  },
};

/** Services in forty namespaces, each with a mode, routes and an exception of its own, or with its mode alone. */
export function servicesSource(count: number, has: "all" | "mode"): PolicySource {
  const workloads = Array.from({ length: count }, (_, index) => ({
    match: { namespace: `team-${index % 40}`, service: `service-${index}` },
    mode: index % 3 === 0 ? ("block" as const) : ("detect" as const),
    ...(has === "all" && {
      routes: [
        { match: { path: "/healthz", methods: ["GET"] }, mode: "off" as const },
        { match: { path: "/api/{tenant}/import/**", methods: ["POST"] }, mode: "detect" as const },
      ],
      exceptions: [
        {
          id: `search-${index}`,
          rules: ["sqli-*"],
          path: "/search",
          part: "query" as const,
          name: "q",
          why: "people search",
        },
      ],
    }),
  }));
  return { version: 1, workloads };
}
