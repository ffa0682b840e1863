/**
 * The options of `meshward istio`, from the texts of the command line. What does not go together is told in one line that names the
 * option and says what would: nothing is written that Istio would refuse, or that would quietly do less than it was asked for.
 */
import { FAIL_STRATEGIES, HOLDS, NEWEST_ISTIO, OLDEST_ISTIO, TRAFFIC, isAtLeast } from "../../istio/options.ts";
import { printable } from "../envoy/printable.ts";
import type { Hold, ModuleSource, ResourceOptions, Target, TargetRef } from "../../istio/options.ts";

export const TARGETS = ["mesh", "namespace", "workload", "gateway", "waypoint", "envoy-gateway"] as const;
type TargetKind = (typeof TARGETS)[number];

/** What was given; lists are texts with commas. */
export interface IstioFlags {
  target: string;
  namespace?: string;
  rootNamespace?: string;
  selector?: string;
  targetRef?: string;
  module?: string;
  sha256?: string;
  imagePullSecret?: string;
  istio?: string;
  hold?: string;
  failStrategy: string;
  traffic?: string;
  ports?: string;
  excludePorts?: string;
  telemetry?: string;
  name: string;
}

/** Where Istio is installed unless it was told otherwise. */
const ROOT_NAMESPACE = "istio-system";
/** `targetRefs` of a resource (maxItems of the CRDs). */
const MAX_REFS = 16;
/** Each is a patch, or an entry of a list; far above what a workload has. */
const MAX_PORTS = 64;
const MAX_NAMESPACES = 1024;
const MAX_LABELS = 64;
/** Leaves room for what is put behind it. */
const MAX_NAME = 40;

const GATEWAY_API = "gateway.networking.k8s.io";
/** The kinds that may be referred to, with their API groups. */
const KINDS: Record<"gateway" | "waypoint" | "envoy-gateway", Record<string, string>> = {
  gateway: { Gateway: GATEWAY_API },
  waypoint: { Gateway: GATEWAY_API, GatewayClass: GATEWAY_API, Service: "", ServiceEntry: "networking.istio.io" },
  "envoy-gateway": { Gateway: GATEWAY_API, ListenerSet: GATEWAY_API, HTTPRoute: GATEWAY_API, GRPCRoute: GATEWAY_API },
};

/** The class of every waypoint; a plugin for it stands in the root namespace. */
const ALL_WAYPOINTS = "istio-waypoint";

const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const DNS_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const LABEL_KEY = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?)?$/;

/** One of the known values; commander has checked those that it knows the choices of. */
function oneOf<T extends string>(option: string, text: string, known: readonly T[]): T {
  const found = known.find((one) => one === text);
  if (found === undefined) throw new Error(`${option} ${printable(text)}: expected one of ${known.join(", ")}`);
  return found;
}

const listOf = (text: string): string[] => text.split(",").map((entry) => entry.trim());

function named(option: string, text: string, pattern: RegExp, most: number): string {
  if (!pattern.test(text) || text.length > most) {
    throw new Error(
      `${option} ${printable(text)}: expected a name of lower-case letters, digits and hyphens, ${most} at most`,
    );
  }
  return text;
}

function readNamespaces(
  kind: TargetKind,
  { namespace, rootNamespace }: IstioFlags,
  ofPolicy: readonly string[],
): string[] {
  if (kind === "mesh") {
    if (namespace !== undefined) {
      throw new Error("--namespace: the target is the mesh; for some of its namespaces say --target namespace");
    }
    return [named("--root-namespace", rootNamespace ?? ROOT_NAMESPACE, DNS_LABEL, 63)];
  }
  if (rootNamespace !== undefined) throw new Error("--root-namespace: only --target mesh stands there");
  const asked = namespace === undefined && kind === "namespace" ? ofPolicy.join(",") : (namespace ?? "");
  if (asked === "") {
    const why = kind === "namespace" ? "the policy's workloads name none" : `--target ${kind} stands in one`;
    throw new Error(`--namespace is missing: ${why}`);
  }
  const names = [...new Set(listOf(asked).map((name) => named("--namespace", name, DNS_LABEL, 63)))].sort();
  if (names.length > MAX_NAMESPACES) throw new Error(`--namespace: expected at most ${MAX_NAMESPACES} of them`);
  return names;
}

