/**
 * A mesh on one machine: Istio's discovery server, and proxies that pilot-agent starts with stock Envoy, in a network namespace where
 * nothing is but the loopback. `npm run test:istio` makes one.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { STAT_LABELS } from "../../../envoy/names.ts";
import { parsePrometheus, poll } from "../../../scripts/envoy/admin.ts";
import { envoyBinary } from "../../envoy/folder.ts";
import { noRegistry } from "../../image/registry.ts";
import { noTools, TOOLS } from "../tools/build.ts";
import { Program, temporary } from "./program.ts";

/** How late a change may be in force, by the contract. */
export const CHANGE_MILLISECONDS = 2_000;
/** Statistics leave the module once a second. */
const STATISTICS_MILLISECONDS = 10_000;

/** Whether nothing but the loopback is there: a network of the tests' own. */
export const isAlone = Object.keys(networkInterfaces()).every((name) => name === "lo");

/** Why there is no mesh to test with, or false. */
export const noMesh =
  noTools ||
  noRegistry ||
  (isAlone ? false : "pilot-agent listens on every address: npm run test:istio gives it its own");

/** The namespace's ports are the tests' own: below those that the kernel gives to connections, none is taken. */
let nextPort = 10_000;
export const takePort = (): number => nextPort++;

/** What gives proxies their configuration. */
export interface ControlPlane {
  /** HOST:PORT of its discovery service, without TLS. */
  readonly address: string;
  /** Puts the resources of that name in force, or takes them away. */
  apply(name: string, text: string | null): Promise<void>;
  stop(): Promise<void>;
}

/** Filters of Istio's own build of Envoy, which stock Envoy refuses. */
export const ISTIOD_ENVIRONMENT = {
  PILOT_ENABLE_METADATA_EXCHANGE: "false",
  PILOT_ENABLE_ALPN_FILTER: "false",
  PILOT_ENABLE_TELEMETRY_LABEL: "false",
};

/** The mesh's settings; without providers, which bring filters that stock Envoy refuses as well. */
export const meshText = (settings: object): string =>
  stringify({ defaultProviders: {}, rootNamespace: "istio-system", ...settings });

export const documents = (...resources: object[]): string => resources.map((one) => stringify(one)).join("---\n");

/** mini-istiod, on ports that the system picks. */
export class Istiod implements ControlPlane {
  readonly #folder: string;
  readonly #program: Program;
  #address = "";
  #debug = "";

  private constructor(folder: string) {
    this.#folder = folder;
    this.#program = new Program(TOOLS.miniIstiod, [], folder, ISTIOD_ENVIRONMENT);
  }

  /** Serves resources, which are YAML by a name of the test's. */
  static async start(resources: Readonly<Record<string, string>>, meshConfig: object = {}): Promise<Istiod> {
    const folder = temporary("istiod");
    mkdirSync(join(folder, "config"));
    writeFileSync(join(folder, "mesh.yaml"), meshText(meshConfig));
    for (const [name, text] of Object.entries(resources)) writeFileSync(join(folder, "config", `${name}.yaml`), text);
    const istiod = new Istiod(folder);
    try {
      await istiod.#program.ready(() => istiod.#serves());
    } catch (error) {
      await istiod.stop();
      throw error;
    }
    return istiod;
  }

