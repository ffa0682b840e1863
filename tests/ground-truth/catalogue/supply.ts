/** The second version of the catalogue's API, in parts by other people: brands, materials, labels, drawings, coupons. */
import { posix } from "node:path";
import { Router } from "express";
import { StatementError } from "../ground/database.ts";
import { findDocuments, nestedQuery, QueryError } from "../ground/documents.ts";
import type { Place } from "../ground/ground.ts";
import { fillTemplate } from "../ground/template.ts";
import { escapeHtml, field, query, traceOf } from "../ground/web.ts";
import { readXml } from "../ground/xml.ts";

const TEMPLATES = "/srv/catalogue/templates";
const COUPONS = [
  { code: "AUTUMN", percent: 10 },
  { code: "STAFF-ONLY-40", percent: 40 },
  { code: "FRIENDS", percent: 15 },
];
const PARTNER = /^http:\/\/(?:feeds|img)\.partner\.example\//;

/** A failed statement as a Laravel application in debug mode answers it to who accepts JSON. */
const laravelError = (error: StatementError, sql: string): object => ({
  message: `SQLSTATE[42000]: Syntax error or access violation: 1064 ${error.message} (Connection: mysql, SQL: ${sql})`,
  exception: "Illuminate\\Database\\QueryException",
  file: "/var/www/html/vendor/laravel/framework/src/Illuminate/Database/Connection.php",
  line: 829,
  trace: [
    {
      file: "/var/www/html/vendor/laravel/framework/src/Illuminate/Database/Connection.php",
      line: 783,
      function: "runQueryCallback",
      class: "Illuminate\\Database\\Connection",
      type: "->",
    },
    {
      file: "/var/www/html/app/Http/Controllers/BrandController.php",
      line: 24,
      function: "select",
      class: "Illuminate\\Support\\Facades\\Facade",
      type: "::",
    },
  ],
});

/** What stands in an address behind its path. */
const searchOf = (url: string): URLSearchParams => new URLSearchParams(url.split("?")[1] ?? "");

