// What `meshward istio` writes, held against a real API server: schemas and rules (CEL) of the kinds' own definitions.

import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { CASES, writeCase } from "../cases.ts";
import { temporary } from "../mesh/program.ts";
import { Kubernetes, noKubernetes } from "./kubernetes.ts";

const NAMESPACES = ["istio-system", "istio-root", "istio-ingress", "shop", "pay"];

describe("a Kubernetes API server", { skip: noKubernetes }, () => {
  const folder = temporary("kubernetes");
  let kubernetes: Kubernetes;
  before(async () => {
    kubernetes = await Kubernetes.start();
    for (const namespace of NAMESPACES) {
      await kubernetes.must(["create", "namespace", namespace]);
    }
  });
  after(async () => {
    await kubernetes?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const DRY_RUN = ["apply", "--server-side", "--dry-run=server"];

  for (const one of CASES) {
    it(`takes ${one.id}`, async (context) => {
      if (one.id.startsWith("envoy-gateway")) return context.skip("a kind of Envoy Gateway");
      const out = join(folder, one.id);
      assert.equal((await writeCase(one, out)).err, "");
      const said = await kubernetes.must([...DRY_RUN, "-k", out]);
      assert.ok(said.trim().split("\n").length >= one.applied.length, said);
    });
  }

  for (const [what, id, file, from, to, complaint] of [
    ["a strategy that there is not", "mesh-body", "trafficextension", "FAIL_RELOAD", "FAIL_LATER", /FAIL_LATER/],
    ["a digest that is none", "mesh-body", "trafficextension", /sha256: [0-9a-f]+/, "sha256: 3b1f", /sha256/],
    ["a URL of another scheme", "mesh-body", "trafficextension", "oci://", "ftp://", /url/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const text = readFileSync(join(folder, id, "istio-system", `${file}.yaml`), "utf8");
      const broken = text.replace(from, to);
      assert.notEqual(broken, text);
      const path = join(folder, "broken.yaml");
      writeFileSync(path, broken);
      const { code, err } = await kubernetes.kubectl([...DRY_RUN, "-f", path]);
      assert.equal(code, 1);
      assert.match(err, complaint);
    });
  }
});
