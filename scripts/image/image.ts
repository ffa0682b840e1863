/** `meshward image`: makes images and what they are made of, writes them into a folder and pushes them. */
import { packageVersion, readModule } from "../package.ts";
import { collectorImage } from "./collector-image.ts";
import { configPath, credentialsFor } from "./credentials.ts";
import { writeLayout } from "./layout.ts";
import { moduleImages } from "./module-image.ts";
import { sha256, type Image } from "./oci.ts";
import type { Reference } from "./reference.ts";
import { push } from "./registry.ts";
import { moduleSbom } from "./sbom.ts";

/** Images by the name of their form, in the order in which they are told. */
export interface Made {
  /** What stands before a reference where it is used. */
  scheme: "oci://" | "";
  /** The digest of the module's own bytes, if that is what is in them. */
  module?: string;
  images: Readonly<Record<string, Image>>;
  sbom: object;
  /** What is to be told of them. */
  notes: readonly string[];
}

export async function makeModuleImages(tag = packageVersion()): Promise<Made> {
  const module = readModule();
  const images = await moduleImages(module, packageVersion(), tag);
  return { scheme: "oci://", module: sha256(module), images, sbom: moduleSbom(module, digestsOf(images)), notes: [] };
}

/** `base` is a layout with an image that has Node in it; without one it is made of this Node. */
export async function makeCollectorImage(tag = packageVersion(), base?: string): Promise<Made> {
  const { image: collector, sbom, unlicensed } = await collectorImage(tag, base);
  const notes = unlicensed.map((name) => `no licence was found beside ${name}: it is in the image without one`);
  return { scheme: "", images: { collector }, sbom, notes };
}

const digestsOf = (images: Made["images"]): Record<string, string> =>
  Object.fromEntries(Object.entries(images).map(([form, { manifest }]) => [form, manifest.digest]));

/** Writes an image layout into a folder. */
export const writeImages = ({ images, sbom }: Made, folder: string): Promise<void> =>
  writeLayout(folder, Object.values(images), sbom);

interface PushOptions {
  plainHttp: boolean;
  env: NodeJS.ProcessEnv;
  progress(line: string): void;
}

/** Pushes with what Docker's configuration has for the registry. */
export async function pushImages({ images }: Made, to: Reference, { env, ...options }: PushOptions): Promise<void> {
  const credentials = await credentialsFor(to.registry, env);
  await push(Object.values(images), to, { ...options, credentials, credentialsPlace: configPath(env) });
}

/** What `--json` prints. */
export interface ImageReport {
  version: string;
  /** The digest of the module's own bytes, as it is asked for where the module comes by https. */
  module?: string;
  images: Record<string, { tag: string; digest: string; reference: string | null }>;
}

export function imageReport({ scheme, module, images }: Made, to: Reference | undefined): ImageReport {
  const place = to === undefined ? null : `${scheme}${to.registry}/${to.repository}@`;
  const told = Object.entries(images).map(
    ([
      form,
      {
        tag,
        manifest: { digest },
      },
    ]) => [form, { tag, digest, reference: place === null ? null : place + digest }],
  );
  return {
    version: packageVersion(),
    ...(module === undefined ? {} : { module }),
    images: Object.fromEntries(told) as ImageReport["images"],
  };
}

export function imageText({ images }: ImageReport): string {
  const lines = Object.entries(images).map(
    ([form, { digest, reference }]) => `${form.padEnd(10)}${reference ?? digest}\n`,
  );
  return lines.join("");
}
