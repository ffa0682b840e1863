/**
 * What is planted in the shop, and the tour that shows it: for each flaw the requests of somebody who tries, the same ones for the
 * look-alike next to it.
 */
import type { Step, Service } from "./visitor.ts";

/** `edge GET /search`. */
export type Place = `${Service} ${"GET" | "POST"} /${string}`;

export interface Planted {
  /** At most 20 characters. */
  what: string;
  at: Place;
  /** Rules that tell it, by their ids or how these begin, the one that says it best first. */
  rules: readonly string[];
  /** What it must come to. */
  stage: "likely" | "confirmed";
  /** Where the value came in, if that is another service: the flaw shows between services only. */
  from?: Place;
  /** Shows itself by ordinary traffic where this is empty. */
  tour: readonly Step[];
  lookAlike: { at: Place; tour: readonly Step[] };
}

const encode = encodeURIComponent;
const get = (to: Service, path: string, more: Partial<Step> = {}): Step => ({ to, method: "GET", path, ...more });
const json = (to: Service, path: string, body: object, more: Partial<Step> = {}): Step => ({
  ...{ to, method: "POST", path, headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
  ...more,
});

const SCRIPT = encode("<script>alert(document.cookie)</script>");
const AWAY = encode("https://evil.example/login");
const EVIL = { headers: { origin: "https://evil.example" }, as: "ada" } as const;
const STAFF = `O:5:"Staff":1:{s:5:"price";i:0;}`;
const METADATA = encode("http://169.254.169.254/latest/meta-data/");
const QUOTE = encode("lamp' UNION SELECT");
const CLIMB = encode("../../../etc/passwd");
const COMMAND = encode('Oslo"; id; echo "');
const SUM = "For {{191*7}} lamps and {{7*8731}} tables";

export const PLANTED: readonly Planted[] = [
  {
    what: "words become script",
    at: "edge GET /search",
    rules: ["xss-"],
    stage: "confirmed",
    tour: [get("edge", `/search?q=${SCRIPT}`)],
    lookAlike: { at: "edge GET /articles", tour: [get("edge", `/articles?q=${SCRIPT}`)] },
  },
  {
    what: "leads to any site",
    at: "edge GET /leave",
    rules: ["redirect-open", "redirect-"],
    stage: "confirmed",
    tour: [get("edge", `/leave?to=${AWAY}`)],
    lookAlike: { at: "edge GET /continue", tour: [get("edge", `/continue?to=${AWAY}`)] },
  },
  {
    what: "login cookie exposed",
    at: "edge POST /login",
    rules: ["cookie-httponly"],
    stage: "confirmed",
    tour: [],
    lookAlike: { at: "edge POST /office/login", tour: [] },
  },
  {
    what: "any site may read it",
    at: "edge GET /account.json",
    rules: ["header-cors-reflected"],
    stage: "confirmed",
    tour: [get("edge", "/account.json", EVIL)],
    lookAlike: { at: "edge GET /prices.json", tour: [get("edge", "/prices.json", EVIL)] },
  },
  {
    what: "own page for all",
    at: "edge GET /account",
    rules: ["header-cache-public"],
    stage: "likely",
    tour: [],
    lookAlike: { at: "edge GET /account/orders", tour: [] },
  },
  {
    what: "jQuery of 2012",
    at: "edge GET /gallery",
    rules: ["dependency-vulnerable", "dependency-end-of-life"],
    stage: "likely",
    tour: [],
    lookAlike: { at: "edge GET /workshop", tour: [] },
  },
  {
    what: "object in a cookie",
    at: "edge GET /basket",
    rules: ["deser-"],
    stage: "likely",
    tour: [get("edge", "/basket", { headers: { cookie: `basket=${encode(STAFF)}` } })],
    lookAlike: {
      at: "edge GET /wishes",
      tour: [get("edge", "/wishes", { headers: { cookie: `wishes=${encode(STAFF)}` } })],
    },
  },
  {
    what: "asks whom one says",
    at: "edge GET /picture",
    rules: ["ssrf-outbound", "ssrf-"],
    stage: "confirmed",
    tour: [get("edge", `/picture?from=${METADATA}`)],
    lookAlike: { at: "edge GET /feed", tour: [get("edge", `/feed?from=${METADATA}`)] },
  },
  {
    what: "path climbs",
    at: "catalogue GET /manuals",
    rules: ["traversal-"],
    stage: "confirmed",
    tour: [get("catalogue", `/manuals?file=${CLIMB}`)],
    lookAlike: { at: "catalogue GET /guides", tour: [get("catalogue", `/guides?file=${CLIMB}`)] },
  },
  {
    what: "place is a command",
    at: "catalogue GET /delivery",
    rules: ["cmdi-"],
    stage: "confirmed",
    tour: [get("catalogue", `/delivery?to=${COMMAND}`)],
    lookAlike: { at: "catalogue GET /pickup", tour: [get("catalogue", `/pickup?at=${COMMAND}`)] },
  },
  {
    what: "text is a template",
    at: "catalogue POST /engravings",
    rules: ["ssti-"],
    stage: "confirmed",
    tour: [json("catalogue", "/engravings", { text: SUM })],
    lookAlike: { at: "catalogue POST /labels", tour: [json("catalogue", "/labels", { text: SUM })] },
  },
  {
    what: "database's password",
    at: "catalogue GET /diagnostics",
    rules: ["leak-connection-string", "leak-"],
    stage: "confirmed",
    tour: [get("catalogue", "/diagnostics")],
    lookAlike: { at: "catalogue GET /health", tour: [get("catalogue", "/health")] },
  },
  {
    what: "SQL, two calls away",
    at: "orders GET /reservations",
    from: "edge GET /stock",
    rules: ["sqli-error", "sqli-", "leak-database-error"],
    stage: "likely",
    tour: [get("edge", `/stock?item=${QUOTE}`)],
    lookAlike: { at: "orders GET /shelves", tour: [get("edge", `/stores?item=${QUOTE}`)] },
  },
  {
    what: "order of another one",
    at: "orders GET /orders/{number}",
    rules: ["auth-bola"],
    stage: "likely",
    tour: [get("orders", "/orders/48211", { as: "lin" }), get("orders", "/orders/48422", { as: "lin" })],
    lookAlike: {
      at: "orders GET /invoices/{number}",
      tour: [get("orders", "/invoices/68651", { as: "lin" }), get("orders", "/invoices/68862", { as: "lin" })],
    },
  },
  {
    what: "token signed secret",
    at: "orders POST /kiosk/session",
    rules: ["auth-weak-secret"],
    stage: "confirmed",
    tour: [],
    lookAlike: { at: "orders POST /session", tour: [] },
  },
  {
    what: "stack of an error",
    at: "orders POST /returns",
    rules: ["leak-stack-trace", "leak-"],
    stage: "confirmed",
    tour: [json("orders", "/returns", { items: null }, { as: "lin" })],
    lookAlike: {
      at: "orders POST /complaints",
      tour: [json("orders", "/complaints", { items: null }, { as: "lin" })],
    },
  },
  {
    what: "hash of a password",
    at: "orders GET /profile",
    rules: ["leak-password-hash", "leak-"],
    stage: "confirmed",
    tour: [],
    lookAlike: { at: "orders GET /address", tour: [] },
  },
  {
    what: "report for everybody",
    at: "orders GET /reports/stock",
    rules: ["auth-missing-authentication"],
    stage: "likely",
    tour: [get("orders", "/reports/stock")],
    lookAlike: {
      at: "orders GET /reports/sales",
      tour: [get("orders", "/reports/sales"), get("orders", "/reports/returns")],
    },
  },
];

/** The tour, in order, each step with a name of its own. */
export const TOUR: readonly { name: string; step: Step }[] = PLANTED.flatMap(({ at, tour, lookAlike }) => [
  ...tour.map((step, index) => ({ name: `tour ${at} ${index}`, step })),
  ...lookAlike.tour.map((step, index) => ({ name: `tour ${lookAlike.at} ${index}`, step })),
]);
