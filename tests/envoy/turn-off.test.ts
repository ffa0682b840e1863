// docs/turn-off.md, the section of standalone Envoy, under load; and what the page says of labels and of the pod.

import assert from "node:assert/strict";
import { once } from "node:events";
import { access, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { describe, it } from "node:test";
import { parseAllDocuments } from "yaml";
import { main } from "../../scripts/cli.ts";
import { poll } from "../../scripts/envoy/admin.ts";
import { packageRoot } from "../../scripts/package.ts";
import { fences } from "../docs/blocks.ts";
import { faultsOf } from "../docs/page.ts";
import { startFolder } from "./folder.ts";

const CLIENTS = 8;
const ATTACK = "/items?q=1%20UNION%20SELECT%20name,password%20FROM%20users--";
const IN_FORCE_MS = 5_000;

const page = await readFile(join(packageRoot(), "docs/turn-off.md"), "utf8");
const section = (heading: string): string => page.split(`\n## ${heading}\n`)[1]!.split("\n## ")[0]!;

async function meshward(words: string[]): Promise<void> {
  const said = new PassThrough();
  const code = await main(words, { stdin: new PassThrough(), stdout: said, stderr: said, env: process.env });
  assert.equal(code, 0, String(said.read()));
}

describe("docs/turn-off.md", () => {
  it("has a policy that loads, and shows what the command says", async () => {
    assert.deepEqual(await faultsOf(section("In the policy")), []);
  });

  it("takes the filter out of an Envoy that runs, and no request fails", { timeout: 90_000 }, async (context) => {
    const folder = await mkdtemp(join(tmpdir(), "meshward-turn-off-"));
    const service = createServer((_, response) => response.end("served")).listen(0, "127.0.0.1");
    await once(service, "listening");
    const { port } = service.address() as AddressInfo;
    const policy = join(folder, "meshward.yaml");
    const out = join(folder, "envoy");
    await writeFile(policy, "version: 1\nmode: block\n");
    const commands = fences(section("Standalone Envoy"))[0]!.text.trim().split("\n");
    assert.equal(commands.length, 3);
    const changed: Record<string, string> = { "--policy": policy, "--out": out };
    const wordsOf = (command: string): string[] => {
      const words = command.split(" ").slice(2);
      // What the page calls other options: addresses of this test.
      const own = ["--upstream", `http://127.0.0.1:${port}`, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
      return [...words.map((word, at) => changed[words[at - 1]!] ?? word), ...(words[0] === "envoy" ? own : [])];
    };
    await meshward(wordsOf(commands[1]!));
    const envoy = await startFolder(out);

    // A client that goes on with one connection, or takes a new one for each request.
    const target = new URL(envoy.url);
    const send = (path: string, agent: Agent): Promise<number> =>
      new Promise((resolve, reject) => {
        request({ hostname: target.hostname, port: target.port, path, agent }, (response) => {
          response
            .resume()
            .on("end", () => resolve(response.statusCode!))
            .on("error", reject);
        })
          .on("error", reject)
          .end();
      });
    const unexpected: string[] = [];
    let sent = 0;
    let isOver = false;
    const client = async (index: number): Promise<void> => {
      const agent = new Agent({ keepAlive: index % 2 === 0, maxSockets: 1 });
      while (!isOver) {
        const status = await send("/items?page=2", agent).catch((error: unknown) => String(error));
        sent++;
        if (status !== 200) unexpected.push(String(status));
      }
      agent.destroy();
    };
    const passes = (): Promise<true> =>
      poll(
        async () => ((await send(ATTACK, new Agent())) === 200 ? true : null),
        IN_FORCE_MS,
        () => new Error(`attacks are refused still:\n${envoy.log()}`),
      );
    try {
      assert.equal(await send(ATTACK, new Agent()), 403);
      const load = Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)));
      await delay(200);
      await meshward(wordsOf(commands[0]!));
      await meshward(wordsOf(commands[1]!));
      await passes();
      await meshward(wordsOf(commands[2]!));
      await poll(
        async () => {
          const dump = await (await fetch(`${envoy.admin.origin}/config_dump?resource=dynamic_listeners`)).text();
          const { configs } = JSON.parse(dump) as { configs: { active_state: object }[] };
          return (
            configs.every(({ active_state: active }) => !/config_discovery|http\.wasm/.test(JSON.stringify(active))) ||
            null
          );
        },
        IN_FORCE_MS,
        () => new Error(`the listener has the filter still:\n${envoy.log()}`),
      );
      await passes();
      await delay(300);
      isOver = true;
      await load;
      assert.deepEqual(unexpected, []);
      assert.ok(sent > 200, `${sent} requests`);
      context.diagnostic(`${sent} requests, none failed`);
      for (const file of ["meshward.wasm", "ecds/meshward.yaml"])
        await assert.rejects(access(join(out, file)), { code: "ENOENT" }, file);

      // And back.
      await meshward(["mode", "block", "--policy", policy]);
      await meshward(wordsOf(commands[1]!));
      await poll(
        async () => ((await send(ATTACK, new Agent())) === 403 ? true : null),
        IN_FORCE_MS,
        () => new Error(`attacks pass:\n${envoy.log()}`),
      );
    } finally {
      isOver = true;
      await envoy.stop();
      service.closeAllConnections();
      service.close();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("finds the resources of a mesh by their label", async () => {
    const examples = join(packageRoot(), "istio/examples");
    const files = (await readdir(examples, { recursive: true })).filter((file) => /\/shop\/[\w-]+\.yaml$/.test(file));
    assert.ok(files.length >= 4);
    for (const file of files)
      for (const resource of parseAllDocuments(await readFile(join(examples, file), "utf8"))) {
        const { kind, metadata } = resource.toJS() as { kind: string; metadata: { labels: Record<string, string> } };
        assert.equal(metadata.labels["app.kubernetes.io/managed-by"], "meshward", file);
        const plural = `${kind.toLowerCase().replace(/y$/, "ie")}s`;
        assert.match(section("Istio, Envoy Gateway"), new RegExp(`^kubectl get .*\\b${plural}\\b`, "m"));
      }
  });
});
