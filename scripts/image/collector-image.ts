/**
 * The collector as an image: Node, the collector with its packages, and nothing else. It runs as a user without rights, on a root that
 * may be read-only; what it writes goes to /data alone.
 */
import { packageVersion } from "../package.ts";
import { EPOCH, imageOf, jsonBlob, MEDIA_TYPES, type Image } from "./oci.ts";
import { NODE_PATH, nodeRuntime, USER } from "./node-runtime.ts";
import { installedPackages } from "./packages.ts";
import { sbomOf } from "./sbom.ts";
import { layerOf, type Entry } from "./tar.ts";

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

export async function collectorImage(tag: string): Promise<CollectorImage> {
  const version = packageVersion();
  const architecture = ARCHITECTURES[process.arch];
  if (architecture === undefined) throw new Error(`there are no images for processors of the kind ${process.arch}`);
  const runtime = nodeRuntime();
  const app = installedPackages(APP);
  const data: Entry = { path: DATA, mode: 0o700, owner: USER };
  // Node changes seldom: a layer of its own is sent and kept once.
  const layers = [
    await layerOf(runtime.entries, { stored: false }),
    await layerOf([...app.entries, data], { stored: false }),
  ];
  const created = EPOCH.toISOString();
  const config = jsonBlob(MEDIA_TYPES.config, {
    architecture,
    created,
    os: "linux",
    config: {
      User: `${USER}:${USER}`,
      ExposedPorts: { [`${PORT}/tcp`]: {} },
      Env: ["NODE_ENV=production"],
      Entrypoint: [`/${NODE_PATH}`, `/${app.root}/dist/scripts/cli.js`, "collector"],
      Cmd: ["--listen", `0.0.0.0:${PORT}`],
      // The default of --database lies below.
      WorkingDir: `/${DATA}`,
      Volumes: { [`/${DATA}`]: {} },
      StopSignal: "SIGTERM",
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: ["Node", "collector"].map((what) => ({ created, created_by: `meshward ${version}: ${what}` })),
  });
  const image = imageOf(
    tag,
    config,
    layers.map(({ blob }) => blob),
    {
      "org.opencontainers.image.description": "Collector of events of Meshward's sidecars",
      "org.opencontainers.image.licenses": "Apache-2.0",
      "org.opencontainers.image.title": "meshward-collector",
      "org.opencontainers.image.version": version,
    },
  );
  const sbom = sbomOf(
    { type: "container", name: "meshward-collector", version, license: "Apache-2.0" },
    [...runtime.components, ...app.components],
    { "image:collector": image.manifest.digest },
  );
  return { image, sbom, unlicensed: runtime.unlicensed };
}
