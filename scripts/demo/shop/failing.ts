/** What the services say when something fails: no more than that. */
import type { ErrorRequestHandler } from "express";

export const failing: ErrorRequestHandler = (error: Error & { status?: number }, _request, response, _next) => {
  const { status = 500 } = error;
  response.status(status).json({ error: status < 500 ? "this cannot be done" : "something went wrong" });
};
