/** The counter: what frameworks and servers of the third version show, and the tokens that it takes. */
import { Router } from "express";
import type { Place } from "../ground/ground.ts";
import { basicOf, claimsFor, readClaims, signJwt, STRONG_SECRET, verifyJwt } from "../ground/people.ts";
import { cookie, escapeHtml, page, query } from "../ground/web.ts";

const GOOD = "Path=/; Secure; HttpOnly; SameSite=Strict";
/** What jwt.io's example is signed with. */
const EXAMPLE_SECRET = "your-256-bit-secret";

const laravelTrace = (message: string): object => ({
  message,
  exception: "DivisionByZeroError",
  file: "/var/www/html/app/Services/TaxService.php",
  line: 31,
  trace: [
    {
      file: "/var/www/html/app/Http/Controllers/TaxController.php",
      line: 18,
      function: "rate",
      class: "App\\Services\\TaxService",
      type: "->",
    },
    {
      file: "/var/www/html/vendor/laravel/framework/src/Illuminate/Routing/Controller.php",
      line: 54,
      function: "show",
      class: "App\\Http\\Controllers\\TaxController",
      type: "->",
    },
  ],
});

const aspNetCore = (text: string): string =>
  `System.FormatException: The input string '${text}' was not in a correct format.\r\n` +
  "   at System.Number.ThrowFormatException[TChar](ReadOnlySpan`1 value)\r\n" +
  "   at System.Int32.Parse(String s)\r\n" +
  "   at Shop.Quotes.Controllers.QuoteController.Show(String id) in /src/Quotes/Controllers/QuoteController.cs:line 42\r\n" +
  "   at lambda_method5(Closure, Object, Object[])\r\n" +
  "   at Microsoft.AspNetCore.Mvc.Infrastructure.ActionMethodExecutor.SyncObjectResultExecutor.Execute(ActionContext actionContext)\r\n" +
  "   at Microsoft.AspNetCore.Diagnostics.DeveloperExceptionPageMiddlewareImpl.Invoke(HttpContext context)\r\n\r\n" +
  "HEADERS\r\n=======\r\nAccept: application/json\r\nHost: orders.shop.example\r\n";

const TOMCAT_STYLE =
  "body {font-family:Tahoma,Arial,sans-serif;} h1, h2, h3, b {color:white;background-color:#525D76;} .line {height:1px;background-color:#525D76;border:none;}";
const tomcatHead = (title: string): string =>
  `<!doctype html><html lang="en"><head><title>${title}</title><style type="text/css">${TOMCAT_STYLE}</style></head><body><h1>${title}</h1>`;
const tomcatError = (text: string): string =>
  `${tomcatHead("HTTP Status 500 – Internal Server Error")}<hr class="line" /><p><b>Type</b> Exception Report</p>` +
  `<p><b>Message</b> For input string: &quot;${escapeHtml(text)}&quot;</p>` +
  "<p><b>Description</b> The server encountered an unexpected condition that prevented it from fulfilling the request.</p>" +
  `<p><b>Exception</b></p><pre>java.lang.NumberFormatException: For input string: &quot;${escapeHtml(text)}&quot;\n` +
  "\tjava.lang.NumberFormatException.forInputString(NumberFormatException.java:65)\n\tjava.lang.Integer.parseInt(Integer.java:580)\n" +
  "\tcom.lamps.counter.TotalServlet.doGet(TotalServlet.java:29)\n\tjavax.servlet.http.HttpServlet.service(HttpServlet.java:634)\n" +
  "\torg.apache.tomcat.websocket.server.WsFilter.doFilter(WsFilter.java:53)\n</pre>" +
  '<p><b>Note</b> The full stack trace of the root cause is available in the server logs.</p><hr class="line" /><h3>Apache Tomcat/9.0.30</h3></body></html>';

const ADMINER = `<!DOCTYPE html>
<html lang="en" dir="ltr">
<meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<meta name="robots" content="noindex">
<title>Login - Adminer</title>
<link rel="stylesheet" type="text/css" href="?file=default.css&amp;version=4.6.2">
<body class="ltr nojs">
<div id="content"><h2>Login</h2>
<form action='' method='post'><table cellspacing='0' class='layout'>
<tr><th>System<td><select name='auth[driver]'><option value="server" selected>MySQL<option value="pgsql">PostgreSQL</select>
<tr><th>Server<td><input name="auth[server]" value="" placeholder="localhost"><tr><th>Username<td><input name="auth[username]" id="username">
<tr><th>Password<td><input type="password" name="auth[password]"></table><p><input type='submit' value='Login'></form></div>
<div id="menu"><h1><a href='https://www.adminer.org/' target="_blank" rel="noreferrer noopener" id='h1'>Adminer</a> <span class="version">4.6.2</span></h1></div>
`;

const MANAGER = `<html>
<head><title>/manager</title></head>
<body bgcolor="#FFFFFF">
<table cellspacing="4" border="0"><tr><td align="left" valign="top"><font size="+2">Tomcat Web Application Manager</font></td></tr></table>
<table border="1"><tr><td colspan="2">Message:</td><td>OK</td></tr><tr><td><a href="/orders">/orders</a></td><td>true</td><td>12</td></tr></table>
<form method="post" action="/manager/html/upload" enctype="multipart/form-data">Select WAR file to upload <input type="file" name="deployWar"></form>
</body></html>
`;

