/** The depot: a program in several languages, run by people who leave things open. */
import { generateKeyPairSync } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Router } from "express";
import type { Place } from "../ground/ground.ts";
import { signJwt, STRONG_SECRET } from "../ground/people.ts";
import { phpType, toPhp, toPickle } from "../ground/serial.ts";
import { cookie, field } from "../ground/web.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const GOOD = "Path=/; Secure; HttpOnly; SameSite=Lax";

/** A folder as nginx lists it. */
async function autoindex(folder: string, shown: string): Promise<string> {
  const rows = await Promise.all(
    (await readdir(folder, { withFileTypes: true })).map(async (entry) => {
      const name = entry.isDirectory() ? `${entry.name}/` : entry.name;
      const { mtime, size } = await stat(join(folder, entry.name));
      const when = `${String(mtime.getUTCDate()).padStart(2, "0")}-${MONTHS[mtime.getUTCMonth()]}-${mtime.getUTCFullYear()} 08:30`;
      const link = `<a href="${name}">${name}</a>`;
      return `${link}${" ".repeat(Math.max(1, 51 - name.length))}${when}${(entry.isDirectory() ? "-" : String(size)).padStart(20)}`;
    }),
  );
  return (
    `<html>\r\n<head><title>Index of ${shown}</title></head>\r\n<body>\r\n<h1>Index of ${shown}</h1><hr><pre><a href="../">../</a>\r\n` +
    `${rows.sort().join("\r\n")}\r\n</pre><hr></body>\r\n</html>\r\n`
  );
}

