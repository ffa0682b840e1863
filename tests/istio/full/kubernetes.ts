/** A Kubernetes API server with its etcd, on the loopback of the tests' namespace, that knows Istio's kinds. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { isAlone, takePort } from "../mesh/mesh.ts";
import { Program, temporary } from "../mesh/program.ts";
import { noTools } from "../tools/build.ts";
import { ETCD, FULL_TOOLS, noEtcd, noFullTools } from "../tools/kubernetes.ts";

const START_MILLISECONDS = 60_000;
const KUBECTL_MILLISECONDS = 60_000;
const OUTPUT_BYTES = 1 << 24;
/** Of nobody: the server is reached from the loopback, and goes with the test. */
const TOKEN = "test";

/** Why there is no API server to test with, or false. */
export const noKubernetes =
  noTools ||
  noFullTools ||
  noEtcd ||
  (isAlone ? false : "the API server is the tests' own: npm run test:istio:full gives it a network");

interface Ran {
  code: number;
  out: string;
  err: string;
}

export class Kubernetes {
  readonly #folder = temporary("kubernetes");
  readonly #programs: Program[] = [];

  static async start(): Promise<Kubernetes> {
    const kubernetes = new Kubernetes();
    try {
      await kubernetes.#serve();
      return kubernetes;
    } catch (error) {
      await kubernetes.stop();
      throw error;
    }
  }

  get kubeconfig(): string {
    return join(this.#folder, "kubeconfig");
  }

  #run(name: string, program: string, args: readonly string[]): Program {
    const folder = join(this.#folder, name);
    mkdirSync(folder);
    const running = new Program(program, args, folder, {});
    this.#programs.push(running);
    return running;
  }

  async #serve(): Promise<void> {
    const [etcd, peers] = [`http://127.0.0.1:${takePort()}`, `http://127.0.0.1:${takePort()}`];
    // prettier-ignore
    this.#run("etcd", ETCD, ["--data-dir", "data", "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
      "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", `default=${peers}`]);
    const key = join(this.#folder, "accounts.key");
    const made = spawnSync("openssl", ["genrsa", "-out", key, "2048"], { encoding: "utf8" });
    assert.equal(made.status, 0, made.stderr);
    const tokens = join(this.#folder, "tokens.csv");
    writeFileSync(tokens, `${TOKEN},admin,admin,system:masters\n`);
    const port = takePort();
    // prettier-ignore
    const server = this.#run("api-server", FULL_TOOLS.apiServer, [`--etcd-servers=${etcd}`, "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1", `--secure-port=${port}`, "--cert-dir=certificates", `--token-auth-file=${tokens}`,
      "--service-account-issuer=https://kubernetes.test", `--service-account-key-file=${key}`, `--service-account-signing-key-file=${key}`,
      "--service-cluster-ip-range=10.0.0.0/24", "--authorization-mode=AlwaysAllow", "--disable-admission-plugins=ServiceAccount"]);
    const name = "test";
    const cluster = { server: `https://127.0.0.1:${port}`, "insecure-skip-tls-verify": true };
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": name,
      contexts: [{ name, context: { cluster: name, user: name } }],
      clusters: [{ name, cluster }],
      users: [{ name, user: { token: TOKEN } }],
    };
    writeFileSync(this.kubeconfig, stringify(config));
    await server.ready(async () => (await this.kubectl(["get", "--raw", "/readyz"])).code === 0, START_MILLISECONDS);
    await this.must(["apply", "--server-side", "-f", FULL_TOOLS.definitions]);
    await this.must(["wait", "--for=condition=established", "--timeout=60s", "crd", "--all"]);
  }

  async kubectl(args: readonly string[]): Promise<Ran> {
    const options = { maxBuffer: OUTPUT_BYTES, timeout: KUBECTL_MILLISECONDS };
    return promisify(execFile)(FULL_TOOLS.kubectl, ["--kubeconfig", this.kubeconfig, ...args], options).then(
      ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
      ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
        code,
        out: stdout,
        err: stderr,
      }),
    );
  }

  /** What kubectl says where it is to succeed, without a warning. */
  async must(args: readonly string[]): Promise<string> {
    const { code, out, err } = await this.kubectl(args);
    const failed = `kubectl ${args.join(" ")}: ${err}`;
    assert.equal(code, 0, failed);
    // It also logs there how its own watches end.
    assert.doesNotMatch(err, /^Warning/m, failed);
    return out;
  }

  async stop(): Promise<void> {
    // The API server before what it stores in.
    for (const program of this.#programs.reverse()) await program.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
