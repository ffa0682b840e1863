// A service as others have it.
import express from "express";

export const app = express()
  .use(express.json())
  .get("/search", (request, response) => {
    response.json({ searched: request.query.q ?? null });
  })
  .post("/notes", (request, response) => {
    response.status(201).json(request.body);
  });
