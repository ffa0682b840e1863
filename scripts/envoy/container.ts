/**
 * Envoy in a container, by testcontainers, which also removes it if we are killed. Files go in by the engine's copy
 * call and output comes back by its log call, so that an engine on another machine serves as well; no folder is mounted.
 */
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import type { Readable } from "node:stream";
import { bootstrap } from "../../envoy/bootstrap.ts";
import { collectorOf, parseUpstream } from "../../envoy/cluster.ts";
import { BOOTSTRAP_FILE, ECDS_FILE, ECDS_FOLDER, MODULE_FILE, OUTBOUND_FILE } from "../../envoy/names.ts";
import type { CompiledPolicy } from "../../envoy/options.ts";
import { parseAccessLine } from "./access-log.ts";
import { Admin } from "./admin.ts";
import { findEngine } from "./docker.ts";
import { configText, ecdsText } from "./directory.ts";
import { Ring, eachLine } from "./lines.ts";
import {
  EnvoyFailed,
  FLUSH_MS,
  READY_TIMEOUT_MS,
  causeIn,
  checkReload,
  letEventsLeave,
  secretsIn,
  untilInForce,
} from "./running.ts";
import type { RunningEnvoy, StartOptions } from "./running.ts";

/** Limits of the container, for engines that may not raise their own (rootless podman). */
export type Ulimits = Record<string, { soft: number; hard: number }>;

export interface ContainerOptions extends StartOptions {
  image: string;
  ulimits?: Ulimits;
}

const ROOT = "/etc/meshward";
const LISTEN_PORT = 10_000;
const OUTBOUND_PORT = 15_001;
const ADMIN_PORT = 9_901;
const LOG_LINES = 200;
const STOP_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 500;
const ENGINE_TIMEOUT_MS = 3_000;
/** This machine as containers call it: Docker maps the name by "host-gateway", podman has one of its own and cannot. */
const DOCKER_HOST_NAME = "host.docker.internal";
const PODMAN_HOST_NAME = "host.containers.internal";

const LOOPBACK = /^(?:localhost|127\.[\d.]+|::1|0\.0\.0\.0|::)$/;

/** Whether `port` of this machine answers on an address that is not the loopback. */
async function listensOutside(port: number): Promise<boolean> {
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address !== undefined && !address.internal && address.family === "IPv4");
  if (outside === undefined) return false;
  return new Promise((resolve) => {
    const socket = connect({ host: outside.address, port, timeout: CONNECT_TIMEOUT_MS });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
    socket.once("timeout", () => done(false));
  });
}

/**
 * The upstream as the container reaches it. A service of this machine is the host there: directly if it listens on more
 * than the loopback, else through testcontainers' tunnel (an image more to pull).
 */
async function upstreamInside(upstream: string, hostName: string): Promise<string> {
  const { host, port } = parseUpstream(upstream);
  if (!LOOPBACK.test(host)) return upstream;
  const url = new URL(upstream);
  if (await listensOutside(port)) {
    url.hostname = hostName;
  } else {
    const { TestContainers } = await import("testcontainers");
    await TestContainers.exposeHostPorts(port);
    url.hostname = "host.testcontainers.internal";
  }
  // A port that is the scheme's own is not in the URL's text, and need not be.
  return url.origin;
}

