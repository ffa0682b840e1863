/** A sidecar of the mesh: what comes to its service, and what the service calls. */
import { once } from "node:events";
import { request } from "node:http";
import type { PolicySource } from "../../../scripts/policy/schema.ts";
import { NAMESPACE, withProxy, type Front, type Setting } from "./front.ts";
import { resources } from "./generated.ts";
import { takePort, documents } from "./mesh.ts";

const LABELS = { app: "catalogue" };
/** What Istio's injection adds to them. */
const INJECTED = { "service.istio.io/canonical-name": "catalogue" };
/** A service that is called. */
export const CALLED = "orders.app.svc.cluster.local";

export interface Ports {
  inbound: number;
  /** Leads to the service as well. */
  second: number;
  /** Where the service calls others. */
  outbound: number;
}

/** What Istio is told: nothing is redirected, so that each listener has an address of its own. */
function network({ inbound, second, outbound }: Ports, namespace: string, service: number): string {
  const metadata = { name: "catalogue", namespace };
  const networking = "networking.istio.io/v1";
  const listener = (number: number, name: string): object => ({
    port: { number, name, protocol: "HTTP" },
    bind: "127.0.0.1",
    captureMode: "NONE",
  });
  const ingress = [listener(inbound, "http"), listener(second, "http-second")];
  return documents(
    {
      apiVersion: networking,
      kind: "Sidecar",
      metadata,
      spec: {
        workloadSelector: { labels: LABELS },
        ingress: ingress.map((one) => ({ ...one, defaultEndpoint: `127.0.0.1:${service}` })),
        egress: [{ ...listener(outbound, "http-calls"), hosts: ["./*"] }],
      },
    },
    {
      apiVersion: networking,
      kind: "ServiceEntry",
      metadata,
      spec: {
        hosts: [CALLED],
        ports: [{ number: outbound, name: "http", protocol: "HTTP", targetPort: service }],
        location: "MESH_INTERNAL",
        resolution: "STATIC",
        endpoints: [{ address: "127.0.0.1" }],
      },
    },
  );
}

const SELECTOR = Object.entries(LABELS).map(([name, value]) => `${name}=${value}`);
export const TARGET = ["--target", "workload", "--namespace", NAMESPACE, "--selector", SELECTOR.join()];

/** Resources of `meshward istio` for the sidecar. */
export const guard = (policy: PolicySource, module: string, ...options: string[]): Promise<string> =>
  resources(policy, ...TARGET, "--module", module, ...options);

export const takePorts = (): Ports => ({ inbound: takePort(), second: takePort(), outbound: takePort() });

interface SidecarSetting extends Omit<Setting, "role" | "port" | "network" | "labels"> {
  ports: Ports;
  /** Of its pod, besides its own. */
  labels?: Record<string, string>;
}

/** Runs `work` with a sidecar that starts with these resources. */
export function withSidecar(
  { ports, labels, namespace = NAMESPACE, ...setting }: SidecarSetting,
  work: (front: Front) => Promise<void>,
): Promise<void> {
  const all = { ...LABELS, ...INJECTED, ...labels };
  const way = (service: number): string => network(ports, namespace, service);
  return withProxy({ ...setting, namespace, role: "sidecar", port: ports.inbound, network: way, labels: all }, work);
}

/** The status of a call that the service makes through its sidecar. */
export async function call({ outbound }: Ports, path: string, headers: Record<string, string> = {}): Promise<number> {
  const sent = request({ host: "127.0.0.1", port: outbound, path, headers: { host: CALLED, ...headers } }).end();
  const [response] = (await once(sent, "response")) as [NodeJS.ReadableStream & { statusCode: number }];
  await once(response.resume(), "end");
  return response.statusCode;
}
