/** Search pages and forms: what the visitor typed is shown again, in every place that HTML has for it. */
import { Router } from "express";
import type { Place } from "../ground/ground.ts";
import { cookie, escapeHtml, field, page, query, scriptJson, traceOf } from "../ground/web.ts";

/** Decodes once more, since an old campaign tool encodes twice. */
function decodeAgain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

interface Product {
  id: number;
  name: string;
  price: string;
}

const list = (products: Product[]): string =>
  `<ul>\n${products.map(({ id, name, price }) => `<li><a href="/item/${id}">${escapeHtml(name)}</a> ${escapeHtml(price)}</li>`).join("\n")}\n</ul>`;

export function search(place: Place): Router {
  const named = async (name: string, trace: Record<string, string>): Promise<Product[]> => {
    const answer = await place.call("catalogue", `/products/named?name=${encodeURIComponent(name)}`, {
      headers: trace,
    });
    return answer.status === 200 ? (JSON.parse(answer.body) as Product[]) : [];
  };

  return (
    Router()
      .get("/", (_request, response) =>
        page(response, "Lamps &amp; Tables", "<h1>Lamps &amp; Tables</h1><p>Now 49.00: the brass lamp.</p>"),
      )
      // Text.
      .get("/search", async (request, response) => {
        const q = query(request, "q");
        page(response, "Search", `<h1>Results for ${q}</h1>\n${list(await named(q, traceOf(request)))}`);
      })
      .get("/find", async (request, response) => {
        const q = query(request, "q");
        const found = await named(q, traceOf(request));
        page(
          response,
          "Search",
          `<h1>Results for ${escapeHtml(q)}</h1>\n<p><b>${found.length}</b> found</p>${list(found)}`,
        );
      })
      // Attributes: in double quotes, in single quotes, without, and one that is an address.
      .get("/search/advanced", (request, response) => {
        const title = escapeHtml(query(request, "title"), "<>&");
        page(
          response,
          "Advanced search",
          `<form action="/search"><input type="text" name="q" value="${title}"></form>`,
        );
      })
      .get("/search/saved", (request, response) => {
        const title = escapeHtml(query(request, "title"));
        page(response, "Saved search", `<form action="/search"><input type="text" name="q" value="${title}"></form>`);
      })
      .get("/newsletter", (request, response) => {
        const email = escapeHtml(query(request, "email"), '<>&"');
        page(response, "Newsletter", `<form action="/newsletter"><input name='email' value='${email}'></form>`);
      })
      .get("/newsletter/leave", (request, response) => {
        const email = escapeHtml(query(request, "email"));
        page(response, "Newsletter", `<form action="/newsletter"><input name='email' value='${email}'></form>`);
      })
      .get("/banner", (request, response) => {
        const width = escapeHtml(query(request, "width"));
        page(response, "Banner", `<img src="/static/banner.png" alt="Autumn" width=${width}>`);
      })
      .get("/banner/framed", (request, response) => {
        const width = escapeHtml(query(request, "width"));
        page(response, "Banner", `<img src="/static/banner.png" alt="Autumn" width="${width}">`);
      })
      .get("/share", (request, response) => {
        const link = escapeHtml(query(request, "link"));
        page(response, "Share", `<p>Your list: <a href="${link}">open it</a></p>`);
      })
      .get("/share/checked", (request, response) => {
        const link = query(request, "link");
        const shown = escapeHtml(link);
        const anchor = /^\/[^/\\]/.test(link)
          ? `<a href="${shown}">open it</a>`
          : `<code>${shown}</code> is no list of ours`;
        page(response, "Share", `<p>Your list: ${anchor}</p>`);
      })
      .get("/tab", (request, response) => {
        const tab = escapeHtml(query(request, "name"));
        page(response, "Product", `<button onclick="openTab('${tab}')">Details</button>`);
      })
      .get("/tab/plain", (request, response) => {
        const tab = escapeHtml(query(request, "name"));
        page(response, "Product", `<button data-tab="${tab}">Details</button>`);
      })
      // Script, style, comment, title.
      .get("/campaign", (request, response) => {
        const name = query(request, "ref").replace(/[<>]/g, "");
        const { nonce } = response.locals;
        page(response, "Campaign", "<h1>Welcome</h1>", {
          head: `<script nonce="${nonce}">\nvar campaign = "${name}";\nwindow.count = { campaign };\n</script>\n`,
        });
      })
      .get("/campaign/counted", (request, response) => {
        const { nonce } = response.locals;
        page(response, "Campaign", "<h1>Welcome</h1>", {
          head: `<script nonce="${nonce}">\nvar campaign = ${scriptJson(query(request, "ref"))};\n</script>\n`,
        });
      })
      .get("/theme", (request, response) => {
        const { nonce } = response.locals;
        page(response, "Theme", "<h1>Your colours</h1>", {
          head: `<style nonce="${nonce}">body { background: ${query(request, "colour")} }</style>\n`,
        });
      })
      .get("/theme/preset", (request, response) => {
        const colour = query(request, "colour");
        const { nonce } = response.locals;
        if (!/^#[0-9a-f]{3,6}$|^[a-z]{3,20}$/i.test(colour))
          return page(response, "Theme", "<h1>No such colour</h1>", { status: 400 });
        page(response, "Theme", "<h1>Your colours</h1>", {
          head: `<style nonce="${nonce}">body { background: ${colour} }</style>\n`,
        });
      })
      .get("/look", (request, response) => {
        page(response, "Look book", `<!-- printed for ${query(request, "for")} -->\n<h1>Autumn looks</h1>`);
      })
      .get("/look/print", (request, response) => {
        page(response, "Look book", `<!-- printed for ${escapeHtml(query(request, "for"))} -->\n<h1>Autumn looks</h1>`);
      })
      .get("/page", (request, response) => page(response, query(request, "title"), "<h1>Our pages</h1>"))
      .get("/page/titled", (request, response) =>
        page(response, escapeHtml(query(request, "title")), "<h1>Our pages</h1>"),
      )
      .get("/note", (request, response) => {
        page(
          response,
          "Note",
          `<form action="/note"><textarea name="text">${query(request, "text")}</textarea></form>`,
        );
      })
      .get("/note/new", (request, response) => {
        page(
          response,
          "Note",
          `<form action="/note"><textarea name="text">${escapeHtml(query(request, "text"))}</textarea></form>`,
        );
      })
      // Encoded twice.
      .get("/promo", (request, response) => page(response, "Offer", `<p>${decodeAgain(query(request, "text"))}</p>`))
      .get("/promo/once", (request, response) =>
        page(response, "Offer", `<p>${escapeHtml(query(request, "text"))}</p>`),
      )
      // Other parts of a request.
      .get("/pages/:name", (request, response) => {
        page(response, "Not found", `<h1>There is no page ${request.params.name}</h1>`, { status: 404 });
      })
      .get("/texts/:name", (request, response) => {
        response.status(404).type("text/plain").send(`There is no text ${request.params.name}\n`);
      })
      .post("/contact", (request, response) => {
        page(response, "Thank you", `<p>Thank you, <b>${field(request, "name")}</b>. We will write to you.</p>`);
      })
      .post("/callback", (request, response) => {
        page(
          response,
          "Thank you",
          `<p>Thank you, <b>${escapeHtml(String(field(request, "name")))}</b>. We will call you.</p>`,
        );
      })
      .get("/support/browser", (request, response) => {
        page(response, "Your browser", `<p>You use: ${request.get("user-agent") ?? ""}</p>`);
      })
      .get("/support/device", (request, response) => {
        page(response, "Your device", `<p>You use: ${escapeHtml(request.get("user-agent") ?? "")}</p>`);
      })
      .get("/welcome", (request, response) =>
        page(response, "Welcome", `<p>Good to see you, ${cookie(request, "nickname")}!</p>`),
      )
      .get("/hello", (request, response) => {
        page(response, "Hello", `<p>Good to see you, ${escapeHtml(cookie(request, "nickname"))}!</p>`);
      })
      // Formatting that is allowed: <b>, <i> and <em> without attributes, and nothing else.
      .post("/preview", (request, response) => {
        const text = escapeHtml(String(field(request, "text"))).replace(/&lt;(\/?)(b|i|em)&gt;/g, "<$1$2>");
        page(response, "Preview", `<blockquote>${text}</blockquote>`);
      })
      // A file of the visitor's own, to keep: nothing renders it here.
      .post("/notes/export", (request, response) => {
        response
          .set({
            "content-disposition": 'attachment; filename="note.txt"',
            "content-type": "text/plain; charset=utf-8",
          })
          .send(String(field(request, "text")));
      })
      .post("/notes/api", (request, response) => void response.json({ saved: field(request, "text"), length: 49 }))
  );
}