export function depot(place: Place): Router {
  const { folder, witnesses } = place.ground;
  return (
    Router()
      // Rails, with `consider_all_requests_local`, to who accepts JSON.
      .get("/depot/bins/:id", (request, response) => {
        const { id } = request.params;
        if (/^\d+$/.test(id)) return void response.json({ bin: Number(id), pieces: 12 });
        response.status(500).json({
          status: 500,
          error: "Internal Server Error",
          exception: `#<ArgumentError: invalid value for Integer(): "${id}">`,
          traces: {
            "Application Trace": [
              { exception_object_id: 18_320, id: 0, trace: "app/controllers/bins_controller.rb:14:in `Integer'" },
              { exception_object_id: 18_320, id: 1, trace: "app/controllers/bins_controller.rb:14:in `show'" },
            ],
            "Framework Trace": [
              {
                exception_object_id: 18_320,
                id: 2,
                trace: "actionpack (7.0.4.2) lib/action_controller/metal/basic_implicit_render.rb:6:in `send_action'",
              },
              {
                exception_object_id: 18_320,
                id: 3,
                trace: "actionpack (7.0.4.2) lib/abstract_controller/base.rb:215:in `process_action'",
              },
            ],
          },
        });
      })
      .get("/depot/shelves/:id", (request, response) => {
        const { id } = request.params;
        if (/^\d+$/.test(id)) return void response.json({ shelf: Number(id), pieces: 12 });
        response.status(404).json({ status: 404, error: "Not Found", trace_id: "b7ad6b7169203331", traces: null });
      })
      .get("/depot/settings", (_request, response) => {
        response.json({
          name: "depot",
          cache: "redis://cache:6379/0",
          store: "mongodb+srv://depot:r0sebud-1941%21@stock.k2x9a.mongodb.net/depot?retryWrites=true&w=majority",
        });
      })
      .get("/depot/settings/example", (_request, response) => {
        response.json({
          name: "depot",
          cache: "redis://cache:6379/0",
          store: "mongodb+srv://<user>:<password>@<cluster>.mongodb.net/depot",
          other: "postgres://${DB_USER}:${DB_PASSWORD}@${DB_HOST}/depot",
        });
      })
      .get("/depot/key.json", (_request, response) => {
        const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
        response.json({
          type: "service_account",
          project_id: "lamps-and-tables",
          private_key_id: "9c1f0b6b2fd14f3e8a5d7b0c2e4f6a8d9b1c3e5f",
          private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
          client_email: "depot@lamps-and-tables.iam.gserviceaccount.com",
          token_uri: "https://oauth2.googleapis.com/token",
        });
      })
      .get("/depot/jwks.json", (_request, response) => {
        const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
        response.json({
          keys: [{ ...publicKey.export({ format: "jwk" }), use: "sig", alg: "ES256", kid: "depot-1" }],
          pem: publicKey.export({ type: "spki", format: "pem" }),
        });
      })
      .get("/depot/exports/", async (_request, response) => {
        response.type("html").send(await autoindex(join(folder, "srv/catalogue/uploads/2026-10"), "/depot/exports/"));
      })
      .get("/depot/me", (request, response) => {
        const origin = request.get("origin") ?? "";
        response.vary("origin");
        if (origin.endsWith("shop.example"))
          response.set({ "access-control-allow-origin": origin, "access-control-allow-credentials": "true" });
        response.json({ name: "Ada L", address: "1 Engine Way" });
      })
      .get("/depot/you", (request, response) => {
        const origin = request.get("origin") ?? "";
        response.vary("origin");
        if (origin === "https://www.shop.example")
          response.set({ "access-control-allow-origin": origin, "access-control-allow-credentials": "true" });
        response.json({ name: "Ada L", address: "1 Engine Way" });
      })
      // Objects of Python, in a cookie, read again from whatever comes back.
      .get("/depot/session", (request, response) => {
        const given = Buffer.from(cookie(request, "prefs"), "base64");
        if (given.subarray(0, 2).equals(Buffer.from([0x80, 0x04])))
          witnesses.saw("object", `pickle ${given.subarray(13, 13 + (given[12] ?? 0)).toString()}`);
        const prefs = toPickle("depot.prefs", "Prefs", { theme: "dark", rows: "50" }).toString("base64");
        response.set("set-cookie", `prefs=${encodeURIComponent(prefs)}; ${GOOD}`).json({ rows: 50 });
      })
      .get("/depot/flask", (_request, response) => {
        // As Flask signs its sessions: text, time, signature.
        const text = Buffer.from(JSON.stringify({ theme: "dark", rows: 50 })).toString("base64url");
        const signature = signJwt({ text }, STRONG_SECRET).split(".")[2]?.slice(0, 27) ?? "";
        response.set("set-cookie", `session=${text}.Z0BqVA.${signature}; ${GOOD}`).json({ rows: 50 });
      })
      .post("/depot/filter", (request, response) => {
        const type = phpType(Buffer.from(String(field(request, "state")), "base64").toString());
        if (type !== null) witnesses.saw("object", `php ${type}`);
        const state = Buffer.from(toPhp({ rows: 50, sort: "name" }, "FilterState")).toString("base64");
        response.type("html").send(`<form method="post"><input type="hidden" name="state" value="${state}"></form>\n`);
      })
      .post("/depot/sort", (_request, response) => {
        const state = Buffer.from("O: 4 brass lamps; s: 5 oak tables {reserved}").toString("base64");
        response.type("html").send(`<form method="post"><input type="hidden" name="state" value="${state}"></form>\n`);
      })
      // What the servers say about themselves.
      .get("/depot/mirror", (_request, response) => void response.set("server", "nginx/1.16.1").json({ pong: true }))
      .get("/depot/mirror/new", (_request, response) => {
        response.set({ server: "nginx", via: "1.1 depot-cache" }).json({ pong: true, replaced: "nginx/1.16.1" });
      })
      .get("/depot/bucket/", (_request, response) => {
        response
          .set({ server: "AmazonS3", "x-amz-request-id": "8QZ3M0TRK7F5N1VD" })
          .type("application/xml")
          .send(
            '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>lamps-and-tables-exports</Name>' +
              "<Prefix></Prefix><Marker></Marker><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>" +
              '<Contents><Key>customers-2026-10.csv</Key><LastModified>2026-10-05T08:30:00.000Z</LastModified><ETag>"9b74c9897bac770ffc029102a200c5de"</ETag><Size>48213</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>',
          );
      })
      .get("/depot/bucket/denied", (_request, response) => {
        response
          .status(403)
          .set({ server: "AmazonS3", "x-amz-request-id": "8QZ3M0TRK7F5N1VE" })
          .type("application/xml")
          .send(
            '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>8QZ3M0TRK7F5N1VE</RequestId></Error>',
          );
      })
  );
}
