/** The processes beside Envoy: their work must not be in Envoy's CPU time. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Load, Tally } from "./load.ts";

const START_TIMEOUT_MS = 10_000;
/** The longest that one load may take. */
const LOAD_TIMEOUT_MS = 10 * 60_000;

interface Child {
  pid: number;
  /** Sends a message, if there is one, and resolves with the next that comes back. */
  ask(timeoutMs: number, message?: object): Promise<unknown>;
  stop(): void;
}

/** Starts `NAME.ts` of this folder, or `NAME.js` where it is built. It ends with us: its channel closes. */
function start(name: string, args: readonly string[] = []): Child {
  const self = fileURLToPath(import.meta.url);
  const path = fileURLToPath(new URL(`./${name}${extname(self)}`, import.meta.url));
  const child = fork(path, args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const ended = once(child, "exit").then(() => Promise.reject(new Error(`the process "${name}" ended by itself`)));
  ended.catch(() => {});
  return {
    pid: child.pid!,
    ask(timeoutMs, message) {
      const answer = once(child, "message", { signal: AbortSignal.timeout(timeoutMs) }).then(
        ([received]) => received as unknown,
        () => Promise.reject(new Error(`the process "${name}" did not answer in ${timeoutMs / 1000} s`)),
      );
      if (message !== undefined) child.send(message);
      return Promise.race([answer, ended]);
    },
    stop: () => void child.kill(),
  };
}

export interface Upstream {
  pid: number;
  url: string;
  stop(): void;
}

/** Which pages the service answers with: the same for all requests, or none that was there before. */
export const PAGES = ["same", "different"] as const;
export type Pages = (typeof PAGES)[number];

/** Starts a service that answers every request with 200 and 1 KiB. */
export async function startUpstream(pages: Pages = "same"): Promise<Upstream> {
  const child = start("upstream", [pages]);
  const port = (await child.ask(START_TIMEOUT_MS)) as number;
  return { pid: child.pid, url: `http://127.0.0.1:${port}`, stop: child.stop };
}

export interface Generator {
  pid: number;
  /** Sends a load; resolves when every request is answered or its connection broke. */
  send(load: Load): Promise<Tally>;
  stop(): void;
}

export function startGenerator(): Generator {
  const child = start("load");
  return { pid: child.pid, send: (load) => child.ask(LOAD_TIMEOUT_MS, load) as Promise<Tally>, stop: child.stop };
}