function readLabels(text: string): Record<string, string> {
  const entries = listOf(text).map((entry) => {
    const [key = "", value, ...more] = entry.split("=");
    const isLabel = value !== undefined && more.length === 0 && LABEL_KEY.test(key) && LABEL_VALUE.test(value);
    if (!isLabel || key.length > 317 || value.length > 63) {
      throw new Error(`--selector ${printable(entry)}: expected a label as key=value`);
    }
    return [key, value] as const;
  });
  const labels = Object.fromEntries(entries);
  if (entries.length > MAX_LABELS) throw new Error(`--selector: expected at most ${MAX_LABELS} labels`);
  if (Object.keys(labels).length < entries.length)
    throw new Error(`--selector ${printable(text)}: names a label twice`);
  return Object.fromEntries(Object.entries(labels).sort(([left], [right]) => (left < right ? -1 : 1)));
}

function readRefs(kind: keyof typeof KINDS, text: string): TargetRef[] {
  const refs = listOf(text).map((entry) => {
    const [object = "", name = ""] = entry.split("/");
    const group = Object.hasOwn(KINDS[kind], object) ? KINDS[kind][object]! : undefined;
    if (group === undefined || entry.split("/").length !== 2 || !DNS_NAME.test(name) || name.length > 253) {
      const kinds = Object.keys(KINDS[kind]).join(", ");
      throw new Error(
        `--target-ref ${printable(entry)}: expected KIND/NAME, for --target ${kind} of the kinds ${kinds}`,
      );
    }
    if (object === "GatewayClass" && name !== ALL_WAYPOINTS) {
      throw new Error(
        `--target-ref ${printable(entry)}: Istio attaches plugins to GatewayClass/${ALL_WAYPOINTS} alone`,
      );
    }
    return { group, kind: object, name };
  });
  if (refs.length > MAX_REFS) throw new Error(`--target-ref: expected at most ${MAX_REFS} of them`);
  return refs;
}

function readTarget(kind: TargetKind, { selector, targetRef }: IstioFlags): Target {
  if (targetRef !== undefined && (kind === "mesh" || kind === "namespace" || kind === "workload")) {
    throw new Error(`--target-ref: --target ${kind} has sidecars, which are chosen by --selector`);
  }
  if (selector !== undefined && kind !== "workload" && kind !== "gateway") {
    throw new Error(`--selector: --target ${kind} chooses no pods by labels; say --target workload or gateway`);
  }
  switch (kind) {
    case "mesh":
    case "namespace":
      return { kind };
    case "workload":
      if (selector === undefined) throw new Error("--selector is missing: which pods, as app=catalogue");
      return { kind, labels: readLabels(selector) };
    case "gateway":
      if ((selector === undefined) === (targetRef === undefined)) {
        throw new Error("--target gateway: expected --selector istio=ingressgateway or --target-ref Gateway/NAME");
      }
      return selector === undefined
        ? { kind, refs: readRefs(kind, targetRef!) }
        : { kind, labels: readLabels(selector) };
    case "waypoint":
    case "envoy-gateway":
      if (targetRef === undefined) throw new Error(`--target-ref is missing: --target ${kind} takes KIND/NAME`);
      return { kind, refs: readRefs(kind, targetRef) };
  }
}

/** 64 hex digits, with or without what they are in front of them. */
function readDigest(text: string): string {
  const digest = text.replace(/^sha256:/, "");
  if (!/^[0-9a-f]{64}$/.test(digest))
    throw new Error(`--sha256 ${printable(text)}: expected 64 hex digits in lower case`);
  return digest;
}

