/**
 * Is there a container engine that answers? Looks where testcontainers looks and asks `GET /version`, each question
 * bounded, before anything of testcontainers is loaded: where there is no engine, nobody waits for one.
 */
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { ENVOY_IMAGE } from "./version.ts";

export interface Engine {
  /** Where it answers, as `unix:///var/run/docker.sock`. */
  address: string;
  /** What it says of itself, as "Docker 28.1"; empty where it was not asked. */
  version: string;
  /** Whether Envoy's image is there already; null where it was not asked. */
  hasImage: boolean | null;
}

const PULL_TIMEOUT_MS = 5 * 60_000;

/** The addresses that testcontainers tries, in its order; where the user names one, that one alone. */
async function addresses(env: NodeJS.ProcessEnv): Promise<string[]> {
  const home = env.HOME || homedir();
  const properties = await readFile(join(home, ".testcontainers.properties"), "utf8").catch(() => "");
  const property = (name: string): string[] => {
    const value = new RegExp(`^\\s*${name.replace(".", "\\.")}\\s*[=:]\\s*(\\S+)`, "m").exec(properties)?.[1];
    return value === undefined ? [] : [value];
  };
  const configured = [...property("tc.host"), ...(env.DOCKER_HOST ? [env.DOCKER_HOST] : property("docker.host"))];
  if (configured.length > 0) return configured;
  if (process.platform === "win32") return ["npipe:////./pipe/docker_engine"];
  const sockets = [
    "/var/run/docker.sock",
    ...(env.XDG_RUNTIME_DIR ? [join(env.XDG_RUNTIME_DIR, "docker.sock")] : []),
    join(home, ".docker/run/docker.sock"),
    join(home, ".docker/desktop/docker.sock"),
    `/run/user/${userInfo().uid}/docker.sock`,
  ];
  return [...new Set(sockets.map((path) => `unix://${path}`))];
}

/** GET from an engine; its status and JSON. Rejects within `timeoutMs`. */
function get(
  address: string,
  path: string,
  timeoutMs: number,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const url = new URL(address);
  const target =
    url.protocol === "unix:"
      ? { socketPath: decodeURIComponent(url.pathname) }
      : url.protocol === "npipe:"
        ? { socketPath: address.replace(/^npipe:/, "") }
        : { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port: url.port || "2375" };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const call = request({ ...target, path, headers: { host: "docker" }, signal, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > 4 * 1024 * 1024) call.destroy(new Error("answers without end"));
      });
      response.on("error", reject);
      response.on("end", () => {
        try {
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> });
        } catch {
          reject(new Error("does not answer as an engine does"));
        }
      });
    });
    call.on("error", (error: NodeJS.ErrnoException) => {
      const reasons: Record<string, string> = {
        ENOENT: "no such socket",
        ECONNREFUSED: "connection refused",
        EACCES: "permission denied",
        ABORT_ERR: `no answer in ${timeoutMs / 1000} s`,
      };
      reject(new Error(reasons[error.code ?? ""] ?? error.message));
    });
    call.end();
  });
}

/** With TLS only the connection is tried: testcontainers has the certificates. */
function reach(address: string, timeoutMs: number): Promise<void> {
  const url = new URL(address);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port || 2376), timeout: timeoutMs });
    socket.once("connect", () => resolve(socket.destroy() && undefined));
    socket.once("timeout", () => socket.destroy(new Error(`no answer in ${timeoutMs / 1000} s`)));
    socket.once("error", reject);
  });
}

async function ask(address: string, env: NodeJS.ProcessEnv, timeoutMs: number): Promise<Engine> {
  if (!/^(?:unix|npipe|tcp|https?):/.test(address)) throw new Error("expected unix://, tcp:// or http://");
  if (address.startsWith("https:") || (address.startsWith("tcp:") && env.DOCKER_TLS_VERIFY)) {
    await reach(address, timeoutMs);
    return { address, version: "", hasImage: null };
  }
  const { status, body } = await get(address, "/version", timeoutMs);
  if (status !== 200 || typeof body.Version !== "string") throw new Error("does not answer as an engine does");
  if (typeof body.Os === "string" && body.Os !== "linux")
    throw new Error(`runs ${body.Os} containers, Linux is needed`);
  const image = await get(address, `/images/${ENVOY_IMAGE}/json`, timeoutMs);
  const name = (body.Components as { Name?: string }[] | undefined)?.[0]?.Name;
  return { address, version: `${name ?? "engine"} ${body.Version}`, hasImage: image.status === 200 };
}

/** The first engine that answers. Rejects with one line that names every address with its reason. */
export async function findEngine(env: NodeJS.ProcessEnv, timeoutMs: number): Promise<Engine> {
  const tried = await addresses(env);
  const answers = await Promise.allSettled(tried.map((address) => ask(address, env, timeoutMs)));
  const found = answers.find((answer) => answer.status === "fulfilled");
  if (found !== undefined) return found.value;
  const reasons = answers.map(
    (answer, index) => `${tried[index]}: ${(answer as PromiseRejectedResult).reason.message}`,
  );
  // Missing sockets are the normal case on a machine without Docker; a reason that says more is told alone.
  const telling = reasons.filter((reason) => !reason.endsWith("no such socket"));
  throw new Error(`no container engine answers (${(telling.length > 0 ? telling : reasons).join("; ")})`);
}

/** Brings Envoy's image, with the user's registry credentials. Rejects with one line. */
export async function pullImage(): Promise<void> {
  const { ImageName, getContainerRuntimeClient } = await import("testcontainers");
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${ENVOY_IMAGE} did not come in ${PULL_TIMEOUT_MS / 60_000} minutes`)),
      PULL_TIMEOUT_MS,
    );
  });
  const pull = async (): Promise<void> => {
    const client = await getContainerRuntimeClient();
    await client.image.pull(ImageName.fromString(ENVOY_IMAGE));
  };
  try {
    await Promise.race([pull(), late]);
  } catch (error) {
    throw new Error(`${ENVOY_IMAGE} cannot be pulled: ${(error as Error).message.split("\n")[0]}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
