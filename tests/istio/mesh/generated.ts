/** What `meshward istio` makes, for the mesh of the tests. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parse, stringify } from "yaml";
import type { PolicySource } from "../../../scripts/policy/schema.ts";
import { istio } from "../cases.ts";
import { temporary } from "./program.ts";

export interface Generated {
  /** All that the kustomization applies but ConfigMaps. */
  applied: string;
  /** What the mesh has to say. */
  meshConfig: object;
  /** Any file of the folder. */
  file: (path: string) => Buffer;
}

/** What `meshward istio` makes of a policy. */
export async function generated(policy: PolicySource, options: readonly string[]): Promise<Generated> {
  const folder = temporary("out");
  try {
    const policyFile = join(folder, "policy.yaml");
    const out = join(folder, "out");
    writeFileSync(policyFile, stringify(policy));
    const { code, err } = await istio(["--policy", policyFile, "--out", out, ...options]);
    assert.equal(`${code} ${err}`, "0 ");
    const found = readdirSync(out, { recursive: true, encoding: "utf8", withFileTypes: true }).filter((one) =>
      one.isFile(),
    );
    const paths = found.map(({ parentPath, name }) => join(parentPath, name));
    const files = new Map(paths.map((path) => [relative(out, path), readFileSync(path)]));
    const file = (path: string): Buffer =>
      files.get(path) ?? assert.fail(`no ${path} among ${[...files.keys()].join()}`);
    const { resources } = parse(file("kustomization.yaml").toString()) as { resources: string[] };
    const { meshConfig } = parse(file("mesh-config.yaml").toString()) as { meshConfig: object };
    return { applied: resources.map((path) => file(path).toString()).join("---\n"), meshConfig, file };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The resources of `meshward istio` for a policy. */
export const resources = async (policy: PolicySource, ...options: string[]): Promise<string> =>
  (await generated(policy, options)).applied;