/** Starts a container; resolves when Envoy takes requests. Rejects with `EnvoyFailed` and leaves nothing behind. */
export async function startContainer(options: ContainerOptions): Promise<RunningEnvoy> {
  const { GenericContainer, Wait, getContainerRuntimeClient } = await import("testcontainers");
  const runtime = (await getContainerRuntimeClient()).info.containerRuntime;
  const isPodman = /podman/i.test((await findEngine(options.env, ENGINE_TIMEOUT_MS)).version);
  const hostName = isPodman ? PODMAN_HOST_NAME : DOCKER_HOST_NAME;
  // Ports are for this machine alone, as a process's would be; an engine elsewhere has to open them.
  const hostIp = runtime.host !== "localhost" ? undefined : options.listen.host === "0.0.0.0" ? "0.0.0.0" : "127.0.0.1";

  class EnvoyContainer extends GenericContainer {
    protected override beforeContainerCreated(): Promise<void> {
      const bindings = this.hostConfig.PortBindings as Record<string, { HostIp?: string }[]>;
      for (const [port, entries] of Object.entries(bindings)) {
        for (const entry of entries) {
          if (hostIp !== undefined) entry.HostIp = port.startsWith(`${LISTEN_PORT}/`) ? hostIp : "127.0.0.1";
        }
      }
      return Promise.resolve();
    }
  }

  const ring = new Ring(LOG_LINES);
  const take = (line: string): void => {
    const entry = parseAccessLine(line);
    if (entry === null) ring.push(line);
    else options.onAccess?.(entry);
  };
  let ended: (how: string) => void = () => {};
  const exited = new Promise<string>((resolve) => (ended = resolve));
  const { events } = options.compiled;
  const hosts: Record<string, string> = {};
  for (const [name, origin] of Object.entries(options.hosts ?? {}))
    hosts[name] = await upstreamInside(origin, hostName);
  const config = bootstrap(options.compiled, {
    upstream: await upstreamInside(options.upstream, hostName),
    ...(events === undefined ? {} : { collector: await upstreamInside(collectorOf(events), hostName) }),
    listen: { host: "0.0.0.0", port: LISTEN_PORT },
    admin: { host: "0.0.0.0", port: ADMIN_PORT },
    root: ROOT,
    accessLog: options.onAccess === null ? "/dev/null" : "stdout",
    protocol: options.protocol ?? "http1",
    filter: options.filter ?? true,
    ...(options.service === undefined ? {} : { service: options.service }),
    ...(options.outbound === undefined ? {} : { outbound: { host: "0.0.0.0", port: OUTBOUND_PORT } }),
    hosts,
  });
  const exposed = (container: number, { port }: { port: number }): number | { container: number; host: number } =>
    port === 0 ? container : { container, host: port };
  const ports = [exposed(LISTEN_PORT, options.listen), ADMIN_PORT];
  if (options.outbound !== undefined) ports.push(exposed(OUTBOUND_PORT, options.outbound));
  const policyFiles = (compiled: CompiledPolicy): { content: string; path: string }[] => [
    { content: ecdsText(compiled, ROOT), path: `${ROOT}/${ECDS_FILE}` },
    ...(options.outbound === undefined
      ? []
      : [{ content: ecdsText(compiled, ROOT, "outbound"), path: `${ROOT}/${OUTBOUND_FILE}` }]),
  ];
  const container = new EnvoyContainer(options.image)
    .withCopyContentToContainer([
      { content: configText(config, "Envoy with Meshward"), target: `${ROOT}/${BOOTSTRAP_FILE}`, mode: 0o644 },
      ...policyFiles(options.compiled).map(({ content, path }) => ({ content, target: path, mode: 0o644 })),
      { content: await readFile(options.modulePath), target: `${ROOT}/${MODULE_FILE}`, mode: 0o644 },
    ])
    .withEnvironment(secretsIn(options.env))
    .withEntrypoint(["/usr/local/bin/envoy"])
    // prettier-ignore
    .withCommand([
      "-c",
      `${ROOT}/${BOOTSTRAP_FILE}`,
      "--disable-hot-restart",
      "--concurrency",
      String(options.concurrency ?? 2),
      "--file-flush-interval-msec",
      String(FLUSH_MS),
      "--log-level",
      "warning",
    ])
    .withDroppedCapabilities("ALL")
    .withSecurityOpt("no-new-privileges")
    .withExtraHosts(isPodman ? [] : [{ host: hostName, ipAddress: "host-gateway" }])
    .withExposedPorts(...ports)
    .withLogConsumer((stream) => {
      eachLine(stream as Readable, take);
      (stream as Readable).once("close", () => ended(causeIn(ring.lines) ?? "the container ended"));
    })
    .withWaitStrategy(Wait.forHttp("/ready", ADMIN_PORT, { abortOnContainerExit: true }).forStatusCode(200))
    .withStartupTimeout(READY_TIMEOUT_MS);
  if (options.ulimits !== undefined) container.withUlimits(options.ulimits);

  const started = await container.start().catch((error: unknown) => {
    const said = (error as Error).message.split("\n")[0];
    throw new EnvoyFailed(`Envoy did not start in a container: ${causeIn(ring.lines) ?? said}`, ring.lines);
  });
  const host = started.getHost().includes(":") ? `[${started.getHost()}]` : started.getHost();
  const admin = new Admin(`http://${host}:${started.getMappedPort(ADMIN_PORT)}`);
  const log = (): string[] => ring.lines;
  let stopping: Promise<void> | null = null;
  return {
    url: `http://${host}:${started.getMappedPort(LISTEN_PORT)}`,
    outboundUrl: options.outbound === undefined ? null : `http://${host}:${started.getMappedPort(OUTBOUND_PORT)}`,
    admin,
    pid: null,
    exited,
    log,
    async reload(compiled: CompiledPolicy) {
      checkReload(options.compiled, compiled);
      const before = await admin.discovery();
      if (before.policy === compiled.policy) return;
      const said = log();
      // Copied under another name, then renamed: Envoy watches for the rename.
      const fresh = `${ROOT}/${ECDS_FOLDER}/.next.yaml`;
      for (const { content, path } of policyFiles(compiled)) {
        await started.copyContentToContainer([{ content, target: fresh, mode: 0o644 }]);
        const moved = await started.exec(["mv", "-f", fresh, path], { user: "root" });
        if (moved.exitCode !== 0)
          throw new EnvoyFailed(`the policy cannot be put into the container: ${moved.output.trim()}`, ring.lines);
      }
      await untilInForce({ admin, log }, compiled, before, said);
    },
    stop: () =>
      (stopping ??= letEventsLeave(options.compiled, exited)
        .then(() => started.stop({ timeout: STOP_TIMEOUT_MS }))
        .then(() => ended("it was stopped"))),
  };
}
