/**
 * The collector as an image: Node, the collector with its packages, and nothing else. It runs as a user without rights, on a root that
 * may be read-only; what it writes goes to /data alone.
 */
import { dirname } from "node:path";
import { packageVersion } from "../package.ts";
import { EPOCH, imageOf, jsonBlob, MEDIA_TYPES, type Image } from "./oci.ts";
import { NODE_PATH, nodeRuntime, USER } from "./node-runtime.ts";
import { installedPackages } from "./packages.ts";
import { readBase } from "./base.ts";
import { sbomOf, type Component } from "./sbom.ts";
import { layerOf, type Entry, type Layer } from "./tar.ts";

const APP = "opt/meshward";
const DATA = "data";
const PORT = 4318;
/** Node's names for processors, as images have them. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

export interface CollectorImage {
  image: Image;
  sbom: object;
  unlicensed: readonly string[];
}

/** What stands below the collector: an image with Node in it, or this Node. */
interface Ground {
  layers: Layer[];
  environment: readonly string[];
  node: string;
  components: Component[];
  unlicensed: readonly string[];
  annotations: Record<string, string>;
}

async function groundOf(base: string | undefined, architecture: string): Promise<Ground> {
  if (base === undefined) {
    const { entries, components, unlicensed } = nodeRuntime();
    const layers = [await layerOf(entries, { stored: false })];
    return {
      layers,
      environment: [`PATH=/${dirname(NODE_PATH)}`],
      node: `/${NODE_PATH}`,
      components,
      unlicensed,
      annotations: {},
    };
  }
  const { digest, layers, environment, node } = await readBase(base, architecture);
  return {
    ...{ layers, environment, node, unlicensed: [] },
    components: [{ type: "container", name: "base", digest }],
    annotations: { "org.opencontainers.image.base.digest": digest },
  };
}

export async function collectorImage(tag: string, base?: string): Promise<CollectorImage> {
  const version = packageVersion();
  const architecture = ARCHITECTURES[process.arch];
  if (architecture === undefined) throw new Error(`there are no images for processors of the kind ${process.arch}`);
  const ground = await groundOf(base, architecture);
  const app = installedPackages(APP);
  const data: Entry = { path: DATA, mode: 0o700, owner: USER };
  // Node changes seldom: a layer of its own is sent and kept once.
  const layers = [...ground.layers, await layerOf([...app.entries, data], { stored: false })];
  const created = EPOCH.toISOString();
  const config = jsonBlob(MEDIA_TYPES.config, {
    architecture,
    created,
    os: "linux",
    config: {
      User: `${USER}:${USER}`,
      ExposedPorts: { [`${PORT}/tcp`]: {} },
      Env: [...ground.environment.filter((one) => !one.startsWith("NODE_ENV=")), "NODE_ENV=production"],
      Entrypoint: [ground.node, `/${app.root}/dist/scripts/cli.js`, "collector"],
      Cmd: ["--listen", `0.0.0.0:${PORT}`],
      // The default of --database lies below.
      WorkingDir: `/${DATA}`,
      Volumes: { [`/${DATA}`]: {} },
      StopSignal: "SIGTERM",
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map((_, at) => ({
      created,
      created_by: `meshward ${version}: ${at < ground.layers.length ? "Node" : "the collector"}`,
    })),
  });
  const image = imageOf(
    tag,
    config,
    layers.map(({ blob }) => blob),
    {
      ...ground.annotations,
      "org.opencontainers.image.description": "Collector of events of Meshward's sidecars",
      "org.opencontainers.image.licenses": "Apache-2.0",
      "org.opencontainers.image.title": "meshward-collector",
      "org.opencontainers.image.version": version,
    },
  );
  const sbom = sbomOf(
    { type: "container", name: "meshward-collector", version, license: "Apache-2.0" },
    [...ground.components, ...app.components],
    { "image:collector": image.manifest.digest },
  );
  return { image, sbom, unlicensed: ground.unlicensed };
}
