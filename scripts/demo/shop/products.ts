/** The product search: the text goes into the statement as it is. */
import { Router } from "express";
import type { Database } from "./database.ts";

/** An old app sends it encoded twice. */
function decodeAgain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const products = (database: Database): Router =>
  Router().get("/products", async (request, response) => {
    const name = decodeAgain(String(request.query.q ?? ""));
    const found = await database.run(
      `SELECT name, price::text AS price FROM products WHERE name ILIKE '%${name}%' ORDER BY name`,
    );
    response.json(found);
  });
