/** What was built on to the shop's pages last: widgets, badges, labels, a way out, settings. */
import { Router } from "express";
import { answerByHand, escapeHtml, field, page, query } from "../ground/web.ts";

const CALLBACK = /^[A-Za-z_$][\w$]{0,40}$/;
const STOCK = '{"lamps":3,"tables":1}';
const badge = (label: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40"><text x="8" y="24">${label}</text></svg>`;

export const annex = (): Router =>
  Router()
    // For pages of other shops, from before there was CORS.
    .get("/widgets/stock", (request, response) => {
      response.type("application/javascript").send(`${query(request, "callback") || "show"}(${STOCK});`);
    })
    .get("/widgets/prices", (request, response) => {
      const callback = query(request, "callback");
      if (!CALLBACK.test(callback)) return void response.status(400).json({ error: "no such callback" });
      response.type("application/javascript").send(`/**/${callback}(${STOCK});`);
    })
    .post("/badges", (request, response) => {
      response.type("image/svg+xml").send(badge(String(field(request, "label"))));
    })
    .post("/badges/plain", (request, response) => {
      response.type("image/svg+xml").send(badge(escapeHtml(String(field(request, "label")))));
    })
    .get("/signed-out", (request, response) => {
      response.set("refresh", `3; url=${query(request, "back") || "/"}`);
      page(response, "Good bye", "<p>You are signed out.</p>");
    })
    .get("/signed-off", (request, response) => {
      const back = query(request, "back");
      response.set("refresh", `3; url=${/^\/[\w/]*$/.test(back) && !back.startsWith("//") ? back : "/"}`);
      page(response, "Good bye", "<p>You are signed off.</p>");
    })
    .get("/labels/file", (request, response) => {
      const name = query(request, "name") || "label";
      const disposition = `attachment; filename="${name}.txt"`;
      answerByHand(response, "200 OK", { "content-type": "text/plain", "content-disposition": disposition }, "Lamp\n");
    })
    .get("/labels/document", (request, response) => {
      const name = encodeURIComponent(query(request, "name") || "label");
      const disposition = `attachment; filename*=UTF-8''${name}.txt`;
      answerByHand(response, "200 OK", { "content-type": "text/plain", "content-disposition": disposition }, "Lamp\n");
    })
    // Who may do what stands in a cookie that the visitor can change; the other one says which colours.
    .get("/preferences", (_request, response) => {
      response.set("set-cookie", "role=customer; Path=/; Secure; HttpOnly; SameSite=Lax");
      page(response, "Preferences", "<p>All as it was.</p>");
    })
    .get("/colours", (_request, response) => {
      response.set("set-cookie", "theme=dark; Path=/; Secure; HttpOnly; SameSite=Lax");
      page(response, "Colours", "<p>Dark.</p>");
    });
