/** Where visitors are sent on, and the small headers that go with it. */
import { Router } from "express";
import { answerByHand, escapeHtml, field, page, query } from "../ground/web.ts";

const OWN = "https://shop.example";
const PAYMENT: Readonly<Record<string, string>> = {
  paypal: "https://www.paypal.com/checkoutnow",
  klarna: "https://pay.klarna.com/eu/hpp",
};

export const leaving = (): Router =>
  Router()
    .get("/login/return", (request, response) => response.redirect(query(request, "next")))
    .get("/login/continue", (request, response) => {
      const next = query(request, "next");
      response.redirect(/^\/(?![/\\])/.test(next) ? next : "/");
    })
    .post("/logout", (request, response) => {
      const next = String(field(request, "return_to"));
      // A path of ours: it begins with a slash.
      response.redirect(303, next.startsWith("/") ? next : "/");
    })
    .post("/signout", (request, response) => {
      const next = String(field(request, "return_to"));
      const path = new URL(next, OWN).origin === OWN ? new URL(next, OWN).pathname : "/";
      response.redirect(303, `http://${request.get("host")}${path}`);
    })
    .get("/sso", (request, response) => {
      const back = query(request, "back");
      response.redirect(back.startsWith(OWN) ? back : "/");
    })
    .get("/sso/exact", (request, response) => {
      const back = query(request, "back");
      response.redirect(URL.canParse(back) && new URL(back).origin === OWN ? back : "/");
    })
    .get("/out", (request, response) => {
      const to = escapeHtml(query(request, "u"));
      page(response, "Goodbye", "<p>One moment…</p>", { head: `<meta http-equiv="refresh" content="0; url=${to}">\n` });
    })
    .get("/leaving", (request, response) => {
      const to = query(request, "u");
      const shown = escapeHtml(to);
      const link = /^https?:/.test(to) ? `<a rel="noopener noreferrer nofollow" href="${shown}">${shown}</a>` : shown;
      page(response, "You are leaving us", `<p>This leads to another site, which we do not know: ${link}</p>`);
    })
    .get("/pay/start", (request, response) => response.redirect(PAYMENT[query(request, "with")] ?? "/"))
    .get("/lang", (request, response) => {
      const to = query(request, "set");
      answerByHand(response, "302 Found", { location: `/${to}/`, "content-type": "text/plain" }, "Found\n");
    })
    .get("/language", (request, response) => {
      const to = encodeURIComponent(query(request, "set"));
      answerByHand(response, "302 Found", { location: `/${to}/`, "content-type": "text/plain" }, "Found\n");
    })
    .get("/locale", (request, response) => {
      response.set("set-cookie", `locale=${query(request, "to")}; Path=/; Secure; HttpOnly; SameSite=Lax`);
      page(response, "Language", "<p>Your language was changed.</p>");
    })
    .get("/locale/known", (request, response) => {
      const to = query(request, "to");
      const known = ["en", "nb", "de"].includes(to) ? to : "en";
      response.set("set-cookie", `locale=${known}; Path=/; Secure; HttpOnly; SameSite=Lax`);
      page(response, "Language", "<p>Your language was changed.</p>");
    });
