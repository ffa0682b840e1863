/** The process of `database.ts`: fills the database, then runs what it is told, one question after the other. */
import { PGlite } from "@electric-sql/pglite";
import type { Question, Reply, Row } from "./database.ts";
import { SEED } from "./seed.ts";

const reply = (message: Reply): void => void process.send?.(message);
const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The shop's own role: it may not read or write the database server's files or start its programs. */
const fill = (database: PGlite): Promise<unknown> => database.exec(`RESET ROLE; ${SEED}; SET ROLE shop`);

async function answer(database: PGlite, question: Question): Promise<Row[]> {
  if ("reset" in question) {
    await fill(database);
    return [];
  }
  const { sql, values } = question;
  if (values !== null) return (await database.query<Row>(sql, [...values])).rows;
  return ((await database.exec(sql)).at(-1)?.rows ?? []) as Row[];
}

// It lives as long as who asks.
process.once("disconnect", () => process.exit());
try {
  const database = await PGlite.create();
  await database.exec("CREATE ROLE shop");
  await fill(database);
  let last: Promise<void> = Promise.resolve();
  process.on("message", (question: Question) => {
    const { id } = question;
    last = last
      .then(() => answer(database, question))
      .then(
        (rows) => reply({ id, rows }),
        (error: unknown) => reply({ id, error: reason(error) }),
      );
  });
  reply({ id: 0, rows: [] });
} catch (error) {
  reply({ id: 0, error: reason(error) });
}
