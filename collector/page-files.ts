/** The page as the server gives it out: the files of `dist/page`, read once. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../scripts/package.ts";

/** What the page may do: its own files and the API of its own origin; no text that it shows becomes code or markup. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

export interface PageFile {
  body: Buffer;
  type: string;
  /** Files but the first name the hash of their content, so they never change. */
  cache: "no-cache" | "public, max-age=31536000, immutable";
}

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The files by the path that asks for them, `/` for the page itself. Throws, saying how to build them, where there are none. */
export function pageFiles(folder = join(packageRoot(), "dist/page")): Map<string, PageFile> {
  const files = new Map<string, PageFile>();
  try {
    for (const name of readdirSync(folder)) {
      const type = TYPES[/\.[a-z]+$/.exec(name)?.[0] ?? ""];
      if (type === undefined) continue;
      const isPage = name === "index.html";
      const cache = isPage ? "no-cache" : "public, max-age=31536000, immutable";
      files.set(isPage ? "/" : `/${name}`, { body: readFileSync(join(folder, name)), type, cache });
    }
  } catch (cause) {
    throw new Error(`the page in ${folder} cannot be read; build it with: npm run build`, { cause });
  }
  if (!files.has("/")) throw new Error(`there is no page in ${folder}; build it with: npm run build`);
  return files;
}
