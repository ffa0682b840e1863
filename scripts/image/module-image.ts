/**
 * The module as an image, in both forms that Istio's agent takes
 * (https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/, https://github.com/solo-io/wasm/tree/master/spec):
 *
 *   compat     an ordinary image whose last layer holds plugin.wasm: every registry and every tool takes it
 *   artifact   the module's bytes as a layer of a type of their own, and one that says what it is for
 */
import { FILTER_NAME } from "../../envoy/names.ts";
import { blobOf, EPOCH, imageOf, jsonBlob, MEDIA_TYPES, type Image } from "./oci.ts";
import { layerOf } from "./tar.ts";

/** The name that Istio looks for. */
const MODULE_NAME = "plugin.wasm";

export const FORMS = ["compat", "artifact"] as const;
export type Form = (typeof FORMS)[number];

/** The tag of a form, where `tag` is the one that people ask for. */
const tagOf = (form: Form, tag: string): string => (form === "compat" ? tag : `${tag}-${form}`);

export async function moduleImages(module: Buffer, version: string, tag: string): Promise<Record<Form, Image>> {
  const annotations = {
    "org.opencontainers.image.description": "Proxy-Wasm filter for Envoy and Istio",
    "org.opencontainers.image.licenses": "Apache-2.0",
    "org.opencontainers.image.title": "meshward",
    "org.opencontainers.image.version": version,
  };
  const { blob: layer, diffId } = await layerOf([{ path: MODULE_NAME, data: module }], { stored: true });
  const config = jsonBlob(MEDIA_TYPES.config, {
    architecture: "wasm",
    created: EPOCH.toISOString(),
    os: "wasip1",
    config: {},
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created: EPOCH.toISOString(), created_by: `meshward ${version}` }],
  });
  const runtime = jsonBlob(MEDIA_TYPES.wasmConfig, {
    type: "envoy_proxy",
    abiVersions: ["v0-2-1"],
    config: { rootIds: [FILTER_NAME] },
  });
  // Istio refuses an artifact of one layer: the second is the configuration once more.
  return {
    compat: imageOf(tagOf("compat", tag), config, [layer], annotations),
    artifact: imageOf(tagOf("artifact", tag), runtime, [blobOf(MEDIA_TYPES.wasm, module), runtime], annotations),
  };
}
