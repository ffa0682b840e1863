/** The studio, where customers look at and put together what they buy: frames, components, other people's scripts. */
import { Router } from "express";
import { SECRETS, sessionOf } from "../ground/people.ts";
import { escapeHtml, page, query } from "../ground/web.ts";

const SRI_BOOTSTRAP_3 = "sha384-Tc5IQib027qvyjSMfHjOMaLkfuWVxZxUPnCJA7l2mCWNIpG9mGCD8wGNIcPD7Txa";
const SRI_BOOTSTRAP_5 = "sha384-YvpcrYf0tY3lHB60NNkmXc5s9fDVZLESaAA55NDzOxhy9GkcIdslK1eN7N6jIeHz";

/** What a content security policy has besides its scripts. */
const POLICY_REST = "style-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

export function studio(): Router {
  return (
    Router()
      .get("/studio/embed", (request, response) => {
        page(response, "Film", `<iframe src="${escapeHtml(query(request, "src"))}" title="Film"></iframe>`);
      })
      .get("/studio/player", (request, response) => {
        const src = query(request, "src");
        if (!src.startsWith("https://img.partner.example/"))
          return page(response, "Film", `<p title="${escapeHtml(src)}">We do not show films from there.</p>`);
        page(response, "Film", `<iframe src="${escapeHtml(src)}" title="Film"></iframe>`);
      })
      // A frame's document in an attribute: decoded once by the attribute, read as HTML after that.
      .get("/studio/preview", (request, response) => {
        page(response, "Preview", `<iframe srcdoc="${escapeHtml(query(request, "html"))}" title="Preview"></iframe>`);
      })
      .get("/studio/proof", (request, response) => {
        const html = escapeHtml(query(request, "html"));
        page(response, "Proof", `<iframe sandbox="" srcdoc="${html}" title="Proof"></iframe>`);
      })
      // Angular reads the page again and works out what stands between braces.
      .get("/configure", (request, response) => {
        const head = '<script src="/static/angular-1.8.3.min.js"></script>\n';
        const name = escapeHtml(query(request, "name"));
        page(response, "Configure", `<div ng-app><h1>A lamp for ${name}</h1><p>{{ 49 }} euro</p></div>`, { head });
      })
      .get("/configure/plain", (request, response) => {
        const head = '<script src="/static/angular-1.8.3.min.js"></script>\n';
        const name = escapeHtml(query(request, "name"));
        page(
          response,
          "Configure",
          `<div ng-app><h1 ng-non-bindable>A lamp for ${name}</h1><p>{{ 49 }} euro</p></div>`,
          { head },
        );
      })
      // Headers.
      .get("/studio/gallery", (_request, response) => {
        response.set("content-security-policy", `default-src 'self'; script-src 'self' data:; ${POLICY_REST}`);
        page(response, "Gallery", "<h1>Gallery</h1>");
      })
      .get("/studio/exhibition", (_request, response) => {
        response.set(
          "content-security-policy",
          `default-src 'self'; script-src 'self'; img-src 'self' data: blob: https:; ${POLICY_REST}`,
        );
        page(response, "Exhibition", '<img alt="" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">');
      })
      .get("/gift-wrap", (_request, response) => {
        response.set("strict-transport-security", "max-age=300");
        page(response, "Gift wrap", "<h1>Gift wrap</h1>");
      })
      .get("/gift-wrap/paper", (_request, response) => {
        response.set("strict-transport-security", 'includeSubDomains; max-age="31536000"');
        page(response, "Paper", "<h1>Paper</h1>");
      })
      .get("/studio/start", (_request, response) => {
        response.set({
          "cache-control": "public, s-maxage=600",
          "set-cookie": `studio_session=${sessionOf("ada")}; Path=/studio; Secure; HttpOnly; SameSite=Lax`,
        });
        page(response, "Studio", "<h1>Welcome to the studio</h1>");
      })
      .get("/studio/resume", (_request, response) => {
        response.set({
          "cache-control": "private, max-age=600",
          "set-cookie": `studio_session=${sessionOf("ada")}; Path=/studio; Secure; HttpOnly; SameSite=Lax`,
        });
        page(response, "Studio", "<h1>Welcome back to the studio</h1>");
      })
      .get("/board/", (_request, response) => {
        response.set("set-cookie", `PHPSESSID=${sessionOf("lin").slice(0, 26)}; path=/`);
        page(response, "Board", "<h1>Board</h1>");
      })
      .get("/board/leave", (_request, response) => {
        response.set("set-cookie", "PHPSESSID=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0; path=/");
        page(response, "Board", "<h1>You have left the board</h1>");
      })
      .get("/pay/transfer", (_request, response) => {
        response.set({
          "content-security-policy":
            "default-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'",
          "x-frame-options": "ALLOWALL",
        });
        page(response, "Transfer", '<form method="post" action="/pay/transfer"><button>Pay 49 euro</button></form>');
      })
      .get("/pay/voucher", (_request, response) => {
        response.set({
          "content-security-policy":
            "default-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'",
          "x-frame-options": "sameorigin",
        });
        page(response, "Voucher", '<form method="post" action="/pay/voucher"><button>Redeem</button></form>');
      })
      // Libraries.
      .get("/studio/classic", (_request, response) => {
        page(response, "Classic", "<h1>Classic studio</h1>", {
          head: `<script src="https://maxcdn.bootstrapcdn.com/bootstrap/3.3.7/js/bootstrap.min.js" integrity="${SRI_BOOTSTRAP_3}" crossorigin="anonymous"></script>\n`,
        });
      })
      .get("/studio/modern", (_request, response) => {
        page(response, "Modern", "<h1>Studio</h1><p>It looks as it did with Bootstrap 3.3.7.</p>", {
          head: `<script src="https://cdn.jsdelivr.net/npm/bootstrap@5.3.3/dist/js/bootstrap.bundle.min.js" integrity="${SRI_BOOTSTRAP_5}" crossorigin="anonymous"></script>\n`,
        });
      })
      .get("/studio/partners", (_request, response) => {
        page(response, "Partners", "<h1>Partners</h1>", {
          head: '<script src="https://cdn.staticfile.net/vue/3.5.13/vue.global.prod.min.js"></script>\n',
        });
      })
      .get("/static/app.bundle.js", (_request, response) => {
        response
          .type("application/javascript")
          .send(
            `(()=>{"use strict";var e={17:(e,t)=>{t.mail={host:"smtp.sendgrid.net",user:"apikey",pass:"${SECRETS.sendgridKey}"}},` +
              `18:(e,t)=>{t.deploy="${SECRETS.gitlabToken}"}};e[17]({},window)})();\n`,
          );
      })
      .get("/static/app.chunk.js", (_request, response) => {
        response
          .type("application/javascript")
          .send(
            '(()=>{"use strict";var e={17:(e,t)=>{t.mail={host:"smtp.sendgrid.net",user:"apikey",pass:process.env.SENDGRID_API_KEY}},' +
              '18:(e,t)=>{t.sentry="https://5f2b3c4d5e6f70819a2b3c4d5e6f7081@o114.ingest.sentry.io/4501";t.hint="tokens begin with glpat- or SG."}};e[17]({},window)})();\n',
          );
      })
      // Left lying about, or not.
      .get("/.aws/credentials", (_request, response) => {
        response
          .type("text")
          .send(
            `[default]\naws_access_key_id = ${SECRETS.awsKeyId}\naws_secret_access_key = ${SECRETS.awsSecret}\nregion = eu-north-1\n`,
          );
      })
      .get(
        "/.aws/config",
        (_request, response) =>
          void response.type("text").send("[default]\nregion = eu-north-1\noutput = json\ncli_pager =\n"),
      )
      .get("/old-shop", (_request, response) => {
        response.status(301).set("location", "http://10.20.4.31:8080/shop/").end();
      })
      .get("/new-shop", (_request, response) => void response.status(301).set("location", "/v10.20.4.31/shop/").end())
      .get(/^\/cart\/[\w-]+(;[\w=.-]+)?$/, (request, response) => {
        const session = /;jsessionid=([\w.]+)/.exec(request.path)?.[1] ?? "";
        const suffix = session === "" ? "" : `;jsessionid=${session}`;
        page(response, "Cart", `<p>One thing.</p><a href="/cart/pay${suffix}">Pay</a>`);
      })
      .get(/^\/till\/[\w-]+(;[\w=.-]+)?$/, (_request, response) =>
        page(response, "Till", '<p>One thing.</p><a href="/till/pay;step=2">Pay</a>'),
      )
  );
}
