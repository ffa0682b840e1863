/**
 * What `meshward istio` can be asked for: a list of command lines, which the checks of this folder hold against the definitions of the
 * kinds, and which `istioctl validate` can be given as well.
 */
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { packageRoot } from "../../scripts/package.ts";
import { main } from "../../scripts/cli.ts";

export const POLICY = join(packageRoot(), "tests/istio/policy.yaml");
/** A digest as any other. */
export const DIGEST = "3b1f0c6a9d5e47820f9a1c2b3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60";
export const IMAGE = `oci://registry.example:5000/security/meshward:v1@sha256:${DIGEST}`;

export interface Case {
  id: string;
  /** The options but `--policy` and `--out`. */
  options: string[];
  /** Kinds of the resources in the kustomization, with their namespaces. */
  applied: string[];
}

const image = ["--module", IMAGE];
const download = ["--module", "https://modules.example/meshward.wasm", "--sha256", `sha256:${DIGEST}`];
const configMap = ["--module", "configmap"];
const shop = ["--namespace", "shop"];
const namespaces = ["--target", "namespace", "--namespace", "shop,pay"];
const workload = ["--target", "workload", ...shop, "--selector", "app=catalogue,version=v1"];
const waypoint = ["--target", "waypoint", ...shop];
const both = ["--traffic", "CLIENT_AND_SERVER"];
const body = ["--hold", "body"];
const telemetry = ["--telemetry", "meshward"];

const make = (id: string, options: string[], ...applied: string[]): Case => ({ id, options, applied });

export const CASES: readonly Case[] = [
  make("mesh", image, "istio-system/EnvoyFilter"),
  make("mesh-root", [...download, "--root-namespace", "istio-root"], "istio-root/EnvoyFilter"),
  make(
    "mesh-both",
    [...image, ...both, ...telemetry],
    "istio-system/EnvoyFilter",
    "istio-system/EnvoyFilter",
    "istio-system/Telemetry",
  ),
  make("mesh-body", [...image, ...body], "istio-system/TrafficExtension"),
  make("mesh-body-1.27", [...image, ...body, "--istio", "1.27.3"], "istio-system/WasmPlugin"),
  make(
    "mesh-body-both",
    [...image, ...body, ...both],
    "istio-system/TrafficExtension",
    "istio-system/TrafficExtension",
  ),
  make("namespaces", [...image, ...namespaces], "pay/EnvoyFilter", "shop/EnvoyFilter"),
  make(
    "namespaces-of-policy",
    [...image, "--target", "namespace", ...body],
    "pay/TrafficExtension",
    "shop/TrafficExtension",
  ),
  make("namespaces-configmap", [...configMap, ...namespaces], "pay/EnvoyFilter", "shop/EnvoyFilter"),
  make(
    "namespaces-configmap-close",
    [...configMap, ...namespaces, "--fail-strategy", "FAIL_CLOSE"],
    "pay/EnvoyFilter",
    "shop/EnvoyFilter",
  ),
  make(
    "namespaces-configmap-1.29",
    [...configMap, ...namespaces, ...body, "--istio", "1.29"],
    "pay/WasmPlugin",
    "shop/WasmPlugin",
  ),
  make("workload", [...configMap, ...workload, ...telemetry], "shop/EnvoyFilter", "shop/Telemetry"),
  make("workload-client", [...image, ...workload, "--traffic", "CLIENT"], "shop/EnvoyFilter"),
  make("workload-ports", [...image, ...workload, "--ports", "8080,9090"], "shop/EnvoyFilter"),
  make(
    "workload-exclude-ports",
    [...image, ...workload, ...both, "--exclude-ports", "9090,15000"],
    "shop/EnvoyFilter",
    "shop/EnvoyFilter",
  ),
  make(
    "workload-body",
    [...download, ...workload, ...body, "--ports", "8080", ...telemetry],
    "shop/TrafficExtension",
    "shop/Telemetry",
  ),
  make(
    "workload-body-1.28",
    [...image, ...workload, ...body, "--istio", "1.28", "--image-pull-secret", "pull"],
    "shop/WasmPlugin",
  ),
  make("workload-closed", [...image, ...workload, "--fail-strategy", "FAIL_CLOSE"], "shop/EnvoyFilter"),
  make("workload-open", [...image, ...workload, ...body, "--fail-strategy", "FAIL_OPEN"], "shop/TrafficExtension"),
  make(
    "gateway-labels",
    [
      ...image,
      "--target",
      "gateway",
      "--namespace",
      "istio-ingress",
      "--selector",
      "istio=ingressgateway",
      ...telemetry,
    ],
    "istio-ingress/EnvoyFilter",
    "istio-ingress/Telemetry",
  ),
  make(
    "gateway-refs",
    [...image, "--target", "gateway", ...shop, "--target-ref", "Gateway/front", ...telemetry],
    "shop/EnvoyFilter",
    "shop/Telemetry",
  ),
  make(
    "gateway-body",
    [...image, "--target", "gateway", ...shop, "--target-ref", "Gateway/front,Gateway/back", ...body, "--ports", "443"],
    "shop/TrafficExtension",
  ),
  make(
    "waypoint",
    [...image, ...waypoint, "--target-ref", "Gateway/waypoint", ...telemetry],
    "shop/TrafficExtension",
    "shop/Telemetry",
  ),
  make(
    "waypoint-all",
    [...image, "--target", "waypoint", "--namespace", "istio-system", "--target-ref", "GatewayClass/istio-waypoint"],
    "istio-system/TrafficExtension",
  ),
  make(
    "waypoint-service",
    [...image, ...waypoint, "--target-ref", "Service/catalogue", "--target-ref", "ServiceEntry/partner"],
    "shop/TrafficExtension",
  ),
  make(
    "waypoint-1.29",
    [...image, ...waypoint, "--target-ref", "Gateway/waypoint", "--istio", "1.29"],
    "shop/WasmPlugin",
  ),
  make(
    "envoy-gateway",
    [...image, "--target", "envoy-gateway", ...shop, "--target-ref", "Gateway/eg", "--image-pull-secret", "pull"],
    "shop/EnvoyExtensionPolicy",
  ),
  make(
    "envoy-gateway-route",
    [
      ...download,
      "--target",
      "envoy-gateway",
      ...shop,
      "--target-ref",
      "HTTPRoute/shop,GRPCRoute/pay",
      "--fail-strategy",
      "FAIL_OPEN",
      "--name",
      "front",
    ],
    "shop/EnvoyExtensionPolicy",
  ),
];

/** Runs the command, and yields its exit code and what it said. */
export async function istio(options: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await main(["istio", ...options], { stdin: new PassThrough(), stdout, stderr, env: {} });
  const text = (stream: PassThrough): string => ((stream.read() as Buffer | null) ?? "").toString();
  return { code, out: text(stdout), err: text(stderr) };
}

/** Writes what a case asks for into a folder. */
export async function writeCase({ options }: Case, out: string, policy: string = POLICY) {
  return istio(["--policy", policy, "--out", out, ...options]);
}
