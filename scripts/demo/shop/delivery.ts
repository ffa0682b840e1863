/** Whether there is delivery to a place: asked from a shell, with the place between quotes. */
import { Router } from "express";
import type { Fence } from "../fence/fence.ts";

export const delivery = (fence: Fence): Router => {
  const zoneOf = (place: unknown): Promise<string> => fence.shell(`grep -h -i "${place}" zones.txt`);
  return Router()
    .get("/delivery", async (request, response) => {
      response.type("text").send(await zoneOf(request.query.to));
    })
    .post("/delivery", async (request, response) => {
      const { to } = (request.body ?? {}) as Record<string, unknown>;
      response.type("text").send(await zoneOf(to));
    });
};
