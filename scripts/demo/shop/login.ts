/** The login, for forms and for JSON: both values become part of the statement. */
import { Router } from "express";
import type { Database } from "./database.ts";

export const login = (database: Database): Router =>
  Router().post("/login", async (request, response) => {
    const { email, password } = (request.body ?? {}) as Record<string, unknown>;
    const [user] = await database.run(
      `SELECT email, name FROM users WHERE email = '${email}' AND password_hash = md5('${password}')`,
    );
    if (user === undefined) response.status(401).json({ error: "wrong e-mail or password" });
    else response.json({ welcome: user });
  });
