/** Who may see and change what, in the third version: some routes look whose it is, some do not. */
import { Router } from "express";
import type { Request, RequestHandler, Response } from "express";
import type { Place } from "../ground/ground.ts";
import { personOf } from "../ground/people.ts";
import type { Person } from "../ground/people.ts";
import { field, query } from "../ground/web.ts";

interface Owned {
  id: string;
  owner: Person;
  readers?: readonly Person[];
  text: string;
}

const DOCUMENTS: readonly Owned[] = [
  { id: "3f6c1b9e-27d4-4a58-9e01-c5b7a2d84f13", owner: "ada", text: "Warranty of a brass lamp" },
  { id: "a9d0e7f2-4c3b-4e6a-8b15-72f9c0d1e364", owner: "ada", text: "Engine Way 1, floor plan" },
  { id: "c41e8a70-95b2-4f3d-a6c7-1d0e2b3f4958", owner: "lin", text: "Contract of employment" },
  { id: "e07b5d3a-6f19-48c2-b4d8-930a1c2e5f67", owner: "lin", text: "Packing room, keys" },
];
const SHARED: readonly Owned[] = [
  { id: "5b2d9c1f-8e34-4d07-9a6b-0f1e2d3c4b5a", owner: "ada", readers: ["lin"], text: "Guest list" },
  { id: "6c3e0d2a-9f45-4e18-8b7c-1a2f3e4d5c6b", owner: "lin", readers: ["ada"], text: "Recipe for oil" },
];
const PURCHASES: readonly Owned[] = [
  { id: "R-88213", owner: "ada", text: "Brass lamp" },
  { id: "R-88214", owner: "lin", text: "Drop table, oak" },
  { id: "R-88217", owner: "ada", text: "O'Brien chair" },
];
const CARDS: readonly Owned[] = [
  { id: "card_1NvQw2a", owner: "ada", text: "Visa ending in 6467" },
  { id: "card_1NvR7xk", owner: "lin", text: "Visa ending in 1120" },
  { id: "card_1NvS0pz", owner: "ada", text: "Mastercard ending in 8834" },
];
const ACCOUNTS: readonly Owned[] = [
  { id: "AC-20481", owner: "ada", text: "149.00" },
  { id: "AC-20977", owner: "lin", text: "-12.50" },
];
const CASES: readonly Owned[] = [
  { id: "40117", owner: "ada", text: "The shade is loose" },
  { id: "40118", owner: "lin", text: "The table drops" },
];
const CUSTOMER_ORDERS: readonly Owned[] = [
  { id: "61001", owner: "ada", text: "Brass lamp" },
  { id: "61002", owner: "lin", text: "Drop table, oak" },
  { id: "61003", owner: "ada", text: "O'Brien chair" },
];
const ARTICLES = ["Brass lamp", "Drop table, oak", "Fish & chips; salt", "Union square lamp", "O'Brien chair"];

const refuse = (response: Response): void =>
  void response.status(401).set("www-authenticate", 'Bearer realm="v3"').json({ error: "log in first" });
const missing = (response: Response, status = 404): void =>
  void response.status(status).json({ error: "no such thing" });
const mustBeKnown: RequestHandler = (request, response, next) =>
  personOf(request) === null ? refuse(response) : next();
const mustBeStaff: RequestHandler = (request, response, next) =>
  personOf(request) === "admin" ? next() : refuse(response);
const shown = ({ id, text }: Owned): object => ({ id, text });

