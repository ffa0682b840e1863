import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Json, JsonObject } from "../../envoy/json.ts";
import { poll } from "../../scripts/envoy/admin.ts";
import { guest } from "../host/guest.ts";
import { launch, type Launched, type LaunchOptions } from "../filter/launch.ts";
import { compile, distort, push } from "../filter/push.ts";
import { attack, PASSED, REFUSED, startService, type Service } from "../filter/service.ts";
import { otherVersions } from "../filter/versions.ts";

let service: Service;
before(async () => {
  service = await startService();
});
after(() => service?.stop());

/** Runs `work` with an Envoy of its own; its log is shown where it fails. */
async function withEnvoy(
  options: Omit<LaunchOptions, "upstream">,
  work: (envoy: Launched) => Promise<void>,
): Promise<void> {
  const envoy = await launch({ ...options, upstream: service.url });
  try {
    await work(envoy);
  } catch (error) {
    if (error instanceof Error) error.message += `\nEnvoy's log:\n${envoy.log().slice(-4000)}`;
    throw error;
  } finally {
    await envoy.stop();
  }
}

const BLOCK = compile({ mode: "block" });
const STRICTER = compile({ mode: "block", sensitivity: "high" });
const BAD = distort((configuration) => Object.assign(configuration, { mode: "sideways", policy: "bad" }), {
  mode: "block",
});

/** Waits for a statistic: they leave the module once a second. */
async function reaches(
  envoy: Launched,
  name: string,
  wanted: number,
  labels: Record<string, string> = {},
): Promise<void> {
  let seen = NaN;
  await poll(
    async () => ((seen = await envoy.metric(name, labels)) === wanted ? true : null),
    2_500,
    () => new Error(`${name} is ${seen}, not ${wanted}`),
  );
}

const invalid = (envoy: Launched, wanted: number): Promise<void> => reaches(envoy, "meshward_config_invalid", wanted);

const httpFilters = (config: JsonObject): Json[] => connectionManager(listeners(config)[0]!).http_filters as Json[];
const listeners = (config: JsonObject): JsonObject[] =>
  (config.static_resources as { listeners: JsonObject[] }).listeners;
const connectionManager = (listener: JsonObject): JsonObject =>
  (listener as { filter_chains: { filters: { typed_config: JsonObject }[] }[] }).filter_chains[0]!.filters[0]!
    .typed_config;

/** The discovered filter as one that stands in the configuration itself. */
function fixed(filter: Json, name: string, configuration: object): JsonObject {
  const { config_discovery } = filter as { config_discovery: { default_config: JsonObject } };
  const copy = structuredClone(config_discovery.default_config) as { config: JsonObject };
  copy.config.name = name;
  copy.config.root_id = name;
  (copy.config.configuration as JsonObject).value = JSON.stringify(configuration);
  return { name, typed_config: copy as unknown as JsonObject };
}

describe("a bad configuration", () => {
  it("at start: Envoy runs on safe defaults in detect mode, and says so", () =>
    withEnvoy({ compiled: BAD, concurrency: 2 }, async (envoy) => {
      assert.deepEqual(await attack(envoy.ports.get("ingress")!), PASSED);
      const [entry] = await envoy.access(4);
      assert.deepEqual([entry!.verdict?.outcome, entry!.verdict?.mode], ["would_deny", "detect"]);
      assert.match(envoy.log(), /the configuration is not valid at \/mode: safe defaults hold, in detect mode/);
      await invalid(envoy, 1);

      // Good after bad.
      await envoy.reload(BLOCK);
      assert.deepEqual(await attack(envoy.ports.get("ingress")!), REFUSED);
      await invalid(envoy, 0);
    }));

  it("after a good one: the good one stays, whatever is pushed", () =>
    withEnvoy({ compiled: BLOCK, concurrency: 2 }, async (envoy) => {
      const port = envoy.ports.get("ingress")!;
      for (const [i, text] of ['{"mode":"sideways"}', "no JSON", "[]"].entries()) {
        assert.equal(await push(envoy, `bad-${i}`, text), false, text);
        assert.deepEqual(await attack(port), REFUSED);
        await invalid(envoy, 1);
      }
      await envoy.reload(STRICTER);
      assert.deepEqual(await attack(port), REFUSED);
      await invalid(envoy, 0);
      // The same bad one again is as bad. Envoy remembers its answer and does not ask the module, so the gauge stays.
      assert.equal(await push(envoy, "bad-again", '{"mode":"sideways"}'), false);
      assert.deepEqual(await attack(port), REFUSED);
    }));
});

