/** The kubelet's part of a ConfigMap: the volume that a pod's annotations ask for. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Generated } from "./generated.ts";

interface Kustomization {
  configMapGenerator: { name: string; files: string[] }[];
}
interface Component {
  patches: { patch: string }[];
}
interface Pod {
  spec: { template: { metadata: { annotations: Record<string, string> } } };
}
const VOLUME = "sidecar.istio.io/userVolume";

let mounted: string | undefined;

/** Mounts what `kubectl apply -k` makes of the folder, with these bytes in place of the module's if there are some. */
export function mount({ file }: Pick<Generated, "file">, bytes?: Buffer): void {
  const [map] = (parse(file("kustomization.yaml").toString()) as Kustomization).configMapGenerator;
  const [patch] = (parse(file("pod-template/kustomization.yaml").toString()) as Component).patches;
  const { annotations } = (parse(patch!.patch) as Pod).spec.template.metadata;
  const volumes = JSON.parse(annotations[VOLUME]!) as Record<string, { configMap: { name: string } }>;
  const mounts = JSON.parse(annotations[`${VOLUME}Mount`]!) as Record<string, { mountPath: string }>;
  const [volume, { mountPath }] = Object.entries(mounts)[0]!;
  assert.equal(volumes[volume]!.configMap.name, map!.name);
  // As the kubelet lays it out, so that a change is one rename.
  const version = "..2026_01_01";
  mkdirSync(join(mountPath, version), { recursive: true });
  symlinkSync(version, join(mountPath, "..data"));
  for (const name of map!.files) {
    writeFileSync(join(mountPath, version, name), bytes ?? file(name));
    symlinkSync(join("..data", name), join(mountPath, name));
  }
  mounted = mountPath;
}

export function unmount(): void {
  if (mounted !== undefined) rmSync(mounted, { recursive: true });
  mounted = undefined;
}
