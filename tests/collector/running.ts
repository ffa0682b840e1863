/** A collector in a process of its own, as a user starts it, and what is sent to it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Events } from "../../collector/api.ts";
import { packageRoot } from "../../scripts/package.ts";
import { atEnd } from "./databases.ts";
import { findingAttributes, jsonRequest, resourceAttributes } from "./otlp-request.ts";
import { endWithUs } from "../../scripts/end-with-us.ts";

const START_MILLISECONDS = 90_000;
export const READ_TOKEN = "read-token-of-the-tests";

export interface Running {
  url: string;
  child: ChildProcess;
  /** What it wrote to standard error. */
  errors(): string;
  get<Answer>(path: string): Promise<Answer>;
  /** Ends it; resolves with the exit code, null where it was killed. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts `meshward collector`; rejects with its error where it ends. `preload` is a file that Node loads before. */
export async function startCommand(database: string, preload?: string, more: readonly string[] = []): Promise<Running> {
  const loaders = ["--import", import.meta.resolve("tsx"), ...(preload === undefined ? [] : ["--import", preload])];
  const command = [
    join(packageRoot(), "scripts/cli.ts"),
    "collector",
    "--listen",
    "127.0.0.1:0",
    "--database",
    database,
  ];
  const child = endWithUs(
    spawn(process.execPath, [...loaders, ...command, ...more], {
      env: { ...process.env, MESHWARD_READ_TOKEN: READ_TOKEN, MESHWARD_INGEST_TOKEN: "" },
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  atEnd(() => child.kill("SIGKILL"));
  let output = "";
  let errors = "";
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  child.stderr.on("data", (text: Buffer) => (errors += text.toString()));
  const deadline = Date.now() + START_MILLISECONDS;
  let url: string | undefined;
  while ((url = /^events +(\S+)\/v1\/logs$/m.exec(output)?.[1]) === undefined) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`the collector did not start (${child.exitCode}): ${errors}`);
    }
    await sleep(20);
  }
  const at = url;
  return {
    url,
    child,
    errors: () => errors,
    async get(path) {
      const response = await fetch(at + path, { headers: { authorization: `Bearer ${READ_TOKEN}` } });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as never;
    },
    async end(signal) {
      const ended = once(child, "exit") as Promise<[number | null]>;
      child.kill(signal);
      return (await ended)[0];
    },
  };
}

/** Sends `count` events of one request whose ids begin with `name`; the status, 0 where there was no answer. */
export async function send(url: string, name: string, count: number, parameter = "q"): Promise<number> {
  const records = Array.from({ length: count }, (_, at) => ({
    time: Date.now(),
    attributes: findingAttributes({ "meshward.request_id": `${name}-${at}`, "meshward.parameter": parameter }),
  }));
  try {
    const response = await fetch(`${url}/v1/logs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: new Uint8Array(jsonRequest([{ attributes: resourceAttributes(), records }])),
      signal: AbortSignal.timeout(20_000),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

/** How many events are stored of each name that `send` was given. */
export async function storedByName(running: Running): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  let cursor = "";
  for (;;) {
    const page = await running.get<Events>(`/api/v1/events?limit=200${cursor === "" ? "" : `&cursor=${cursor}`}`);
    for (const { request_id: id } of page.events) {
      const name = id!.slice(0, id!.lastIndexOf("-"));
      found.set(name, (found.get(name) ?? 0) + 1);
    }
    if (page.next_cursor === null) return found;
    cursor = page.next_cursor;
  }
}
