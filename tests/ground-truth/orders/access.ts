/** Who may see and do what: tokens, Basic, other people's orders, and the office's pages. */
import { Router } from "express";
import type { Request, RequestHandler } from "express";
import type { Place } from "../ground/ground.ts";
import {
  basicOf,
  bearerOf,
  claimsFor,
  ISSUED,
  personOf,
  readClaims,
  signJwt,
  STRONG_SECRET,
  unsignedJwt,
  verifyJwt,
} from "../ground/people.ts";
import { page } from "../ground/web.ts";

const RECEIPTS: Readonly<Record<string, string>> = {
  "6f1f0c2e-8a54-4c77-9b1d-2f6f5e3a7d10": "ada",
  "b3d9a7c4-51e2-4f0b-a6c8-90d1e2f3a4b5": "lin",
};

export function access(place: Place): Router {
  const { database, witnesses } = place.ground;
  const told = (request: Request, subject: string): void =>
    witnesses.saw("access", `${subject} ${request.method} ${request.path}`);
  const mustBeAdmin: RequestHandler = (request, response, next) => {
    if (personOf(request) === "admin") return next();
    response.status(401).set("www-authenticate", 'Bearer realm="office"').json({ error: "log in first" });
  };

  return (
    Router()
      // Orders: one route looks whose they are.
      .get("/orders/:id/details", async (request, response) => {
        const person = personOf(request);
        if (person === null) return void response.status(401).json({ error: "log in first" });
        const [order] = await database.query(
          "SELECT id, customer, item, status, total::text AS total FROM orders WHERE id = $1",
          [Number(request.params.id)],
        );
        if (order === undefined) return void response.status(404).json({ error: "no such order" });
        told(request, person);
        response.json(order);
      })
      .get("/deliveries/:id", async (request, response) => {
        const person = personOf(request);
        if (person === null) return void response.status(401).json({ error: "log in first" });
        const [order] = await database.query("SELECT id, item, status FROM orders WHERE id = $1 AND customer = $2", [
          Number(request.params.id),
          person,
        ]);
        if (order === undefined) return void response.status(404).json({ error: "no such delivery" });
        told(request, person);
        response.json(order);
      })
      // Invoices are numbered one after the other, receipts are not, and know their owner.
      .get("/invoices/:number", (request, response, next) => {
        if (!/^\d{1,6}$/.test(request.params.number)) return next();
        const person = personOf(request);
        if (person === null) return void response.status(401).json({ error: "log in first" });
        told(request, person);
        const number = Number(request.params.number);
        response.json({ number, customer: ["ada", "lin", "siobhan"][number % 3], total: 10 + number });
      })
      .get("/receipts/:id", (request, response) => {
        const person = personOf(request);
        if (person === null || RECEIPTS[request.params.id] !== person)
          return void response.status(404).json({ error: "no such receipt" });
        told(request, person);
        response.json({ receipt: request.params.id, total: 49 });
      })
      // The office: each page asks who is there, except one, and except one verb.
      .get("/admin/orders", mustBeAdmin, (_request, response) => void response.json([{ id: 1001, customer: "ada" }]))
      .get(
        "/admin/customers",
        mustBeAdmin,
        (_request, response) => void response.json([{ name: "ada" }, { name: "lin" }]),
      )
      .get("/admin/suppliers", mustBeAdmin, (_request, response) => void response.json([{ name: "Paper Lamp Ltd" }]))
      .get("/admin/refunds", (request, response) => {
        told(request, personOf(request) ?? "anybody");
        response.json([{ order: 1001, customer: "ada", amount: 49 }]);
      })
      .get("/admin/login", (_request, response) => page(response, "Office", "<h1>Log in to the office</h1>"))
      .get("/admin/stats", mustBeAdmin, (_request, response) => void response.json({ revenue: 8_412.5 }))
      .post("/admin/stats", mustBeAdmin, (_request, response) => void response.json({ revenue: 8_412.5 }))
      .all("/admin/stats", (request, response) => {
        told(request, personOf(request) ?? "anybody");
        response.json({ revenue: 8_412.5 });
      })
      .all("/admin/figures", mustBeAdmin, (_request, response) => void response.json({ revenue: 8_412.5 }))
      // Tokens.
      .post(
        "/token/guest",
        (_request, response) => void response.json({ token: unsignedJwt({ ...claimsFor("ada"), sub: "guest" }) }),
      )
      .post(
        "/token/user",
        (_request, response) => void response.json({ token: signJwt(claimsFor("ada"), STRONG_SECRET) }),
      )
      .post(
        "/token/partner",
        (_request, response) => void response.json({ token: signJwt(claimsFor("lin"), "secret") }),
      )
      .post(
        "/token/courier",
        (_request, response) => void response.json({ token: signJwt(claimsFor("lin"), STRONG_SECRET) }),
      )
      .post("/token/device", (_request, response) => {
        response.json({ token: signJwt({ sub: "ada", device: "tv", iat: ISSUED }, STRONG_SECRET) });
      })
      .post("/token/phone", (_request, response) => {
        response.json({
          token: signJwt({ sub: "ada", device: "phone", iat: ISSUED, exp: ISSUED + 3_600 }, STRONG_SECRET),
        });
      })
      .post("/token/classic", (_request, response) => {
        response.json({ token: signJwt({ ...claimsFor("ada"), password: "correct horse" }, STRONG_SECRET) });
      })
      .post("/token/recent", (_request, response) => {
        response.json({
          token: signJwt({ ...claimsFor("ada"), password_changed_at: ISSUED - 100_000 }, STRONG_SECRET),
        });
      })
      .get("/profile/claims", (request, response) => {
        const claims = readClaims(bearerOf(request));
        if (claims === null) return void response.status(401).json({ error: "a token is expected" });
        told(request, String(claims.sub));
        response.json({ profile: claims.sub, role: claims.sub === "admin" ? "administrator" : "customer" });
      })
      .get("/profile/verified", (request, response) => {
        const claims = verifyJwt(bearerOf(request), STRONG_SECRET);
        if (claims === null) return void response.status(401).json({ error: "a valid token is expected" });
        told(request, String(claims.sub));
        response.json({ profile: claims.sub });
      })
      // Basic, with a password that everybody knows.
      .get("/manage", (request, response) => {
        const [user, password] = basicOf(request) ?? [];
        if (user !== "admin" || password !== "admin") {
          return void response
            .status(401)
            .set("www-authenticate", 'Basic realm="manager"')
            .json({ error: "log in first" });
        }
        told(request, user);
        response.json({ threads: 12, memory: "300 MB" });
      })
      .get("/manage/new", (request, response) => {
        const [user, password] = basicOf(request) ?? [];
        if (user !== "admin" || password !== "rosebud-1941-and-more") {
          return void response
            .status(401)
            .set("www-authenticate", 'Basic realm="manager"')
            .json({ error: "log in first" });
        }
        response.json({ threads: 12 });
      })
      // An answer about one person, and one about nobody.
      .get("/account/profile", (request, response) => {
        response
          .set("cache-control", "public, max-age=3600")
          .json({ name: personOf(request), email: "ada@shop.example", address: "1 Engine Way" });
      })
      .get("/public/rates", (_request, response) => {
        response.set("cache-control", "public, max-age=3600").json({ EUR: 1, NOK: 11.7 });
      })
  );
}
