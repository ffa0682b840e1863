/** The fourth version of the catalogue's API: a phone book, coupons, logos, carriers, labels, a glossary, links. */
import { Router } from "express";
import { escapeFilter, FilterError, searchPeople } from "../ground/directory.ts";
import { findDocuments } from "../ground/documents.ts";
import type { Place } from "../ground/ground.ts";
import { fillTemplate } from "../ground/template.ts";
import { field, query, traceOf } from "../ground/web.ts";
import { readXml } from "../ground/xml.ts";

const COUPONS = [
  { code: "WINTER", percent: 10 },
  { code: "FAMILY-50", percent: 50 },
  { code: "PRESS", percent: 20 },
  { code: "LAUNCH", percent: 15 },
  { code: "ENGINE-WAY", percent: 35 },
];
const TERMS: Readonly<Record<string, string>> = { lumen: "How bright a lamp is", veneer: "A thin sheet of wood" };
const PARTNER = /^http:\/\/feeds\.partner\.example\//;

export function annex(place: Place): Router {
  const { readFile, shell, witnesses } = place.ground;
  const load = (uri: string): Promise<string> => readFile(new URL(uri).pathname);
  const phones = (name: string): object[] =>
    searchPeople(`(|(cn=${name})(uid=${name}))`, witnesses).map(({ cn, mail }) => ({ cn, mail }));
  const logo = async (body: unknown, entities: "resolve" | "refuse"): Promise<object> => {
    const used = (name: string): void => witnesses.saw("entity", name);
    return { title: (await readXml(String(body), { entities, load, used }))[0]!.text };
  };

  return (
    Router()
      .get("/api/v4/phonebook", (request, response) => {
        try {
          response.json(phones(query(request, "name")));
        } catch (error) {
          if (!(error instanceof FilterError)) throw error;
          response.json([]);
        }
      })
      .get("/api/v4/directory", (request, response) => {
        response.json(phones(escapeFilter(query(request, "name"))));
      })
      .post("/api/v4/coupons/find", (request, response) => {
        response.json(findDocuments(COUPONS, { code: field(request, "code") }));
      })
      .post("/api/v4/coupons/get", (request, response) => {
        response.json(findDocuments(COUPONS, { code: String(field(request, "code")) }));
      })
      .post("/api/v4/logos", async (request, response) => void response.json(await logo(request.body, "resolve")))
      .post("/api/v4/marks", async (request, response) => void response.json(await logo(request.body, "refuse")))
      .get("/api/v4/carriers/ping", async (request, response) => {
        response.type("text").send(await shell(`echo asking ${query(request, "host")}`));
      })
      .get("/api/v4/carriers/probe", async (request, response) => {
        const host = query(request, "host");
        if (!/^[\w.-]+$/.test(host)) return void response.status(400).json({ error: `not a host: ${host}` });
        response.type("text").send(await shell(`echo asking ${host}`));
      })
      .get("/api/v4/labels/preview", (request, response) => {
        const line = query(request, "line");
        const saw = (expression: string): void => witnesses.saw("template", expression);
        response.json({ label: fillTemplate(line, ["#{", "}"], { product: "Brass lamp" }, saw), size: "57x32" });
      })
      .get("/api/v4/labels/draft", (request, response) => {
        response.json({ label: query(request, "line"), size: "57x32" });
      })
      // The terms lie in a document that is asked by XPath; its errors are those of lxml.
      .get("/api/v4/glossary", (request, response) => {
        const term = query(request, "term");
        if (term.split("'").length % 2 === 0)
          return void response.status(500).json({ error: "lxml.etree.XPathEvalError: Unfinished literal" });
        response.json({ term, means: TERMS[term] ?? null });
      })
      .get("/api/v4/words", (request, response) => {
        const term = query(request, "term");
        response.json({ term, means: TERMS[term] ?? null });
      })
      .post("/api/v4/unfurl", async (request, response) => {
        const { body } = await place.fetch(String(field(request, "link")), { headers: traceOf(request) });
        response.json({ text: body });
      })
      .post("/api/v4/unfold", async (request, response) => {
        const link = String(field(request, "link"));
        if (!PARTNER.test(link)) return void response.status(422).json({ error: "not a partner's" });
        const { body } = await place.fetch(link, { headers: traceOf(request) });
        response.json({ text: body });
      })
  );
}
