/**
 * Orders and what belongs to them, for customers' apps and for the office. Each flaw has the same thing done right next to it:
 *
 *   GET /orders/{number}   anybody's order                      GET /invoices/{number}     one's own
 *   POST /kiosk/session    a token signed with a known word     POST /session              with a secret
 *   POST /returns          fails with its stack                 POST /complaints           fails with a sentence
 *   GET /profile           with the password's hash             GET /address               what it is asked for
 *   GET /reports/stock     for everybody                        GET /reports/sales, …      for the office
 *   GET /reservations      SQL in a text                        GET /shelves               bound
 */
import express, { Router } from "express";
import type { Express, Request, RequestHandler, Response } from "express";
import type { Database } from "./database.ts";
import { failing } from "./failing.ts";
import { goodHeaders, text } from "./page.ts";
import { KIOSK_SECRET, emailOf, personBy, personOf, tokenFor } from "./people.ts";
import type { Person } from "./people.ts";

interface Order {
  id: number;
  owner: Person;
  item: string;
}

const ORDERS: readonly Order[] = [
  { id: 48211, owner: "ada", item: "Brass lamp" },
  { id: 48307, owner: "lin", item: "Drop table, oak" },
  { id: 48319, owner: "ada", item: "Union square lamp" },
  { id: 48422, owner: "siobhan", item: "Brass lamp" },
  { id: 48578, owner: "lin", item: "Union square lamp" },
  { id: 48613, owner: "siobhan", item: "Drop table, oak" },
];
/** Each order has one. */
const INVOICES: readonly Order[] = ORDERS.map((order) => ({ ...order, id: order.id + 20_440 }));

const HASHES: Readonly<Record<Person, string>> = {
  ada: "$2b$12$8nKpW0vYqTz3LxRb7dHsUeJc5mGfA1iQo9EwXtV2yNkZr4PhBsC6u",
  lin: "$2b$12$Qm4tZs8LbXw1NcVy6RkJpOuE3gHdF7aTi5WxBn9oSqPz2YvKrMj0e",
  siobhan: "$2b$12$Xr5wBv2NqLk8YtHc0JmZsOgP7eDfU4aRi6KxTn1oCpQz9MvWbEj3y",
  office: "$2b$12$Hd7yKt3RqMw5XbNc9VsLjOeZ1gPfA8uTi0JxCn4oBpSz6QvWrEk2m",
};

const bearer = (request: Request): Person | null =>
  personOf((request.get("authorization") ?? "").replace(/^Bearer /, ""));
const asked = ({ body }: Request): Record<string, unknown> => (body ?? {}) as Record<string, unknown>;
const who = (response: Response): Person => response.locals.person as Person;

/** Lets in who brings a token: anybody's, or the office's. */
const known =
  (wanted: "anybody" | "office"): RequestHandler =>
  (request, response, next) => {
    const person = bearer(request);
    if (person === null)
      return void response.status(401).set("www-authenticate", "Bearer").json({ error: "log in first" });
    if (wanted === "office" && person !== "office")
      return void response.status(403).json({ error: "not for customers" });
    response.locals.person = person;
    next();
  };

const sessions = (): Router => {
  const handOut =
    (secret?: string): RequestHandler =>
    (request, response) => {
      const { email, password } = asked(request);
      const person = personBy(email, password);
      if (person === null) response.status(401).json({ error: "wrong e-mail or password" });
      else response.json({ access_token: tokenFor(person, secret), token_type: "Bearer" });
    };
  return Router().post("/session", handOut()).post("/kiosk/session", handOut(KIOSK_SECRET));
};

const orders = (): Router =>
  Router()
    .get("/orders", known("anybody"), (_request, response) => {
      response.json(ORDERS.filter(({ owner }) => owner === who(response)).map(({ id, item }) => ({ id, item })));
    })
    .get("/orders/:id", known("anybody"), (request, response) => {
      const order = ORDERS.find(({ id }) => String(id) === request.params.id);
      if (order === undefined) response.status(404).json({ error: "no such order" });
      else response.json({ id: order.id, item: order.item, to: emailOf(order.owner) });
    })
    .get("/invoices", known("anybody"), (_request, response) => {
      response.json(INVOICES.filter(({ owner }) => owner === who(response)).map(({ id, item }) => ({ id, item })));
    })
    .get("/invoices/:id", known("anybody"), (request, response) => {
      const invoice = INVOICES.find(({ id, owner }) => String(id) === request.params.id && owner === who(response));
      if (invoice === undefined) response.status(404).json({ error: "no such invoice" });
      else response.json({ id: invoice.id, item: invoice.item, to: emailOf(invoice.owner) });
    });

/** The day by which something is back; throws where the number is none. */
const backBy = (pieces: unknown): string =>
  new Date(Date.UTC(2026, 10, 22 + (pieces as string[]).length)).toISOString();

const afterwards = (): Router =>
  Router()
    .post("/returns", known("anybody"), (request, response) => {
      try {
        response.json({ by: backBy(asked(request).items) });
      } catch (error) {
        response.status(500).json({ error: (error as Error).stack });
      }
    })
    .post("/complaints", known("anybody"), (request, response) => {
      response.json({ by: backBy(asked(request).items) });
    });

const customers = (): Router =>
  Router()
    .get("/profile", known("anybody"), (_request, response) => {
      response.json({ email: emailOf(who(response)), password_hash: HASHES[who(response)] });
    })
    .get("/address", known("anybody"), (_request, response) => {
      response.json({ email: emailOf(who(response)), town: "London" });
    });

const reports = (): Router =>
  Router()
    .get("/reports/sales", known("office"), (_request, response) => void response.json({ lamps: 41, tables: 7 }))
    .get("/reports/returns", known("office"), (_request, response) => void response.json({ lamps: 2, tables: 0 }))
    .get("/reports/stock", (_request, response) => void response.json({ lamps: 110, tables: 23 }));

const stock = (database: Database): Router =>
  Router()
    .get("/reservations", async (request, response) => {
      try {
        const [sum] = await database.run(
          `SELECT coalesce(sum(pieces), 0)::int AS pieces FROM stock WHERE item = '${text(request.query.sku)}'`,
        );
        response.json(sum);
      } catch (error) {
        response.status(500).json({ error: (error as Error).message });
      }
    })
    .get("/shelves", async (request, response) => {
      response.json(await database.query("SELECT store FROM stock WHERE item = $1", [text(request.query.sku)]));
    });

export function ordersService(database: Database): Express {
  return express()
    .disable("x-powered-by")
    .use(goodHeaders, express.json())
    .use(sessions(), orders(), afterwards(), customers(), reports(), stock(database))
    .use(failing);
}
