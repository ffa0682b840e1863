/** The third version of the orders' API: each part is by another team, in its own language, with its own words for trouble. */
import { Router } from "express";
import { StatementError } from "../ground/database.ts";
import { escapeFilter, FilterError, searchPeople } from "../ground/directory.ts";
import type { Place } from "../ground/ground.ts";
import { fillTemplate } from "../ground/template.ts";
import { escapeHtml, field, page, query, traceOf } from "../ground/web.ts";

/** Django's page for an error with DEBUG on, as far as it tells the two apart: the error, where, and what was set. */
const djangoError = (path: string, message: string, sql: string): string => `<!DOCTYPE html>
<html lang="en">
<head>
  <meta http-equiv="content-type" content="text/html; charset=utf-8">
  <meta name="robots" content="NONE,NOARCHIVE">
  <title>ProgrammingError at ${escapeHtml(path)}</title>
</head>
<body>
<div id="summary">
  <h1>ProgrammingError at ${escapeHtml(path)}</h1>
  <pre class="exception_value">${escapeHtml(message)}
LINE 1: ${escapeHtml(sql)}
                                                           ^
</pre>
  <table class="meta">
    <tr><th scope="row">Request Method:</th><td>GET</td></tr>
    <tr><th scope="row">Django Version:</th><td>4.2.7</td></tr>
    <tr><th scope="row">Exception Type:</th><td>ProgrammingError</td></tr>
    <tr><th scope="row">Exception Location:</th><td><span class="fname">/usr/local/lib/python3.11/site-packages/django/db/backends/utils.py</span>, line 89, in _execute</td></tr>
  </table>
</div>
<div id="explanation"><p>You're seeing this error because you have <code>DEBUG = True</code> in your Django settings file.</p></div>
</body>
</html>
`;

const dotnetError = (message: string): string =>
  `System.Data.SqlClient.SqlException (0x80131904): ${message}\r\n` +
  "   at System.Data.SqlClient.SqlConnection.OnError(SqlException exception, Boolean breakConnection, Action`1 wrapCloseInAction)\r\n" +
  "   at System.Data.SqlClient.TdsParser.ThrowExceptionAndWarning(TdsParserStateObject stateObj, Boolean callerHasConnectionLock, Boolean asyncClose)\r\n" +
  "   at Shop.Suppliers.SupplierStore.Search(SupplierFilter filter) in C:\\build\\Suppliers\\SupplierStore.cs:line 57\r\n" +
  "ClientConnectionId:5f4f3a0c-6e0b-4a3c-9a2d-0c1b7d5e8f91\r\nError Number:105,State:1,Class:15\r\n";

const springError = (sql: string, message: string, path: string): object => ({
  timestamp: "2026-11-22T09:14:03.118+00:00",
  status: 500,
  error: "Internal Server Error",
  message: `StatementCallback; bad SQL grammar [${sql}]; nested exception is java.sql.SQLSyntaxErrorException: ${message}\n`,
  path,
});

const isPrivate = (host: string): boolean =>
  /^(?:127\.|10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.)/.test(host) || !host.includes(".");