export const MODULE_CHOICES = [
  "oci://REGISTRY/NAME@sha256:DIGEST (an image; meshward image makes it and prints the digest)",
  "https://HOST/meshward.wasm (the file of this package, wherever you serve it)",
  "configmap (no registry: mounted into the sidecars)",
].join(", ");

const OCI =
  /^oci:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?\/[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:([0-9a-f]{64}))?$/;
const MAX_URL = 1024;

/** The module's source; `ownDigest` is that of the module in this package. */
function readModuleSource(flags: IstioFlags, ownDigest: () => string): ModuleSource {
  const { module, imagePullSecret } = flags;
  const given = flags.sha256 === undefined ? undefined : readDigest(flags.sha256);
  if (module === undefined) throw new Error(`--module is missing: ${MODULE_CHOICES}`);
  if (imagePullSecret !== undefined && !module.startsWith("oci://")) {
    throw new Error("--image-pull-secret: only an image of --module oci:// is pulled with one");
  }
  if (module === "configmap") {
    if (given !== undefined) throw new Error("--sha256: a ConfigMap has the module of this package; leave it out");
    return { kind: "configmap", sha256: ownDigest() };
  }
  if (module.startsWith("oci://") && module.length <= MAX_URL) {
    const parts = OCI.exec(module);
    if (parts === null)
      throw new Error(
        `--module ${printable(module)}: expected oci://REGISTRY/NAME@sha256:DIGEST, of 64 hex digits in lower case`,
      );
    const sha256 = parts[1] ?? given;
    if (sha256 === undefined) {
      throw new Error(
        `--module ${printable(module)}: a tag can be moved; add @sha256: and the digest of the image's manifest, which meshward image prints`,
      );
    }
    if (given !== undefined && given !== sha256)
      throw new Error("--sha256: is another digest than the one in --module");
    const secret =
      imagePullSecret === undefined ? {} : { pullSecret: named("--image-pull-secret", imagePullSecret, DNS_NAME, 253) };
    return { kind: "oci", url: module, sha256, ...secret };
  }
  if (module.startsWith("https://") && module.length <= MAX_URL && URL.canParse(module)) {
    const { username, password, hash, href } = new URL(module);
    if (username !== "" || password !== "") {
      throw new Error(
        "--module: expected a URL without credentials: everybody who may read the resource would have them",
      );
    }
    if (hash !== "") throw new Error(`--module ${printable(module)}: expected a URL without "#"`);
    return { kind: "https", url: href, sha256: given ?? ownDigest() };
  }
  throw new Error(`--module ${printable(module)}: expected ${MODULE_CHOICES}`);
}

function readVersion(text: string): readonly [number, number] {
  const parts = /^v?(\d{1,3})\.(\d{1,3})(?:\.\d{1,3})?(?:-[A-Za-z0-9.]+)?$/.exec(text);
  if (parts === null)
    throw new Error(`--istio ${printable(text)}: expected a version such as ${NEWEST_ISTIO.join(".")}`);
  const version = [Number(parts[1]), Number(parts[2])] as const;
  if (isAtLeast(version, OLDEST_ISTIO)) return version;
  throw new Error(
    `--istio ${printable(text)}: expected ${OLDEST_ISTIO.join(".")} or newer: older proxies cannot hold requests`,
  );
}

function readPorts(option: string, text: string | undefined): number[] {
  if (text === undefined) return [];
  const ports = listOf(text).map((entry) => {
    const port = /^\d{1,5}$/.test(entry) ? Number(entry) : 0;
    if (port < 1 || port > 65535) throw new Error(`${option} ${printable(entry)}: expected a port from 1 to 65535`);
    return port;
  });
  const distinct = [...new Set(ports)].sort((left, right) => left - right);
  if (distinct.length > MAX_PORTS) throw new Error(`${option}: expected at most ${MAX_PORTS} ports`);
  return distinct;
}

