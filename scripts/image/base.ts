/**
 * An image to build on, out of an OCI image layout: its layers as they are, and where Node lies in them. What is read is checked against
 * its digest.
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { z } from "zod";
import { MEDIA_TYPES, sha256, type Blob } from "./oci.ts";

export interface Base {
  /** Of its manifest. */
  digest: string;
  architecture: string;
  environment: readonly string[];
  layers: { blob: Blob; diffId: string }[];
  /** With a slash before it. */
  node: string;
}

const MAX_JSON_BYTES = 4_194_304;
const MAX_LAYER_BYTES = 1_073_741_824;
/** An index may name an index, which names an image for each kind of processor. */
const MAX_DEPTH = 4;
const MAX_ENTRIES = 1_000_000;
/** Where distroless images have it, whose PATH does not say so. */
const MORE_FOLDERS = ["/nodejs/bin"];

const DESCRIPTOR = z.object({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.number(),
  platform: z.object({ architecture: z.string(), os: z.string() }).optional(),
});
type Described = z.infer<typeof DESCRIPTOR>;
const INDEX = z.object({ manifests: z.array(DESCRIPTOR).min(1).max(100) });
const MANIFEST = z.object({ config: DESCRIPTOR, layers: z.array(DESCRIPTOR).min(1).max(200) });
const CONFIG = z.object({
  architecture: z.string(),
  os: z.literal("linux"),
  config: z.object({ Env: z.array(z.string()).nullish() }).optional(),
  rootfs: z.object({ diff_ids: z.array(z.string()) }),
});

/** Reads the image for `architecture`; throws what is wrong with it, in one line. */
export async function readBase(folder: string, architecture: string): Promise<Base> {
  const wrong = (why: string): Error => new Error(`--base ${folder}: ${why}`);
  const bytesOf = async (path: string, most: number): Promise<Buffer> => {
    try {
      if ((await stat(join(folder, path))).size > most) throw wrong(`${path} has more than ${most} bytes`);
      return await readFile(join(folder, path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      throw wrong(`${path} cannot be read; expected an OCI image layout, as skopeo copy docker://… oci:DIR makes it`);
    }
  };
  const blob = async ({ mediaType, digest }: Described, most: number): Promise<Blob> => {
    const data = await bytesOf(join("blobs/sha256", digest.slice("sha256:".length)), most);
    if (sha256(data) !== digest) throw wrong(`the blob ${digest} is not what its name says`);
    return { mediaType, digest, data };
  };
  const parsed = <T>(schema: z.ZodType<T>, data: Buffer, what: string): T => {
    try {
      return schema.parse(JSON.parse(data.toString("utf8")));
    } catch {
      throw wrong(`${what} is not as the OCI image specification says, or not for Linux`);
    }
  };

  let found: Described | undefined;
  let index = parsed(INDEX, await bytesOf("index.json", MAX_JSON_BYTES), "index.json");
  for (let depth = 0; found === undefined || found.mediaType === MEDIA_TYPES.index; depth++) {
    if (depth === MAX_DEPTH) throw wrong("indexes name indexes");
    if (found !== undefined) index = parsed(INDEX, (await blob(found, MAX_JSON_BYTES)).data, "an index");
    const fitting = index.manifests.filter(
      ({ platform }) => platform === undefined || (platform.os === "linux" && platform.architecture === architecture),
    );
    if (fitting.length !== 1) throw wrong(`has ${fitting.length} images for linux/${architecture}; expected one`);
    found = fitting[0]!;
  }
  if (found.mediaType !== MEDIA_TYPES.manifest) throw wrong(`is of the type ${found.mediaType}`);
  const manifest = parsed(MANIFEST, (await blob(found, MAX_JSON_BYTES)).data, "its manifest");
  const config = parsed(CONFIG, (await blob(manifest.config, MAX_JSON_BYTES)).data, "its configuration");
  if (config.architecture !== architecture) throw wrong(`is for ${config.architecture}, and this is ${architecture}`);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) throw wrong("its configuration has other layers than its manifest");

  const environment = config.config?.Env ?? [];
  const path = environment.find((variable) => variable.startsWith("PATH="))?.slice("PATH=".length) ?? "";
  const places = [...path.split(":"), ...MORE_FOLDERS].filter(Boolean).map((place) => `${place}/node`);
  const seen = new Set<string>();
  const layers: Base["layers"] = [];
  for (const [at, described] of manifest.layers.entries()) {
    if (described.mediaType !== MEDIA_TYPES.layer) throw wrong(`has a layer of the type ${described.mediaType}`);
    const layer = await blob(described, MAX_LAYER_BYTES);
    layers.push({ blob: layer, diffId: diffIds[at]! });
    try {
      for (const name of await namesIn(layer.data)) if (places.includes(name)) seen.add(name);
    } catch (error) {
      throw wrong(`the layer ${layer.digest} cannot be unpacked: ${(error as Error).message}`);
    }
  }
  const node = places.find((place) => seen.has(place));
  if (node === undefined) throw wrong(`has no node in ${places.map((place) => place.slice(0, -5)).join(", ")}`);
  return { digest: found.digest, architecture, environment, layers, node };
}

/** The names of what a layer holds, each with a slash before it. */
async function namesIn(data: Buffer): Promise<string[]> {
  const names: string[] = [];
  const archive = extract();
  archive.on("entry", ({ name }, content, next) => {
    names.push(`/${name.replace(/^(?:\.?\/)*/, "")}`);
    if (names.length > MAX_ENTRIES) return void archive.destroy(new Error("too many entries"));
    content.on("end", next);
    content.resume();
  });
  await pipeline(Readable.from([data]), createGunzip(), archive);
  return names;
}
