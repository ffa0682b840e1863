/**
 * The files of the collector and of the packages that it runs on, as they are installed here: by npm in the sources or in a project, by
 * pnpm behind links. They are put together anew, each package beside the first that asks for it where another version is in the way.
 */
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { packageRoot } from "../package.ts";
import { npmUrl, type Component } from "./sbom.ts";
import type { Entry } from "./tar.ts";

interface Manifest {
  name: string;
  version: string;
  license?: string | { type: string };
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** Starts Envoy in a container for `run` and `demo`, and brings most of all packages; a collector starts none. */
const LEFT_OUT: ReadonlySet<string> = new Set(["testcontainers"]);
/** What nothing reads at run time. */
const UNREAD = /\.(?:map|[cm]?ts|tsx|md|markdown)$/i;
const LICENSES = /^(?:licen[cs]e|copying|notice)/i;
/** Of our own package: no further builds of the module, no probes of the tests. */
const OWN = /^(?:package\.json|LICENSE|NOTICE|dist\/(?!probe\/|testing\/|.*\.wat$|(?!meshward\.wasm)[^/]*\.wasm$).*)$/;

export interface Packages {
  entries: Entry[];
  components: Component[];
  /** The collector's own folder. */
  root: string;
}

interface Placed {
  source: string;
  target: string;
  manifest: Manifest;
}

/** Puts all into `folder`, a path without a slash at its begin. */
export function installedPackages(folder: string, source = packageRoot()): Packages {
  const own: Placed = {
    source,
    target: `${folder}/node_modules/meshward`,
    manifest: manifestIn(source),
  };
  const placed = new Map([[own.target, own]]);
  // A package's own come all before those of the next: so none is put before one that was found already.
  for (const { source, target, manifest } of placed.values()) {
    for (const { name, isOptional } of dependenciesOf(manifest)) {
      const found = find(name, source);
      if (found === null) {
        if (isOptional) continue;
        throw new Error(`${manifest.name} needs the package ${name}, which is not installed: run npm ci`);
      }
      const seen = visibleFrom(target, name, placed);
      if (seen?.source === found) continue;
      const place = `${seen === null ? folder : target}/node_modules/${name}`;
      placed.set(place, { source: found, target: place, manifest: manifestIn(found) });
    }
  }
  const all = [...placed.values()];
  return {
    entries: all.flatMap((one) => filesOf(one, one === own)),
    components: all.filter((one) => one !== own).map(({ manifest }) => componentOf(manifest)),
    root: own.target,
  };
}

const manifestIn = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

function dependenciesOf({
  dependencies = {},
  optionalDependencies = {},
}: Manifest): { name: string; isOptional: boolean }[] {
  const names = [...new Set([...Object.keys(dependencies), ...Object.keys(optionalDependencies)])].sort();
  return names
    .filter((name) => !LEFT_OUT.has(name))
    .map((name) => ({ name, isOptional: optionalDependencies[name] !== undefined }));
}

/** Where Node finds a package from a folder, without links. */
function find(name: string, from: string): string | null {
  for (let folder = realpathSync(from); ; folder = dirname(folder)) {
    try {
      return dirname(realpathSync(join(folder, "node_modules", name, "package.json")));
    } catch {
      if (folder === dirname(folder)) return null;
    }
  }
}

/** What a package in the image gets by a name. */
function visibleFrom(target: string, name: string, placed: ReadonlyMap<string, Placed>): Placed | null {
  for (let folder = target; folder !== "."; folder = dirname(folder)) {
    const found = placed.get(`${folder}/node_modules/${name}`);
    if (found !== undefined) return found;
  }
  return null;
}

/** The files that are read at run time, and the licences; links and packages inside are left out. */
function filesOf({ source, target }: Placed, isOwn: boolean): Entry[] {
  const entries: Entry[] = [];
  const walk = (below: string): void => {
    for (const entry of readdirSync(join(source, below), { withFileTypes: true })) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) {
        if (entry.name !== "node_modules" && (!isOwn || path.split("/")[0] === "dist")) walk(path);
      } else if (
        entry.isFile() &&
        (LICENSES.test(entry.name) || !UNREAD.test(entry.name)) &&
        (!isOwn || OWN.test(path))
      ) {
        entries.push({ path: `${target}/${path}`, data: readFileSync(join(source, path)) });
      }
    }
  };
  walk("");
  return entries;
}

const componentOf = ({ name, version, license }: Manifest): Component => {
  const text = typeof license === "string" ? license : license?.type;
  return {
    ...{ type: "library", name, version, purl: npmUrl(name, version) },
    ...(text === undefined ? {} : { license: text }),
  };
};
