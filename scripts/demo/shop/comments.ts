/** The visitors' book: safe from SQL, since it passes values and not text, but whatever is written becomes the page. */
import { Router } from "express";
import type { Database } from "./database.ts";

async function page(database: Database, by: string): Promise<string> {
  const written = await database.query(
    "SELECT author, body FROM comments WHERE $1 = '' OR author = $1 ORDER BY id DESC LIMIT 20",
    [by],
  );
  const items = written.map(({ author, body }) => `<li><i>${author}</i>: ${body}</li>`);
  return `<!doctype html><title>Comments</title><h1>Comments ${by}</h1><ul>${items.join("\n")}</ul>\n`;
}

export const comments = (database: Database): Router =>
  Router()
    .get("/comments", async (request, response) => {
      response.type("html").send(await page(database, String(request.query.by ?? "")));
    })
    .post("/comments", async (request, response) => {
      const { author, text } = (request.body ?? {}) as Record<string, unknown>;
      await database.query("INSERT INTO comments (author, body) VALUES ($1, $2)", [String(author), String(text)]);
      response.type("html").send(await page(database, ""));
    });
