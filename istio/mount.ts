/** The module as a file in the sidecar: a ConfigMap, mounted by the annotations that Istio's injection reads. */
import type { JsonObject } from "../envoy/json.ts";
import { MODULE_FILE } from "../envoy/names.ts";
import type { ModuleSource } from "./options.ts";

const MOUNT_FOLDER = "/var/local/meshward";
export const MODULE_PATH = `${MOUNT_FOLDER}/${MODULE_FILE}`;
/** Of the ConfigMap, which may be applied before the rest. */
export const MODULE_LABEL = { "app.kubernetes.io/component": "module" };
/** Hex digits of the digest that are enough to tell modules apart. */
const DIGEST_DIGITS = 12;

/** The ConfigMap's name: a new module has a new one, so that pods restart with it, and a rollback has its own again. */
export const configMapName = (name: string, { sha256 }: ModuleSource): string =>
  `${name}-module-${sha256.slice(0, DIGEST_DIGITS)}`;

/** The annotations of a pod that is to have the module. */
export function mountAnnotations(configMap: string): JsonObject {
  return {
    "sidecar.istio.io/userVolume": JSON.stringify({ meshward: { configMap: { name: configMap } } }),
    "sidecar.istio.io/userVolumeMount": JSON.stringify({ meshward: { mountPath: MOUNT_FOLDER, readOnly: true } }),
  };
}
