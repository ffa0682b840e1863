/**
 * Pages that the edge makes of its neighbours' answers. The trace goes along (`traceOf`) where the page was written
 * after tracing came; the older ones send none, and say so.
 */
import { Router } from "express";
import type { Response } from "express";
import type { Place } from "../ground/ground.ts";
import { escapeHtml, field, page, query, traceOf } from "../ground/web.ts";

const sorry = (response: Response): void =>
  page(response, "Sorry", "<p>Something went wrong. We are looking into it.</p>", { status: 502 });

export function gateway(place: Place): Router {
  const entries = async (id: string, kind: string, trace: Record<string, string>): Promise<string[]> => {
    const answer = await place.call("catalogue", `/products/${encodeURIComponent(id)}/entries?kind=${kind}`, {
      headers: trace,
    });
    return (JSON.parse(answer.body) as { body: string }[]).map(({ body }) => body);
  };
  const store = (id: string, kind: string, body: string, trace: Record<string, string>): Promise<unknown> =>
    place.call("catalogue", `/products/${encodeURIComponent(id)}/entries`, {
      method: "POST",
      headers: { ...trace, "content-type": "application/json" },
      body: JSON.stringify({ kind, body }),
    });

  return (
    Router()
      // Reviews are shown as they were written, questions are not.
      .post("/products/:id/reviews", async (request, response) => {
        await store(request.params.id, "review", String(field(request, "text")), traceOf(request));
        response.redirect(303, `/products/${encodeURIComponent(request.params.id)}/reviews`);
      })
      .get("/products/:id/reviews", async (request, response) => {
        const all = await entries(request.params.id, "review", traceOf(request));
        page(response, "Reviews", `<h1>Reviews</h1>\n<ul>${all.map((text) => `<li>${text}</li>`).join("\n")}</ul>`);
      })
      .post("/products/:id/questions", async (request, response) => {
        await store(request.params.id, "question", String(field(request, "text")), traceOf(request));
        response.redirect(303, `/products/${encodeURIComponent(request.params.id)}/questions`);
      })
      .get("/products/:id/questions", async (request, response) => {
        const all = await entries(request.params.id, "question", traceOf(request));
        page(
          response,
          "Questions",
          `<h1>Questions</h1>\n<ul>${all.map((text) => `<li>${escapeHtml(text)}</li>`).join("\n")}</ul>`,
        );
      })
      // A piece of HTML made by the catalogue.
      .get("/labels/new", async (request, response) => {
        const { body } = await place.call(
          "catalogue",
          `/labels/render?text=${encodeURIComponent(query(request, "text"))}`,
          { headers: traceOf(request) },
        );
        page(response, "Label", `<h1>Your label</h1>\n${body}`);
      })
      .get("/labels/plain", async (request, response) => {
        const { body } = await place.call(
          "catalogue",
          `/labels/text?text=${encodeURIComponent(query(request, "text"))}`,
          { headers: traceOf(request) },
        );
        page(response, "Label", `<h1>Your label</h1>\n${body}`);
      })
      // The orders' database says what it thinks of a filter; the page keeps it to itself.
      .get("/account/orders", async (request, response) => {
        const { status, body } = await place.call(
          "orders",
          `/internal/filtered?status=${encodeURIComponent(query(request, "show"))}`,
          { headers: traceOf(request) },
        );
        if (status !== 200) return sorry(response);
        page(response, "Your orders", `<p>${(JSON.parse(body) as unknown[]).length} orders</p>`);
      })
      .get("/account/history", async (request, response) => {
        const { status, body } = await place.call(
          "orders",
          `/orders/open?status=${encodeURIComponent(query(request, "show"))}`,
          { headers: traceOf(request) },
        );
        if (status !== 200) return sorry(response);
        page(response, "Your orders", `<p>${(JSON.parse(body) as unknown[]).length} orders</p>`);
      })
      // Which warehouse to ask: its address comes from the page and is fetched two services on.
      .get("/availability", async (request, response) => {
        const { status, body } = await place.call(
          "orders",
          `/internal/warehouse?at=${encodeURIComponent(query(request, "warehouse"))}`,
          { headers: traceOf(request) },
        );
        if (status !== 200) return sorry(response);
        page(response, "Availability", `<pre>${escapeHtml(body)}</pre>`);
      })
      .get("/availability/city", async (request, response) => {
        const { status, body } = await place.call(
          "orders",
          `/internal/city?name=${encodeURIComponent(query(request, "warehouse"))}`,
          { headers: traceOf(request) },
        );
        if (status !== 200) return sorry(response);
        page(response, "Availability", `<pre>${escapeHtml(body)}</pre>`);
      })
      // No trace: older than tracing.
      .get("/manuals", async (request, response) => {
        const { status, body } = await place.call(
          "catalogue",
          `/manuals/raw?name=${encodeURIComponent(query(request, "name"))}`,
        );
        if (status !== 200) return sorry(response);
        page(response, "Manual", `<pre>${escapeHtml(body)}</pre>`);
      })
      .get("/manuals/checked", async (request, response) => {
        const { status, body } = await place.call(
          "catalogue",
          `/manuals/text?name=${encodeURIComponent(query(request, "name"))}`,
        );
        if (status !== 200) return sorry(response);
        page(response, "Manual", `<pre>${escapeHtml(body)}</pre>`);
      })
      // A link's preview: fetched by the edge itself.
      .get("/preview", async (request, response) => {
        const { body } = await place.fetch(query(request, "url"));
        page(response, "Preview", `<pre>${escapeHtml(body)}</pre>`);
      })
      .get("/preview/partner", async (request, response) => {
        const url = query(request, "url");
        if (!/^http:\/\/feeds\.partner\.example\//.test(url))
          return page(response, "Preview", `<p>Not a partner: ${escapeHtml(url)}</p>`, { status: 400 });
        const { body } = await place.fetch(url);
        page(response, "Preview", `<pre>${escapeHtml(body)}</pre>`);
      })
  );
}
