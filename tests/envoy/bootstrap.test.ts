import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { access, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import { bootstrap } from "../../envoy/bootstrap.ts";
import { parseUpstream } from "../../envoy/cluster.ts";
import { ecdsResponse } from "../../envoy/filter.ts";
import { ECDS_FILE, STAT_LABELS } from "../../envoy/names.ts";
import type { JsonObject } from "../../envoy/json.ts";
import type { BootstrapOptions } from "../../envoy/options.ts";
import { writeDirectory, writeReload } from "../../scripts/envoy/directory.ts";
import { resolveEnvoy } from "../../scripts/envoy/resolve.ts";
import { modulePath } from "../../scripts/package.ts";
import { compilePolicy } from "../../scripts/policy/compile.ts";
import { policyFrom } from "../../scripts/policy/load.ts";

const run = promisify(execFile);
const options: BootstrapOptions = {
  upstream: "http://127.0.0.1:3000",
  listen: { host: "127.0.0.1", port: 0 },
  admin: { host: "127.0.0.1", port: 0 },
  root: ".",
  accessLog: "stdout",
};
const compiled = (trustedHops = 0) =>
  compilePolicy(policyFrom({ mode: "block", identity: { trustedHops } }), { holdHeaders: true });

/** Everything in a configuration whose key is `name`. */
function all(config: unknown, name: string): unknown[] {
  if (typeof config !== "object" || config === null) return [];
  return Object.entries(config).flatMap(([key, value]) => [...(key === name ? [value] : []), ...all(value, name)]);
}

describe("upstream", () => {
  for (const [text, expected] of [
    ["http://127.0.0.1:3000", { tls: false, host: "127.0.0.1", port: 3000, authority: "127.0.0.1:3000" }],
    ["http://shop.example", { tls: false, host: "shop.example", port: 80, authority: "shop.example" }],
    ["https://shop.example/", { tls: true, host: "shop.example", port: 443, authority: "shop.example" }],
    ["http://[::1]:8000", { tls: false, host: "::1", port: 8000, authority: "[::1]:8000" }],
  ] as const) {
    it(`reads ${text}`, () => assert.deepEqual(parseUpstream(text), expected));
  }

  for (const text of [
    "",
    "localhost:3000",
    "ftp://a",
    "http://a/path",
    "http://a?q",
    "http://user@a",
    "http://a:99999",
    "http://a/#f",
  ]) {
    it(`refuses "${text}" in one line`, () =>
      assert.throws(
        () => parseUpstream(text),
        (error: Error) => error.message.includes("is not an upstream: ") && !error.message.includes("\n"),
      ));
  }
});

describe("bootstrap", () => {
  it("lets the module hold headers exactly where the policy says that it may", () => {
    const config = bootstrap(compiled(), options);
    assert.deepEqual(all(config, "allow_on_headers_stop_iteration"), [true]);
    const [configuration] = all(config, "configuration") as { value: string }[];
    assert.equal((JSON.parse(configuration!.value) as { holdHeaders: boolean }).holdHeaders, true);
  });

  it("reloads a crashed module, in a VM of its own", () => {
    const config = ecdsResponse(compiled(), ".");
    assert.deepEqual(all(config, "failure_policy"), ["FAIL_RELOAD"]);
    assert.deepEqual(all(config, "vm_id"), ["meshward"]);
    assert.deepEqual(all(config, "fail_open"), []);
  });

  it("believes as many proxies as the policy does", () => {
    assert.deepEqual(all(bootstrap(compiled(3), options), "xff_num_trusted_hops"), [3]);
    assert.deepEqual(all(bootstrap(compiled(3), options), "use_remote_address"), [true]);
  });

  it("normalizes paths as the module matches them", () => {
    const config = bootstrap(compiled(), options);
    assert.deepEqual(all(config, "normalize_path"), [true]);
    assert.deepEqual(all(config, "merge_slashes"), [true]);
    assert.deepEqual(all(config, "path_with_escaped_slashes_action"), ["KEEP_UNCHANGED"]);
  });

  it("takes each label out of a statistic's name, alone and together", () => {
    const tags = (all(bootstrap(compiled(), options), "stats_tags")[0] as { tag_name: string; regex: string }[]).map(
      ({ tag_name, regex }) => [tag_name, new RegExp(regex)] as const,
    );
    assert.deepEqual(
      tags.map(([name]) => name),
      [...STAT_LABELS],
    );
    const read = (name: string): Record<string, string> =>
      Object.fromEntries(tags.flatMap(([label, regex]) => (regex.test(name) ? [[label, regex.exec(name)![2]!]] : [])));
    assert.deepEqual(read("wasmcustom.meshward.outcome=.=denied;.;requests_total"), { outcome: "denied" });
    assert.deepEqual(read("wasmcustom.meshward.rule=.=sqli-union-select;.;mode=.=block;.;rule_hits_total"), {
      rule: "sqli-union-select",
      mode: "block",
    });
    assert.deepEqual(read("wasmcustom.meshward.version=.=0.1.0;.;policy=.=abcdef012345;.;mode=.=block;.;info"), {
      version: "0.1.0",
      policy: "abcdef012345",
      mode: "block",
    });
    assert.deepEqual(read("wasmcustom.other.outcome=.=denied;.;requests_total"), {});
    assert.deepEqual(read("cluster.upstream.outcome=.=x;.;y"), {});
  });

  it("keeps the query out of the access log", () => {
    const [format] = all(bootstrap(compiled(), options), "json_format") as Record<string, string>[];
    assert.equal(format!.path, "%REQ_WITHOUT_QUERY(:PATH):256%");
    assert.doesNotMatch(JSON.stringify(format), /%REQ\(:PATH\)|%REQ\(COOKIE|%REQ\(AUTHORIZATION/i);
  });

  it("speaks TLS to an https upstream under its name, verified", () => {
    const config = bootstrap(compiled(), { ...options, upstream: "https://shop.example:8443", authorities: "/ca.pem" });
    assert.deepEqual(all(config, "sni"), ["shop.example"]);
    assert.deepEqual(all(config, "trusted_ca"), [{ filename: "/ca.pem" }]);
    assert.deepEqual(all(config, "exact"), ["shop.example"]);
    assert.deepEqual(all(config, "host_rewrite_literal"), ["shop.example:8443"]);
    assert.deepEqual(all(bootstrap(compiled(), options), "transport_socket"), []);
  });
});

describe("events", () => {
  const events = (otlp: string, more: object = {}) =>
    compilePolicy(policyFrom({ events: { otlp, ...more } }), { holdHeaders: true });
  const clusters = (config: JsonObject): JsonObject[] =>
    (config.static_resources as { clusters: JsonObject[] }).clusters;

  it("have a cluster, and only where the policy has them", () => {
    assert.deepEqual(
      clusters(bootstrap(compiled(), options)).map(({ name }) => name),
      ["upstream"],
    );
    const [, cluster] = clusters(bootstrap(events("http://collector.example:4318/otlp"), options));
    assert.equal(cluster!.name, "meshward_otlp");
    assert.equal(cluster!.wait_for_warm_on_init, false);
    assert.deepEqual(all(cluster!, "socket_address"), [{ address: "collector.example", port_value: 4318 }]);
    assert.deepEqual(all(cluster!, "transport_socket"), []);
    const own = bootstrap(events("http://c", { cluster: "mine" }), options);
    assert.deepEqual(
      clusters(own).map(({ name }) => name),
      ["upstream", "mine"],
    );
  });

  it("go over TLS to an https collector under its name, verified", () => {
    const [, cluster] = clusters(
      bootstrap(events("https://collector.example"), { ...options, authorities: "/ca.pem" }),
    );
    assert.deepEqual(all(cluster!, "socket_address"), [{ address: "collector.example", port_value: 443 }]);
    assert.deepEqual(all(cluster!, "sni"), ["collector.example"]);
    assert.deepEqual(all(cluster!, "trusted_ca"), [{ filename: "/ca.pem" }]);
    assert.deepEqual(all(cluster!, "exact"), ["collector.example"]);
  });

  it("go where the policy says, and no secret stands in the configuration", () => {
    assert.deepEqual(events("https://c.example/base/").events, {
      cluster: "meshward_otlp",
      authority: "c.example",
      path: "/base/v1/logs",
      tls: true,
    });
    assert.equal(events("http://c.example:4318/v1/logs").events?.path, "/v1/logs");
    const names = all(bootstrap(events("http://c"), options), "host_env_keys");
    assert.ok(names.length > 0 && names.every((keys) => (keys as string[]).includes("MESHWARD_OTLP_TOKEN")));
    for (const wrong of [
      "collector:4318",
      "ftp://c",
      "http://user:secret@c",
      "http://c?x=1",
      "http://c#x",
      "",
      `http://c/${"p".repeat(600)}`,
    ]) {
      assert.throws(() => events(wrong), /events\.otlp/, wrong);
    }
  });

  it("are left out where requests are only tried", () => {
    const policy = policyFrom({ events: { otlp: "http://c" } });
    assert.equal("events" in compilePolicy(policy, { holdHeaders: true, dryRun: true }), false);
  });
});

describe("the folder", () => {
  let folder: string;
  before(async () => void (folder = await mkdtemp(join(tmpdir(), "meshward-folder-"))));
  after(() => rm(folder, { recursive: true, force: true }));

  it("has the files that it says, and nothing half-made", async () => {
    const files = await writeDirectory(join(folder, "a"), compiled(), { ...options, dynamic: true }, modulePath());
    const found = (await readdir(join(folder, "a"), { recursive: true, withFileTypes: true })).filter((file) =>
      file.isFile(),
    ).length;
    assert.equal(found, files.length);
    for (const file of files) await access(join(folder, "a", file));
  });

  it("replaces the policy by a rename: whoever reads sees one whole file or the other", async () => {
    const path = join(folder, "b", ECDS_FILE);
    await writeDirectory(join(folder, "b"), compiled(0), options, modulePath());
    const inode = (await stat(path)).ino;
    await writeReload(join(folder, "b"), compiled(1), ".");
    assert.notEqual((await stat(path)).ino, inode);
    let reads = 0;
    let isDone = false;
    const seen = new Set<string>();
    const reader = (async () => {
      while (!isDone) {
        seen.add((parse(await readFile(path, "utf8")) as { version_info: string }).version_info);
        reads++;
      }
    })();
    for (let index = 0; index < 50; index++) await writeReload(join(folder, "b"), compiled(index % 2), ".");
    isDone = true;
    await reader;
    assert.ok(reads > 0);
    assert.ok([...seen].every((version) => [compiled(0).policy, compiled(1).policy].includes(version)));
    assert.deepEqual(await readdir(join(folder, "b", "ecds")), ["meshward.yaml"]);
  });

  it("writes text that reads back as what was meant, whatever stands in the policy", async () => {
    const strange = compilePolicy(
      policyFrom({
        exceptions: [{ id: "n", class: "sqli", part: "query", name: "no: 'yes' \"\\\u0007 #é\u2028 *a", why: "x: y" }],
      }),
      { holdHeaders: true },
    );
    await writeDirectory(join(folder, "c"), strange, options, modulePath());
    const read = parse(await readFile(join(folder, "c", ECDS_FILE), "utf8")) as JsonObject;
    assert.deepEqual(read, JSON.parse(JSON.stringify(ecdsResponse(strange, "."))));
  });
});

describe("Envoy accepts it", () => {
  const variants: Record<string, Partial<BootstrapOptions>> = {
    plain: {},
    dynamic: { dynamic: true },
    "a log file": { accessLog: "access.log" },
    "an https upstream": { upstream: "https://shop.example" },
    "an IPv6 upstream": { upstream: "http://[::1]:8000" },
    "an http2 upstream": { upstream: "http://shop.example:50051", protocol: "http2" },
  };
  for (const [name, variant] of Object.entries(variants)) {
    it(name, async () => {
      const envoy = await resolveEnvoy({ env: process.env, backend: "process" });
      assert.equal(envoy.kind, "process");
      const folder = await mkdtemp(join(tmpdir(), "meshward-validate-"));
      try {
        const authorities = join(folder, "ca.pem");
        await writeFile(authorities, (await import("node:tls")).rootCertificates[0]!);
        await writeDirectory(folder, compiled(), { ...options, authorities, ...variant }, modulePath());
        const args = ["--mode", "validate", "-c", "envoy.yaml", "--log-level", "warning"];
        const { stdout, stderr } = await run((envoy as { binary: string }).binary, args, {
          cwd: folder,
          timeout: 30_000,
        });
        assert.match(stdout + stderr, /configuration 'envoy\.yaml' OK/);
        assert.doesNotMatch(stdout + stderr, /\[warning\]|deprecated/i);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
});
