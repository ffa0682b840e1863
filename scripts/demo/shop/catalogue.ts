/**
 * What the shop sells, for the edge and for apps. Each flaw has the same thing done right next to it:
 *
 *   GET /manuals?file=     joins the name to the folder         GET /guides?file=      has a list of names
 *   GET /delivery?to=      asks a shell                         GET /pickup?at=        looks it up
 *   POST /engravings       runs the text as a template          POST /labels           takes it for text
 *   GET /diagnostics       tells the database's password        GET /health            tells that it is there
 *   GET /availability      hands the words on; orders' flaw     GET /stores            hands them on to where they are bound
 */
import { posix } from "node:path";
import express, { Router } from "express";
import type { Express, RequestHandler } from "express";
import type { Call } from "../fence/calls.ts";
import type { Fence } from "../fence/fence.ts";
import { render } from "../fence/template.ts";
import type { Database } from "./database.ts";
import { goodHeaders, text } from "./page.ts";
import { failing } from "./failing.ts";

const MANUALS = "/shop/public/manuals";
const GUIDES: ReadonlySet<string> = new Set(["lamp..shade...v2.txt"]);
const COUNTERS: Readonly<Record<string, string>> = { Oslo: "Harbour 4", "Newcastle & Gateshead": "Quay 9" };

const products = (database: Database): Router =>
  Router().get("/products", async (request, response) => {
    const found = await database.query(
      "SELECT name, price::float AS price FROM products WHERE name ILIKE '%' || $1 || '%' ORDER BY name",
      [text(request.query.name)],
    );
    response.json(found);
  });

const files = (fence: Fence): Router =>
  Router()
    .get("/manuals", async (request, response) => {
      response.type("text").send(await fence.readFile(posix.join(MANUALS, text(request.query.file))));
    })
    .get("/guides", async (request, response) => {
      const file = text(request.query.file);
      if (!GUIDES.has(file)) return void response.status(404).json({ error: "no such guide" });
      response.type("text").send(await fence.readFile(posix.join(MANUALS, file)));
    });

const places = (fence: Fence): Router =>
  Router()
    .get("/delivery", async (request, response) => {
      response.type("text").send(await fence.shell(`grep -h -i "${text(request.query.to)}" zones.txt`));
    })
    .get("/pickup", (request, response) => {
      response.json({ counter: COUNTERS[text(request.query.at)] ?? null });
    });

const engraving = (): Router =>
  Router()
    .post("/engravings", (request, response) => {
      const { text: wanted } = (request.body ?? {}) as { text?: unknown };
      response.json({ preview: render(String(wanted)) });
    })
    .post("/labels", (request, response) => {
      const { text: wanted } = (request.body ?? {}) as { text?: unknown };
      response.json({ preview: String(wanted) });
    });

const state = (): Router =>
  Router()
    .get("/diagnostics", (_request, response) => {
      response.json({ database: "postgres://catalogue:Nw7vQ2kTz9Lp4@stock.shop.example:5432/shop", since: "08:15" });
    })
    .get("/health", (_request, response) => {
      response.json({ database: "reached", since: "08:15" });
    });

const stock = (call: Call): Router => {
  const ask =
    (path: string): RequestHandler =>
    async (request, response) => {
      const url = `http://orders/${path}?sku=${encodeURIComponent(text(request.query.item))}`;
      const { status, text: found } = await call(url, request);
      if (status === 200) response.type("json").send(found);
      else response.status(502).json({ error: "try again later" });
    };
  return Router().get("/availability", ask("reservations")).get("/stores", ask("shelves"));
};

export function catalogueService(database: Database, fence: Fence, call: Call): Express {
  return express()
    .disable("x-powered-by")
    .use(goodHeaders, express.json())
    .use(products(database), files(fence), places(fence), engraving(), state(), stock(call))
    .use(failing);
}
