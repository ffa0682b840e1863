/** What the catalogue takes from outside: feeds in XML, pictures by their address, templates for cards. */
import { Router } from "express";
import type { Request, Response } from "express";
import type { Place } from "../ground/ground.ts";
import { fillTemplate } from "../ground/template.ts";
import type { Scope } from "../ground/template.ts";
import { escapeHtml, field, page, query } from "../ground/web.ts";
import { readXml } from "../ground/xml.ts";
import type { Entities } from "../ground/xml.ts";

const SCOPE: Scope = { name: "Ada", shop: "Lamps & Tables", config: { SECRET_KEY: "dev-9f2c1", DEBUG: false } };
const PARTNER = "http://feeds.partner.example";

export function feeds(place: Place): Router {
  const { ground } = place;
  const load = async (uri: string): Promise<string> =>
    uri.startsWith("file:")
      ? ground.readFile(decodeURIComponent(new URL(uri).pathname))
      : (await place.fetch(uri)).body;
  const imported = async (request: Request, response: Response, entities: Entities): Promise<void> => {
    const used = (name: string): void => ground.witnesses.saw("entity", name);
    const elements = await readXml(String(request.body), { entities, load, used });
    response.json({ imported: elements });
  };
  const used = (expression: string): void => ground.witnesses.saw("template", expression);

  return (
    Router()
      .post("/feeds/import", (request, response) => imported(request, response, "resolve"))
      .post("/feeds/submit", (request, response) => imported(request, response, "refuse"))
      .post("/feeds/lenient", (request, response) => imported(request, response, "ignore"))
      .post("/products/picture", async (request, response) => {
        const { status, body } = await place.fetch(String(field(request, "url")));
        response.json({ status, picture: body });
      })
      .post("/products/picture/partner", async (request, response) => {
        const url = String(field(request, "url"));
        if (!URL.canParse(url) || new URL(url).origin !== "http://img.partner.example") {
          return void response.status(400).json({ error: `not a picture of our partner: ${url}` });
        }
        const { status, body } = await place.fetch(url);
        response.json({ status, picture: body });
      })
      .get("/feeds/price", async (request, response) => {
        const file = encodeURIComponent(query(request, "file"));
        const { status, body } = await place.fetch(`${PARTNER}/feed/${file}`);
        response
          .status(status === 200 ? 200 : 502)
          .json({ file: query(request, "file"), feed: status === 200 ? body : null });
      })
      // Cards: in one the visitor's text is a template, in the other it is a value.
      .get("/cards/greeting", (request, response) => {
        const text = fillTemplate(query(request, "text"), ["{{", "}}"], SCOPE, used);
        page(response, "Card", `<p>${escapeHtml(text)}</p>`);
      })
      .get("/cards/wish", (request, response) => {
        const text = fillTemplate(
          "{{ wish }}, only 49.00 at {{ shop }}",
          ["{{", "}}"],
          { ...SCOPE, wish: query(request, "text") },
          used,
        );
        page(response, "Card", `<p>${escapeHtml(text)}</p>`);
      })
      .post("/templates/preview", (request, response) => {
        const text = fillTemplate(String(field(request, "template")), ["${", "}"], SCOPE, used);
        response.json({ preview: text });
      })
      .post(
        "/templates/save",
        (request, response) => void response.json({ saved: field(request, "template"), price: 49, pieces: 7 * 7 }),
      )
      .post("/mails/preview", (request, response) => {
        const text = fillTemplate(String(field(request, "subject")), ["<%=", "%>"], SCOPE, used);
        page(response, "Mail", `<h1>${escapeHtml(text)}</h1>`);
      })
      .post("/mails/draft", (request, response) => {
        page(
          response,
          "Mail",
          `<h1>${escapeHtml(String(field(request, "subject")))}</h1><p>From 49.00, or 343 for seven.</p>`,
        );
      })
  );
}
