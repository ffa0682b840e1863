/** Istio's control plane as it runs in a cluster: it watches an API server for resources that kubectl applies. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ISTIOD_ENVIRONMENT, meshText, takePort, type ControlPlane } from "../mesh/mesh.ts";
import { Program, temporary } from "../mesh/program.ts";
import { FULL_TOOLS } from "../tools/kubernetes.ts";
import type { Kubernetes } from "./kubernetes.ts";

/** It signs no certificates and takes none of itself: proxies have theirs as files here, and reach it without TLS. */
const ENVIRONMENT = {
  ...ISTIOD_ENVIRONMENT,
  ENABLE_CA_SERVER: "false",
  PILOT_CERT_PROVIDER: "none",
  PILOT_ENABLE_GATEWAY_API: "false",
  POD_NAMESPACE: "istio-system",
  POD_NAME: "istiod",
  CLUSTER_ID: "Kubernetes",
};

export class ClusterIstiod implements ControlPlane {
  readonly #folder = temporary("istiod");
  readonly #kubernetes: Kubernetes;
  readonly #program: Program;
  /** Where it says whether it is ready. */
  readonly #http = `127.0.0.1:${takePort()}`;
  /** What has been applied, by name. */
  readonly #applied = new Set<string>();
  readonly address = `127.0.0.1:${takePort()}`;

  private constructor(kubernetes: Kubernetes, meshConfig: object) {
    this.#kubernetes = kubernetes;
    const mesh = join(this.#folder, "mesh.yaml");
    writeFileSync(mesh, meshText(meshConfig));
    mkdirSync(join(this.#folder, "resources"));
    // prettier-ignore
    const args = ["discovery", "--kubeconfig", kubernetes.kubeconfig, "--meshConfig", mesh, "--grpcAddr", this.address, "--secureGRPCAddr=",
      "--httpAddr", this.#http, "--httpsAddr=", "--monitoringAddr", `127.0.0.1:${takePort()}`, "--ctrlz_port=0"];
    this.#program = new Program(FULL_TOOLS.pilotDiscovery, args, this.#folder, ENVIRONMENT);
  }

  static async start(
    kubernetes: Kubernetes,
    resources: Readonly<Record<string, string>>,
    meshConfig: object = {},
  ): Promise<ClusterIstiod> {
    const istiod = new ClusterIstiod(kubernetes, meshConfig);
    try {
      for (const [name, text] of Object.entries(resources)) await istiod.apply(name, text);
      await istiod.#program.ready(() => istiod.#isReady());
      return istiod;
    } catch (error) {
      await istiod.stop();
      throw error;
    }
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`http://${this.#http}/ready`)).ok;
    } catch {
      return false;
    }
  }

  async apply(name: string, text: string | null): Promise<void> {
    const file = join(this.#folder, "resources", `${name}.yaml`);
    if (text === null) {
      await this.#kubernetes.must(["delete", "-f", file]);
      this.#applied.delete(name);
    } else {
      writeFileSync(file, text);
      this.#applied.add(name);
      await this.#kubernetes.must(["apply", "-f", file]);
    }
  }

  async stop(): Promise<void> {
    // The API server goes on, for the next test.
    for (const name of [...this.#applied]) await this.apply(name, null);
    await this.#program.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
