/** Somebody else's service: feeds and pictures that the shop buys, and a counter that the shop reports to. */
import { createServer } from "node:http";
import type { Server } from "node:http";

const ANSWERS: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "/feed/lamps.json": ["application/json", JSON.stringify([{ name: "Paper lamp", price: 49 }])],
  "/pictures/lamp.svg": ["image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg"><circle r="5"/></svg>'],
  "/rates": ["application/json", JSON.stringify({ EUR: 1, NOK: 11.7 })],
  "/v1/recommendations": ["application/json", JSON.stringify({ products: [1, 4] })],
};

export const createPartner = (): Server =>
  createServer((request, response) => {
    request.resume();
    const [type, text] = ANSWERS[(request.url ?? "/").split("?")[0]!] ?? ["application/json", '{"error":"unknown"}'];
    response.writeHead(text.includes("unknown") ? 404 : 200, {
      "content-type": type,
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      "content-length": Buffer.byteLength(text),
    });
    response.end(text);
  });
