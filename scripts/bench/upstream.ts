/**
 * A process that is the service behind Envoy: reads each request to its end, then answers 200 with a page of 1 KiB; the same one each time,
 * or with the argument `different` one with a number of its own.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Garden &amp; Home</title><link rel="stylesheet" href="/static/app.css"></head>
<body><nav><a href="/">Home</a> <a href="/products?page=2">Next</a> <a href="/basket">Basket</a></nav><main>
<h1>Watering cans</h1>
`;
const LINE = `<p class="item"><a href="/products/17">Watering can, 5 l</a> <b>19.90 &euro;</b>, delivered on Monday</p>\n`;
const BODY = Buffer.alloc(1024, PAGE + LINE.repeat(8));
const HEADERS = { "content-type": "text/html; charset=utf-8", "content-length": BODY.length };

const different = parseArgs({ allowPositionals: true }).positionals[0] === "different";
/** Where the number stands, in the place of a word. */
const NUMBER = BODY.indexOf("Watering cans");
let answers = 0;

function page(): Buffer {
  if (!different) return BODY;
  const own = Buffer.from(BODY);
  own.write((answers++).toString(16).padStart(8, "0"), NUMBER);
  return own;
}

const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (request, response) => {
  request.resume().once("end", () => response.writeHead(200, HEADERS).end(page()));
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.once("disconnect", () => process.exit(0));
