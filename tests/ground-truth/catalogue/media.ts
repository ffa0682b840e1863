/** Pictures and suggestions: small answers in types that a browser may render or run. */
import { Router } from "express";
import type { Place } from "../ground/ground.ts";
import { answerByHand, escapeHtml, field, query } from "../ground/web.ts";

const FORMATS = ["png", "jpeg", "webp"];

const badge = (text: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="20"><text x="4" y="14">${text}</text></svg>\n`;

/** Words that begin as the visitor's does, with the word itself. */
const suggestion = (term: string): string => JSON.stringify({ term, words: ["lamp", "lamp shade", "lamp oil"] });

export const media = (place: Place): Router =>
  Router()
    .get("/suggest", (request, response) => {
      // Express takes a text for HTML unless it is told.
      response.send(suggestion(query(request, "term")));
    })
    .get("/suggest.json", (request, response) => void response.type("json").send(suggestion(query(request, "term"))))
    .get("/suggest.js", (request, response) => {
      response.type("application/javascript").send(`${query(request, "callback")}(${suggestion("lamp")});\n`);
    })
    .get("/v2/suggest.js", (request, response) => {
      const name = query(request, "callback");
      if (!/^[A-Za-z_$][\w$]{0,40}$/.test(name))
        return void response.status(400).json({ error: "callback: a name is expected" });
      response.type("application/javascript").send(`/**/${name}(${suggestion("lamp")});\n`);
    })
    .get("/badge.svg", (request, response) => void response.type("image/svg+xml").send(badge(query(request, "text"))))
    .get("/label.svg", (request, response) => {
      response.type("image/svg+xml").send(badge(escapeHtml(query(request, "text"))));
    })
    .get("/labels/render", (request, response) => {
      response.type("html").send(`<span class="label">${query(request, "text")}</span>\n`);
    })
    .get("/labels/text", (request, response) => {
      response.type("html").send(`<span class="label">${escapeHtml(query(request, "text"))}</span>\n`);
    })
    .get("/export", (request, response) => {
      const name = query(request, "name");
      const head = { "content-type": "text/csv", "content-disposition": `attachment; filename=${name}.csv` };
      answerByHand(response, "200 OK", head, "id,name\n1,Brass lamp\n");
    })
    .get("/export/safe", (request, response) => {
      const name = encodeURIComponent(query(request, "name"));
      const head = { "content-type": "text/csv", "content-disposition": `attachment; filename*=UTF-8''${name}.csv` };
      answerByHand(response, "200 OK", head, "id,name\n1,Brass lamp\n");
    })
    .post("/images/convert", async (request, response) => {
      response
        .type("text")
        .send(await place.ground.shell(`echo converted lamp to ${String(field(request, "format"))}`));
    })
    .post("/images/resize", async (request, response) => {
      const format = String(field(request, "format"));
      if (!FORMATS.includes(format))
        return void response.status(400).json({ error: `no such format: ${format}`, known: FORMATS });
      response.type("text").send(await place.ground.shell(`echo converted lamp to ${format}`));
    });
