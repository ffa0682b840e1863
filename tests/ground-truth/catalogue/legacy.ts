/** Parts of the catalogue that came with shops we bought, each in its own language, and what they tell about it. */
import { Router } from "express";
import type { Place } from "../ground/ground.ts";
import { bearerOf, personOf, SECRETS } from "../ground/people.ts";
import { toMarshal, toPickle } from "../ground/serial.ts";
import { page, query, traceOf } from "../ground/web.ts";

const PUBLIC = ["https://shop.example", "https://www.shop.example"];

const PYTHON = (user: string): string => `Traceback (most recent call last):
  File "/usr/lib/python3.9/site-packages/flask/app.py", line 2073, in wsgi_app
    response = self.full_dispatch_request()
  File "/usr/lib/python3.9/site-packages/flask/app.py", line 1518, in full_dispatch_request
    rv = self.handle_user_exception(e)
  File "/srv/recommend/app.py", line 31, in recommend
    user = int(request.args["user"])
ValueError: invalid literal for int() with base 10: '${user}'
`;

const GO = `http: panic serving 10.20.4.9:51122: runtime error: integer divide by zero
goroutine 34 [running]:
net/http.(*conn).serve.func1(0xc0001a2000)
\t/usr/local/go/src/net/http/server.go:1825 +0xbf
panic(0x6a4ce0, 0x8b1f40)
\t/usr/local/go/src/runtime/panic.go:844 +0x258
main.thumbnail(0xc0001c4000, 0x0)
\t/srv/thumb/main.go:41 +0x1d4
`;

const PHPINFO = `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>phpinfo()</title><meta name="ROBOTS" content="NOINDEX,NOFOLLOW,NOARCHIVE" /></head>
<body><div class="center">
<table><tr class="h"><td><h1 class="p">PHP Version 7.4.3</h1></td></tr></table>
<table>
<tr><td class="e">System </td><td class="v">Linux catalogue-1 5.4.0-42-generic #46-Ubuntu SMP x86_64 </td></tr>
<tr><td class="e">Server API </td><td class="v">Apache 2.0 Handler </td></tr>
<tr><td class="e">Loaded Configuration File </td><td class="v">/etc/php/7.4/apache2/php.ini </td></tr>
<tr><td class="e">DOCUMENT_ROOT </td><td class="v">/var/www/html </td></tr>
</table></div></body></html>
`;

const WERKZEUG = `<!doctype html>
<html lang=en>
  <head>
    <title>Console // Werkzeug Debugger</title>
    <link rel="stylesheet" href="?__debugger__=yes&amp;cmd=resource&amp;f=style.css">
    <script src="?__debugger__=yes&amp;cmd=resource&amp;f=debugger.js"></script>
    <script>
      var CONSOLE_MODE = true, EVALEX = true, EVALEX_TRUSTED = false, SECRET = "mQX6T4a1Ue3xN0cR8vbd";
    </script>
  </head>
  <body style="background-color: #fff"><div class="debugger"><h1>Interactive Console</h1></div></body>
</html>
`;

const APACHE_DEFAULT = `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
  <head><title>Apache2 Ubuntu Default Page: It works</title></head>
  <body><div class="main_page"><span class="floating_element">Apache2 Ubuntu Default Page</span>
  <p>This is the default welcome page used to test the correct operation of the Apache2 server after installation on Ubuntu systems.</p>
  </div></body>
</html>
`;

const SERVER_STATUS = `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">
<html><head><title>Apache Status</title></head><body>
<h1>Apache Server Status for catalogue.shop.example (via 10.20.4.9)</h1>
<dl><dt>Server Version: Apache/2.4.57 (Ubuntu)</dt><dt>Server MPM: event</dt></dl>
<dl><dt>Server uptime:  21 days 4 hours 12 minutes</dt><dt>Total accesses: 84122 - Total Traffic: 1.2 GB</dt></dl>
<table border="0"><tr><th>Srv</th><th>PID</th><th>Acc</th><th>Client</th><th>VHost</th><th>Request</th></tr>
<tr><td><b>0-0</b></td><td>2211</td><td>0/12/120</td><td>10.20.4.17</td><td>catalogue:80</td><td>GET /me/wishlist?session=41f0 HTTP/1.1</td></tr></table>
</body></html>
`;

