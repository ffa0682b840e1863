/** Support: customers' own words come back as they should, and a few corners where they do not. */
import { Router } from "express";
import type { Place } from "../ground/ground.ts";
import { escapeHtml, field, page, query, traceOf } from "../ground/web.ts";

export const support = (place: Place): Router =>
  Router()
    // A ticket says whatever went wrong, in the customer's words, and is shown encoded.
    .post("/support/tickets", (request, response) => {
      const text = escapeHtml(String(field(request, "text")));
      page(
        response,
        "Your ticket",
        `<h1>We have your ticket</h1>\n<pre>${text}</pre>\n<p>An answer takes 7 hours.</p>`,
      );
    })
    // The search language of the shop, with errors of its own.
    .get("/find/exact", (request, response) => {
      const [, first = "", second = ""] = /^(.*?)\s*\b(AND|OR|NOT)\s*$/.exec(query(request, "expr")) ?? [];
      const at = first.length + 1;
      if (second === "") return page(response, "Search", "<p>Nothing found.</p>");
      page(response, "Search", `<p>Syntax error: unexpected end after ${second} (position ${at})</p>`, { status: 400 });
    })
    .post("/notes/strict", (request, response) => {
      try {
        response.json({ saved: JSON.parse(String(request.body)) as unknown });
      } catch (error) {
        response.status(400).json({ error: (error as Error).message });
      }
    })
    // An address that was moved takes along where the visitor wanted to go.
    .get("/moved", (request, response) => {
      response.redirect(`/login/continue?next=${query(request, "next")}`);
    })
    // Behind a proxy the page's own address is what the proxy says.
    .get("/newspaper", (request, response) => {
      const host = request.get("x-forwarded-host") ?? "shop.example";
      page(response, "Newspaper", "<h1>Newspaper</h1>", {
        head: `<link rel="canonical" href="https://${host}/newspaper">\n`,
      });
    })
    .get("/newspaper/today", (request, response) => {
      const host = request.get("x-forwarded-host") ?? "";
      const own = /^(www\.)?shop\.example$/.test(host) ? host : "shop.example";
      page(response, "Newspaper", "<h1>Newspaper</h1>", {
        head: `<link rel="canonical" href="https://${own}/newspaper/today">\n`,
      });
    })
    .get("/download", (request, response) => {
      const to = query(request, "mirror");
      response.set("refresh", `0; url=${to}`);
      page(response, "Download", "<p>Your download begins.</p>");
    })
    .get("/download/own", (request, response) => {
      const to = query(request, "mirror");
      response.set("refresh", `0; url=${to === "bergen" ? "/mirrors/bergen" : "/mirrors/oslo"}`);
      page(response, "Download", "<p>Your download begins.</p>");
    })
    // The orders import documents that the edge only carries.
    .post("/orders/upload", async (request, response) => {
      const { status, body } = await place.call("orders", "/orders/import", {
        method: "POST",
        headers: { ...traceOf(request), "content-type": "application/xml" },
        body: String(request.body),
      });
      page(response, "Imported", `<pre>${escapeHtml(body)}</pre>`, { status });
    });
