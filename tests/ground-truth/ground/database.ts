/**
 * The shop's database: PostgreSQL in WebAssembly (PGlite), in memory. Parts of the shop were written for other
 * products: their statements run here as well, and a refused one is worded as that product words it.
 */
import { PGlite } from "@electric-sql/pglite";
import type { Witnesses } from "./witness.ts";

export type Row = Record<string, unknown>;
export type Product = "mysql" | "mssql" | "oracle" | "sqlite";

const SEED = `
CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL, category text NOT NULL, price numeric NOT NULL);
INSERT INTO products VALUES
  (1, 'Brass lamp', 'lamps', 49), (2, 'Drop table, oak', 'tables', 230), (3, 'Fish & chips; salt', 'pictures', 9),
  (4, 'Union square lamp, select edition', 'lamps', 75), (5, 'O''Brien chair', 'chairs', 120);
CREATE TABLE users (name text PRIMARY KEY, email text NOT NULL, password text NOT NULL);
INSERT INTO users VALUES
  ('ada', 'ada@shop.example', 'correct horse'), ('lin', 'lin@shop.example', 'battery staple'),
  ('admin', 'admin@shop.example', 'rosebud-1941');
CREATE TABLE orders (id int PRIMARY KEY, customer text NOT NULL, item text NOT NULL, status text NOT NULL, total numeric);
INSERT INTO orders VALUES
  (1001, 'ada', 'Brass lamp', 'sent', 49), (1002, 'lin', 'Drop table, oak', 'open', 230),
  (1003, 'ada', 'O''Brien chair', 'open', 120), (1004, 'admin', 'Fish & chips; salt', 'sent', 9);
CREATE TABLE reviews (id int GENERATED ALWAYS AS IDENTITY, product int NOT NULL, kind text NOT NULL, body text NOT NULL);
CREATE TABLE sales (day date NOT NULL, store text NOT NULL, pieces int NOT NULL);
INSERT INTO sales VALUES ('2026-11-01', 'Oslo', 12), ('2026-11-02', 'Union Street; dock 7', 3);
CREATE ROLE shop;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO shop;
SET ROLE shop;
`;

/** What a database says about a statement that it does not run. */
export class StatementError extends Error {
  readonly code: string;
  readonly product: Product | "postgresql";

  constructor(message: string, code: string, product: Product | "postgresql") {
    super(message);
    this.code = code;
    this.product = product;
  }
}

interface PostgresError {
  message: string;
  code?: string;
}

/** What stands in the first quotes of a message: the token or name at fault. */
const quoted = (message: string): string => /"([^]*)"/.exec(message)?.[1] ?? "";

const WORDING: Record<Product, (code: string, at: string, message: string) => string> = {
  mysql: (code, at) =>
    code === "42703"
      ? `Unknown column '${at}' in 'where clause'`
      : "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version " +
        `for the right syntax to use near '${at}' at line 1`,
  mssql: (code, at, message) => {
    if (code === "42703") return `Invalid column name '${at}'.`;
    if (code.startsWith("22")) return `Conversion failed when converting the varchar value '${at}' to data type int.`;
    if (message.startsWith("unterminated")) return `Unclosed quotation mark after the character string '${at}'.`;
    return `Incorrect syntax near '${at}'.`;
  },
  oracle: (code, at, message) => {
    if (code === "42703") return `ORA-00904: "${at.toUpperCase()}": invalid identifier`;
    if (code.startsWith("22")) return "ORA-01722: invalid number";
    if (message.startsWith("unterminated")) return "ORA-01756: quoted string not properly terminated";
    return "ORA-00933: SQL command not properly ended";
  },
  sqlite: (code, at, message) => {
    if (code === "42703") return `SQLITE_ERROR: no such column: ${at}`;
    if (message.startsWith("unterminated")) return `SQLITE_ERROR: unrecognized token: "${at}"`;
    return `SQLITE_ERROR: near "${at}": syntax error`;
  },
};

export class Database {
  readonly #postgres: PGlite;
  readonly #witnesses: Witnesses;

  private constructor(postgres: PGlite, witnesses: Witnesses) {
    this.#postgres = postgres;
    this.#witnesses = witnesses;
  }

  static async start(witnesses: Witnesses): Promise<Database> {
    const postgres = await PGlite.create();
    await postgres.exec(SEED);
    return new Database(postgres, witnesses);
  }

  /**
   * The rows of one statement, `values` for `$1`, `$2`, …. Rejects with `StatementError` in the words of `product`.
   */
  async query(
    sql: string,
    values: readonly unknown[] = [],
    product: Product | "postgresql" = "postgresql",
  ): Promise<Row[]> {
    try {
      return (await this.#postgres.query<Row>(sql, [...values])).rows;
    } catch (error) {
      const { message, code = "XX000" } = error as PostgresError;
      this.#witnesses.saw("sql-error", `${code} ${message}`);
      const worded = product === "postgresql" ? message : WORDING[product](code, quoted(message), message);
      throw new StatementError(worded, code, product);
    }
  }

  stop(): Promise<void> {
    return this.#postgres.close();
  }
}
