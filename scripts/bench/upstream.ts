/** A process that is the service behind Envoy: reads each request to its end, then answers 200 with 1 KiB. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const BODY = Buffer.alloc(1024, "meshward ");
const HEADERS = { "content-type": "text/plain", "content-length": BODY.length };

const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (request, response) => {
  request.resume().once("end", () => response.writeHead(200, HEADERS).end(BODY));
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.once("disconnect", () => process.exit(0));