export function legacy(place: Place): Router {
  const { witnesses } = place.ground;
  return (
    Router()
      .get("/recommend", (request, response) => {
        const user = query(request, "user");
        if (/^\d+$/.test(user)) return void response.json({ products: [1, 4] });
        response.status(500).type("text").send(PYTHON(user));
      })
      .get("/thumb", (request, response) => {
        if (Number(query(request, "w")) > 0) return void response.type("text").send("[thumbnail]\n");
        response.status(500).type("text").send(GO);
      })
      .get("/thumb/checked", (request, response) => {
        if (Number(query(request, "w")) > 0) return void response.type("text").send("[thumbnail]\n");
        response.status(400).type("text").send("panic is not needed: w must be above 0\n");
      })
      .get("/info.php", (_request, response) => void response.type("html").send(PHPINFO))
      .get("/console", (_request, response) => void response.type("html").send(WERKZEUG))
      .get("/default/", (_request, response) => void response.type("html").send(APACHE_DEFAULT))
      .get("/server-status", (_request, response) => void response.type("html").send(SERVER_STATUS))
      // Banners.
      .get("/mirror/", (_request, response) => {
        response.set("server", "Apache/2.4.49 (Unix)");
        page(response, "Mirror", "<h1>Pictures</h1>");
      })
      .get("/mirror/new", (_request, response) => {
        response.set("server", "lamps-mirror/2.4.49");
        page(response, "Mirror", "<h1>Pictures</h1>");
      })
      .get("/wp/", (_request, response) => {
        response.set("x-powered-by", "PHP/5.6.40");
        page(response, "Blog", "<h1>Blog</h1>");
      })
      .get("/wp/made", (_request, response) => {
        response.set("x-powered-by", "Coffee 5.6");
        page(response, "Blog", "<h1>Blog</h1>");
      })
      .get("/whoami", (_request, response) => {
        response.set("x-backend-server", "ip-10-20-4-17.eu-north-1.compute.internal").json({ service: "catalogue" });
      })
      .get("/whoami/pod", (_request, response) => {
        response.set("x-served-by", "catalogue-7d9c5b6f4-x2v8k").json({ service: "catalogue" });
      })
      // Settings, with and without what should not be in them.
      .get("/settings", (_request, response) => {
        response.json({
          currency: "EUR",
          payment: { provider: "stripe", secretKey: SECRETS.stripeKey },
          deploy: { token: SECRETS.githubToken },
          chat: { bot: SECRETS.slackToken },
        });
      })
      .get("/settings/shown", (_request, response) => {
        response.json({
          currency: "EUR",
          payment: { provider: "stripe", secretKey: "sk_live_****************4f2a" },
          deploy: { token: "(set)" },
        });
      })
      .get("/version", (_request, response) => {
        response.json({
          build: "v10.20.4.17-beta",
          client: "Oracle Instant Client 10.2.0.4.0",
          section: "§ 192.168",
          path: "M10.1 192.168.5z",
        });
      })
      // Who may read answers across sites.
      .get("/me/wishlist", (request, response) => {
        const origin = request.get("origin");
        if (origin !== undefined)
          response.set({ "access-control-allow-origin": origin, "access-control-allow-credentials": "true" });
        response.json({ owner: personOf(request), items: ["Brass lamp"] });
      })
      .get("/me/settings", (request, response) => {
        const origin = request.get("origin") ?? "";
        response.set("vary", "origin");
        if (PUBLIC.includes(origin))
          response.set({ "access-control-allow-origin": origin, "access-control-allow-credentials": "true" });
        response.json({ owner: personOf(request), colour: "brass" });
      })
      .get("/me/cart", (request, response) => {
        response.set({ "access-control-allow-origin": "null", "access-control-allow-credentials": "true" });
        response.json({ owner: personOf(request), items: [] });
      })
      .get("/public/products", (_request, response) => {
        response.set({
          "access-control-allow-origin": "*",
          "cross-origin-resource-policy": "cross-origin",
          "cache-control": "public, max-age=600",
        });
        response.json([{ name: "Brass lamp", price: 49 }]);
      })
      // Types.
      .get("/uploads/note", (_request, response) => {
        response.removeHeader("x-content-type-options");
        response.type("text/plain").send("A customer wrote: <b>nice</b>\n");
      })
      .get("/uploads/raw", (_request, response) => {
        response.end("<!doctype html><title>Uploaded</title><p>Uploaded by a customer.\n");
      })
      .get("/uploads/none", (_request, response) => {
        response.removeHeader("x-content-type-options");
        response.status(204).end();
      })
      // Objects of other languages.
      .get("/cache/state", (_request, response) => {
        response.json({
          key: "recent",
          state: toPickle("shop.session", "Session", { user: "ada", seen: "1,4" }).toString("base64"),
        });
      })
      .get("/cache/picture", (_request, response) => {
        // The beginning of a WebP picture.
        response.json({ key: "lamp", state: "UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAwA0JaQAA3AA/vuUAAA=" });
      })
      .get("/editor", (_request, response) => {
        const session = toMarshal({ user: "lin", role: "editor" }).toString("base64");
        response.set(
          "set-cookie",
          `_editor_session=${encodeURIComponent(session)}; Path=/; Secure; HttpOnly; SameSite=Lax`,
        );
        page(response, "Editor", "<h1>Editor</h1>");
      })
      .get("/editor/new", (_request, response) => {
        const session = Buffer.from(JSON.stringify({ user: "lin", role: "editor" })).toString("base64");
        response.set(
          "set-cookie",
          `_editor2_session=${encodeURIComponent(session)}--9c1f0b6b2fd14f3e8a5d7b0c2e4f6a8d9b1c3e5f; Path=/; Secure; HttpOnly; SameSite=Lax`,
        );
        page(response, "Editor", "<h1>Editor</h1>");
      })
      .post("/prices/import", (request, response) => {
        const body = (request.body ?? {}) as Record<string, unknown>;
        const type = body["@class"];
        if (typeof type === "string") witnesses.saw("object", `jackson ${type}`);
        response.json({ "@class": "com.lamps.catalogue.ImportResult", imported: 1 });
      })
      .post("/products/linked", (request, response) => {
        const body = (request.body ?? {}) as Record<string, unknown>;
        response.json({ "@context": "https://schema.org", "@type": "Product", name: body.name });
      })
      .post("/config/import", (request, response) => {
        for (const [, tag] of String(request.body).matchAll(/!!?((?:python|ruby)\/[\w/:.]+)/g))
          witnesses.saw("object", `yaml ${tag}`);
        response.json({ imported: String(request.body).split("\n").length });
      })
      .post(
        "/config/plain",
        (request, response) => void response.json({ imported: String(request.body).split("\n").length }),
      )
      // Recommendations are a partner's. One page sends the visitor's token there as well.
      .get("/recommend/for", async (request, response) => {
        const { body } = await place.fetch("http://analytics.partner.example/v1/recommendations", {
          headers: { ...traceOf(request), authorization: `Bearer ${bearerOf(request)}` },
        });
        response.type("json").send(body);
      })
      .get("/recommend/all", async (request, response) => {
        const { body } = await place.fetch("http://analytics.partner.example/v1/recommendations", {
          headers: traceOf(request),
        });
        response.type("json").send(body);
      })
      .post("/graphql", (request, response) => {
        const asked = String((request.body as Record<string, unknown> | undefined)?.query);
        if (!asked.includes("__schema")) return void response.json({ data: { product: { name: "Brass lamp" } } });
        const types = ["Query", "Product", "Customer", "AdminMutation", "String", "__Schema", "__Type"].map((name) => ({
          name,
          kind: "OBJECT",
        }));
        response.json({
          data: { __schema: { queryType: { name: "Query" }, mutationType: { name: "AdminMutation" }, types } },
        });
      })
      .post("/v2/graphql", (request, response) => {
        const asked = String((request.body as Record<string, unknown> | undefined)?.query);
        if (!asked.includes("__schema")) return void response.json({ data: { product: { name: "Brass lamp" } } });
        response.status(400).json({
          errors: [{ message: "GraphQL introspection is not allowed, but the query contained __schema or __type" }],
        });
      })
  );
}
