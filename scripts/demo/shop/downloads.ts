/** Manuals for download: the name is joined to the folder, wherever that leads. */
import { posix } from "node:path";
import { Router } from "express";
import type { Fence } from "../fence/fence.ts";

const MANUALS = "/shop/public/manuals";

export const downloads = (fence: Fence): Router =>
  Router()
    .get("/download", async (request, response) => {
      response.type("text").send(await fence.readFile(posix.join(MANUALS, String(request.query.file ?? ""))));
    })
    .get("/manuals/:name", async (request, response) => {
      // The framework has decoded it; so has the one who wrote this.
      const name = decodeURIComponent(request.params.name);
      response.type("text").send(await fence.readFile(posix.join(MANUALS, name)));
    });
