/**
 * Which view is shown, as the part of the address behind `#`: it never reaches the server, and what was pasted into it is only ever
 * compared or sent as a query's value.
 */
import type { Severity, Stage, State } from "../api.ts";

export const VIEWS = ["overview", "findings", "requests", "services", "endpoints", "audit"] as const;
export type View = (typeof VIEWS)[number];

export interface Filter {
  stage: Stage[];
  severity: Severity[];
  state: State[];
  service: string;
  namespace: string;
  class: string;
  text: string;
  sort: "rank" | "recent";
}

/** Seconds that the list of endpoints can look back on for what is new. */
export const SINCE = { "1h": 3_600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000 } as const;
export type Since = "" | keyof typeof SINCE;

/** Which endpoints are shown; "" for all. */
export interface Sought {
  service: string;
  namespace: string;
  text: string;
  since: Since;
  direction: "" | "inbound" | "outbound";
}
export const NOTHING_SOUGHT: Sought = { service: "", namespace: "", text: "", since: "", direction: "" };

export interface Route {
  view: View;
  /** What is shown of the view: a finding's fingerprint, or a request's id. */
  id: string | null;
  filter: Filter;
  sought: Sought;
}

export const STAGES = ["confirmed", "likely", "attempted"] as const satisfies readonly Stage[];
export const SEVERITIES = ["critical", "high", "medium", "low", "info"] as const satisfies readonly Severity[];
export const STATES = ["open", "accepted", "false-positive", "muted"] as const satisfies readonly State[];

export const NO_FILTER: Filter = {
  stage: [],
  severity: [],
  state: ["open"],
  service: "",
  namespace: "",
  class: "",
  text: "",
  sort: "rank",
};

const listOf = <Value extends string>(text: string | null, known: readonly Value[]): Value[] =>
  known.filter((value) => text?.split(",").includes(value));

/** Reads `#/findings/FINGERPRINT?stage=confirmed`; whatever cannot be read is the overview. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [name = "", id = ""] = path.split("/", 2);
  const view = VIEWS.find((one) => one === name) ?? "overview";
  const said = new URLSearchParams(query);
  let readable: string | null = null;
  try {
    readable = id === "" ? null : decodeURIComponent(id);
  } catch {
    // Cut in the middle of a character: there is no such thing to show.
  }
  return {
    view,
    id: readable,
    filter: {
      stage: listOf(said.get("stage"), STAGES),
      severity: listOf(said.get("severity"), SEVERITIES),
      state: said.get("state") === "all" ? [] : said.has("state") ? listOf(said.get("state"), STATES) : NO_FILTER.state,
      service: said.get("service") ?? "",
      namespace: said.get("namespace") ?? "",
      class: said.get("class") ?? "",
      text: said.get("text") ?? "",
      sort: said.get("sort") === "recent" ? "recent" : "rank",
    },
    sought: {
      service: said.get("service") ?? "",
      namespace: said.get("namespace") ?? "",
      text: said.get("text") ?? "",
      since: (Object.keys(SINCE) as Since[]).find((one) => one === said.get("since")) ?? "",
      direction: (["inbound", "outbound"] as const).find((one) => one === said.get("direction")) ?? "",
    },
  };
}

/** The query of a filter; what is as by default is left out. */
function queryOf({ stage, severity, state, service, namespace, class: family, text, sort }: Filter): string {
  const said = new URLSearchParams();
  if (stage.length > 0) said.set("stage", stage.join(","));
  if (severity.length > 0) said.set("severity", severity.join(","));
  if (state.length === 0) said.set("state", "all");
  else if (state.join(",") !== NO_FILTER.state.join(",")) said.set("state", state.join(","));
  for (const [name, value] of Object.entries({ service, namespace, class: family, text })) {
    if (value !== "") said.set(name, value);
  }
  if (sort !== "rank") said.set("sort", sort);
  return said.size === 0 ? "" : `?${said.toString()}`;
}

export function hrefOf(view: View, id: string | null = null, filter: Filter = NO_FILTER): string {
  return `#/${view}${id === null ? "" : `/${encodeURIComponent(id)}`}${view === "findings" ? queryOf(filter) : ""}`;
}

export function endpointsHref(sought: Sought): string {
  const said = new URLSearchParams(Object.entries(sought).filter(([, value]) => value !== ""));
  return `#/endpoints${said.size === 0 ? "" : `?${said.toString()}`}`;
}

export function go(href: string): void {
  location.hash = href;
}

/** The same, without a step in the history: for what is typed. */
export function replace(href: string): void {
  history.replaceState(null, "", href);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