  #serves(): boolean {
    const said = /^serving \d+ at (\S+), debug pages at (\S+)$/m.exec(this.#program.log());
    [, this.#address, this.#debug] = said ?? ["", "", ""];
    return said !== null;
  }

  get address(): string {
    return this.#address;
  }

  /** How many proxies are connected, and how many of them have taken all that they were sent of the filter and the listeners. */
  async synced(): Promise<{ connected: number; synced: number }> {
    const response = await fetch(`http://${this.#debug}/debug/syncz`);
    const proxies = (await response.json()) as Record<string, string | undefined>[];
    const hasTaken = (one: (typeof proxies)[number]): boolean =>
      ["extensionconfig", "listener"].every((kind) => one[`${kind}_sent`] === one[`${kind}_acked`]);
    return { connected: proxies.length, synced: proxies.filter(hasTaken).length };
  }

  get pid(): number {
    return this.#program.pid;
  }

  async apply(name: string, text: string | null): Promise<void> {
    const file = join(this.#folder, "config", `${name}.yaml`);
    if (text === null) rmSync(file);
    else writeFileSync(file, text);
    const before = this.#program.log().length;
    this.#program.write("\n");
    await this.#program.ready(() => /^(applied|refused)/m.test(this.#program.log().slice(before)));
    const said = this.#program.log().slice(before);
    assert.doesNotMatch(said, /^refused/m, said);
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export interface ProxyOptions {
  istiod: ControlPlane;
  role: "router" | "sidecar";
  namespace: string;
  labels: Record<string, string>;
  /** HOST:PORT of a registry without TLS. */
  registry: string;
  /** Where it takes requests, once Istio's configuration is there. */
  port: number;
  /** Variables of its environment besides. */
  env?: Readonly<Record<string, string>>;
  /** How long a listener that has been replaced goes on with its requests. */
  drainDuration?: string;
}

interface Ports {
  admin: number;
  status: number;
  prometheus: number;
}

const CERTIFICATES = "var/run/secrets/workload-spiffe-credentials";

/** What a mesh gives each workload: a key and a certificate with its identity. */
function writeCertificates(folder: string, namespace: string): void {
  mkdirSync(folder, { recursive: true });
  const [key, chain, root] = ["key.pem", "cert-chain.pem", "root-cert.pem"].map((file) => join(folder, file)) as [
    string,
    string,
    string,
  ];
  const identity = `subjectAltName=URI:spiffe://cluster.local/ns/${namespace}/sa/default`;
  // prettier-ignore
  const { status, stderr } = spawnSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
    "-keyout", key, "-out", chain, "-days", "2", "-subj", "/O=mesh", "-addext", identity], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  writeFileSync(root, readFileSync(chain));
}

/** Whether a connection is taken; nothing is sent, so that tests see each request that reaches the service. */
async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

interface Manager {
  http_filters?: { name: string }[];
}

function filtersIn(dump: unknown): string[][] {
  if (typeof dump !== "object" || dump === null) return [];
  const own = (dump as Manager).http_filters;
  if (Array.isArray(own)) return [own.map(({ name }) => name)];
  return Object.values(dump).flatMap(filtersIn);
}

export class Proxy {
  readonly #folder: string;
  readonly #program: Program;
  readonly port: number;
  readonly #ports: Ports;

  private constructor(folder: string, program: Program, port: number, ports: Ports) {
    this.#folder = folder;
    this.#program = program;
    this.port = port;
    this.#ports = ports;
  }

  static async start({
    istiod,
    role,
    namespace,
    labels,
    registry,
    port,
    env = {},
    drainDuration = "2s",
  }: ProxyOptions): Promise<Proxy> {
    const folder = temporary(role);
    mkdirSync(join(folder, "etc/istio/proxy"), { recursive: true });
    mkdirSync(join(folder, "var/lib/istio/data"), { recursive: true });
    writeCertificates(join(folder, CERTIFICATES), namespace);
    const ports = { admin: takePort(), status: takePort(), prometheus: takePort() };
    const config = {
      discoveryAddress: istiod.address,
      controlPlaneAuthPolicy: "NONE",
      binaryPath: await envoyBinary(),
      configPath: "./etc/istio/proxy",
      proxyBootstrapTemplatePath: TOOLS.bootstrapTemplate,
      proxyAdminPort: ports.admin,
      statusPort: ports.status,
      concurrency: 1,
      drainDuration,
      terminationDrainDuration: "1s",
      extraStatTags: STAT_LABELS,
    };
    const environment = {
      ...env,
      PROXY_CONFIG: stringify(config),
      ISTIO_METAJSON_LABELS: JSON.stringify(labels),
      ISTIO_META_WORKLOAD_NAME: role,
      ISTIO_META_INTERCEPTION_MODE: "NONE",
      ISTIO_META_CLUSTER_ID: "Kubernetes",
      ISTIO_META_NAMESPACE: namespace,
      POD_NAME: `${role}-1`,
      POD_NAMESPACE: namespace,
      INSTANCE_IP: "127.0.0.1",
      SERVICE_ACCOUNT: "default",
      TRUST_DOMAIN: "cluster.local",
      FILE_MOUNTED_CERTS: "true",
      ENVOY_STATUS_PORT: String(takePort()),
      ENVOY_PROMETHEUS_PORT: String(ports.prometheus),
      WASM_INSECURE_REGISTRIES: registry,
    };
    const args = ["proxy", role, "--domain", `${namespace}.svc.cluster.local`, "--proxyLogLevel=warning"];
    const program = new Program(
      TOOLS.pilotAgent,
      [...args, "--log_output_level=default:info,wasm:debug"],
      folder,
      environment,
    );
    const proxy = new Proxy(folder, program, port, ports);
    try {
      await program.ready(() => listens(port));
    } catch (error) {
      await proxy.stop();
      throw error;
    }
    return proxy;
  }

  log(): string {
    return this.#program.log();
  }

  /** The status of a request, 0 where there is no answer. */
  async status(path: string, init: RequestInit = {}): Promise<number> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}${path}`, init);
      await response.arrayBuffer();
      return response.status;
    } catch {
      return 0;
    }
  }

  /** Waits until a request has that status. */
  async answers(
    wanted: number,
    path: string,
    init: RequestInit = {},
    milliseconds = CHANGE_MILLISECONDS,
  ): Promise<void> {
    let seen = 0;
    await poll(
      async () => (seen = await this.status(path, init)) === wanted || null,
      milliseconds,
      () => this.#program.fail(`${path} is answered ${seen}, not ${wanted}`),
    );
  }

  async #text(port: number, path: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    assert.equal(response.status, 200, path);
    return response.text();
  }

  /** What Envoy has been told and has in force: `config_dump` by that query. */
  dump(query: string): Promise<string> {
    return this.#text(this.#ports.admin, `/config_dump${query}`);
  }

  /** Names of the HTTP filters in the listeners, chain by chain. */
  async chains(): Promise<string[][]> {
    return filtersIn(JSON.parse(await this.dump("?resource=dynamic_listeners")));
  }

  /** Samples as Prometheus gets them: from Envoy's port of Istio's, or merged by the agent. */
  async samples(from: "envoy" | "agent"): Promise<ReturnType<typeof parsePrometheus>> {
    const port = from === "envoy" ? this.#ports.prometheus : this.#ports.status;
    return parsePrometheus(await this.#text(port, "/stats/prometheus"));
  }

  /** Waits until a statistic of Meshward's has that value, over all samples with these labels. */
  async reports(
    name: string,
    labels: Readonly<Record<string, string>>,
    wanted: number,
    from: "envoy" | "agent" = "envoy",
  ): Promise<void> {
    let seen: number | undefined;
    const look = async (): Promise<true | null> => {
      const samples = (await this.samples(from)).filter(
        (one) =>
          one.name.endsWith(name) && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
      );
      seen = samples.length === 0 ? undefined : samples.reduce((sum, { value }) => sum + value, 0);
      return seen === wanted || null;
    };
    await poll(look, STATISTICS_MILLISECONDS, () => this.#program.fail(`${name} is ${seen}, not ${wanted}`));
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
