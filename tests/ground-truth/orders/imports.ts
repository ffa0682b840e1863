/** Orders that come as documents, baskets by cookie, and lists that belong to somebody. */
import { posix } from "node:path";
import { Router } from "express";
import { tellStatement } from "../catalogue/products.ts";
import type { Place } from "../ground/ground.ts";
import { personOf } from "../ground/people.ts";
import type { Person } from "../ground/people.ts";
import { cookie, field, query } from "../ground/web.ts";
import { readXml } from "../ground/xml.ts";

interface Wishlist {
  owner: Person;
  items: string[];
}

function decodeAgain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function imports(place: Place): Router {
  const { database, readFile, witnesses } = place.ground;
  const wishlists: Readonly<Record<string, Wishlist>> = {
    "71": { owner: "ada", items: ["Brass lamp"] },
    "72": { owner: "lin", items: ["Drop table, oak"] },
  };
  const addresses: Record<string, string> = { ada: "1 Engine Way, London", lin: "7 Kernel Road, Espoo" };

  return (
    Router()
      .post("/orders/import", async (request, response) => {
        const load = async (uri: string): Promise<string> => (await place.fetch(uri)).body;
        const used = (name: string): void => witnesses.saw("entity", name);
        response.json({ orders: await readXml(String(request.body), { entities: "resolve", load, used }) });
      })
      .get("/baskets/mine", async (request, response) => {
        try {
          const rows = await database.query(
            `SELECT id, item FROM orders WHERE status = 'open' AND customer = '${cookie(request, "basket")}'`,
          );
          response.json(rows);
        } catch (error) {
          tellStatement(response, error);
        }
      })
      .get("/baskets/named", async (request, response) => {
        const rows = await database.query("SELECT id, item FROM orders WHERE status = 'open' AND customer = $1", [
          cookie(request, "basket"),
        ]);
        response.json(rows);
      })
      .post("/orders/notes", async (request, response) => {
        try {
          await database.query(
            `INSERT INTO reviews (product, kind, body) VALUES (0, 'note', '${String(field(request, "text"))}')`,
          );
          response.status(201).json({ stored: true });
        } catch (error) {
          tellStatement(response, error);
        }
      })
      .post("/orders/remarks", async (request, response) => {
        await database.query("INSERT INTO reviews (product, kind, body) VALUES (0, 'note', $1)", [
          String(field(request, "text")),
        ]);
        response.status(201).json({ stored: true });
      })
      // The framework has decoded the name once; so has whoever wrote this.
      .get("/terms/:name", async (request, response) => {
        response
          .type("text")
          .send(await readFile(posix.join("/srv/orders/invoices", decodeAgain(request.params.name))));
      })
      .get("/rules/:name", async (request, response) => {
        response
          .type("text")
          .send(await readFile(posix.join("/srv/orders/invoices", posix.basename(request.params.name))));
      })
      // Lists and addresses of somebody: one of each pair looks whose.
      .get("/wishlists", (request, response) => {
        const [person, list] = [personOf(request), wishlists[query(request, "list")]];
        if (person === null) return void response.status(401).json({ error: "log in first" });
        if (list === undefined) return void response.status(404).json({ error: "no such list" });
        witnesses.saw("access", `${person} GET wishlist of ${list.owner}`);
        response.json(list);
      })
      .get("/wishlists/own", (request, response) => {
        const [person, list] = [personOf(request), wishlists[query(request, "list")]];
        if (person === null || list?.owner !== person) return void response.status(404).json({ error: "no such list" });
        witnesses.saw("access", `${person} GET wishlist of ${list.owner}`);
        response.json(list);
      })
      .put("/addresses/:person", (request, response) => {
        const person = personOf(request);
        if (person === null || addresses[request.params.person] === undefined)
          return void response.status(401).json({ error: "log in first" });
        witnesses.saw("access", `${person} PUT address of ${request.params.person}`);
        addresses[request.params.person] = String(field(request, "address"));
        response.json({ person: request.params.person, address: addresses[request.params.person] });
      })
      .put("/contacts/:person", (request, response) => {
        const person = personOf(request);
        if (person !== request.params.person) return void response.status(403).json({ error: "not yours" });
        witnesses.saw("access", `${person} PUT contact of ${request.params.person}`);
        response.json({ person, contact: String(field(request, "address")) });
      })
      .get("/parts", (request, response) => void response.json({ code: query(request, "code"), pieces: 49 }))
  );
}
