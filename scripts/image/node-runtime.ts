/**
 * The least that Node runs on: its own binary, the libraries that the loader names for it, and a user to run as. All are this machine's
 * own files, with the licences that lie beside them; no shell, no package manager.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256 } from "./oci.ts";
import type { Component } from "./sbom.ts";
import type { Entry } from "./tar.ts";

export const NODE_PATH = "usr/local/bin/node";
/** As in other images without root; it owns nothing but the place for data. */
export const USER = 65_532;

const COMMAND_MILLISECONDS = 30_000;
/** glibc before 2.34 loads them when a name is looked up; what is not there is not needed. */
const NAME_SERVICES = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"];

export interface Runtime {
  entries: Entry[];
  components: Component[];
  /** What has no licence beside it. */
  unlicensed: string[];
}

/** Throws where Node is not a Linux program. */
export function nodeRuntime(binary = process.execPath): Runtime {
  if (process.platform !== "linux") {
    throw new Error("Node's own binary is none for Linux here: give an image to build on, --base DIR");
  }
  const node = readFileSync(binary);
  const entries: Entry[] = [
    { path: NODE_PATH, data: node, mode: 0o755 },
    { path: "etc/passwd", data: Buffer.from(`nonroot:x:${USER}:${USER}:nonroot:/nonexistent:/nonexistent\n`) },
    { path: "etc/group", data: Buffer.from(`nonroot:x:${USER}:\n`) },
    // Names of /etc/hosts come before those of DNS.
    { path: "etc/nsswitch.conf", data: Buffer.from("hosts: files dns\n") },
  ];
  const components: Component[] = [
    {
      ...{ type: "platform", name: "node", version: process.versions.node, license: "MIT", digest: sha256(node) },
      purl: `pkg:generic/node@${process.versions.node}`,
    },
  ];
  const unlicensed: string[] = [];
  const license = textOf([
    join(dirname(binary), "../LICENSE"),
    "/usr/share/doc/nodejs/copyright",
    "/usr/share/licenses/nodejs/LICENSE",
  ]);
  if (license === null) unlicensed.push("node");
  else entries.push({ path: "usr/share/doc/node/LICENSE", data: license });

  const owners = new Set<string>();
  for (const path of librariesOf(binary)) {
    const data = readFileSync(path);
    entries.push({ path: path.slice(1), data, mode: 0o755 });
    const owner = packageOf(path);
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (owner === null) {
      components.push({ type: "library", name, digest: sha256(data) });
      unlicensed.push(name);
    } else if (!owners.has(owner.name)) {
      owners.add(owner.name);
      const copyright = `usr/share/doc/${owner.name}/copyright`;
      const text = textOf([`/${copyright}`]);
      if (text === null) unlicensed.push(owner.name);
      else entries.push({ path: copyright, data: text });
      components.push({
        ...{ type: "library", name: owner.name, version: owner.version },
        purl: `pkg:deb/debian/${owner.name}@${encodeURIComponent(owner.version)}`,
      });
    }
  }
  return { entries, components, unlicensed };
}

/** The first of the files that is there. */
function textOf(paths: readonly string[]): Buffer | null {
  for (const path of paths) {
    try {
      return readFileSync(path);
    } catch {
      // The next one.
    }
  }
  return null;
}

/** What a program prints; null where it is not there or fails. */
function outputOf(program: string, ...args: string[]): string | null {
  try {
    return execFileSync(program, args, {
      ...{ encoding: "utf8", timeout: COMMAND_MILLISECONDS, stdio: ["ignore", "pipe", "ignore"] },
      env: { ...process.env, LC_ALL: "C" },
    });
  } catch {
    return null;
  }
}

/** The libraries that the loader puts before a binary, the loader itself, and those for names, by absolute paths. */
function librariesOf(binary: string): string[] {
  const output = outputOf("ldd", binary);
  // A static binary has none, and makes ldd fail.
  if (output === null) return [];
  const missing = /^\s*(\S+) => not found/m.exec(output);
  if (missing !== null) throw new Error(`${binary} needs the library ${missing[1]}, which is not there`);
  const paths = [...output.matchAll(/(?:=>\s+|^\s+)(\/\S+)/gm)].map(([, path]) => path!);
  const libc = paths.find((path) => /\/libc\.so\.6$/.test(path));
  const more = libc === undefined ? [] : NAME_SERVICES.map((name) => join(dirname(libc), name));
  return [...new Set([...paths, ...more.filter((path) => textOf([path]) !== null)])].sort();
}

/** The package of Debian that has brought a file. */
function packageOf(path: string): { name: string; version: string } | null {
  const real = realpathSync(path);
  // What lies in /usr/lib now may be listed as in /lib, and the other way round.
  const spellings = [path, real, `/usr${path}`, real.replace(/^\/usr\//, "/")];
  for (const spelling of new Set(spellings)) {
    const owner = outputOf("dpkg-query", "-S", spelling)?.split(":")[0];
    const version = owner === undefined ? null : outputOf("dpkg-query", "-W", "-f", "${Version}\n", owner);
    if (owner !== undefined && version) return { name: owner, version: version.split("\n")[0]! };
  }
  return null;
}
