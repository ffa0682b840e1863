/** Pages as they have come together over the years: old ones with what was usual then, and their successors. */
import { Router } from "express";
import type { Response } from "express";
import { toViewState } from "../ground/serial.ts";
import { page, query, scriptJson } from "../ground/web.ts";

/** A digest as `integrity` has it; nobody fetches these. */
const INTEGRITY = "sha384-vtXRMe3mGCbOeY7l30aIg8H9p3GdeSe4IFlP6G8JMa7o7lXvnz3GFKzPxzJdPfGK";
const external = (address: string): string => `<script src="${address}"></script>\n`;
const checked = (address: string): string =>
  `<script src="${address}" integrity="${INTEGRITY}" crossorigin="anonymous"></script>\n`;

const policy = (scripts: string): string =>
  `default-src 'self'; script-src ${scripts}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;

/** Lets scripts of another host in, and of no other. */
const alsoFrom = (response: Response, origin: string): void => {
  response.set("content-security-policy", policy(`'self' ${origin}`)).removeHeader("cross-origin-embedder-policy");
};

/** A page of a picture for each script that it loads. */
const gallery = (response: Response, head: string): void =>
  page(response, "Gallery", '<img src="/static/lamp.png" alt="A lamp">', { head });

export const pages = (): Router =>
  Router()
    // Content security policies.
    .get("/legacy/home", (_request, response) => {
      response.removeHeader("content-security-policy");
      page(response, "Home", "<h1>As it was in 2012</h1>");
    })
    .get("/legacy/ping", (_request, response) => {
      response.removeHeader("content-security-policy");
      response.type("text/plain").send("pong\n");
    })
    .get("/checkout", (_request, response) => {
      response.set(
        "content-security-policy",
        "default-src *; script-src * 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'none'",
      );
      page(response, "Checkout", "<h1>Checkout</h1>");
    })
    .get("/checkout/strict", (_request, response) => {
      // The last two are for browsers that do not know what comes before; the others ignore them.
      const scripts = `'nonce-${response.locals.nonce}' 'strict-dynamic' 'unsafe-inline' https:`;
      response.set("content-security-policy", policy(scripts));
      page(response, "Checkout", "<h1>Checkout</h1>");
    })
    .get("/journal", (_request, response) => {
      response.removeHeader("content-security-policy");
      response.set("content-security-policy-report-only", policy("'self'"));
      page(response, "Journal", "<h1>Journal</h1>");
    })
    .get("/journal/archive", (_request, response) => {
      response.set("content-security-policy-report-only", policy("'none'"));
      page(response, "Journal", "<h1>Journal</h1>");
    })
    // Transport security, framing, referrers.
    .get("/gift-cards", (_request, response) => {
      response.removeHeader("strict-transport-security");
      page(response, "Gift cards", "<h1>Gift cards</h1>");
    })
    .get("/vouchers", (_request, response) => {
      response.set("strict-transport-security", "max-age=0");
      page(response, "Vouchers", "<h1>Vouchers</h1>");
    })
    .get("/vouchers/list", (_request, response) => {
      response.set("strict-transport-security", "max-age=31536000");
      page(response, "Vouchers", "<h1>Vouchers</h1>");
    })
    .get("/account/delete", (_request, response) => {
      response.removeHeader("x-frame-options");
      response.set(
        "content-security-policy",
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'",
      );
      page(
        response,
        "Delete",
        '<form method="post" action="/account/delete"><input type="hidden" name="csrf_token" value="f0c1a7d2"><button>Delete my account</button></form>',
      );
    })
    .get("/account/close", (_request, response) => {
      // One of the two is enough.
      response.removeHeader("x-frame-options");
      page(
        response,
        "Close",
        '<form method="post" action="/account/close"><input type="hidden" name="csrf_token" value="f0c1a7d2"><button>Close my account</button></form>',
      );
    })
    .get("/thanks", (_request, response) => {
      response.set("referrer-policy", "unsafe-url");
      page(response, "Thank you", "<h1>Thank you for your order</h1>");
    })
    .get("/thanks/again", (_request, response) => {
      response.set("referrer-policy", "same-origin");
      page(response, "Thank you", "<h1>Thank you for your order</h1>");
    })
    // What pages load.
    .get("/video", (_request, response) => {
      alsoFrom(response, "http://video.partner.example");
      gallery(response, checked("http://video.partner.example/player.js"));
    })
    .get("/video/link", (_request, response) => {
      page(
        response,
        "Video",
        '<p>See it <a href="http://video.partner.example/lamp" rel="noopener">at our partner\'s</a>.</p>',
      );
    })
    .get("/map", (_request, response) => {
      alsoFrom(response, "https://maps.partner.example");
      gallery(response, external("https://maps.partner.example/v3/map.js"));
    })
    .get("/map/checked", (_request, response) => {
      alsoFrom(response, "https://maps.partner.example");
      gallery(response, checked("https://maps.partner.example/v3/map.js"));
    })
    .get("/legacy/gallery", (_request, response) => gallery(response, external("/static/js/jquery-1.8.3.min.js")))
    .get("/gallery", (_request, response) => gallery(response, external("/static/js/jquery-3.7.1.min.js")))
    .get("/legacy/chart", (_request, response) => {
      alsoFrom(response, "https://cdn.jsdelivr.net");
      gallery(response, checked("https://cdn.jsdelivr.net/npm/lodash@4.17.4/lodash.min.js"));
    })
    .get("/chart", (_request, response) => {
      alsoFrom(response, "https://cdn.jsdelivr.net");
      gallery(response, checked("https://cdn.jsdelivr.net/npm/lodash@4.18.1/lodash.min.js"));
    })
    .get("/legacy/configurator", (_request, response) => {
      alsoFrom(response, "https://ajax.googleapis.com");
      gallery(response, checked("https://ajax.googleapis.com/ajax/libs/angularjs/1.4.9/angular.min.js"));
    })
    .get("/legacy/shop", (_request, response) => {
      alsoFrom(response, "https://cdn.polyfill.io");
      gallery(response, external("https://cdn.polyfill.io/v3/polyfill.min.js?features=es6"));
    })
    .get("/wp-blog/", (_request, response) => {
      page(response, "Blog", "<h1>Blog</h1><p>Proudly made by ourselves.</p>", {
        head: '<meta name="generator" content="WordPress 4.7.1">\n',
      });
    })
    .get("/static/vendor.js", (_request, response) => {
      const banner = "/*! jQuery v1.7.2 jquery.com | jquery.org/license */\n";
      response
        .type("application/javascript")
        .send(`${banner}(function(e,t){function n(e){return e}window.jQuery=window.$=n})(window);\n`);
    })
    .get("/static/changes.js", (_request, response) => {
      const changes = {
        changes: ["2014: we began with jQuery v1.8.3", "2019: AngularJS 1.4.9 is gone", "2024: jQuery 3.7.1"],
      };
      response.type("application/javascript").send(`window.changes = ${scriptJson(changes)};\n`);
    })
    .get("/static/shop.js.map", (_request, response) => {
      response.json({
        version: 3,
        file: "shop.js",
        sources: ["webpack://shop/src/checkout/discount.ts"],
        sourcesContent: [
          "// Staff get 40% off: see STAFF-ONLY-40.\nexport const discount = (code: string) => codes[code] ?? 0;\n",
        ],
        names: ["discount"],
        mappings: "AAAA,OAAO,MAAM",
      });
    })
    .get(
      "/static/shop.json",
      (_request, response) => void response.json({ version: 3, file: "shop.js", sources: 14, mappings: "none" }),
    )
    // Forms of ASP.NET.
    .get("/classic/catalog.aspx", (_request, response) => {
      const state = `<input type="hidden" name="__VIEWSTATE" id="__VIEWSTATE" value="${toViewState("category=lamps;page=1")}">`;
      page(
        response,
        "Catalogue",
        `<form method="post" action="./catalog.aspx">${state}<input type="hidden" name="csrf_token" value="77b1d0"><button>Next</button></form>`,
      );
    })
    .get("/classic/search.aspx", (_request, response) => {
      const secret = "qD9x0n5b0V0gqk5cA6mZyqf3JvKqk8Q2m2y0dN1f2n8w3lR7b6o4cJ9uXeTgHs1P";
      const state =
        '<input type="hidden" name="__VIEWSTATEENCRYPTED" id="__VIEWSTATEENCRYPTED" value="">' +
        `<input type="hidden" name="__VIEWSTATE" id="__VIEWSTATE" value="${secret}">`;
      page(
        response,
        "Search",
        `<form method="post" action="./search.aspx">${state}<input type="hidden" name="csrf_token" value="77b1d0"><button>Search</button></form>`,
      );
    })
    // What somebody forgot.
    .get("/about", (_request, response) => {
      page(
        response,
        "About us",
        "<h1>About us</h1>\n<!-- TODO remove before launch: staging login is admin, password: rosebud-1941 -->",
      );
    })
    .get("/about/people", (_request, response) => {
      page(
        response,
        "About us",
        "<h1>Our people</h1>\n<!-- the password field of the log-in page is in login.html -->\n<!-- end of main -->",
      );
    })
    .get("/.git/config", (_request, response) => {
      response
        .type("text/plain")
        .send(
          '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n[remote "origin"]\n\turl = git@git.shop.example:shop/edge.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[branch "main"]\n\tremote = origin\n\tmerge = refs/heads/main\n',
        );
    })
    .get("/.git/HEAD", (_request, response) =>
      page(response, "Not here", "<h1>We could not find that page</h1><p>Try the search.</p>"),
    )
    .get("/avatar", (request, response) => {
      try {
        const size = Number(query(request, "size"));
        response.type("text").send("#".repeat(new Array<number>(size).length));
      } catch (error) {
        page(response, "Error", `<pre>${(error as Error).stack}</pre>`, { status: 500 });
      }
    })
    .get("/blog", (request, response) => {
      const post = query(request, "post");
      const warning =
        "<br />\n<b>Warning</b>:  mysqli_fetch_assoc() expects parameter 1 to be mysqli_result, bool given in <b>/var/www/html/blog.php</b> on line <b>42</b><br />\n";
      page(response, "Blog", `${/^\d+$/.test(post) ? "" : warning}<h1>Blog</h1>`);
    })
    .get("/blog/news", (_request, response) => {
      page(
        response,
        "Blog",
        "<h1>News</h1><p><b>Warning</b>: lamps get hot. The tram on line <b>42</b> stops in front of our shop.</p>",
      );
    })
    .get("/fabrics", (_request, response) => {
      page(
        response,
        "Index of fabrics",
        '<h1>Index of fabrics</h1><ul><li><a href="/fabrics/linen">Linen</a></li><li><a href="/fabrics/wool">Wool</a></li></ul>',
      );
    })
    .get("/consoles", (_request, response) =>
      page(response, "Consoles", "<h1>Game consoles</h1><p>Debugger not included.</p>"),
    )
    .get("/status", (_request, response) =>
      page(response, "Status", "<h1>Server status</h1><p>All well since Monday. Total accesses: a lot.</p>"),
    )
    .get("/phpmyadmin/", (_request, response) => {
      page(
        response,
        "phpMyAdmin",
        '<h1>Welcome to <bdo dir="ltr" lang="en">phpMyAdmin</bdo></h1><form method="post" action="index.php" name="login_form"><input type="text" name="pma_username" id="input_username"><input type="password" name="pma_password" id="input_password"><input type="hidden" name="token" value="4f6e2a"></form><p>Version 4.8.1</p>',
      );
    })
    .get("/pma/", (_request, response) =>
      page(response, "Gone", "<h1>Gone</h1><p>phpMyAdmin was here until 2019.</p>", { status: 410 }),
    );
