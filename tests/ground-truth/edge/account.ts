/** Accounts: logging in and out, cookies, links out of mails. */
import { createHmac } from "node:crypto";
import { Router } from "express";
import type { Place } from "../ground/ground.ts";
import { personOf, sessionOf, SECRETS, STRONG_SECRET } from "../ground/people.ts";
import { phpType, toPhp } from "../ground/serial.ts";
import { cookie, escapeHtml, field, page, query, traceOf } from "../ground/web.ts";

const GOOD = "Path=/; Secure; HttpOnly; SameSite=Lax";
const sign = (text: string): string => createHmac("sha256", STRONG_SECRET).update(text).digest("base64url");

export function account(place: Place): Router {
  const { witnesses } = place.ground;
  return (
    Router()
      // Logging in. The first page is the oldest: its scripts once read the session.
      .post("/login", (_request, response) => {
        response.set("set-cookie", `session=${sessionOf("ada")}; Path=/; Secure; SameSite=Lax`);
        response.redirect(303, "/");
      })
      .post("/v2/login", (_request, response) => {
        response.set("set-cookie", `__Host-session=${sessionOf("ada")}; ${GOOD}`);
        response.redirect(303, "/");
      })
      .get("/remember", (_request, response) => {
        response.set(
          "set-cookie",
          `remember_token=${sessionOf("lin")}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000`,
        );
        page(response, "Remembered", "<p>You stay logged in on this device.</p>");
      })
      .get("/theme/remember", (_request, response) => {
        response.set("set-cookie", "theme=dark; Path=/; Secure; SameSite=Lax; Max-Age=31536000");
        page(response, "Dark", "<p>It is dark from now on.</p>");
      })
      .get("/embed/session", (_request, response) => {
        response.set("set-cookie", `auth=${sessionOf("lin")}; Path=/; HttpOnly; SameSite=None`);
        page(response, "Widget", "<p>Your basket, elsewhere.</p>");
      })
      .get("/embed/widget", (_request, response) => {
        response.set(
          "set-cookie",
          `auth=${sessionOf("lin")}; Path=/embed; HttpOnly; Secure; SameSite=None; Partitioned`,
        );
        page(response, "Widget", "<p>Your basket, elsewhere.</p>");
      })
      .get("/club", (_request, response) => {
        response.set("set-cookie", `member_session=${sessionOf("lin")}; Domain=.example; ${GOOD}`);
        page(response, "Club", "<p>Welcome to the club.</p>");
      })
      .get("/goodbye", (_request, response) => {
        response.set("set-cookie", "session=; Path=/; Max-Age=0");
        page(response, "Goodbye", "<p>You are logged out.</p>");
      })
      // What stands in addresses.
      .get("/signin", (_request, response) => page(response, "Welcome", "<p>Welcome back.</p>"))
      .get("/signin/help", (_request, response) =>
        page(response, "Logging in", "<p>We send you a link: no password is needed.</p>"),
      )
      .get("/reset", (_request, response) => page(response, "New password", "<p>Choose a new password.</p>"))
      .get("/vouchers/find", (_request, response) => page(response, "Vouchers", "<p>None on this page.</p>"))
      .get("/invite", (_request, response) => page(response, "Invited", "<p>Ada has invited you.</p>"))
      .get("/history", (_request, response) => page(response, "History", "<p>Page 2.</p>"))
      // Old forms: one still answers without TLS.
      .post("/classic/login", (_request, response) => {
        response.set("set-cookie", `__Host-session=${sessionOf("ada")}; ${GOOD}`);
        response.redirect(303, "/");
      })
      .post("/classic/signin", (_request, response) => {
        response.set("set-cookie", `__Host-session=${sessionOf("ada")}; ${GOOD}`);
        response.redirect(303, "/");
      })
      .get("/feed/private", (_request, response) => void response.json({ news: ["Paper lamps are back"] }))
      .get("/feed/members", (_request, response) => void response.json({ news: ["Paper lamps are back"] }))
      // Baskets, from the days of PHP: the cookie is the object.
      .get("/basket", (request, response) => {
        const given = cookie(request, "cart");
        const type = phpType(given);
        if (type !== null) witnesses.saw("object", `php ${type}`);
        const cart = given === "" ? toPhp({ items: ["Brass lamp"], total: 49 }, "Cart") : given;
        response.set("set-cookie", `cart=${encodeURIComponent(cart)}; ${GOOD}`);
        page(response, "Basket", `<p>${type === null ? "One thing" : "Some things"} in your basket.</p>`);
      })
      .get("/basket/signed", (request, response) => {
        const [text = "", signature] = cookie(request, "bag").split(".");
        const isOurs = signature === sign(text);
        const bag = Buffer.from(JSON.stringify({ items: ["Brass lamp"], total: 49 })).toString("base64url");
        response.set("set-cookie", `bag=${bag}.${sign(bag)}; ${GOOD}`);
        page(response, "Basket", `<p>${isOurs ? "Some things" : "One thing"} in your basket.</p>`);
      })
      // The orders trust a session object that the edge hands on; it was the client's before.
      .get("/account/summary", async (request, response) => {
        const session = cookie(request, "jsession");
        const { body } = await place.call("orders", "/internal/summary", {
          headers: { ...traceOf(request), "x-session": session },
        });
        page(response, "Summary", `<p>${escapeHtml(body)}</p>`);
      })
      .get("/account/overview", async (request, response) => {
        const { body } = await place.call("orders", "/internal/overview", {
          headers: { ...traceOf(request), "x-customer": personOf(request) ?? "nobody" },
        });
        page(response, "Overview", `<p>${escapeHtml(body)}</p>`);
      })
      // New customers: the older page asks the orders with everything in the address.
      .post("/register", async (request, response) => {
        const asked = new URLSearchParams({
          email: String(field(request, "email")),
          password: String(field(request, "password")),
        });
        await place.call("orders", `/internal/register?${asked}`);
        page(response, "Welcome", "<p>Your account is ready.</p>");
      })
      .post("/signup", async (request, response) => {
        await place.call("orders", "/internal/signup", {
          method: "POST",
          headers: { ...traceOf(request), "content-type": "application/json" },
          body: JSON.stringify({ email: field(request, "email"), password: field(request, "password") }),
        });
        page(response, "Welcome", "<p>Your account is ready.</p>");
      })
      .get("/recommended", async (request, response) => {
        const { body } = await place.call("catalogue", "/recommend/for", {
          headers: { ...traceOf(request), authorization: request.get("authorization") ?? "" },
        });
        page(response, "For you", `<p>${escapeHtml(body)}</p>`);
      })
      .get("/popular", async (request, response) => {
        const { body } = await place.call("catalogue", "/recommend/all", {
          headers: { ...traceOf(request), authorization: request.get("authorization") ?? "" },
        });
        page(response, "Popular", `<p>${escapeHtml(body)}</p>`);
      })
      // What the page's scripts are told.
      .get("/static/config.js", (_request, response) => {
        response
          .type("application/javascript")
          .send(
            `window.config = {\n  bucket: "lamps-and-tables-pictures",\n  accessKeyId: "${SECRETS.awsKeyId}",\n  secretAccessKey: "${SECRETS.awsSecret}",\n};\n`,
          );
      })
      .get("/static/settings.js", (_request, response) => {
        response
          .type("application/javascript")
          .send(
            'window.config = {\n  bucket: "lamps-and-tables-pictures",\n  publishableKey: "pk_live_" + shop,\n  accessKeyId: null,\n};\n',
          );
      })
      .get("/out-of-stock", (request, response) =>
        page(response, "Sold out", `<p>Page ${Number(query(request, "page")) || 1}</p>`),
      )
  );
}
