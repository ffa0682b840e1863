/** A gateway of the mesh. */
import type { PolicySource } from "../../../scripts/policy/schema.ts";
import { NAMESPACE, withProxy, type Front, type Setting } from "./front.ts";
import { resources } from "./generated.ts";
import { takePort, documents } from "./mesh.ts";

export const LABELS = { istio: "ingressgateway" };

/** What Istio is told of the service and the way to it. */
function route(port: number, service: number): string {
  const metadata = { name: "front", namespace: NAMESPACE };
  const networking = "networking.istio.io/v1";
  return documents(
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
  );
}

/** Resources of `meshward istio` for the gateway. */
export const guard = (policy: PolicySource, module: string, ...options: string[]): Promise<string> => {
  const selector = Object.entries(LABELS).map(([name, value]) => `${name}=${value}`);
  const target = ["--target", "gateway", "--namespace", NAMESPACE, "--selector", selector.join()];
  return resources(policy, ...target, "--module", module, ...options);
};

/** Runs `work` with a gateway that starts with these resources. */
export function withGateway(
  registry: string,
  start: Readonly<Record<string, string>>,
  work: (front: Front) => Promise<void>,
  { labels, ...options }: Partial<Pick<Setting, "labels" | "serve" | "drainDuration">> = {},
): Promise<void> {
  const port = takePort();
  const network = (service: number): string => route(port, service);
  const all = { ...LABELS, ...labels };
  return withProxy({ role: "router", registry, port, network, start, ...options, labels: all }, work);
}
