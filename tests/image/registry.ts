/** Debian's docker-registry, if there is one. */
import { spawnSync } from "node:child_process";

export const REGISTRY = process.env.REGISTRY_BIN ?? "docker-registry";
/** Why there is no registry to push to, or false. */
export const noRegistry =
  spawnSync(REGISTRY, ["--version"]).status === 0
    ? false
    : "no docker-registry: set REGISTRY_BIN, or install the package docker-registry";
