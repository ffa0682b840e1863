/**
 * The collector's page, bundled: `dist/page/index.html` and what it names, each file with the hash of its content in its name, so that
 * a browser may keep it for good.
 */
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build } from "esbuild";
import type { Outputs } from "./step.ts";

/** Where the sources stand, and where the bundle goes. */
export const PAGE_SOURCES = "collector/page";
export const PAGE_FOLDER = "dist/page";
/** Entries, by the name that index.html has for them. */
const ENTRIES = { "main.js": "main.tsx", "theme.js": "theme.ts", "main.css": "style.css", "icon.svg": "icon.svg" };
/** Bytes of the largest script: a page that opens at once on a phone. */
const MAX_SCRIPT_BYTES = 100_000;

/** Bundles the page; paths are relative to `root`. Throws with what is wrong in its sources. */
export async function bundlePage(root: string): Promise<Outputs> {
  const sources = join(root, PAGE_SOURCES);
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: Object.values(ENTRIES).map((file) => join(sources, file)),
    outdir: join(root, PAGE_FOLDER),
    entryNames: "[name]-[hash]",
    bundle: true,
    minify: true,
    format: "iife",
    target: ["chrome111", "firefox113", "safari16.4"],
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".svg": "copy" },
    charset: "utf8",
    legalComments: "none",
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const outputs = new Map<string, string | Uint8Array>();
  for (const { path, contents } of outputFiles) {
    if (path.endsWith(".js") && contents.length > MAX_SCRIPT_BYTES) {
      throw new Error(`${basename(path)}: ${contents.length} bytes, more than ${MAX_SCRIPT_BYTES}`);
    }
    outputs.set(join(PAGE_FOLDER, basename(path)), contents);
  }
  let html = await readFile(join(sources, "index.html"), "utf8");
  for (const [name, source] of Object.entries(ENTRIES)) {
    const made = Object.entries(metafile.outputs).find(
      ([, { entryPoint }]) => entryPoint === `${PAGE_SOURCES}/${source}`,
    );
    if (made === undefined || !html.includes(`"${name}"`)) throw new Error(`index.html and ${source} do not fit`);
    html = html.replace(`"${name}"`, `"${basename(made[0])}"`);
  }
  outputs.set(join(PAGE_FOLDER, "index.html"), html);
  return outputs;
}
