/** Files of the catalogue: manuals, pictures, and what somebody left lying about. */
import { generateKeyPairSync } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join, posix } from "node:path";
import { Router } from "express";
import type { Place } from "../ground/ground.ts";
import { SECRETS } from "../ground/people.ts";
import { escapeHtml, query } from "../ground/web.ts";

const ROOT = "/srv/catalogue";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const DUMP = `-- MySQL dump 10.13  Distrib 8.0.35, for Linux (x86_64)
--
-- Host: catalogue-db.shop.internal    Database: catalogue
-- ------------------------------------------------------
-- Server version\t8.0.35

DROP TABLE IF EXISTS \`customers\`;
CREATE TABLE \`customers\` (\`id\` int NOT NULL, \`email\` varchar(255), \`password\` varchar(60), PRIMARY KEY (\`id\`));
INSERT INTO \`customers\` VALUES (1,'ada@shop.example','$2y$10$wH8sQ1n0m0t4kq3n7Xh1xO8m3c7k4J5mC8yF6zX2vN9bB1qW3eR5t');
`;

/** A folder as Apache's mod_autoindex lists it. */
async function listing(folder: string, shown: string): Promise<string> {
  const rows = await Promise.all(
    (await readdir(folder)).sort().map(async (name) => {
      const { mtime, size } = await stat(join(folder, name));
      const when = `${String(mtime.getUTCDate()).padStart(2, "0")}-${MONTHS[mtime.getUTCMonth()]}-${mtime.getUTCFullYear()} 08:30`;
      return `<tr><td><a href="${escapeHtml(name)}">${escapeHtml(name)}</a></td><td align="right">${when}</td><td align="right">${size}</td></tr>`;
    }),
  );
  return (
    `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<html>\n <head>\n  <title>Index of ${shown}</title>\n </head>\n <body>\n` +
    `<h1>Index of ${shown}</h1>\n<table>\n<tr><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th>` +
    `<th><a href="?C=S;O=A">Size</a></th></tr>\n<tr><td><a href="/">Parent Directory</a></td><td>&nbsp;</td><td align="right">-</td></tr>\n` +
    `${rows.join("\n")}\n</table>\n</body></html>\n`
  );
}

export function files(place: Place): Router {
  const { ground } = place;
  return (
    Router()
      .get("/images/file", async (request, response) => {
        response.type("text").send(await ground.readFile(posix.join(ROOT, "images", query(request, "name"))));
      })
      .get("/images/named", async (request, response) => {
        response
          .type("text")
          .send(await ground.readFile(posix.join(ROOT, "images", posix.basename(query(request, "name")))));
      })
      .get("/view", async (request, response) => {
        // Templates end in .html; whoever needs another file says so with its ending.
        const name = query(request, "template");
        response
          .type("text")
          .send(await ground.readFile(posix.join(ROOT, "templates", name.includes(".") ? name : `${name}.html`)));
      })
      .get("/view/known", async (request, response) => {
        const name = query(request, "template");
        if (name !== "card") return void response.status(400).json({ error: `there is no template "${name}"` });
        response.type("text").send(await ground.readFile(`${ROOT}/templates/card.html`));
      })
      .get("/manuals/raw", async (request, response) => {
        response.type("text").send(await ground.readFile(posix.join(ROOT, "manuals", query(request, "name"))));
      })
      .get("/manuals/text", async (request, response) => {
        const path = posix.join(ROOT, "manuals", query(request, "name"));
        if (!path.startsWith(`${ROOT}/manuals/`)) return void response.status(400).json({ error: "not a manual" });
        response.type("text").send(await ground.readFile(path));
      })
      // Left lying about.
      .get("/uploads/", async (_request, response) => {
        response.type("html").send(await listing(join(ground.folder, "srv/catalogue/uploads"), "/uploads"));
      })
      .get("/includes/db.inc", async (_request, response) => {
        response.type("text").send(await ground.readFile(`${ROOT}/includes/db.inc`));
      })
      .get("/backup/catalogue.sql", (_request, response) => void response.type("application/sql").send(DUMP))
      .get("/backup/server.pem", (_request, response) => {
        const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
        response.type("application/x-pem-file").send(privateKey.export({ type: "pkcs8", format: "pem" }));
      })
      .get("/backup/ca.pem", (_request, response) => {
        const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
        response.type("application/x-pem-file").send(publicKey.export({ type: "spki", format: "pem" }));
      })
      .get("/.env", (_request, response) => {
        response
          .type("text")
          .send(
            `APP_ENV=production\nAPP_DEBUG=false\nDB_HOST=catalogue-db.shop.internal\nDB_USERNAME=catalogue\nDB_PASSWORD=hunter2-but-longer\n` +
              `AWS_ACCESS_KEY_ID=${SECRETS.awsKeyId}\nAWS_SECRET_ACCESS_KEY=${SECRETS.awsSecret}\n`,
          );
      })
      .get("/.env.example", (_request, response) => {
        response
          .type("text")
          .send("APP_ENV=\nAPP_DEBUG=false\nDB_HOST=\nDB_USERNAME=\nDB_PASSWORD=\nAWS_ACCESS_KEY_ID=\n");
      })
  );
}
