// Pushes of configurations that the tool would not make: malformed, from another version, as a protobuf Struct.

import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ecdsResponse } from "../../envoy/filter.ts";
import type { Json, JsonObject } from "../../envoy/json.ts";
import { ECDS_FILE } from "../../envoy/names.ts";
import { poll } from "../../scripts/envoy/admin.ts";
import { compilePolicy, type PluginConfiguration } from "../../scripts/policy/compile.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import type { PolicySource } from "../../scripts/policy/schema.ts";
import type { Launched } from "./launch.ts";

export const compile = (policy: PolicySource): PluginConfiguration =>
  compilePolicy(policyFrom(policy), { holdHeaders: true });

/** A configuration that the module reads as far as it can: the types do not hold for it. */
export const distort = (
  change: (configuration: Record<string, unknown>) => void,
  policy: PolicySource,
): PluginConfiguration => {
  const configuration = structuredClone(compile(policy)) as unknown as Record<string, unknown>;
  change(configuration);
  return configuration as unknown as PluginConfiguration;
};

/** A filter's configuration as a protobuf Struct: Envoy makes JSON of it, with its own order of keys and form of numbers. */
export function asStruct(filter: JsonObject, configuration: Json): void {
  (filter.config as JsonObject).configuration = {
    "@type": "type.googleapis.com/google.protobuf.Struct",
    value: configuration,
  };
}

/** Writes `text` as the plugin's configuration; resolves with whether Envoy took it. */
export async function push(envoy: Launched, version: string, configuration: string | JsonObject): Promise<boolean> {
  const response = ecdsResponse({ policy: version, identity: { trustedHops: 0 } }, ".");
  const [{ typed_config: filter }] = response.resources as [{ typed_config: JsonObject }];
  if (typeof configuration === "string") {
    ((filter.config as JsonObject).configuration as JsonObject).value = configuration;
  } else asStruct(filter, configuration);
  const before = await envoy.admin.discovery();
  const partial = join(envoy.folder, "ecds/.partial");
  await writeFile(partial, JSON.stringify(response));
  await rename(partial, join(envoy.folder, ECDS_FILE));
  return poll(
    async () => {
      const now = await envoy.admin.discovery();
      if (now.refused > before.refused) return { taken: false };
      return now.policy === version ? { taken: true } : null;
    },
    5_000,
    () => new Error(`version ${version} is neither taken nor refused\n${envoy.log().slice(-3000)}`),
  ).then(({ taken }) => taken);
}
