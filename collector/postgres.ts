/** PostgreSQL by its address. */
import pg from "pg";
import { codeOf, UnavailableError, type Database, type Parameter, type Row, type Sql } from "./database.ts";

const CONNECTIONS = 6;
const CONNECT_MILLISECONDS = 5_000;
const STATEMENT_MILLISECONDS = 30_000;
const INT8 = 20;

/** int8 as a number: counts stay far below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((id: number, format?: "text" | "binary") =>
    id === INT8 ? Number : pg.types.getTypeParser(id, format)) as typeof pg.types.getTypeParser,
};

/** Whether an error means that the server is not there or has no room, rather than that a statement is wrong. */
function isUnavailable(error: unknown): boolean {
  const code = codeOf(error);
  // 08 connection, 53 resources (53100: disk full), 57 shutdown or time-out, 58 system, XX internal, 25006 read-only, 40 conflicts.
  return code === "" || /^(?:08|25006|40|53|57|58|XX)/.test(code);
}

const translated = (error: unknown): unknown =>
  isUnavailable(error) ? new UnavailableError(`PostgreSQL: ${(error as Error).message}`, { cause: error }) : error;

const asking = (client: pg.Pool | pg.PoolClient): Sql => ({
  query: async <Result extends Row>(text: string, parameters: readonly Parameter[] = []) => {
    try {
      return (await client.query<Result>(text, [...parameters])).rows;
    } catch (error) {
      throw translated(error);
    }
  },
});

/** Connects. Rejects with `UnavailableError` where that cannot be. */
export async function openPostgres(url: string): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MILLISECONDS,
    statement_timeout: STATEMENT_MILLISECONDS,
    idle_in_transaction_session_timeout: STATEMENT_MILLISECONDS,
    application_name: "meshward-collector",
    types,
  });
  // A connection that ends while nobody uses it: the next statement opens another.
  pool.on("error", () => {});
  const sql = asking(pool);
  try {
    await sql.query("SELECT 1");
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    kind: "postgresql",
    ...sql,
    async transaction(work) {
      let client: pg.PoolClient;
      try {
        client = await pool.connect();
      } catch (error) {
        throw translated(error);
      }
      const inside = asking(client);
      let broken = false;
      // The connection may also end between two statements.
      const onError = (): void => void (broken = true);
      client.on("error", onError);
      try {
        await inside.query("BEGIN");
        const result = await work(inside);
        await inside.query("COMMIT");
        return result;
      } catch (error) {
        await inside.query("ROLLBACK").catch(onError);
        throw error;
      } finally {
        client.off("error", onError);
        client.release(broken);
      }
    },
    maintain: async () => {},
    close: () => pool.end(),
  };
}
