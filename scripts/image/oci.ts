/**
 * Images as the OCI image specification has them (https://github.com/opencontainers/image-spec, v1.1): blobs named by their digest,
 * and a manifest that names a configuration and layers. What is made here has no time and no name of a machine in it: the same contents
 * are the same bytes.
 */
import { createHash } from "node:crypto";

export const MEDIA_TYPES = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  wasm: "application/vnd.module.wasm.content.layer.v1+wasm",
  wasmConfig: "application/vnd.module.wasm.config.v1+json",
} as const;

/** The time that stands wherever the formats ask for one. */
export const EPOCH = new Date(0);

export interface Blob {
  mediaType: string;
  /** sha256:… */
  digest: string;
  data: Buffer;
}

export interface Image {
  /** Its tag in a layout and in a registry. */
  tag: string;
  manifest: Blob;
  /** Configuration and layers. */
  blobs: readonly Blob[];
}

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

export const sha256 = (data: Uint8Array): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;

export const blobOf = (mediaType: string, data: Buffer): Blob => ({ mediaType, digest: sha256(data), data });

export const jsonBlob = (mediaType: string, content: object): Blob =>
  blobOf(mediaType, Buffer.from(JSON.stringify(content)));

export const descriptorOf = ({ mediaType, digest, data }: Blob): Descriptor => ({
  mediaType,
  digest,
  size: data.length,
});

/** The image of a configuration and layers, in this order. */
export function imageOf(
  tag: string,
  config: Blob,
  layers: readonly Blob[],
  annotations: Readonly<Record<string, string>>,
): Image {
  const manifest = jsonBlob(MEDIA_TYPES.manifest, {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: descriptorOf(config),
    layers: layers.map(descriptorOf),
    annotations,
  });
  return { tag, manifest, blobs: [config, ...layers] };
}
