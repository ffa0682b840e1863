import { once } from "node:events";
import type { Command } from "commander";
import type { Documents } from "../../collector/drift.ts";
import { UsageError, asUsage, fileError, readText } from "./io.ts";
import type { Exit, Io } from "./io.ts";
import { again, example } from "./options.ts";

interface CollectorOptions {
  listen: string;
  database: string;
  retention: string;
  host: string[];
  libraries?: string;
  openapi: string[];
}

/** The documents of `SERVICE=FILE` options, by service. */
async function documentsIn(options: readonly string[]): Promise<Documents> {
  const { DocumentError, readDocument } = await import("../../collector/document.ts");
  return new Map(
    options.map((option) => {
      const at = option.indexOf("=");
      const [service, path] = [option.slice(0, at), option.slice(at + 1)];
      if (at < 1 || path === "") throw new UsageError(`--openapi ${option}: expected SERVICE=FILE`);
      const text = readText("--openapi", path);
      try {
        return [service, readDocument(text)];
      } catch (error) {
        if (!(error instanceof DocumentError)) throw error;
        throw new UsageError(`--openapi ${path}: ${error.message}`);
      }
    }),
  );
}

async function collectorCommand(options: CollectorOptions, io: Io): Promise<number> {
  const [{ startCollector }, { readLibraries }, { parseRetention }, { parseTokens }, { parseListen }] =
    await Promise.all([
      import("../../collector/collector.ts"),
      import("../../collector/dependencies/retire.ts"),
      import("../../collector/retention.ts"),
      import("../../collector/tokens.ts"),
      import("../envoy/run.ts"),
    ]);
  const retentionSeconds = parseRetention(options.retention);
  if (retentionSeconds === null) throw new UsageError(`--retention ${options.retention}: expected 30d, 12h or 90m`);
  const tokensIn = (variable: string, name: string): ReturnType<typeof parseTokens> => {
    const text = io.env[variable];
    return text === undefined || text === "" ? [] : asUsage(() => parseTokens(text, name), variable);
  };
  const log = (line: string): void => void io.stderr.write(`meshward collector: ${line}\n`);
  const file = options.libraries;
  const text = file === undefined ? null : readText("libraries", file);
  const libraries = text === null ? null : asUsage(() => readLibraries(text), `--libraries ${file}`);
  if (libraries !== null) {
    log(`${libraries.count} libraries of ${file}`);
    if (libraries.unread.length > 0) {
      log(`${libraries.unread.length} expressions and ranges of it are left out, the first: ${libraries.unread[0]}`);
    }
  }
  // Before it starts, which may take seconds: as the first process of a container it would not be ended by a signal that it does not take.
  const asked = Promise.race(["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => once(process, signal)));
  const collector = await startCollector({
    ...asUsage(() => parseListen(options.listen), "--listen"),
    database: options.database,
    retentionSeconds,
    ingestTokens: tokensIn("MESHWARD_INGEST_TOKEN", "ingest"),
    readTokens: tokensIn("MESHWARD_READ_TOKEN", "read"),
    hosts: options.host,
    libraries,
    documents: await documentsIn(options.openapi),
    log,
  }).catch((error: NodeJS.ErrnoException) => {
    // Of all that a start does, only the database's folder is reached by a path.
    throw error.path === undefined ? error : fileError("--database", options.database, error);
  });
  const { url, madeToken } = collector;
  const lines = [
    ["events", `${url}/v1/logs`],
    ["page", madeToken === null ? `${url}/` : `${url}/#token=${madeToken}`],
    ...(madeToken === null ? [] : [["token", "made for this run; set MESHWARD_READ_TOKEN for one that stays"]]),
  ];
  io.stdout.write(lines.map(([name, value]) => `${name!.padEnd(8)}${value}\n`).join(""));
  await asked;
  await collector.stop();
  return 0;
}

export function addCollector(program: Command, io: Io, exit: Exit): void {
  program
    .command("collector")
    .description("take events of sidecars, keep what they found, and serve page, API and metrics")
    .option("--listen <host:port>", "where it listens", "127.0.0.1:4318")
    .option("--database <place>", "a folder for the embedded database, or postgres://…", "meshward-data")
    .option("--retention <time>", "how long events are kept, as 30d, 12h or 90m", "30d")
    .option("--host <name>", "another host name to answer to; may be given again", again, [])
    .option("--libraries <file>", "libraries with known flaws beside those that come along, in the form of retire.js")
    .option(
      "--openapi <service=file>",
      "the OpenAPI document of a service, or of namespace/service: what runs is held against it; may be given again",
      again,
      [],
    )
    .addHelpText(
      "after",
      `
Environment:
  MESHWARD_INGEST_TOKEN  the token that sidecars send; without it events are taken of the own machine only
  MESHWARD_READ_TOKEN    the token for page, API and metrics; without it one is made and printed
${example(
  "meshward collector",
  "meshward collector --listen 0.0.0.0:4318 --host collector.mesh --database postgres://meshward@db/meshward",
)}`,
    )
    .action(async (options: CollectorOptions) => exit(await collectorCommand(options, io)));
}
