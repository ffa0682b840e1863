/** Products out of the database: some statements take values, some are put together from text. */
import { Router } from "express";
import type { Response } from "express";
import { StatementError } from "../ground/database.ts";
import type { Product } from "../ground/database.ts";
import type { Place } from "../ground/ground.ts";
import { escapeHtml, field, query } from "../ground/web.ts";

/** As a handler in haste does: whatever the database said goes to the client. */
export function tellStatement(response: Response, error: unknown): void {
  if (!(error instanceof StatementError)) throw error;
  response.status(500).json({ error: error.message, code: error.code });
}

const SORTS = ["name", "price", "category"];

/** Documents of the price store, which takes a query object as document databases do. */
const OFFERS = [
  { sku: "LAMP-1", code: "AUTUMN", pieces: 12 },
  { sku: "TABLE-2", code: "STAFF-ONLY-40", pieces: 3 },
  { sku: "CHAIR-5", code: "FRIENDS", pieces: 7 },
];

class QueryError extends Error {}

/** Whether a document's member meets a condition: a value, or an object of `$` operators. */
function meets(value: unknown, condition: unknown): boolean {
  if (typeof condition !== "object" || condition === null) return value === condition;
  return Object.entries(condition).every(([operator, operand]) => {
    if (operator === "$ne") return value !== operand;
    if (operator === "$gt") return String(value) > String(operand);
    if (operator === "$in") return Array.isArray(operand) && operand.includes(value);
    throw new QueryError(`MongoServerError: unknown operator: ${operator}`);
  });
}

export function products(place: Place): Router {
  const { database } = place.ground;
  const asked = async (response: Response, sql: string, product?: Product): Promise<void> => {
    try {
      response.json(await database.query(sql, [], product));
    } catch (error) {
      tellStatement(response, error);
    }
  };

  return (
    Router()
      .get("/products/named", async (request, response) => {
        const name = query(request, "name");
        response.json(
          await database.query(
            "SELECT id, name, price::text AS price FROM products WHERE name ILIKE '%' || $1 || '%' ORDER BY id",
            [name],
          ),
        );
      })
      .get("/products/search", (request, response) =>
        asked(
          response,
          `SELECT name, price::text AS price FROM products WHERE name ILIKE '%${query(request, "q")}%' ORDER BY id`,
        ),
      )
      .get("/products/sorted", (request, response) =>
        asked(
          response,
          `SELECT name, price::text AS price FROM products ORDER BY ${query(request, "by") || "name"} LIMIT 10`,
        ),
      )
      .get("/products/ordered", async (request, response) => {
        const by = query(request, "by");
        if (!SORTS.includes(by))
          return void response.status(400).json({ error: `cannot sort by "${by}"`, known: SORTS });
        response.json(await database.query(`SELECT name, price::text AS price FROM products ORDER BY ${by} LIMIT 10`));
      })
      .get("/item/:id", async (request, response) => {
        const id = Number(request.params.id);
        const [item] = Number.isInteger(id)
          ? await database.query("SELECT name, price::text AS price FROM products WHERE id = $1", [id])
          : [];
        if (item === undefined) response.status(404).json({ error: "no such item" });
        else response.json(item);
      })
      // The shop that we bought ran on other databases; its code still speaks their words.
      .get("/classic/items", async (request, response) => {
        try {
          const rows = await database.query(
            `SELECT name FROM products WHERE category = '${query(request, "cat")}'`,
            [],
            "mysql",
          );
          response
            .type("html")
            .send(`<ul>${rows.map(({ name }) => `<li>${escapeHtml(String(name))}</li>`).join("")}</ul>`);
        } catch (error) {
          response
            .status(200)
            .type("html")
            .send(`<p>Error: ${escapeHtml((error as Error).message, "<>&")}</p>`);
        }
      })
      .get("/mobile/items", async (request, response) => {
        try {
          response.json(
            await database.query(
              `SELECT id, name FROM products WHERE id > ${query(request, "since")} ORDER BY id`,
              [],
              "sqlite",
            ),
          );
        } catch (error) {
          response.status(500).json({ name: "SequelizeDatabaseError", message: (error as Error).message });
        }
      })
      .get("/mobile/items/new", async (request, response) => {
        const since = query(request, "since");
        if (!/^\d{1,9}$/.test(since)) return void response.status(400).json({ error: "since: a number is expected" });
        response.json(await database.query("SELECT id, name FROM products WHERE id > $1 ORDER BY id", [Number(since)]));
      })
      .post("/offers/check", (request, response) => {
        const code = field(request, "code");
        try {
          response.json({ offers: OFFERS.filter((offer) => meets(offer.code, code)) });
        } catch (error) {
          response.status(500).json({ error: (error as Error).message });
        }
      })
      .post("/offers/redeem", (request, response) => {
        const code = field(request, "code");
        if (typeof code !== "string") return void response.status(400).json({ error: "code: a text is expected" });
        response.json({ offers: OFFERS.filter((offer) => offer.code === code) });
      })
      // Reviews as they were written; who shows them must encode them.
      .post("/products/:id/entries", async (request, response) => {
        const [kind, body] = [String(field(request, "kind")), String(field(request, "body"))];
        await database.query("INSERT INTO reviews (product, kind, body) VALUES ($1, $2, $3)", [
          Number(request.params.id),
          kind,
          body,
        ]);
        response.status(201).json({ stored: true });
      })
      .get("/products/:id/entries", async (request, response) => {
        const rows = await database.query(
          "SELECT body FROM reviews WHERE product = $1 AND kind = $2 ORDER BY id DESC LIMIT 20",
          [Number(request.params.id), query(request, "kind")],
        );
        response.json(rows);
      })
  );
}
