/** Parts of the orders that came from elsewhere, and what their frameworks show when nobody tells them not to. */
import { Router } from "express";
import type { Place } from "../ground/ground.ts";
import { SECRETS } from "../ground/people.ts";
import { javaType, toBinaryFormatter, toJava } from "../ground/serial.ts";
import { escapeHtml, page, query } from "../ground/web.ts";

const SPRING_TRACE = (text: string): string =>
  `java.lang.NumberFormatException: For input string: "${text}"\n` +
  "\tat java.base/java.lang.NumberFormatException.forInputString(NumberFormatException.java:67)\n" +
  "\tat java.base/java.lang.Long.parseLong(Long.java:702)\n" +
  "\tat com.lamps.orders.PaymentController.show(PaymentController.java:38)\n" +
  "\tat org.springframework.web.servlet.DispatcherServlet.doDispatch(DispatcherServlet.java:1040)\n" +
  "\tat org.apache.tomcat.util.threads.TaskThread$WrappingRunnable.run(TaskThread.java:61)\n";

const YELLOW = (text: string): string => `<!DOCTYPE html>
<html>
    <head><title>Input string was not in a correct format.</title></head>
    <body bgcolor="white">
    <span><H1>Server Error in '/' Application.<hr width=100% size=1 color=silver></H1>
    <h2> <i>Input string was not in a correct format.</i> </h2></span>
    <b> Description: </b>An unhandled exception occurred during the execution of the current web request.
    <b> Exception Details: </b>System.FormatException: Input string '${escapeHtml(text)}' was not in a correct format.<br><br>
    <b>Stack Trace:</b> <pre>
[FormatException: Input string was not in a correct format.]
   System.Number.StringToNumber(String str, NumberStyles options, NumberBuffer&amp; number) +14318355
   Shop.Orders.Report.Page_Load(Object sender, EventArgs e) in c:\\inetpub\\orders\\report.aspx.cs:27
</pre>
    <b>Version Information:</b>&nbsp;Microsoft .NET Framework Version:4.0.30319; ASP.NET Version:4.7.3282.0
    </body>
</html>
`;

const JENKINS = `<!DOCTYPE html><html><head resURL="/static/2f1c" data-version="2.319.1"><title>Dashboard [Jenkins]</title></head>
<body id="jenkins" class="yui-skin-sam"><h1>Dashboard</h1>
<a href="newJob">New Item</a> <a href="manage">Manage Jenkins</a> <a href="script">Script Console</a>
<table id="projectstatus"><tr><td>deploy-orders</td><td>#412</td></tr></table></body></html>
`;

const PPROF = `<html>
<head>
<title>/debug/pprof/</title>
</head>
<body>
/debug/pprof/<br>
<br>
Types of profiles available:
<table>
<thead><td>Count</td><td>Profile</td></thead>
<tr><td>41</td><td><a href='goroutine?debug=1'>goroutine</a></td></tr>
<tr><td>112</td><td><a href='heap?debug=1'>heap</a></td></tr>
</table>
<a href="goroutine?debug=2">full goroutine stack dump</a>
</body>
</html>
`;

