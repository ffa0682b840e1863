// istio/quickstart.md: the tool's commands are run in the page's order; what kubectl is given is there, and rendered where kubectl is.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { packageRoot } from "../../scripts/package.ts";
import { fences, shownCommands } from "../docs/blocks.ts";

const hasKubectl = spawnSync("kubectl", ["version", "--client"]).status === 0;
const HTTPBIN = `apiVersion: apps/v1
kind: Deployment
metadata: { name: httpbin, namespace: shop, labels: { app: httpbin } }
spec: { template: { metadata: { labels: { app: httpbin } }, spec: { containers: [{ name: httpbin, image: httpbin }] } } }
`;

it("istio/quickstart.md does what it says, as far as no cluster is needed", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "meshward-quickstart-"));
  const shell = (command: string): string =>
    execFileSync("/bin/sh", ["-c", command], { cwd: folder, encoding: "utf8" });
  const tool = `'${process.execPath}' '${join(packageRoot(), "dist/scripts/cli.js")}'`;
  mkdirSync(join(folder, "httpbin"));
  writeFileSync(join(folder, "httpbin/deployment.yaml"), HTTPBIN);
  writeFileSync(join(folder, "httpbin/kustomization.yaml"), "resources:\n  - deployment.yaml\n");
  const rendered: string[] = [];
  const modes: string[] = [];
  try {
    for (const { language, text } of fences(readFileSync(join(packageRoot(), "istio/quickstart.md"), "utf8"))) {
      if (language === "yaml") writeFileSync(join(folder, "meshward.yaml"), text);
      if (language === "console")
        for (const { command, output } of shownCommands(text))
          assert.equal(shell(command.replace("npx meshward", tool)), output, command);
      if (language !== "sh") continue;
      for (const command of text.trim().split("\n")) {
        if (/^(?:printf|sed) /.test(command)) shell(command);
        const [, applied] = /^kubectl apply --server-side -k (\S+)$/.exec(command) ?? [];
        if (applied === "mesh")
          modes.push(
            /"mode":"(\w+)"/.exec(
              readFileSync(join(folder, "mesh/shop/envoyfilter.yaml"), "utf8").replaceAll("\\", ""),
            )![1]!,
          );
        if (applied !== undefined && hasKubectl) rendered.push(shell(`kubectl kustomize ${applied}`));
      }
    }
    assert.deepEqual(modes, ["detect", "block"]);
    if (!hasKubectl) return context.diagnostic("no kubectl: nothing was rendered");
    const [first, mounted, blocking, removed] = rendered;
    assert.equal(rendered.length, 4);
    const [name] = /meshward-module-[0-9a-f]+/.exec(first!)!;
    assert.ok(mounted!.includes(`"name":"${name}"`), mounted);
    assert.ok(blocking!.includes(name));
    assert.ok(!removed!.includes("meshward"), removed);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
