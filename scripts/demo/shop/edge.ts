/**
 * The shop's pages. Each flaw has the same thing done right next to it:
 *
 *   GET /search?q=         shows the words as they are           GET /articles?q=       escapes them
 *   GET /leave?to=         leads to any site                     GET /continue?to=      leads to pages of the shop
 *   POST /login            a cookie that scripts can read        POST /office/login     one that they cannot
 *   GET /account.json      any site reads it with the cookie     GET /prices.json       without it
 *   GET /account           caches may keep it for all            GET /account/orders    nobody keeps it
 *   GET /gallery           an old jQuery                         GET /workshop          a new one
 *   GET /basket            builds objects from a cookie          GET /wishes            reads words from one
 *   GET /picture?from=     asks whatever host is named           GET /feed?from=        asks partners by their names
 *   GET /stock?item=       hands the words on; orders' flaw      GET /stores?item=      hands them on to where they are bound
 */
import express, { Router } from "express";
import type { Express, RequestHandler } from "express";
import type { Call } from "../fence/calls.ts";
import { failing } from "./failing.ts";
import { cookie, escaped, goodHeaders, page, text } from "./page.ts";
import { Sessions, emailOf, personBy, tokenFor } from "./people.ts";
import type { Person } from "./people.ts";
import { unserialize } from "./unserialize.ts";

interface Product {
  name: string;
  price: number;
}

const list = (items: readonly string[]): string => `<ul>${items.map((item) => `<li>${item}</li>`).join("")}</ul>`;
const encode = encodeURIComponent;

/** Searches: the words come back in the page. */
const searching = (call: Call): Router =>
  Router()
    .get("/search", async (request, response) => {
      const q = text(request.query.q);
      const { text: found } = await call(`http://catalogue/products?name=${encode(q)}`, request);
      const names = (JSON.parse(found) as Product[]).map(({ name }) => escaped(name));
      response.send(page("Search", `<p>You searched for ${q}</p>${list(names)}`));
    })
    .get("/articles", (request, response) => {
      response.send(page("Articles", `<p>Nothing about ${escaped(text(request.query.q))}</p>`));
    });

/** Ways out. */
const leaving = (): Router =>
  Router()
    .get("/leave", (request, response) => {
      response.redirect(302, text(request.query.to) || "/");
    })
    .get("/continue", (request, response) => {
      const to = text(request.query.to);
      response.redirect(302, /^\/(?:account|basket|gallery)?$/.test(to) ? to : "/");
    });

/** Who one is. */
function knowing(sessions: Sessions): Router {
  const login: RequestHandler = (request, response, next) => {
    const { email, password } = (request.body ?? {}) as Record<string, unknown>;
    const person = personBy(email, password);
    if (person === null) return void response.status(401).send(page("Log in", "<p>Wrong e-mail or password</p>"));
    response.locals.session = sessions.open(person);
    next();
  };
  const customer: RequestHandler = (request, response, next) => {
    const person = sessions.personOf(cookie(request.get("cookie"), "session"));
    if (person === null) return void response.redirect(303, "/");
    response.locals.person = person;
    next();
  };
  return Router()
    .post("/login", login, (_request, response) => {
      response.cookie("session", response.locals.session, { path: "/", secure: true, sameSite: "lax" });
      response.redirect(303, "/account");
    })
    .post("/office/login", login, (_request, response) => {
      response.cookie("session", response.locals.session, { path: "/", secure: true, sameSite: "lax", httpOnly: true });
      response.redirect(303, "/account");
    })
    .get("/logout", (request, response) => {
      sessions.close(cookie(request.get("cookie"), "session"));
      response.redirect(303, "/");
    })
    .get("/account", customer, (_request, response) => {
      response.set("cache-control", "public, max-age=600");
      const email = emailOf(response.locals.person as Person);
      response.send(page("Your account", `<p>${email}</p><a href="/logout">Log out</a>`));
    })
    .get("/account.json", customer, (request, response) => {
      const origin = request.get("origin");
      if (origin !== undefined) {
        response.set({
          "access-control-allow-origin": origin,
          "access-control-allow-credentials": "true",
          vary: "origin",
        });
      }
      response.json({ email: emailOf(response.locals.person as Person) });
    })
    .get("/prices.json", (_request, response) => {
      response.set("access-control-allow-origin", "*");
      response.json([{ name: "Brass lamp", price: 49 }]);
    });
}

