/** The fifth version of the orders' API: rates, accounts with their statements, and one place for all questions. */
import { Router } from "express";
import type { Request, RequestHandler } from "express";
import type { Place } from "../ground/ground.ts";
import { personOf } from "../ground/people.ts";
import type { Person } from "../ground/people.ts";
import { field } from "../ground/web.ts";

const ACCOUNTS: Readonly<Record<string, Person>> = { "730114": "ada", "730129": "lin" };
const DEPOSITS: Readonly<Record<string, Person>> = { "840211": "ada", "840236": "lin" };

const mustBeKnown: RequestHandler = (request, response, next) => {
  if (personOf(request) !== null) return next();
  response.status(401).set("www-authenticate", 'Bearer realm="v5"').json({ error: "log in first" });
};

export function annex(place: Place): Router {
  const { witnesses } = place.ground;
  const told = (request: Request): void =>
    witnesses.saw("access", `${personOf(request) ?? "anybody"} ${request.method} ${request.path}`);
  const own = (all: Readonly<Record<string, Person>>, request: Request): object[] =>
    Object.keys(all)
      .filter((id) => all[id] === personOf(request))
      .map((id) => ({ id, currency: "EUR" }));

  return (
    Router()
      .get("/v5/rates/:day", mustBeKnown, (_request, response) => void response.json({ eur: 1, nok: 11.7 }))
      .put("/v5/rates/:day", (request, response) => {
        told(request);
        response.json({ eur: 1, nok: field(request, "nok") });
      })
      .get("/v5/fees/:day", mustBeKnown, (_request, response) => void response.json({ card: 0.3 }))
      .put("/v5/fees/:day", mustBeKnown, (request, response) => void response.json({ card: field(request, "card") }))
      .get("/v5/accounts", mustBeKnown, (request, response) => void response.json(own(ACCOUNTS, request)))
      .post("/v5/statements", mustBeKnown, (request, response) => {
        const id = String(field(request, "account_id"));
        if (ACCOUNTS[id] === undefined) return void response.status(404).json({ error: "no such account" });
        witnesses.saw("access", `${personOf(request)} POST statement of ${ACCOUNTS[id]}`);
        response.json({ balance: "149.00", lines: 12 });
      })
      .get("/v5/deposits", mustBeKnown, (request, response) => void response.json(own(DEPOSITS, request)))
      .post("/v5/receipts", mustBeKnown, (request, response) => {
        const id = String(field(request, "deposit_id"));
        if (DEPOSITS[id] !== personOf(request)) return void response.status(404).json({ error: "no such deposit" });
        response.json({ balance: "20.00", lines: 2 });
      })
      // Failures of either are told with 200, as servers of GraphQL do; one tells where.
      .post("/v5/graphql", (request, response) => {
        const asked = String(field(request, "query"));
        if (asked.includes("orders")) return void response.json({ data: { orders: [{ item: "Brass lamp" }] } });
        const stacktrace = [
          "TypeError: Cannot read properties of undefined (reading 'total')",
          "    at resolveTotal (/srv/orders/src/schema/total.js:41:23)",
          "    at executeField (/srv/orders/node_modules/graphql/execution/execute.js:500:20)",
        ];
        response.json({
          errors: [
            {
              message: "Cannot read properties of undefined",
              extensions: { code: "INTERNAL_SERVER_ERROR", stacktrace },
            },
          ],
        });
      })
      .post("/v5/query", (request, response) => {
        const asked = String(field(request, "query"));
        if (asked.includes("orders")) return void response.json({ data: { orders: [{ item: "Brass lamp" }] } });
        response.json({ errors: [{ message: "Something went wrong", extensions: { code: "INTERNAL_SERVER_ERROR" } }] });
      })
  );
}