export function supply(place: Place): Router {
  const { database, readFile, shell, witnesses } = place.ground;
  const sellers = new Map<string, Record<string, string>>();
  const load = async (uri: string): Promise<string> =>
    uri.startsWith("file://") ? readFile(new URL(uri).pathname) : (await place.fetch(uri)).body;

  return (
    Router()
      .get("/api/v2/brands", async (request, response) => {
        const sql = `select * from products where category = '${query(request, "category")}' order by name asc`;
        try {
          const rows = await database.query(sql, [], "mysql");
          response.json({ data: rows.map(({ id, name }) => ({ id, name })), meta: { total: rows.length } });
        } catch (error) {
          if (!(error instanceof StatementError)) throw error;
          response.status(500).json(laravelError(error, sql));
        }
      })
      // For programs that ask the warehouse's database themselves: the statement, which is not run here.
      .post("/api/v2/query-builder", (request, response) => {
        response.json({
          sql: "SELECT name, price FROM products WHERE category = ? AND price < ? ORDER BY name LIMIT 50",
          inlined: `SELECT name, price FROM products WHERE category = '${String(field(request, "category")).replaceAll("'", "''")}'`,
          bindings: [field(request, "category"), 100],
        });
      })
      .get("/api/v2/materials", async (request, response) => {
        const rows = await database
          .query(`SELECT name, category FROM products WHERE category = '${query(request, "kind")}' ORDER BY 1`)
          .catch(() => []);
        response.json({ materials: rows });
      })
      .get("/api/v2/fabrics", async (request, response) => {
        const rows = await database.query("SELECT name, category FROM products WHERE category = $1 ORDER BY 1", [
          query(request, "kind"),
        ]);
        response.json({ fabrics: rows });
      })
      // A search with words of its own: whoever says OR gets more.
      .get("/api/v2/words", async (request, response) => {
        const words = query(request, "q")
          .split(/\s+OR\s+/)
          .map((word) => `%${word}%`)
          .slice(0, 8);
        response.json({
          found: await database.query("SELECT name FROM products WHERE name ILIKE ANY ($1) ORDER BY name", [words]),
        });
      })
      .post("/api/v2/render", async (request, response) => {
        // Steps upwards are taken out, once.
        const name = String(field(request, "template")).replaceAll("../", "");
        response.json({ template: name, source: await readFile(posix.join(TEMPLATES, name)) });
      })
      .post("/api/v2/render/known", async (request, response) => {
        const path = posix.join(TEMPLATES, String(field(request, "template")));
        if (!path.startsWith(`${TEMPLATES}/`))
          return void response.status(400).json({ error: `not a template: ${String(field(request, "template"))}` });
        response.json({ template: posix.basename(path), source: await readFile(path) });
      })
      // From the days of PHP: a page is included by its name, or by whatever else `include` takes.
      .get("/classic/page", async (request, response) => {
        const name = query(request, "p") || "index";
        const filter = /^php:\/\/filter\/(?:read=)?convert\.base64-encode\/resource=([\w./]+)$/.exec(name)?.[1];
        if (filter === undefined && name !== "index")
          return void response
            .status(404)
            .type("html")
            .send(`<p>No page ${escapeHtml(name)}</p>\n`);
        if (filter === undefined) return void response.type("html").send("<p>Brass lamps since 2009</p>\n");
        const source = await readFile(posix.join("/srv/catalogue", `${filter}.php`));
        response.type("html").send(`${Buffer.from(source).toString("base64")}\n`);
      })
      .get("/classic/sheet", (request, response) => {
        const name = query(request, "p") || "index";
        // A sheet's picture comes with it; it is no file that anybody named.
        const picture = Buffer.from("GIF89a a picture of a brass lamp, and of another one beside it").toString(
          "base64",
        );
        response.type("html").send(`<p>Sheet ${escapeHtml(name)}</p><img src="data:image/gif;base64,${picture}">\n`);
      })
      .get("/api/v2/labels/:size/preview", async (request, response) => {
        response.json({ printed: await shell(`echo label ${request.params.size}`) });
      })
      .get("/api/v2/tickets/:size/preview", async (request, response) => {
        const { size } = request.params;
        if (!/^[AB]\d$/.test(size)) return void response.status(422).json({ error: `no such size: ${size}` });
        response.json({ printed: await shell(`echo ticket ${size}`) });
      })
      .put("/api/v2/drawings", async (request, response) => {
        const used = (name: string): void => witnesses.saw("entity", name);
        const [title] = await readXml(String(request.body), { entities: "resolve", load, used });
        response.status(201).json({ title: title?.text });
      })
      .put("/api/v2/sketches", async (request, response) => {
        const [title] = await readXml(String(request.body), { entities: "ignore", load });
        response.status(201).json({ title: title?.text });
      })
      .get("/api/v2/coupons", (request, response) => {
        const { code } = nestedQuery(searchOf(request.url));
        try {
          response.json({ coupons: findDocuments(COUPONS, { code }) });
        } catch (error) {
          if (!(error instanceof QueryError)) throw error;
          response.status(500).json({ name: "MongoServerError", message: error.message, code: 2, ok: 0 });
        }
      })
      .get("/api/v2/vouchers", (request, response) => {
        const { code } = nestedQuery(searchOf(request.url));
        response.json({ vouchers: findDocuments(COUPONS, { code: String(code) }) });
      })
      // What only the edge asks.
      .post("/internal/v2/card", (request, response) => {
        const text = fillTemplate(
          String(field(request, "line")),
          ["{{", "}}"],
          { to: String(field(request, "to")) },
          (expression) => witnesses.saw("template", expression),
        );
        response.type("text").send(text);
      })
      .post("/internal/v2/card/text", (request, response) => {
        const scope = { to: String(field(request, "to")), line: String(field(request, "line")) };
        response.type("text").send(fillTemplate("{{ line }} (49 characters at most)", ["{{", "}}"], scope, () => {}));
      })
      .post("/internal/v2/fetch", async (request, response) => {
        const { body } = await place.fetch(String(field(request, "source")), { headers: traceOf(request) });
        response.type("text").send(body);
      })
      .post("/internal/v2/fetch/partner", async (request, response) => {
        const source = String(field(request, "source"));
        if (!PARTNER.test(source)) return void response.status(422).json({ error: `not a partner's: ${source}` });
        const { body } = await place.fetch(source, { headers: traceOf(request) });
        response.type("text").send(body);
      })
      .patch("/internal/v2/sellers/:id", (request, response) => {
        const { id } = request.params;
        sellers.set(id, { ...sellers.get(id), ...(request.body as Record<string, string>) });
        response.json({ stored: true });
      })
      .get("/internal/v2/sellers/:id", (request, response) => void response.json(sellers.get(request.params.id) ?? {}))
  );
}
