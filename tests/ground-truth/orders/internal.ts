/** What only the other services ask. They trust each other, so nobody looks at what comes in. */
import { Router } from "express";
import { tellStatement } from "../catalogue/products.ts";
import type { Place } from "../ground/ground.ts";
import { query, traceOf } from "../ground/web.ts";

const WAREHOUSES: Readonly<Record<string, string>> = {
  oslo: "http://feeds.partner.example/feed/lamps.json",
  bergen: "http://feeds.partner.example/rates",
};

export function internal(place: Place): Router {
  const { database } = place.ground;
  return Router()
    .get("/internal/filtered", async (request, response) => {
      try {
        response.json(
          await database.query(
            `SELECT id, item FROM orders WHERE customer = 'ada' AND status = '${query(request, "status")}'`,
          ),
        );
      } catch (error) {
        tellStatement(response, error);
      }
    })
    .get("/internal/warehouse", async (request, response) => {
      const { body } = await place.fetch(query(request, "at"), { headers: traceOf(request) });
      response.type("text").send(body);
    })
    .get("/internal/city", async (request, response) => {
      const url = WAREHOUSES[query(request, "name").toLowerCase()];
      if (url === undefined) return void response.status(404).json({ error: "we have no warehouse there" });
      const { body } = await place.fetch(url, { headers: traceOf(request) });
      response.type("text").send(body);
    });
}
