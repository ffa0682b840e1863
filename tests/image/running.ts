/** What the tests of images share: the command, folders, and a registry of this machine (Debian's docker-registry), if there is one. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { after } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { stringify } from "yaml";
import { freePort } from "../free-port.ts";
import { main } from "../../scripts/cli.ts";
import type { ImageReport } from "../../scripts/image/image.ts";
import { REGISTRY } from "./registry.ts";
import { endWithUs } from "../../scripts/end-with-us.ts";

const START_MILLISECONDS = 20_000;

/** What is undone behind all tests, the last first. */
const undo: (() => unknown)[] = [];
after(async () => {
  for (const work of undo.reverse()) await work();
});

export const atEnd = (work: () => unknown): void => void undo.push(work);

/** A folder that goes with the tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "meshward-image-"));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Ran {
  code: number;
  out: string;
  err: string;
  /** The document of `--json`. */
  report(): ImageReport;
}

/** Runs `meshward image`; without another DOCKER_CONFIG there are no credentials. */
export async function image(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const collect = (into: Buffer[]): Writable =>
    new Writable({ write: (chunk: Buffer, _, done) => (into.push(chunk), done()) });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  const code = await main(["image", ...argv], {
    stdin: Readable.from([]),
    stdout: collect(stdout),
    stderr: collect(stderr),
    env: { DOCKER_CONFIG: "/nonexistent", PATH: process.env.PATH, ...env },
  });
  const [out, err] = [Buffer.concat(stdout).toString(), Buffer.concat(stderr).toString()];
  return { code, out, err, report: () => JSON.parse(out) as ImageReport };
}

/** A Docker configuration in a folder of its own, for DOCKER_CONFIG. */
export function dockerConfig(config: unknown): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  return folder;
}

export const encoded = (user: string, password: string): string =>
  Buffer.from(`${user}:${password}`).toString("base64");

/** Starts a registry on the loopback, with `auth` and further settings of its configuration; yields HOST:PORT. */
export async function startRegistry(settings: Record<string, unknown> = {}, http: object = {}): Promise<string> {
  const folder = temporaryFolder();
  const address = `127.0.0.1:${await freePort()}`;
  const config = {
    version: "0.1",
    log: { level: "error" },
    storage: { filesystem: { rootdirectory: join(folder, "store") } },
    http: { addr: address, ...http },
    ...settings,
  };
  writeFileSync(join(folder, "config.yml"), stringify(config));
  const child = endWithUs(
    spawn(REGISTRY, ["serve", join(folder, "config.yml")], { stdio: ["ignore", "pipe", "pipe"] }),
    folder,
  );
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (log += text.toString()));
  atEnd(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, "exit");
  });
  for (const deadline = Date.now() + START_MILLISECONDS; ;) {
    const scheme = "tls" in http ? "https" : "http";
    const isUp = await fetch(`${scheme}://${address}/v2/`).then(
      () => true,
      (error: Error) => /certificate/.test(String(error.cause)),
    );
    if (isUp) return address;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`docker-registry does not start:\n${log}`);
    await delay(50);
  }
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server of the test's; yields HOST:PORT. */
export async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Hands a request on to a registry, as a proxy before it does. */
export function handOn(to: string, request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = request;
  const onward = httpRequest(`http://${to}${url}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode!, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
}