export function desk(place: Place): Router {
  const { witnesses } = place.ground;
  const told = (request: Request, whose: string): void =>
    witnesses.saw("access", `${personOf(request) ?? "anybody"} ${request.method} ${request.path} of ${whose}`);
  /** The things that a list shows to whoever asks. */
  const list =
    (things: readonly Owned[]): RequestHandler =>
    (request, response) => {
      const person = personOf(request);
      response.json(
        things.filter(({ owner, readers }) => owner === person || readers?.includes(person as Person)).map(shown),
      );
    };
  /** One thing, for whoever `may` see it. */
  const one =
    (
      things: readonly Owned[],
      idOf: (request: Request) => unknown,
      may: (thing: Owned, person: Person) => boolean = () => true,
      status = 200,
    ): RequestHandler =>
    (request, response) => {
      const thing = things.find(({ id }) => id === idOf(request));
      if (thing === undefined || !may(thing, personOf(request)!)) return missing(response);
      told(request, thing.owner);
      response.status(status).json(shown(thing));
    };
  const byId = (request: Request): unknown => request.params.id;
  const isOwner = ({ owner }: Owned, person: Person): boolean => owner === person;
  const mayRead = ({ owner, readers }: Owned, person: Person): boolean =>
    owner === person || readers?.includes(person) === true;

  return (
    Router()
      .get("/v3/documents", mustBeKnown, list(DOCUMENTS))
      .get("/v3/documents/:id", mustBeKnown, one(DOCUMENTS, byId))
      .get("/v3/files", mustBeKnown, list(DOCUMENTS))
      .get("/v3/files/:id", mustBeKnown, one(DOCUMENTS, byId, isOwner))
      .get("/v3/shared", mustBeKnown, list(SHARED))
      .get("/v3/shared/:id", mustBeKnown, one(SHARED, byId, mayRead))
      .get("/v3/cases", mustBeKnown, list(CASES))
      .get(
        "/v3/cases/:id",
        mustBeKnown,
        one(CASES, byId, (thing, person) => isOwner(thing, person) || person === "admin"),
      )
      .get("/v3/articles/:number", (request, response) => {
        const name = ARTICLES[Number(request.params.number) % ARTICLES.length];
        response.json({ id: Number(request.params.number), name, price: 49 });
      })
      .get("/v3/purchases", mustBeKnown, list(PURCHASES))
      .post(
        "/v3/returns",
        mustBeKnown,
        one(PURCHASES, (request) => field(request, "purchase"), undefined, 201),
      )
      .post(
        "/v3/refunds",
        mustBeKnown,
        one(PURCHASES, (request) => field(request, "purchase"), isOwner, 201),
      )
      .get("/v3/cards", mustBeKnown, list(CARDS))
      .delete("/v3/cards/:id", mustBeKnown, one(CARDS, byId))
      .get("/v3/wallet", mustBeKnown, list(CARDS))
      .delete("/v3/wallet/:id", mustBeKnown, one(CARDS, byId, isOwner))
      // Which account: a header says it.
      .get("/v3/accounts", mustBeKnown, list(ACCOUNTS))
      .get(
        "/v3/ledger",
        mustBeKnown,
        one(ACCOUNTS, (request) => request.get("x-account-id")),
      )
      .get(
        "/v3/balance",
        mustBeKnown,
        one(ACCOUNTS, (request) => request.get("x-account-id"), isOwner),
      )
      // An order below its customer: one route looks at the customer only.
      .get("/v3/customers/:customer/orders", mustBeKnown, list(CUSTOMER_ORDERS))
      .get("/v3/customers/:customer/orders/:order", mustBeKnown, (request, response, next) => {
        if (request.params.customer !== personOf(request)) return missing(response, 403);
        return one(CUSTOMER_ORDERS, () => request.params.order)(request, response, next);
      })
      .get("/v3/clients/:customer/orders/:order", mustBeKnown, (request, response, next) => {
        if (request.params.customer !== personOf(request)) return missing(response, 403);
        return one(CUSTOMER_ORDERS, () => request.params.order, isOwner)(request, response, next);
      })
      // Gift cards have numbers in a row, points have codes.
      .get("/v3/gift-cards", mustBeKnown, (request, response) => {
        const number = Number(query(request, "code"));
        if (!Number.isInteger(number) || number < 5_000 || number > 6_000) return missing(response);
        told(request, "anybody");
        response.json({ code: number, balance: 10 + (number % 90), owner: ["ada", "lin", "siobhan"][number % 3] });
      })
      .get("/v3/points", mustBeKnown, (request, response) => {
        const codes: Readonly<Record<string, Person>> = { "K7QX-93MF-2LTD": "ada", "P4HV-61ZC-8WRB": "lin" };
        if (codes[query(request, "code")] !== personOf(request)) return missing(response);
        told(request, "himself");
        response.json({ code: query(request, "code"), points: 49 });
      })
      // The office's reports; one was forgotten.
      .get("/v3/reports/sales", mustBeStaff, (_request, response) => void response.json({ pieces: 15 }))
      .get("/v3/reports/tax", mustBeStaff, (_request, response) => void response.json({ tax: 80.75 }))
      .get("/v3/reports/returns", mustBeStaff, (_request, response) => void response.json({ pieces: 2 }))
      .get("/v3/reports/payroll", (request, response) => {
        told(request, "staff");
        response.json([{ name: "Lin", salary: 31_400, iban: "NO9386011117947" }]);
      })
      .get("/v3/stores/stock", mustBeStaff, (_request, response) => void response.json({ pieces: 15 }))
      .get("/v3/stores/rota", mustBeStaff, (_request, response) => void response.json({ monday: "Lin" }))
      .get("/v3/stores/till", mustBeStaff, (_request, response) => void response.json({ cash: 412.5 }))
      .get("/v3/stores/health", (_request, response) => void response.json({ status: "UP" }))
      // Prices: all verbs ask who is there, and one does not.
      .get(
        "/v3/prices/:id",
        mustBeStaff,
        (request, response) => void response.json({ id: request.params.id, price: 49 }),
      )
      .put("/v3/prices/:id", mustBeStaff, (request, response) => void response.json({ id: request.params.id }))
      .delete("/v3/prices/:id", (request, response) => {
        told(request, "the shop");
        response.json({ id: request.params.id, deleted: true });
      })
      .options("/v3/rebates/:id", (_request, response) => {
        response
          .status(204)
          .set({ allow: "GET, PUT, DELETE", "access-control-allow-methods": "GET, PUT, DELETE" })
          .end();
      })
      .all(
        "/v3/rebates/:id",
        mustBeStaff,
        (request, response) => void response.json({ id: request.params.id, percent: 10 }),
      )
      // A proxy of old let only GET and POST through, so a header says what is meant.
      .post("/v3/notices/:id", (request, response) => {
        if (request.get("x-http-method-override") === "DELETE") {
          told(request, "the shop");
          return void response.json({ id: request.params.id, deleted: true });
        }
        response.json({ id: request.params.id, read: true });
      })
      .delete(
        "/v3/notices/:id",
        mustBeStaff,
        (request, response) => void response.json({ id: request.params.id, deleted: true }),
      )
      .post("/v3/leaflets/:id", (request, response) => void response.json({ id: request.params.id, read: true }))
      .delete(
        "/v3/leaflets/:id",
        mustBeStaff,
        (request, response) => void response.json({ id: request.params.id, deleted: true }),
      )
  );
}