export function ledger(place: Place): Router {
  const { database, shell, readFile, witnesses } = place.ground;
  const used = (expression: string): void => witnesses.saw("template", expression);
  const bind = (uid: string, secret: string): number =>
    searchPeople(`(&(uid=${uid})(userPassword=${secret}))`, witnesses).length;

  return (
    Router()
      .get("/v3/shipments/:code", async (request, response) => {
        const sql = `SELECT id, item, status FROM orders WHERE status = '${request.params.code}'`;
        try {
          response.json(await database.query(sql));
        } catch (error) {
          if (!(error instanceof StatementError)) throw error;
          response
            .status(500)
            .type("html")
            .send(djangoError(`/v3/shipments/${request.params.code}`, error.message, sql));
        }
      })
      .get("/v3/parcels/:code", async (request, response) => {
        const rows = await database.query("SELECT id, item, status FROM orders WHERE status = $1", [
          request.params.code,
        ]);
        if (rows.length === 0) response.status(404).json({ detail: "Not found.", code: request.params.code });
        else response.json(rows);
      })
      .post("/v3/suppliers/search", async (request, response) => {
        const { store } = (field(request, "filter") ?? {}) as { store?: unknown };
        try {
          response.json(
            await database.query(`SELECT store, pieces FROM sales WHERE store = '${String(store)}'`, [], "mssql"),
          );
        } catch (error) {
          if (!(error instanceof StatementError)) throw error;
          response.status(500).type("text").send(dotnetError(error.message));
        }
      })
      .post("/v3/carriers/search", async (request, response) => {
        const { store } = (field(request, "filter") ?? {}) as { store?: unknown };
        const rows = await database.query("SELECT store, pieces FROM sales WHERE store = $1", [String(store)]);
        response.json({ filter: { store }, sql: null, rows });
      })
      // The greeting of a mail, in Thymeleaf.
      .post("/v3/mails", (request, response) => {
        const text = fillTemplate(String(field(request, "greeting")), ["[[${", "}]]"], { customer: "Ada" }, used);
        page(response, "Mail", `<p>${escapeHtml(text)}</p><p>Order 1001</p>`);
      })
      .post("/v3/letters", (request, response) =>
        page(
          response,
          "Letter",
          `<p>${escapeHtml(String(field(request, "greeting")))}</p><p>Order 1337, 1337.00 euro</p>`,
        ),
      )
      .post("/v3/webhooks", async (request, response) => {
        const headers = (field(request, "headers") ?? {}) as Record<string, string>;
        const answer = await place.fetch(String(field(request, "url")), {
          headers: { ...traceOf(request), ...headers },
        });
        response.json({ delivered: answer.status < 400, status: answer.status, answer: answer.body });
      })
      .post("/v3/callbacks", async (request, response) => {
        const url = String(field(request, "url"));
        const host = URL.canParse(url) ? new URL(url).hostname : "";
        if (host === "" || isPrivate(host))
          return void response.status(422).json({ delivered: false, error: `${host} is not reachable from here`, url });
        const answer = await place.fetch(url, { headers: traceOf(request) });
        response.json({ delivered: answer.status < 400, status: answer.status });
      })
      // The directory, by a PHP script and by its successor.
      .get("/v3/staff", (request, response) => {
        const name = query(request, "name");
        try {
          const found = searchPeople(`(&(employeeType=public)(uid=${name}))`, witnesses);
          response
            .type("html")
            .send(`<ul>${found.map(({ cn, mail }) => `<li>${escapeHtml(`${cn} <${mail}>`)}</li>`).join("")}</ul>\n`);
        } catch (error) {
          if (!(error instanceof FilterError)) throw error;
          response
            .type("html")
            .send(
              "<br />\n<b>Warning</b>:  ldap_search(): Search: Bad search filter in <b>/var/www/html/staff.php</b> on line <b>27</b><br />\n<ul></ul>\n",
            );
        }
      })
      .get("/v3/people", (request, response) => {
        const found = searchPeople(`(&(employeeType=public)(uid=${escapeFilter(query(request, "name"))}))`, witnesses);
        response.json({ filter: `uid=${query(request, "name")}`, found: found.map(({ cn }) => cn) });
      })
      // What only the edge asks.
      .put("/internal/v2/feedback", async (request, response) => {
        const { text } = (field(request, "remark") ?? {}) as { text?: unknown };
        const sql = `INSERT INTO reviews (product, kind, body) VALUES (0, 'feedback', '${String(text)}')`;
        try {
          await database.query(sql, [], "oracle");
          response.status(201).json({ stored: true });
        } catch (error) {
          if (!(error instanceof StatementError)) throw error;
          response.status(500).json(springError(sql, error.message, request.path));
        }
      })
      .put("/internal/v2/suggestion", async (request, response) => {
        const { text } = (field(request, "remark") ?? {}) as { text?: unknown };
        await database.query("INSERT INTO reviews (product, kind, body) VALUES (0, 'suggestion', $1)", [String(text)]);
        response.status(201).json({ stored: true });
      })
      .post("/internal/v2/bind", (request, response) => {
        try {
          const count = bind(String(field(request, "uid")), String(field(request, "secret")));
          response.status(count === 0 ? 401 : 200).json({ bound: count > 0 });
        } catch (error) {
          if (!(error instanceof FilterError)) throw error;
          response.status(500).json({
            status: 500,
            error: "Internal Server Error",
            message: `javax.naming.directory.InvalidSearchFilterException: ${error.message}; remaining name 'ou=people,dc=shop,dc=example'`,
          });
        }
      })
      .post("/internal/v2/bind/escaped", (request, response) => {
        const count = bind(escapeFilter(String(field(request, "uid"))), escapeFilter(String(field(request, "secret"))));
        response.status(count === 0 ? 401 : 200).json({ bound: count > 0 });
      })
      .get("/internal/v2/zone", async (request, response) => {
        const asked = decodeURIComponent(request.get("x-place") ?? "");
        response.type("text").send(await shell(`grep -h -i ${asked} zones.txt`));
      })
      .get("/internal/v2/area", async (request, response) => {
        const asked = decodeURIComponent(request.get("x-place") ?? "").toLowerCase();
        const zones = (await readFile("/srv/orders/shipping/zones.txt")).split("\n");
        response
          .type("text")
          .send(zones.filter((zone) => asked !== "" && zone.toLowerCase().includes(asked)).join("\n"));
      })
  );
}
