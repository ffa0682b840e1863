/** Which Envoy is wanted and which one a binary is. */
import { execFile } from "node:child_process";

/** The version that is downloaded, pulled and tested with. */
export const ENVOY_VERSION = "1.40.0";
export const ENVOY_IMAGE = `envoyproxy/envoy:v${ENVOY_VERSION}`;
/** The oldest that is accepted from the user: it has every option that the generated configuration uses. */
export const OLDEST_ENVOY = "1.35";

/** A cold binary of 100 MB on a slow disk needs a few seconds. */
const VERSION_TIMEOUT_MS = 15_000;
const START_FAULTS: Record<string, string> = {
  ENOENT: "there is no such file",
  EACCES: "it is not a file that may be executed",
};

/** What a child process gets of the environment: enough to run, nothing of the user's secrets. */
export function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH"];
  return Object.fromEntries(kept.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** Whether version text `a` ("1.35.2") is at least `b` ("1.35"). */
export function atLeast(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => text.split(".").map(Number));
  for (const [index, wanted] of (right ?? []).entries()) {
    const has = left?.[index] ?? 0;
    if (has !== wanted) return has > wanted;
  }
  return true;
}

/**
 * The version that `binary` names itself ("1.40.0"). Rejects with one line: not executable, too slow, not Envoy, or
 * older than `OLDEST_ENVOY`.
 */
export function usableVersion(binary: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      timeout: VERSION_TIMEOUT_MS,
      killSignal: "SIGKILL",
      maxBuffer: 64 * 1024,
      env: childEnvironment(env),
      cwd: "/",
    } as const;
    execFile(binary, ["--version"], options, (error, stdout, stderr) => {
      // "envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL"
      const version = /version:\s*[^/\s]*\/(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
      if (version !== undefined && !error) {
        if (atLeast(version, OLDEST_ENVOY)) resolve(version);
        else reject(new Error(`${binary} is Envoy ${version}; ${OLDEST_ENVOY} or newer is needed`));
        return;
      }
      const said = (stderr || stdout).trim().split("\n").at(-1) ?? "";
      if (!error) reject(new Error(`${binary} is not the Envoy proxy: --version says "${said.slice(0, 120)}"`));
      else if (error.killed) reject(new Error(`${binary} --version did not answer in ${VERSION_TIMEOUT_MS / 1000} s`));
      else if (typeof error.code === "string")
        reject(new Error(`${binary} cannot be started: ${START_FAULTS[error.code] ?? error.code}`));
      else reject(new Error(`${binary} --version failed${said === "" ? "" : `: ${said.slice(0, 200)}`}`));
    });
  });
}