describe("a configuration of another version", () => {
  it("is in force and blocks", () =>
    withEnvoy({ compiled: BLOCK }, async (envoy) => {
      const port = envoy.ports.get("ingress")!;
      for (const [what, text] of otherVersions()) {
        assert.ok(await push(envoy, what, text), what);
        assert.deepEqual(await attack(port), REFUSED, what);
      }
      await invalid(envoy, 0);
      // Envoy hands a Struct over as protobuf, not as JSON: the text form is the only one.
      assert.equal(await push(envoy, "struct", JSON.parse(JSON.stringify(STRICTER)) as JsonObject), false);
      assert.deepEqual(await attack(port), REFUSED);
    }));
});

describe("a trap", () => {
  let module: string;
  /** More headers than the module of this test survives. */
  const fatal = Object.fromEntries(Array.from({ length: 45 }, (_, i) => [`x-${i}`, "1"]));
  const crash = async (port: number): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}/`, { headers: fatal })).status;

  /** Sends half of a body, which is held; yields what sends the rest and tells the status. */
  async function openHalf(port: number): Promise<() => Promise<number>> {
    const headers = { "content-type": "application/json", "content-length": 13 };
    const sent = request({ port, method: "POST", headers, agent: false });
    const answered = new Promise<number>((resolve, reject) => {
      sent.on("response", (response) => resolve(response.resume().statusCode ?? 0));
      sent.on("error", reject);
    });
    answered.catch(() => {});
    await new Promise<void>((resolve) => sent.write('{"a":"', () => resolve()));
    return () => {
      sent.end('plain"}');
      return answered;
    };
  }

  async function recovered(port: number, wanted: Record<string, number>): Promise<void> {
    let seen: Record<string, number> = {};
    await poll(
      async () => (JSON.stringify((seen = await attack(port))) === JSON.stringify(wanted) ? true : null),
      15_000,
      () => new Error(`after the trap: ${JSON.stringify(seen)}`),
    );
  }

  before(async () => {
    module = join(tmpdir(), `meshward-trapping-${process.pid}.wasm`);
    await writeFile(module, await guest("trapping"));
  });
  after(() => rm(module, { force: true }));

  it("costs its request, and the VM that is made anew blocks as before", () =>
    withEnvoy({ compiled: BLOCK, module }, async (envoy) => {
      const port = envoy.ports.get("ingress")!;
      assert.deepEqual(await attack(port), REFUSED);
      assert.equal(await crash(port), 503);
      await recovered(port, REFUSED);
      await invalid(envoy, 0);
    }));

  it("costs the streams in flight in its VM, and no others; what it cost is counted", () =>
    withEnvoy(
      { compiled: compile({ mode: "block", limits: { holdMillis: 30_000 } }), module, concurrency: 2 },
      async (envoy) => {
        const port = envoy.ports.get("ingress")!;
        const stats = async (filter: string): Promise<string> =>
          (await fetch(`${envoy.admin.origin}/stats?filter=${filter}`)).text();
        // Which worker takes a connection is the kernel's choice: until each has one.
        const waiting: (() => Promise<number>)[] = [];
        let open = [0];
        while (waiting.length < 200 && (open.length < 2 || Math.min(...open) === 0)) {
          waiting.push(await openHalf(port));
          const text = await stats("worker_\\d.downstream_cx_active");
          open = [...text.matchAll(/: (\d+)/g)].map(([, count]) => Number(count));
        }
        await poll(
          async () => (await stats("downstream_rq_active")).includes(`rq_active: ${waiting.length}`) || null,
          15_000,
          () => new Error(`${waiting.length} streams are not open`),
        );
        assert.equal(await crash(port), 503);
        const statuses = await Promise.all(waiting.map((finish) => finish()));
        const failed = statuses.filter((status) => status === 503).length;
        assert.ok(failed > 0 && failed < waiting.length, `${failed} of ${waiting.length} streams failed`);
        assert.ok(statuses.every((status) => status === 503 || status === 200));
        const lost = (await envoy.access(waiting.length + 1)).filter(({ details }) => details === "wasm_fail_stream");
        assert.equal(lost.length, failed + 1);
        // A VM is made anew by the first request that its own worker takes after the backoff.
        await poll(
          async () => {
            await attack(port);
            return /vm_reload_success: 1\b/.test(await stats("vm_reload")) || null;
          },
          15_000,
          () => new Error("the VM that trapped was not made anew"),
        );
        await recovered(port, REFUSED);
      },
    ));

  it("with a bad configuration pushed before: the last good one comes back", () =>
    withEnvoy({ compiled: BLOCK, module }, async (envoy) => {
      const port = envoy.ports.get("ingress")!;
      assert.equal(await push(envoy, "bad", '{"mode":"sideways"}'), false);
      assert.equal(await crash(port), 503);
      await recovered(port, REFUSED);
    }));

  it("on safe defaults: the defaults come back, not a proxy without plugin", () =>
    withEnvoy({ compiled: BAD, module }, async (envoy) => {
      const port = envoy.ports.get("ingress")!;
      assert.deepEqual(await attack(port), PASSED);
      assert.equal(await crash(port), 503);
      await recovered(port, PASSED);
    }));
});

describe("two plugins", () => {
  const SQL = compile({
    mode: "block",
    detectors: { xss: { mode: "off" }, cmdi: { mode: "off" }, traversal: { mode: "off" } },
  });
  const XSS = compile({
    mode: "block",
    detectors: { sqli: { mode: "off" }, cmdi: { mode: "off" }, traversal: { mode: "off" } },
  });

  /** Envoy with one behind the other, in one VM since their bytes are the same. */
  const behindEachOther = (outer: object, inner: object, work: (envoy: Launched) => Promise<void>): Promise<void> =>
    withEnvoy(
      {
        compiled: SQL,
        change: (config) => {
          const [first, router] = httpFilters(config) as [Json, Json];
          connectionManager(listeners(config)[0]!).http_filters = [
            fixed(first, "outer", outer),
            fixed(first, "inner", inner),
            router,
          ];
        },
      },
      work,
    );

  it("one behind the other: the first one judges, the second one stays out of the way and counts that", () =>
    behindEachOther(SQL, XSS, async (envoy) => {
      assert.deepEqual(await attack(envoy.ports.get("ingress")!), { ...PASSED, sqli: 403 });
      await reaches(envoy, "meshward_requests_total", 4);
      await reaches(envoy, "meshward_passive_total", 3);
    }));

  it("one behind the other: what is to block does so, where the first one only detects", () =>
    behindEachOther(compile({ mode: "detect" }), XSS, async (envoy) => {
      assert.deepEqual(await attack(envoy.ports.get("ingress")!), { ...PASSED, xss: 403 });
      await reaches(envoy, "meshward_requests_total", 8);
      await reaches(envoy, "meshward_requests_total", 1, { outcome: "denied" });
    }));

  it("on two listeners keep their own policies; a bad one is bad for itself", () =>
    withEnvoy(
      {
        compiled: SQL,
        change: (config) => {
          const [ingress] = listeners(config) as [JsonObject];
          const other = structuredClone(ingress);
          const third = structuredClone(ingress);
          const [filter, router] = httpFilters(config) as [Json, Json];
          other.name = "other";
          third.name = "third";
          connectionManager(other).http_filters = [fixed(filter, "other", XSS), router];
          connectionManager(third).http_filters = [fixed(filter, "third", BAD), router];
          listeners(config).push(other, third);
        },
      },
      async (envoy) => {
        assert.deepEqual(await attack(envoy.ports.get("ingress")!), { ...PASSED, sqli: 403 });
        assert.deepEqual(await attack(envoy.ports.get("other")!), { ...PASSED, xss: 403 });
        assert.deepEqual(await attack(envoy.ports.get("third")!), PASSED);
        await invalid(envoy, 1);
        await envoy.reload(BLOCK);
        assert.deepEqual(await attack(envoy.ports.get("ingress")!), REFUSED);
        assert.deepEqual(await attack(envoy.ports.get("other")!), { ...PASSED, xss: 403 });
        await invalid(envoy, 1);
      },
    ));

  it("more than there are policies' places share none and lose none", () =>
    withEnvoy(
      {
        compiled: SQL,
        change: (config) => {
          const [ingress] = listeners(config) as [JsonObject];
          const [filter, router] = httpFilters(config) as [Json, Json];
          for (let i = 0; i < 6; i++) {
            const other = structuredClone(ingress);
            other.name = `listener-${i}`;
            const policy = compile({
              mode: "block",
              limits: { holdMillis: 100 + i },
              detectors: { cmdi: { mode: "off" } },
            });
            connectionManager(other).http_filters = [fixed(filter, `plugin-${i}`, policy), router];
            listeners(config).push(other);
          }
        },
      },
      async (envoy) => {
        for (let i = 0; i < 6; i++) {
          assert.deepEqual(await attack(envoy.ports.get(`listener-${i}`)!), { ...REFUSED, cmdi: 200 }, String(i));
        }
      },
    ));
});
