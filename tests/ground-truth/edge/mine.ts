/** A customer's own pages, and what the edge makes of its neighbours' answers there. */
import { Router } from "express";
import type { RequestHandler, Response } from "express";
import type { Place } from "../ground/ground.ts";
import { personOf } from "../ground/people.ts";
import type { Person } from "../ground/people.ts";
import { escapeHtml, field, page, query, traceOf } from "../ground/web.ts";

interface Letter {
  to: Person;
  subject: string;
}
const LETTERS: Readonly<Record<string, Letter>> = {
  "7703": { to: "ada", subject: "Your lamp is on its way" },
  "7704": { to: "lin", subject: "About the packing room" },
  "7705": { to: "ada", subject: "Reminder: invoice 2026-0001" },
  "7706": { to: "lin", subject: "Your shifts" },
};
const TICKETS = ["ada", "lin", "siobhan"] as const;

const mustBeKnown: RequestHandler = (request, response, next) => {
  if (personOf(request) !== null) return next();
  response
    .status(302)
    .set("location", `/my/enter?next=${encodeURIComponent(request.path)}`)
    .end();
};
const sorry = (response: Response): void =>
  page(response, "Sorry", "<p>That did not work. Please try again later.</p>", { status: 502 });

export function mine(place: Place): Router {
  const { witnesses } = place.ground;
  const json = (value: unknown, trace: Record<string, string>, method = "POST") => ({
    method,
    headers: { ...trace, "content-type": "application/json" },
    body: JSON.stringify(value),
  });
  const letterRow = (id: string, kind: string): string =>
    `<li><a href="/my/${kind}/${id}">${escapeHtml(LETTERS[id]!.subject)}</a></li>`;
  const listed = (person: Person | null, kind: string): string =>
    `<ul>${Object.keys(LETTERS)
      .filter((id) => LETTERS[id]!.to === person)
      .map((id) => letterRow(id, kind))
      .join("\n")}</ul>`;

  return (
    Router()
      // Pages that ask who is there, by a way to the log-in; one does not.
      .get("/my/orders", mustBeKnown, (_request, response) => page(response, "Orders", "<p>Two orders.</p>"))
      .get("/my/addresses", mustBeKnown, (_request, response) => page(response, "Addresses", "<p>One address.</p>"))
      .get("/my/cards", mustBeKnown, (_request, response) => page(response, "Cards", "<p>A card ending in 6467.</p>"))
      .get("/my/invoices", (request, response) => {
        witnesses.saw("access", `${personOf(request) ?? "anybody"} GET /my/invoices`);
        page(response, "Invoices", "<p>2026-0001, Ada L, 1 Engine Way, 49.00</p>");
      })
      .get("/my/enter", (_request, response) => page(response, "Enter", "<p>Who are you?</p>"))
      .get("/my/forgotten", (_request, response) =>
        page(response, "Forgotten", '<form method="post"><input name="email"><button>Send me a link</button></form>'),
      )
      .get("/my/messages", mustBeKnown, (request, response) =>
        page(response, "Messages", listed(personOf(request), "messages")),
      )
      .get("/my/messages/:id", mustBeKnown, (request, response) => {
        const letter = LETTERS[String(request.params.id)];
        if (letter === undefined) return page(response, "Messages", "<p>No such message.</p>", { status: 404 });
        witnesses.saw("access", `${personOf(request)} GET message of ${letter.to}`);
        page(response, "Message", `<h1>${escapeHtml(letter.subject)}</h1><p>To ${letter.to}</p>`);
      })
      .get("/my/letters", mustBeKnown, (request, response) =>
        page(response, "Letters", listed(personOf(request), "letters")),
      )
      .get("/my/letters/:id", mustBeKnown, (request, response) => {
        const [letter, person] = [LETTERS[String(request.params.id)], personOf(request)];
        if (letter?.to !== person) return page(response, "Letters", "<p>No such letter.</p>", { status: 404 });
        witnesses.saw("access", `${person} GET letter of ${letter?.to}`);
        page(response, "Letter", `<h1>${escapeHtml(letter?.subject ?? "")}</h1>`);
      })
      .get("/my/tickets/:number", mustBeKnown, (request, response) => {
        const number = Number(request.params.number);
        const owner = TICKETS[number % TICKETS.length];
        witnesses.saw("access", `${personOf(request)} GET ${request.path}`);
        page(response, `Ticket ${number}`, `<h1>Ticket ${number}</h1><p>Asked by ${owner}@shop.example</p>`);
      })
      .get("/catalog/items/:number", (request, response) => {
        const number = Number(request.params.number);
        page(response, `Item ${number}`, `<h1>Item ${number}</h1><p>${10 + number}.00 euro</p>`);
      })

      // A mail's line is a template of the catalogue's.
      .post("/studio/card", async (request, response) => {
        const { status, body } = await place.call(
          "catalogue",
          "/internal/v2/card",
          json({ line: field(request, "line"), to: "Ada" }, traceOf(request)),
        );
        if (status !== 200) return sorry(response);
        page(response, "Your card", `<blockquote>${escapeHtml(body)}</blockquote>`);
      })
      .post("/studio/card/text", async (request, response) => {
        const { status, body } = await place.call(
          "catalogue",
          "/internal/v2/card/text",
          json({ line: field(request, "line"), to: "Ada" }, traceOf(request)),
        );
        if (status !== 200) return sorry(response);
        page(response, "Your card", `<blockquote>${escapeHtml(body)}</blockquote>`);
      })
      // A picture that the catalogue is to fetch.
      .get("/studio/import", async (request, response) => {
        const { status, body } = await place.call("catalogue", "/internal/v2/fetch", {
          method: "POST",
          headers: { ...traceOf(request), "content-type": "application/x-www-form-urlencoded" },
          body: new URLSearchParams({ source: query(request, "from") }).toString(),
        });
        if (status !== 200) return sorry(response);
        page(response, "Imported", `<pre>${escapeHtml(body, "<>&")}</pre>`);
      })
      .get("/studio/import/partner", async (request, response) => {
        const { status, body } = await place.call("catalogue", "/internal/v2/fetch/partner", {
          method: "POST",
          headers: { ...traceOf(request), "content-type": "application/x-www-form-urlencoded" },
          body: new URLSearchParams({ source: query(request, "from") }).toString(),
        });
        if (status !== 200) return sorry(response);
        page(response, "Imported", `<pre>${escapeHtml(body, "<>&")}</pre>`);
      })
      // A place goes to the orders in a header. No trace: older than tracing.
      .get("/my/zone", async (request, response) => {
        const { status, body } = await place.call("orders", "/internal/v2/zone", {
          headers: { "x-place": encodeURIComponent(query(request, "place")) },
        });
        if (status !== 200) return sorry(response);
        page(response, "Zone", `<pre>${escapeHtml(body, "<>&")}</pre>`);
      })
      .get("/my/area", async (request, response) => {
        const { status, body } = await place.call("orders", "/internal/v2/area", {
          headers: { "x-place": encodeURIComponent(query(request, "place")) },
        });
        if (status !== 200) return sorry(response);
        page(response, "Area", `<pre>${escapeHtml(body, "<>&")}</pre>`);
      })
      // What is stored and asked for by the orders; their errors stay between us.
      .post("/my/feedback", async (request, response) => {
        const { status } = await place.call(
          "orders",
          "/internal/v2/feedback",
          json({ order: 1001, remark: { text: field(request, "text") } }, traceOf(request), "PUT"),
        );
        if (status >= 400) return sorry(response);
        page(response, "Thanks", "<p>Thank you for telling us.</p>");
      })
      .post("/my/suggestion", async (request, response) => {
        const { status } = await place.call(
          "orders",
          "/internal/v2/suggestion",
          json({ order: 1001, remark: { text: field(request, "text") } }, traceOf(request), "PUT"),
        );
        if (status >= 400) return sorry(response);
        page(response, "Thanks", "<p>Thank you for telling us.</p>");
      })
      .post("/office/enter", async (request, response) => {
        const { status } = await place.call(
          "orders",
          "/internal/v2/bind",
          json({ uid: field(request, "user"), secret: field(request, "password") }, traceOf(request)),
        );
        if (status >= 500) return sorry(response);
        page(response, "Office", status === 200 ? "<p>Welcome.</p>" : "<p>Wrong name or password.</p>", { status });
      })
      .post("/office/sign-in", async (request, response) => {
        const { status } = await place.call(
          "orders",
          "/internal/v2/bind/escaped",
          json({ uid: field(request, "user"), secret: field(request, "password") }, traceOf(request)),
        );
        if (status >= 500) return sorry(response);
        page(response, "Office", status === 200 ? "<p>Welcome.</p>" : "<p>Wrong name or password.</p>", { status });
      })
      // What a seller says of himself, kept by the catalogue.
      .post("/sellers/:id/motto", async (request, response) => {
        const id = encodeURIComponent(request.params.id);
        await place.call(
          "catalogue",
          `/internal/v2/sellers/${id}`,
          json({ motto: field(request, "motto") }, traceOf(request), "PATCH"),
        );
        response.redirect(303, `/sellers/${id}`);
      })
      .get("/sellers/:id", async (request, response) => {
        const { body } = await place.call(
          "catalogue",
          `/internal/v2/sellers/${encodeURIComponent(request.params.id)}`,
          { headers: traceOf(request) },
        );
        const { motto, note } = JSON.parse(body) as Record<string, string>;
        page(
          response,
          "Seller",
          `<h1>Seller</h1>\n<blockquote>${motto ?? ""}</blockquote>\n<p>${escapeHtml(note ?? "")}</p>`,
        );
      })
      .post("/sellers/:id/note", async (request, response) => {
        const id = encodeURIComponent(request.params.id);
        await place.call(
          "catalogue",
          `/internal/v2/sellers/${id}`,
          json({ note: field(request, "note") }, traceOf(request), "PATCH"),
        );
        response.redirect(303, `/sellers/${id}`);
      })
  );
}
