/**
 * Where the package is and what it carries: the same answers from the sources (`scripts/package.ts`) and from the
 * installed build (`dist/scripts/package.js`).
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A build of the module: `release` is what is in use, `checked` has assertions in it and can explain itself, `floor` only reads
 * (`bench envoy`), `bench` has the engine's parts in loops (`bench engine`).
 */
export type ModuleBuild = "release" | "checked" | "floor" | "bench";

const MODULE_FILES: Record<ModuleBuild, string> = {
  release: "meshward.wasm",
  checked: "meshward.checked.wasm",
  floor: "floor.wasm",
  bench: "bench.wasm",
};

interface Manifest {
  name: string;
  version: string;
}

/** The manifest in `folder` if it is Meshward's own, else null. */
function manifestIn(folder: string): Manifest | null {
  let text: string;
  try {
    text = readFileSync(join(folder, "package.json"), "utf8");
  } catch {
    return null;
  }
  const manifest = JSON.parse(text) as Partial<Manifest>;
  return manifest.name === "meshward" && typeof manifest.version === "string" ? (manifest as Manifest) : null;
}

function find(): { root: string; manifest: Manifest } {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let folder = here; ; folder = dirname(folder)) {
    const manifest = manifestIn(folder);
    if (manifest !== null) return { root: folder, manifest };
    if (folder === dirname(folder)) throw new Error(`meshward: no package.json of meshward above ${here}`);
  }
}

const found = find();

/** The absolute path of the package's folder. */
export function packageRoot(): string {
  return found.root;
}

/** The version in package.json, as "0.1.0". */
export function packageVersion(): string {
  return found.manifest.version;
}

/** The absolute path of a build of the module; the file may be missing (see `readModule`). */
export function modulePath(build: ModuleBuild = "release"): string {
  return join(found.root, "dist", MODULE_FILES[build]);
}

/** The bytes of a build of the module. Throws, saying how to build it, if it is not there. */
export function readModule(build: ModuleBuild = "release"): Buffer {
  const path = modulePath(build);
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Error(`the module ${path} cannot be read; build it with: npm run build`, { cause });
  }
}

/** The sha256 of a build of the module, 64 hex digits. */
export function moduleDigest(build: ModuleBuild = "release"): string {
  return createHash("sha256").update(readModule(build)).digest("hex");
}
