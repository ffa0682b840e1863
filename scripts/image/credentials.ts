/**
 * Credentials for a registry out of Docker's configuration: `config.json` in $DOCKER_CONFIG or ~/.docker
 * (https://docs.docker.com/reference/cli/docker/login/#credential-stores). A helper for the registry stands before the general store,
 * and that before what lies in the file. Nothing of what is read here is part of an error.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { credentialName } from "./reference.ts";

export type Credentials = { username: string; password: string } | { identityToken: string };

const MAX_BYTES = 1_048_576;
const HELPER_MILLISECONDS = 30_000;
/** What a helper gives for a user where the secret is a token. */
const TOKEN_USER = "<token>";
/** What every helper says where it has nothing. */
const NOT_FOUND = "credentials not found";

const CONFIG = z.object({
  auths: z
    .record(z.string(), z.object({ auth: z.string().optional(), identitytoken: z.string().optional() }))
    .optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
});
const HELPER_ANSWER = z.object({ Username: z.string(), Secret: z.string() });

/** The file that holds them. */
export const configPath = (env: NodeJS.ProcessEnv): string =>
  join(env.DOCKER_CONFIG || join(env.HOME || homedir(), ".docker"), "config.json");

/** The credentials for a registry, or null where there are none. */
export async function credentialsFor(registry: string, env: NodeJS.ProcessEnv): Promise<Credentials | null> {
  const path = configPath(env);
  const config = await readConfig(path);
  if (config === null) return null;
  const name = credentialName(registry);
  const helper = config.credHelpers?.[name] ?? config.credHelpers?.[registry] ?? config.credsStore;
  const helped = helper === undefined ? null : await askHelper(helper, name, env);
  if (helped !== null) return helped;
  for (const [key, { auth, identitytoken }] of Object.entries(config.auths ?? {})) {
    if (key !== name && bareName(key) !== registry) continue;
    if (identitytoken) return { identityToken: identitytoken };
    if (auth) return parseAuth(auth, `${path}: auths of ${registry}`);
  }
  return null;
}

/** A key of `auths` may be an address, with a scheme and a path. */
const bareName = (key: string): string => key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");

async function readConfig(path: string): Promise<z.infer<typeof CONFIG> | null> {
  let text: string;
  try {
    if ((await stat(path)).size > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`);
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    throw new Error(`${path}: ${code ?? message}`, { cause: error });
  }
  // The errors of both parsers quote what they have read.
  try {
    return CONFIG.parse(JSON.parse(text));
  } catch {
    throw new Error(`${path}: is not a configuration of Docker: expected JSON with auths, credHelpers or credsStore`);
  }
}

function parseAuth(auth: string, where: string): Credentials {
  const text = Buffer.from(auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 1) throw new Error(`${where}: expected USER:PASSWORD in base64`);
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Asks docker-credential-NAME. */
async function askHelper(helper: string, registry: string, env: NodeJS.ProcessEnv): Promise<Credentials | null> {
  const program = `docker-credential-${helper}`;
  if (!/^[\w.-]+$/.test(helper))
    throw new Error(`${configPath(env)}: ${JSON.stringify(helper)} is no name of a helper`);
  const fail = (why: string): never => {
    throw new Error(`${program} get: ${why}`);
  };
  const signal = AbortSignal.timeout(HELPER_MILLISECONDS);
  const child = spawn(program, ["get"], { env, signal, stdio: ["pipe", "pipe", "ignore"], killSignal: "SIGKILL" });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output.length > MAX_BYTES) child.kill("SIGKILL");
  });
  child.stdin.on("error", () => {});
  child.stdin.end(registry);
  let code: number | null;
  try {
    [code] = (await once(child, "close")) as [number | null];
  } catch (error) {
    if (signal.aborted) return fail(`no answer in ${HELPER_MILLISECONDS / 1000} s`);
    return fail((error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such program" : "cannot be started");
  }
  if (code !== 0) return output.includes(NOT_FOUND) ? null : fail(`ended with exit code ${code}; try it by hand`);
  let answer: z.infer<typeof HELPER_ANSWER>;
  try {
    answer = HELPER_ANSWER.parse(JSON.parse(output));
  } catch {
    return fail("its answer is not JSON with Username and Secret");
  }
  const { Username: username, Secret: password } = answer;
  return username === TOKEN_USER ? { identityToken: password } : { username, password };
}
