/** Who is not the shop: a partner, and the metadata service of the cloud that the shop believes to run in. */
import express from "express";
import type { Express } from "express";

export function partner(): Express {
  return express()
    .disable("x-powered-by")
    .get("/news", (_request, response) => void response.type("text").send("Oak is in season.\n"))
    .get(
      "/pictures/:name",
      (_request, response) => void response.type("png").send(Buffer.from("89504e470d0a1a0a", "hex")),
    );
}

export function cloud(): Express {
  return express()
    .disable("x-powered-by")
    .get("/latest/meta-data/", (_request, response) => {
      response.type("text").send("ami-id\ninstance-id\niam/\nlocal-ipv4\n");
    });
}
