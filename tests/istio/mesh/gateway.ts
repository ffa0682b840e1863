/** A gateway of the mesh before a service, with what `meshward istio` and `meshward image` make. */
import assert from "node:assert/strict";
import { stringify } from "yaml";
import type { PolicySource } from "../../../scripts/policy/schema.ts";
import { startService, type Service } from "../../filter/service.ts";
import { image, startRegistry, temporaryFolder } from "../../image/running.ts";
import { Istiod, Proxy, resources, takePort } from "./mesh.ts";

export const NAMESPACE = "app";
export const LABELS = { istio: "ingressgateway" };
const REPOSITORY = "security/meshward";

/** An attack that needs no body, and one that has one. */
export const QUERY = "/items?q=1%20UNION%20SELECT%20name,password%20FROM%20users--";
export const FORM: RequestInit = { method: "POST", body: new URLSearchParams({ text: "<script>alert(1)</script>" }) };

export interface Images {
  registry: string;
  /** References by form, with their digests. */
  compat: string;
  artifact: string;
}

/** A registry with the module in both forms. */
export async function pushed(): Promise<Images> {
  const registry = await startRegistry();
  const ran = await image(["--out", temporaryFolder(), "--push", `${registry}/${REPOSITORY}:v1`, "--json"]);
  assert.equal(ran.code, 0, ran.err);
  const { compat, artifact } = ran.report().images;
  return { registry, compat: compat!.reference!, artifact: artifact!.reference! };
}

/** What Istio is told of the service and the way to it. */
export function route(port: number, service: number): string {
  const metadata = { name: "front", namespace: NAMESPACE };
  const networking = "networking.istio.io/v1";
  return [
    {
      apiVersion: networking,
      kind: "ServiceEntry",
      metadata,
      spec: {
        hosts: ["service.test"],
        ports: [{ number: service, name: "http", protocol: "HTTP" }],
        location: "MESH_INTERNAL",
        resolution: "STATIC",
        endpoints: [{ address: "127.0.0.1" }],
      },
    },
    {
      apiVersion: networking,
      kind: "Gateway",
      metadata,
      spec: {
        selector: LABELS,
        servers: [{ port: { number: port, name: "http", protocol: "HTTP" }, bind: "127.0.0.1", hosts: ["*"] }],
      },
    },
    {
      apiVersion: networking,
      kind: "VirtualService",
      metadata,
      spec: {
        hosts: ["*"],
        gateways: [metadata.name],
        http: [{ route: [{ destination: { host: "service.test", port: { number: service } } }] }],
      },
    },
  ]
    .map((one) => stringify(one))
    .join("---\n");
}

/** Resources of `meshward istio` for the gateway. */
export const guard = (policy: PolicySource, module: string, ...options: string[]): Promise<string> => {
  const selector = Object.entries(LABELS).map(([name, value]) => `${name}=${value}`);
  const target = ["--target", "gateway", "--namespace", NAMESPACE, "--selector", selector.join()];
  return resources(policy, ...target, "--module", module, ...options);
};

export interface Front {
  istiod: Istiod;
  proxy: Proxy;
  service: Service;
}

/** Runs `work` with a gateway that starts with these resources. */
export async function withGateway(
  registry: string,
  start: Readonly<Record<string, string>>,
  work: (front: Front) => Promise<void>,
  labels: Record<string, string> = {},
): Promise<void> {
  const service = await startService();
  const port = takePort();
  let istiod: Istiod | undefined;
  let proxy: Proxy | undefined;
  try {
    istiod = await Istiod.start({ route: route(port, Number(new URL(service.url).port)), ...start });
    const identity = { namespace: NAMESPACE, labels: { ...LABELS, ...labels } };
    proxy = await Proxy.start({ istiod, role: "router", ...identity, registry, port });
    await work({ istiod, proxy, service });
  } catch (error) {
    if (error instanceof Error && proxy !== undefined)
      error.message += `\npilot-agent's log:\n${proxy.log().slice(-6000)}`;
    throw error;
  } finally {
    await proxy?.stop();
    await istiod?.stop();
    service.stop();
  }
}
