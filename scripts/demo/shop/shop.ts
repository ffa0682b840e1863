/**
 * A shop as nobody should write one: an ordinary Express application with an injection in nearly every page. The
 * pages are the example of an unprotected service; what keeps them from harm stands elsewhere (`fence/`, `guard.ts`).
 *
 *   /products?q=      SQL in a text           /delivery?to=     a shell command
 *   /orders/:id       SQL in a number         /download?file=   a path
 *   /login            SQL in a form or JSON   /manuals/:name    a path, decoded once more
 *   /basket, /stock   SQL in cookie, header   /comments         HTML
 */
import express from "express";
import type { ErrorRequestHandler, Express } from "express";
import type { Fence } from "../fence/fence.ts";
import { comments } from "./comments.ts";
import type { Database } from "./database.ts";
import { delivery } from "./delivery.ts";
import { downloads } from "./downloads.ts";
import { login } from "./login.ts";
import { orders } from "./orders.ts";
import { products } from "./products.ts";
import { visits } from "./visits.ts";

/** As unprotected services do: the error goes to whoever caused it. */
const tellAll: ErrorRequestHandler = (error: Error & { status?: number }, _request, response, _next) => {
  response.status(error.status ?? 500).json({ error: error.message });
};

export function createShop(database: Database, fence: Fence): Express {
  return express()
    .disable("x-powered-by")
    .use(express.json(), express.urlencoded({ extended: false }))
    .use(products(database), orders(database), login(database), visits(database), comments(database))
    .use(delivery(fence), downloads(fence))
    .get("/", (_request, response) => void response.json({ shop: "Lamps & Tables" }))
    .use(tellAll);
}
