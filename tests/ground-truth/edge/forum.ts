/** The forum: what members write and look for, in places of a page where other marks count than in text. */
import express, { Router } from "express";
import type { Response } from "express";
import { answerByHand, escapeHtml, field, page, query, scriptJson } from "../ground/web.ts";

/** A page with a script of its own. */
function scripted(response: Response, title: string, script: string, body = ""): void {
  page(response, title, `${body}\n<script nonce="${String(response.locals.nonce)}">${script}</script>`);
}

/** Text for the inside of a template literal, but for what `marks` leaves out. */
const literal = (text: string, marks: RegExp): string =>
  text.replace(/[<>]/g, (mark) => (mark === "<" ? "\\x3c" : "\\x3e")).replace(marks, "\\$&");

/** The file name of a multipart form's first file. */
const fileName = (body: unknown): string => /filename="([^"\r\n]*)"/.exec(String(body))?.[1] ?? "nothing";

const multipart = express.text({ type: "multipart/form-data", limit: "64kb" });
const feed = (title: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>${title}</title><link>https://shop.example/forum</link>` +
  "<item><title>Which bulb?</title></item></channel></rss>\n";

export const forum = (): Router =>
  Router()
    .get("/forum/search", (request, response) => {
      // Whoever wrote this thought of quotes, not of what else a template literal has.
      const topic = literal(query(request, "topic"), /[\\`]/g);
      scripted(response, "Forum", `const heading = \`Threads about ${topic}\`;`);
    })
    .get("/forum/find", (request, response) => {
      const topic = literal(query(request, "topic"), /[\\`$]/g);
      scripted(response, "Forum", `const heading = \`Threads about ${topic}\`;`);
    })
    .get("/forum/state", (request, response) => {
      const state = JSON.stringify({ page: 1, view: query(request, "view") });
      scripted(response, "Forum", `window.__INITIAL_STATE__ = ${state};`);
    })
    .get("/forum/board", (request, response) => {
      const state = scriptJson({ page: 1, view: query(request, "view") });
      scripted(response, "Forum", `window.__INITIAL_STATE__ = ${state};`);
    })
    .get("/forum/share", (request, response) => {
      const title = escapeHtml(query(request, "title"), '&<>"');
      page(response, "Share", `<button type="button" onclick="share('${title}')">Share</button>`);
    })
    .get("/forum/send", (request, response) => {
      // Escaped for the script first, then for the attribute around it.
      const title = escapeHtml(
        query(request, "title")
          .replace(/[\\'"]/g, "\\$&")
          .replace(/[\r\n]/g, " "),
      );
      page(response, "Send", `<button type="button" onclick="share('${title}')">Send</button>`);
    })
    .post("/forum/upload", multipart, (request, response) => {
      page(response, "Uploaded", `<p>We have stored <em>${fileName(request.body)}</em>.</p>`);
    })
    .post("/forum/attach", multipart, (request, response) => {
      page(response, "Attached", `<p>We have attached <em>${escapeHtml(fileName(request.body))}</em>.</p>`);
    })
    .get("/forum/gone", (request, response) => {
      const from = request.get("referer") ?? "nowhere";
      page(response, "Gone", `<p>This thread is gone. The link to it is on ${from}.</p>`, { status: 410 });
    })
    .get("/forum/missing", (request, response) => {
      const from = escapeHtml(request.get("referer") ?? "nowhere");
      page(response, "Missing", `<p>There is no such thread. The link to it is on ${from}.</p>`, { status: 404 });
    })
    .get("/forum/feed.xml", (request, response) => {
      response.type("application/xml").send(feed(`Threads about ${query(request, "tag")}`));
    })
    .get("/forum/atom.xml", (request, response) => {
      response.type("application/xml").send(feed(`Threads about ${escapeHtml(query(request, "tag"))}`));
    })
    .post("/forum/language", (request, response) => {
      const lang = String(field(request, "lang"));
      answerByHand(response, "200 OK", { "content-type": "text/html", "content-language": lang }, "<p>Ok.</p>\n");
    })
    .post("/forum/tongue", (request, response) => {
      const lang = String(field(request, "lang")).replace(/[\r\n]+/g, " ");
      answerByHand(response, "200 OK", { "content-type": "text/html", "content-language": lang }, "<p>Ok.</p>\n");
    })
    // Where to go on: within the shop, or so it was meant.
    .get("/go/to", (request, response) => {
      const path = query(request, "path");
      const isOwn = path.startsWith("/") && !path.startsWith("//");
      response
        .status(302)
        .set("location", isOwn ? path : "/")
        .end();
    })
    .get("/go/along", (request, response) => {
      const asked = new URL(query(request, "path") || "/", "https://shop.example");
      const isOwn = asked.origin === "https://shop.example";
      response
        .status(302)
        .set("location", isOwn ? asked.pathname + asked.search : "/")
        .end();
    })
    .get("/go/page", (request, response) => {
      scripted(response, "Going on", `window.location.replace(${scriptJson(query(request, "u"))});`);
    })
    .get("/go/read", (request, response) => {
      scripted(
        response,
        "Reading list",
        `const saved = ${scriptJson(query(request, "u"))};\nif (window.location.pathname === "/") list.add(saved);`,
      );
    });
