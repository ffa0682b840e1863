/** A minute of ordinary traffic: what customers, the office and a monitor do all day, the same at every run. */
import { setTimeout as delay } from "node:timers/promises";
import { basketCookie } from "./shop/unserialize.ts";
import { CUSTOMERS, emailOf, passwordOf } from "./shop/people.ts";
import type { Step, Visitors } from "./visitor.ts";

/** Texts that people write; some look like more than they are. */
const WORDS = [
  "lamp",
  "a drop table of oak",
  "fish & chips; salt",
  "O'Brien chair",
  "union square lamp, select",
  "1 + 1 lamps",
];
const ITEMS = ["Brass lamp", "Union square lamp, select edition", "Fish & chips; salt"];
const REPORTS = ["sales", "returns", "stock"];
const PLACES = ["Oslo", "Newcastle & Gateshead"];
const MANUAL = "lamp..shade...v2.txt";

const encode = encodeURIComponent;
const json = (body: object): Pick<Step, "headers" | "body"> => ({
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** A customer's way through the shop; `n` counts the rounds, and chooses among texts. */
function round(person: (typeof CUSTOMERS)[number], n: number): Step[] {
  const of = (texts: readonly string[]): string => texts[n % texts.length]!;
  const page = (path: string, headers: Record<string, string> = {}): Step => ({
    to: "edge",
    method: "GET",
    path,
    headers,
  });
  const own = (path: string, headers: Record<string, string> = {}): Step => ({ ...page(path, headers), as: person });
  const ask = (to: Step["to"], path: string): Step => ({
    to,
    method: "GET",
    path,
    ...(to === "orders" ? { as: person } : {}),
  });
  const number = { ada: [48211, 48319], lin: [48307, 48578], siobhan: [48422, 48613] }[person][n % 2]!;
  const login = { email: emailOf(person), password: passwordOf(person) };
  return [
    page("/"),
    page(`/search?q=${encode(of(WORDS))}`),
    page(`/articles?q=${encode(of(WORDS))}`),
    page("/leave?to=/gallery"),
    page("/continue?to=/gallery"),
    page("/gallery"),
    page("/workshop"),
    own("/account"),
    own("/account/orders"),
    own("/account.json", { origin: "https://partner.example" }),
    own("/prices.json", { origin: "https://partner.example" }),
    page("/basket", { cookie: `basket=${encode(basketCookie(of(ITEMS), 1 + (n % 3)))}` }),
    page("/wishes", { cookie: `wishes=${encode("O:lamp:2,a:table:1")}` }),
    page("/picture?from=http://partner.example/pictures/lamp.png"),
    page("/feed?from=partner"),
    page(`/stock?item=${encode(of(ITEMS))}`),
    page(`/stores?item=${encode(of(ITEMS))}`),
    ask("catalogue", `/manuals?file=${MANUAL}`),
    ask("catalogue", `/guides?file=${MANUAL}`),
    ask("catalogue", `/delivery?to=${encode(of(PLACES))}`),
    ask("catalogue", `/pickup?at=${encode(of(PLACES))}`),
    { to: "catalogue", method: "POST", path: "/engravings", ...json({ text: `For ${person}, ${of(WORDS)}` }) },
    { to: "catalogue", method: "POST", path: "/labels", ...json({ text: `For ${person}, ${of(WORDS)}` }) },
    ask("catalogue", "/health"),
    ask("orders", "/orders"),
    ask("orders", `/orders/${number}`),
    ask("orders", "/invoices"),
    ask("orders", `/invoices/${number + 20_440}`),
    ask("orders", "/profile"),
    ask("orders", "/address"),
    { to: "orders", method: "POST", path: "/returns", as: person, ...json({ items: [of(ITEMS)] }) },
    {
      to: "orders",
      method: "POST",
      path: "/complaints",
      as: person,
      ...json({ items: [of(ITEMS)], why: "too small" }),
    },
    { to: "orders", method: "POST", path: "/kiosk/session", ...json(login) },
    { to: "orders", method: "GET", path: `/reports/${REPORTS[(CUSTOMERS.indexOf(person) + n) % 3]}`, as: "office" },
  ];
}

/** Requests in a second; more where a whole round would not fit. */
const RATE = 12;

/**
 * Logs everybody in and sends rounds, at least one of each customer's, until the time is over or `isStopped` says so. Resolves
 * with how many requests were sent.
 */
export async function sendOrdinary(visitors: Visitors, seconds: number, isStopped: () => boolean): Promise<number> {
  const begin = Date.now();
  const people = [...CUSTOMERS, "office"] as const;
  for (const person of people) await visitors.logIn(person);
  // Customers are there at the same time: each does a step in turn.
  const stepsOf = (n: number): Step[] => {
    const rounds = CUSTOMERS.map((person) => round(person, n));
    return rounds[0]!.flatMap((_, at) => rounds.map((steps) => steps[at]!));
  };
  const rate = Math.max(RATE, stepsOf(0).length / seconds);
  let sent = 2 * people.length;
  for (let n = 0; ; n++) {
    for (const step of stepsOf(n)) {
      const due = begin + (sent * 1000) / rate;
      if (due > Date.now()) await delay(due - Date.now());
      if (isStopped() || (n > 0 && Date.now() - begin >= seconds * 1000)) return sent;
      await visitors.send(step, `visit ${++sent}`);
    }
  }
}