export function legacy(place: Place): Router {
  const { witnesses } = place.ground;
  return (
    Router()
      .get("/payments/card", (_request, response) => {
        response.json({
          order: 1001,
          card: { brand: "visa", number: "4539148803436467", holder: "Ada L", expires: "11/28" },
        });
      })
      .get("/payments/masked", (_request, response) => {
        // Sixteen digits, but a number of ours: its last digit is not the check digit of a card.
        response.json({
          order: "4539148803436461",
          card: { brand: "visa", number: "************6467" },
          parcel: "00370730254000000017",
        });
      })
      .get("/payments/:id", (request, response) => {
        const { id } = request.params;
        if (/^\d+$/.test(id)) return void response.json({ payment: Number(id), state: "paid" });
        response.status(500).json({
          timestamp: "2026-11-21T10:00:00.000+00:00",
          status: 500,
          error: "Internal Server Error",
          trace: SPRING_TRACE(id),
          path: `/payments/${id}`,
        });
      })
      .get("/transfers/:id", (request, response) => {
        const { id } = request.params;
        if (/^\d+$/.test(id)) return void response.json({ transfer: Number(id), state: "done" });
        response.status(400).json({
          timestamp: "2026-11-21T10:00:00.000+00:00",
          status: 400,
          error: "Bad Request",
          path: `/transfers/${id}`,
        });
      })
      .get("/classic/report.aspx", (request, response) => {
        const month = query(request, "month");
        if (/^\d{1,2}$/.test(month)) return page(response, "Report", `<p>Month ${month}</p>`);
        response.status(500).type("html").send(YELLOW(month));
      })
      .get("/classic/summary.aspx", (request, response) => {
        const month = query(request, "month");
        if (/^\d{1,2}$/.test(month)) return page(response, "Summary", `<p>Month ${month}</p>`);
        page(response, "Error", "<h1>Server Error</h1><p>That is not a month. Our people have been told.</p>", {
          status: 500,
        });
      })
      .get("/users/list", (_request, response) => {
        response.json([
          { name: "ada", password: "$2b$12$Q1mE0b0kS3w6pCw0Vh9bQOY7dJ6pZ4nC5r8tX2uL1vK3mN0oP9qRe" },
          { name: "lin", password: "$2b$12$u7Hc2dF4gJ6kL8mN0pQ2rOaB3cD5eF7gH9iJ1kL3mN5oP7qR9sTuW" },
        ]);
      })
      .get("/users/pictures", (_request, response) => {
        response.json([
          {
            name: "ada",
            picture: "/pictures/ada.webp",
            integrity: "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            etag: "9b74c9897bac770ffc029102a200c5de",
          },
        ]);
      })
      // What runs beside the service.
      .get("/actuator/env", (_request, response) => {
        response.json({
          activeProfiles: ["production"],
          propertySources: [
            {
              name: "systemEnvironment",
              properties: {
                AWS_SECRET_ACCESS_KEY: { value: SECRETS.awsSecret },
                SPRING_DATASOURCE_PASSWORD: { value: "rosebud-1941" },
              },
            },
            {
              name: "applicationConfig: [classpath:/application.yml]",
              properties: {
                "spring.datasource.url": { value: "jdbc:postgresql://orders-db.shop.internal:5432/orders" },
              },
            },
          ],
        });
      })
      .get("/actuator/health", (_request, response) => void response.json({ status: "UP" }))
      .get("/debug/pprof/", (_request, response) => void response.type("html").send(PPROF))
      .get("/debug/ping", (_request, response) => void response.json({ pong: true }))
      .get("/jenkins/", (_request, response) => void response.set("x-jenkins", "2.319.1").type("html").send(JENKINS))
      .get("/partner/ping", (_request, response) => {
        response.set("server", "Apache/2.4.6 (CentOS) OpenSSL/1.0.1e-fips mod_fastcgi/2.4.6").json({ pong: true });
      })
      .get("/partner/pong", (_request, response) => void response.set("server", "envoy").json({ pong: true }))
      .get("/status/upstreams", (_request, response) => {
        response.json({
          upstreams: [
            { name: "orders-db", address: "10.20.4.11:5432" },
            { name: "cache", address: "192.168.7.20:6379" },
          ],
        });
      })
      .get("/healthz", (_request, response) => {
        // Asked by the mesh itself: no browser, no TLS.
        response.removeHeader("strict-transport-security");
        response.json({ status: "ok" });
      })
      .trace("/echo", (request, response) => {
        const head = Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
        response.type("message/http").send(`TRACE ${request.url} HTTP/1.1\r\n${head.join("")}\r\n`);
      })
      .trace(
        "/orders/mine",
        (_request, response) => void response.status(405).set("allow", "GET").json({ error: "method not allowed" }),
      )
      // Objects of Java and .NET.
      .post("/rpc/orders", (request, response) => {
        const type = Buffer.isBuffer(request.body) ? javaType(request.body) : null;
        if (type === null) return void response.status(400).json({ error: "an object is expected" });
        witnesses.saw("object", `java ${type}`);
        response
          .type("application/x-java-serialized-object")
          .send(toJava("com.lamps.orders.Receipt", { order: "1001", state: "taken" }));
      })
      .post("/rpc/picture", (request, response) => {
        const size = Buffer.isBuffer(request.body) ? request.body.length : 0;
        response.json({ stored: size });
      })
      .get("/token/legacy", (_request, response) => {
        const token = toBinaryFormatter("Shop.Orders", "Shop.Orders.Token", "user", "ada").toString("base64");
        response.json({ token });
      })
      .get(
        "/token/opaque",
        (_request, response) => void response.json({ token: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }),
      )
      .post("/events", (request, response) => {
        const type = ((request.body ?? {}) as Record<string, unknown>).$type;
        if (typeof type === "string") witnesses.saw("object", `dotnet ${type}`);
        response.json({ $type: "Shop.Orders.Events.Accepted, Shop.Orders", id: 7 });
      })
      .post("/events/plain", (request, response) => {
        const body = (request.body ?? {}) as Record<string, unknown>;
        response.json({ $schema: "https://shop.example/schemas/event.json", type: String(body.type), id: 7 });
      })
      // Asked by the edge.
      .get("/internal/summary", (request, response) => {
        const type = javaType(Buffer.from(request.get("x-session") ?? "", "base64"));
        if (type !== null) witnesses.saw("object", `java ${type}`);
        response.type("text").send(type === null ? "nobody" : "one order is open");
      })
      .get(
        "/internal/overview",
        (request, response) => void response.type("text").send(`${request.get("x-customer")}: one order is open`),
      )
      .get("/internal/register", (_request, response) => void response.json({ registered: true }))
      .post("/internal/signup", (_request, response) => void response.json({ registered: true }))
  );
}
