/** What a visitor carries along: the basket's number in a cookie, the nearest store in a header. */
import { Router } from "express";
import type { Database } from "./database.ts";

function cookie(header: string | undefined, name: string): string {
  const pair = (header ?? "").split(/; */).find((text) => text.startsWith(`${name}=`));
  return decodeURIComponent(pair?.slice(name.length + 1) ?? "");
}

export const visits = (database: Database): Router =>
  Router()
    .get("/basket", async (request, response) => {
      const id = cookie(request.get("cookie"), "basket");
      response.json(await database.run(`SELECT owner, item FROM baskets WHERE id = '${id}'`));
    })
    .get("/stock", async (request, response) => {
      const store = request.get("x-store") ?? "";
      response.json(await database.run(`SELECT item, pieces::text AS pieces FROM stock WHERE store = '${store}'`));
    });
