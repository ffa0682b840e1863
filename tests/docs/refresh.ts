/**
 * Writes what the commands of a page print below them: `npm run page README.md`. What is shown in a page is made, never typed.
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { refreshed } from "./page.ts";

const { positionals } = parseArgs({ allowPositionals: true });
if (positionals.length === 0) throw new Error("which page? npm run page README.md");
for (const file of positionals) await writeFile(file, await refreshed(await readFile(file, "utf8")));