/** What is held where: as much as the place allows, unless less was asked for. */
function readHold(kind: TargetKind, { hold: asked }: IstioFlags): Hold {
  const hasFilter = kind !== "waypoint" && kind !== "envoy-gateway";
  const hold = oneOf("--hold", asked ?? (hasFilter ? "full" : "body"), HOLDS);
  if (hold === "full" && !hasFilter) {
    const why = kind === "waypoint" ? "Istio applies no EnvoyFilter there" : "its resource cannot say it";
    throw new Error(`--hold full: --target ${kind} holds bodies only: ${why}`);
  }
  return hold;
}

/** What Envoy Gateway has no field for. */
const ISTIO_ONLY = ["istio", "traffic", "ports", "excludePorts", "telemetry"] as const;
const optionOf = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/**
 * The options, held against each other; `ofPolicy` are the namespaces that the policy names, `ownDigest` is that of this package's module.
 * Throws an Error of one line.
 */
export function readIstioOptions(
  flags: IstioFlags,
  ofPolicy: readonly string[],
  ownDigest: () => string,
): ResourceOptions {
  const kind = oneOf("--target", flags.target, TARGETS);
  const module = readModuleSource(flags, ownDigest);
  const name = named("--name", flags.name, DNS_LABEL, MAX_NAME);
  const namespaces = readNamespaces(kind, flags, ofPolicy);
  const target = readTarget(kind, flags);
  if (kind === "envoy-gateway") {
    const other = ISTIO_ONLY.find((key) => flags[key] !== undefined);
    if (other !== undefined)
      throw new Error(`${optionOf(other)}: is Istio's; --target envoy-gateway has no such thing`);
  }
  const istio = readVersion(flags.istio ?? NEWEST_ISTIO.join("."));
  const hold = readHold(kind, flags);
  const isSidecar = kind === "mesh" || kind === "namespace" || kind === "workload";
  if (flags.traffic !== undefined && !isSidecar) {
    throw new Error(`--traffic: --target ${kind} has one direction only; leave it out`);
  }
  const traffic = oneOf("--traffic", flags.traffic ?? "SERVER", TRAFFIC);
  const ports = readPorts("--ports", flags.ports);
  if (ports.length > 0 && kind === "waypoint") {
    throw new Error("--ports: Istio tells a waypoint's plugins no port, so that none would match; leave it out");
  }
  const excludePorts = readPorts("--exclude-ports", flags.excludePorts);
  if (ports.length > 0 && excludePorts.length > 0) {
    throw new Error("--exclude-ports: --ports names those that count already; give one of the two");
  }
  if (excludePorts.length > 0 && hold === "body") {
    throw new Error("--exclude-ports: only an EnvoyFilter can leave ports out; name those that count by --ports");
  }
  if (module.kind === "configmap" && kind === "mesh") {
    throw new Error(
      "--module configmap: pods mount ConfigMaps of their own namespace; say --target namespace and name them by --namespace",
    );
  }
  if (module.kind === "configmap" && !isSidecar) {
    throw new Error(
      `--module configmap: only sidecars mount one by annotation; --target ${kind} takes oci:// or https://`,
    );
  }
  if (module.kind === "oci" && module.pullSecret !== undefined && hold === "full") {
    throw new Error(
      "--image-pull-secret: an EnvoyFilter cannot name one; say --hold body, or let the proxies pull without",
    );
  }
  const telemetry =
    flags.telemetry === undefined ? {} : { telemetry: named("--telemetry", flags.telemetry, DNS_NAME, 63) };
  const failStrategy = oneOf("--fail-strategy", flags.failStrategy, FAIL_STRATEGIES);
  return { name, namespaces, target, istio, hold, module, failStrategy, traffic, ports, excludePorts, ...telemetry };
}
