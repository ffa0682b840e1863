/** Orders, invoices and the log-in: the database, and who may see what in it. */
import { posix } from "node:path";
import { Router } from "express";
import type { Place } from "../ground/ground.ts";
import { personOf, sessionOf } from "../ground/people.ts";
import type { Person } from "../ground/people.ts";
import { escapeHtml, field, page, query } from "../ground/web.ts";
import { tellStatement } from "../catalogue/products.ts";

const INVOICES = "/srv/orders/invoices";

export function orders(place: Place): Router {
  const { ground } = place;
  const { database } = ground;

  return (
    Router()
      .get("/orders/find", async (request, response) => {
        try {
          const person = "ada";
          response.json(
            await database.query(
              `SELECT id, item, status FROM orders WHERE customer = '${person}' AND status = '${query(request, "status")}'`,
            ),
          );
        } catch (error) {
          tellStatement(response, error);
        }
      })
      .get("/orders/open", async (request, response) => {
        response.json(
          await database.query("SELECT id, item FROM orders WHERE customer = 'ada' AND status = $1", [
            query(request, "status"),
          ]),
        );
      })
      // A number of one's own order; errors stay inside.
      .get("/orders/lookup", async (request, response) => {
        const rows = await database
          .query(
            `SELECT id, item, total::text AS total FROM orders WHERE customer = 'ada' AND item = '${query(request, "item")}'`,
          )
          .catch(() => []);
        response.json(rows);
      })
      .get("/orders/named", async (request, response) => {
        response.json(
          await database.query("SELECT id, item FROM orders WHERE customer = 'ada' AND item = $1", [
            query(request, "item"),
          ]),
        );
      })
      .post("/session", async (request, response) => {
        const [email, password] = [field(request, "email"), field(request, "password")];
        const rows = await database
          .query(`SELECT name FROM users WHERE email = '${email}' AND password = '${password}'`)
          .catch(() => []);
        const name = rows[0]?.name as Person | undefined;
        if (name === undefined) response.status(401).json({ error: "wrong e-mail or password" });
        else response.json({ welcome: name });
      })
      .post("/v2/session", async (request, response) => {
        const [email, password] = [field(request, "email"), field(request, "password")];
        const rows = await database.query("SELECT name FROM users WHERE email = $1 AND password = $2", [
          String(email),
          String(password),
        ]);
        const name = rows[0]?.name as Person | undefined;
        if (name === undefined) response.status(401).json({ error: "wrong e-mail or password" });
        else response.json({ welcome: name, session: sessionOf(name) });
      })
      // Reports, bought with the shop before last.
      .get("/reports/sales", async (request, response) => {
        try {
          const rows = await database.query(
            `SELECT store, pieces FROM sales WHERE pieces > ${query(request, "above")}`,
            [],
            "mssql",
          );
          page(
            response,
            "Sales",
            `<table>${rows.map(({ store, pieces }) => `<tr><td>${escapeHtml(String(store))}</td><td>${pieces}</td></tr>`).join("")}</table>`,
          );
        } catch (error) {
          const text = escapeHtml((error as Error).message, "<>&");
          page(
            response,
            "Sales",
            `<font face="Arial" size=2>\n<p>Microsoft OLE DB Provider for SQL Server</font> <font face="Arial" size=2>error '80040e14'</font>\n<p><font face="Arial" size=2>${text}</font>\n<p><font face="Arial" size=2>/reports/sales.asp</font><font face="Arial" size=2>, line 21</font>`,
            { status: 500 },
          );
        }
      })
      .get("/reports/stores", async (request, response) => {
        try {
          const rows = await database.query(
            `SELECT store, sum(pieces)::int AS pieces FROM sales WHERE store = '${request.get("x-store") ?? ""}' GROUP BY store`,
            [],
            "oracle",
          );
          response.json(rows);
        } catch (error) {
          response
            .status(500)
            .type("text")
            .send(`java.sql.SQLSyntaxErrorException: ${(error as Error).message}\n`);
        }
      })
      .get("/reports/days", async (request, response) => {
        const above = Number(query(request, "above"));
        if (!Number.isSafeInteger(above))
          return page(response, "Sales", "<p>Incorrect syntax: a number is expected.</p>", { status: 400 });
        const rows = await database.query("SELECT day::text AS day, pieces FROM sales WHERE pieces > $1", [above]);
        page(response, "Sales", `<p>${rows.length} days</p>`);
      })
      .get("/reports/regions", async (request, response) => {
        response.json(
          await database.query("SELECT store, pieces FROM sales WHERE store = $1", [request.get("x-store") ?? ""]),
        );
      })
      .get("/invoices/file", async (request, response) => {
        // Customers on Windows send their kind of path.
        const name = query(request, "name").replaceAll("\\", "/");
        response.type("text").send(await ground.readFile(posix.join(INVOICES, name)));
      })
      .get("/invoices/text", async (request, response) => {
        const name = query(request, "name");
        if (!/^\d{4}-\d{4}\.txt$/.test(name))
          return void response.status(400).json({ error: `not an invoice: ${name}` });
        response.type("text").send(await ground.readFile(`${INVOICES}/${name}`));
      })
      .get("/shipping/zone", async (request, response) => {
        response.type("text").send(await ground.shell(`grep -h -i "${query(request, "to")}" zones.txt`));
      })
      .get("/shipping/area", async (request, response) => {
        const to = query(request, "to").toLowerCase();
        const zones = (await ground.readFile("/srv/orders/shipping/zones.txt")).split("\n");
        response.type("text").send(zones.filter((zone) => to !== "" && zone.toLowerCase().includes(to)).join("\n"));
      })
      .get("/orders/mine", async (request, response) => {
        const person = personOf(request);
        if (person === null) return void response.status(401).json({ error: "log in first" });
        response.json(
          await database.query("SELECT id, item, status FROM orders WHERE customer = $1 ORDER BY id", [person]),
        );
      })
  );
}