/** What customers ordered, by the service that knows it. */
const ordered = (call: Call, sessions: Sessions): Router =>
  Router().get("/account/orders", async (request, response) => {
    const person = sessions.personOf(cookie(request.get("cookie"), "session"));
    if (person === null) return response.redirect(303, "/");
    const { traceparent } = request.headers;
    const headers = {
      authorization: `Bearer ${tokenFor(person)}`,
      ...(traceparent === undefined ? {} : { traceparent }),
    };
    const { text: found } = await call("http://orders/orders", { headers });
    const items = (JSON.parse(found) as { item: string }[]).map(({ item }) => escaped(item));
    return void response.send(page("Your orders", `${list(items)}<a href="/logout">Log out</a>`));
  });

/** What pages are made of. */
const shown = (): Router =>
  Router()
    .get("/gallery", (_request, response) => {
      response.send(page("Gallery", `<script src="/assets/jquery-1.8.3.min.js"></script><p>Lamps and tables</p>`));
    })
    .get("/workshop", (_request, response) => {
      response.send(page("Workshop", `<script src="/assets/jquery-3.7.1.min.js"></script><p>How they are made</p>`));
    });

/** What visitors carry along. The basket's cookie is older than this shop: it was PHP's. */
const carried = (): Router =>
  Router()
    .get("/basket", (request, response) => {
      const basket = unserialize(cookie(request.get("cookie"), "basket"));
      response.send(page("Basket", `<p>${escaped(`${basket?.pieces ?? 0} × ${basket?.item ?? "nothing"}`)}</p>`));
    })
    .get("/wishes", (request, response) => {
      const wishes = cookie(request.get("cookie"), "wishes");
      if (!/^[\w:, ]*$/.test(wishes)) return void response.status(400).send(page("Wishes", "<p>No such wishes</p>"));
      response.send(page("Wishes", list(wishes.split(",").map(escaped))));
    });

/** What other services know. */
const asking = (call: Call): Router =>
  Router()
    .get("/picture", async (request, response) => {
      // What comes back is looked at and never shown: from outside nobody sees whom the shop has asked.
      const { status } = await call(text(request.query.from), request);
      response.send(page("Picture", status === 200 ? "<p>Your picture is in the queue</p>" : "<p>No such picture</p>"));
    })
    .get("/feed", async (request, response) => {
      if (request.query.from !== "partner") return void response.status(400).send(page("Feed", "<p>No such feed</p>"));
      const { text: news } = await call("http://partner.example/news", request);
      response.send(page("Feed", `<p>${escaped(news)}</p>`));
    })
    .get("/stock", async (request, response) => {
      const { status, text: found } = await call(
        `http://catalogue/availability?item=${encode(text(request.query.item))}`,
        request,
      );
      // A page that keeps its countenance: what went wrong behind it does not show here.
      const { pieces = 0 } = status === 200 ? (JSON.parse(found) as { pieces: number }) : {};
      response.send(page("Stock", `<p>${pieces === 0 ? "Not in stock" : `${pieces} in stock`}</p>`));
    })
    .get("/stores", async (request, response) => {
      const { text: found } = await call(`http://catalogue/stores?item=${encode(text(request.query.item))}`, request);
      response.send(
        page("Stores", list((JSON.parse(found) as { store: string }[]).map(({ store }) => escaped(store)))),
      );
    });

/** `call` reaches the other services. */
export function edgeService(call: Call): Express {
  const sessions = new Sessions();
  return express()
    .disable("x-powered-by")
    .use(goodHeaders, express.urlencoded({ extended: false }))
    .use(searching(call), leaving(), knowing(sessions), ordered(call, sessions), shown(), carried(), asking(call))
    .get("/", (_request, response) => void response.send(page("Lamps & Tables", `<p>Welcome</p>`)))
    .use(failing);
}