export function counter(place: Place): Router {
  const { readFile, witnesses } = place.ground;
  return (
    Router()
      .get("/v3/tax", (request, response) => {
        const rate = Number(query(request, "rate"));
        if (rate > 0) return void response.json({ net: Math.round(4_900 / rate) });
        response.status(500).json(laravelTrace("Division by zero"));
      })
      .get("/v3/duty", (request, response) => {
        const rate = Number(query(request, "rate"));
        if (rate > 0) return void response.json({ net: Math.round(4_900 / rate) });
        response.status(500).json({ message: "Server Error", exception: null, trace: [] });
      })
      .get("/v3/quotes/:id", (request, response) => {
        const { id } = request.params;
        if (/^\d+$/.test(id)) return void response.json({ quote: Number(id) });
        response.status(500).type("text").send(aspNetCore(id));
      })
      .get("/v3/offers/:id", (request, response) => {
        const { id } = request.params;
        if (/^\d+$/.test(id)) return void response.json({ offer: Number(id) });
        response
          .status(400)
          .type("application/problem+json")
          .send(
            JSON.stringify({
              type: "https://tools.ietf.org/html/rfc9110#section-15.5.1",
              title: "One or more validation errors occurred.",
              status: 400,
              errors: { id: [`The value '${id}' is not valid.`] },
              traceId: "00-84c1fd4063c38d9f3900d06e56542d48-85d1d4-00",
            }),
          );
      })
      .get("/desk/servlet/total", (request, response) => {
        const rows = query(request, "rows");
        if (/^\d+$/.test(rows)) return void response.type("text").send(`${Number(rows) * 49}\n`);
        response.status(500).type("html").send(tomcatError(rows));
      })
      .get("/desk/servlet/count", (request, response) => {
        const rows = query(request, "rows");
        if (/^\d+$/.test(rows)) return void response.type("text").send(`${rows}\n`);
        response
          .status(400)
          .type("html")
          .send(`${tomcatHead("HTTP Status 400 – Bad Request")}</body></html>`);
      })
      .get("/desk/report.jsp.bak", async (_request, response) => {
        response.type("text").send(await readFile("/srv/orders/report.jsp.bak"));
      })
      .get("/desk/adminer.php", (_request, response) => void response.type("html").send(ADMINER))
      .get("/desk/db.php", (_request, response) =>
        page(response, "Gone", "<p>Adminer 4.6.2 was here. Ask the office if you need the database.</p>", {
          status: 410,
        }),
      )
      .get("/debug/vars", (_request, response) => {
        response
          .type("json")
          .send(
            '{\n"cmdline": ["/app/counter","-db=postgres://counter:rosebud-1941@10.20.4.11:5432/orders"],\n' +
              '"memstats": {"Alloc":2818432,"TotalAlloc":9182736,"Sys":13199368,"Lookups":0,"Mallocs":30412,"Frees":18220,"HeapAlloc":2818432,"NumGC":6}\n}\n',
          );
      })
      .get("/desk/vars", (_request, response) => {
        response.json({
          cmdline: "how to start the counter",
          memstats: { title: "Memory of the till", help: "/docs/index" },
        });
      })
      // Basic, with the password of the server's own documentation.
      .get("/desk/manager/html", (request, response) => {
        const [user, password] = basicOf(request) ?? [];
        if (user !== "tomcat" || password !== "tomcat")
          return void response
            .status(401)
            .set("www-authenticate", 'Basic realm="Tomcat Manager Application"')
            .send("401 Unauthorized\n");
        witnesses.saw("access", "tomcat GET /desk/manager/html");
        response.type("html").send(MANAGER);
      })
      .get("/desk/manager/text", (request, response) => {
        const [user, password] = basicOf(request) ?? [];
        if (user !== "counter" || password !== "a-long-one-from-1941-and-after")
          return void response
            .status(401)
            .set("www-authenticate", 'Basic realm="Tomcat Manager Application"')
            .send("401 Unauthorized\n");
        response.type("text").send("OK - Listed applications\n");
      })
      // Tokens in cookies.
      .post("/v3/kiosk", (_request, response) => {
        const token = signJwt({ ...claimsFor("lin"), kiosk: 4 }, EXAMPLE_SECRET);
        response.set("set-cookie", `kiosk=${token}; ${GOOD}`).json({ kiosk: 4 });
      })
      .post("/v3/terminal", (_request, response) => {
        const token = signJwt({ ...claimsFor("lin"), terminal: 4 }, STRONG_SECRET);
        response.set("set-cookie", `terminal=${token}; ${GOOD}`).json({ terminal: 4 });
      })
      .get("/v3/badge", (request, response) => {
        const token = cookie(request, "badge");
        const { alg } = readHead(token);
        const claims = alg === "HS256" ? verifyJwt(token, STRONG_SECRET) : alg === "none" ? null : readClaims(token);
        if (claims === null) return void response.status(401).json({ error: "a badge is expected" });
        witnesses.saw("access", `${String(claims.sub)} GET /v3/badge`);
        response.json({ badge: claims.sub, doors: claims.sub === "admin" ? ["office", "safe"] : ["shop"] });
      })
      .get("/v3/pass", (request, response) => {
        const claims = verifyJwt(cookie(request, "pass"), STRONG_SECRET);
        if (claims === null) return void response.status(401).json({ error: "a pass is expected" });
        witnesses.saw("access", `${String(claims.sub)} GET /v3/pass`);
        response.json({ pass: claims.sub, doors: ["shop"] });
      })
  );
}

/** The first part of a token. */
function readHead(token: string): { alg?: unknown } {
  try {
    return JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()) as { alg?: unknown };
  } catch {
    return { alg: "none" };
  }
}
