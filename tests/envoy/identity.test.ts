import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { request as requestTls } from "node:https";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import type { Json, JsonObject } from "../../envoy/json.ts";
import { launch, type Launched } from "../filter/launch.ts";
import { compile } from "../filter/push.ts";
import { startService, type Service } from "../filter/service.ts";

const SQL = "1%20UNION%20SELECT%20name,password%20FROM%20users--";
const FRIEND = "spiffe://mesh.test/ns/shop/sa/cart";
const STRANGER = "spiffe://mesh.test/ns/shopping/sa/cart";
const API = "type.googleapis.com/envoy";

let service: Service;
before(async () => {
  service = await startService();
});
after(() => service?.stop());

type Listener = { filter_chains: { transport_socket: Json; filters: { typed_config: { http_filters: Json[] } }[] }[] };
const chainOf = (config: JsonObject): Listener["filter_chains"][number] =>
  (config.static_resources as unknown as { listeners: Listener[] }).listeners[0]!.filter_chains[0]!;

/** The last verdict, once the access log has `count` lines. */
async function verdictOf(
  envoy: Launched,
  count: number,
): Promise<{ outcome: string; identity: string | null; exception: string | undefined }> {
  const { verdict } = (await envoy.access(count))[count - 1]!;
  assert.ok(verdict, envoy.log());
  return { outcome: verdict.outcome, identity: verdict.identity, exception: verdict.findings[0]?.exception };
}

describe("mutual TLS", () => {
  let envoy: Launched;
  let folder: string;
  let requests = 0;

  /** A key and a certificate of the test's authority with that URI as its only name. */
  async function certificate(name: string, subject: string): Promise<void> {
    const openssl = (...args: string[]): Promise<unknown> => promisify(execFile)("openssl", args, { cwd: folder });
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", `${name}.key`];
    const own = ["-addext", subject === "" ? "basicConstraints=critical,CA:TRUE" : `subjectAltName=${subject}`];
    const signed = name === "authority" ? [] : ["-CA", "authority.crt", "-CAkey", "authority.key"];
    await openssl(
      "req",
      "-x509",
      "-days",
      "2",
      "-subj",
      `/CN=${name}`,
      "-out",
      `${name}.crt`,
      ...key,
      ...own,
      ...signed,
    );
  }

  before(async () => {
    envoy = await launch({
      compiled: compile({
        mode: "block",
        exceptions: [{ id: "friends", class: "sqli", identity: "spiffe://mesh.test/ns/shop/*", why: "test" }],
      }),
      upstream: service.url,
      async change(config, into) {
        folder = into;
        await certificate("authority", "");
        await certificate("server", "DNS:localhost,IP:127.0.0.1");
        await certificate("friend", `URI:${FRIEND}`);
        await certificate("stranger", `URI:${STRANGER}`);
        await certificate("nameless", "DNS:cart.shop");
        chainOf(config).transport_socket = {
          name: "envoy.transport_sockets.tls",
          typed_config: {
            "@type": `${API}.extensions.transport_sockets.tls.v3.DownstreamTlsContext`,
            common_tls_context: {
              tls_certificates: [
                { certificate_chain: { filename: "server.crt" }, private_key: { filename: "server.key" } },
              ],
              validation_context: { trusted_ca: { filename: "authority.crt" } },
            },
          },
        };
      },
    });
  });
  after(() => envoy?.stop());

  async function send(client: string | null, headers: Record<string, string> = {}, body?: string): Promise<number> {
    const file = (name: string): Promise<Buffer> => readFile(join(folder, name));
    const own = client === null ? {} : { key: await file(`${client}.key`), cert: await file(`${client}.crt`) };
    const ca = await file("authority.crt");
    requests++;
    return new Promise((resolve, reject) => {
      const path = body === undefined ? `/items?q=${SQL}` : "/items";
      const method = body === undefined ? "GET" : "POST";
      const options = {
        host: "127.0.0.1",
        port: envoy.ports.get("ingress")!,
        path,
        method,
        headers,
        ca,
        agent: false as const,
        ...own,
      };
      const call = requestTls(options, (response) => {
        response.resume().on("end", () => resolve(response.statusCode!));
      });
      call.on("error", reject).end(body);
    });
  }

  it("names the caller by the SPIFFE id of its certificate", async () => {
    assert.equal(await send("friend"), 200);
    assert.deepEqual(await verdictOf(envoy, requests), { outcome: "allowed", identity: FRIEND, exception: "friends" });
  });

  it("also where the finding is in a body", async () => {
    const body = JSON.stringify({ q: decodeURIComponent(SQL) });
    assert.equal(await send("friend", { "content-type": "application/json" }, body), 200);
    assert.deepEqual(await verdictOf(envoy, requests), { outcome: "allowed", identity: FRIEND, exception: "friends" });
    assert.equal(await send("stranger", { "content-type": "application/json" }, body), 403);
  });

  it("tells a caller whose id only begins the same", async () => {
    assert.equal(await send("stranger"), 403);
    assert.deepEqual(await verdictOf(envoy, requests), { outcome: "denied", identity: STRANGER, exception: undefined });
  });

  it("takes the address where the certificate has no URI, or there is none", async () => {
    for (const client of ["nameless", null]) {
      assert.equal(await send(client), 403);
      assert.deepEqual(await verdictOf(envoy, requests), {
        outcome: "denied",
        identity: "127.0.0.1",
        exception: undefined,
      });
    }
  });

  it("never believes a header about it", async () => {
    const claim = { "x-forwarded-client-cert": `By=x;URI=${FRIEND}`, "x-forwarded-for": FRIEND, "x-client": FRIEND };
    assert.equal(await send(null, claim), 403);
    assert.deepEqual(await verdictOf(envoy, requests), {
      outcome: "denied",
      identity: "127.0.0.1",
      exception: undefined,
    });
    assert.equal(await send("stranger", claim), 403);
    assert.equal((await verdictOf(envoy, requests)).identity, STRANGER);
  });
});

describe("a verified token", () => {
  let envoy: Launched;
  let key: KeyObject;
  let requests = 0;
  const ISSUER = "https://issuer.test";

  const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  function token(claims: object, signer: KeyObject = key): string {
    const signed = `${base64({ alg: "RS256", typ: "JWT", kid: "1" })}.${base64({ iss: ISSUER, exp: 4102444800, ...claims })}`;
    return `${signed}.${createSign("RSA-SHA256").update(signed).sign(signer, "base64url")}`;
  }

  before(async () => {
    const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
    key = pair.privateKey;
    const jwks = JSON.stringify({
      keys: [{ ...pair.publicKey.export({ format: "jwk" }), kid: "1", alg: "RS256", use: "sig" }],
    });
    envoy = await launch({
      compiled: compile({
        mode: "block",
        exceptions: [{ id: "analysts", class: "sqli", identity: `${ISSUER}/analyst-*`, why: "test" }],
      }),
      upstream: service.url,
      async change(config, folder) {
        await writeFile(join(folder, "jwks.json"), jwks);
        chainOf(config).filters[0]!.typed_config.http_filters.unshift({
          name: "envoy.filters.http.jwt_authn",
          typed_config: {
            "@type": `${API}.extensions.filters.http.jwt_authn.v3.JwtAuthentication`,
            providers: {
              issuer: { issuer: ISSUER, local_jwks: { filename: "jwks.json" }, payload_in_metadata: "claims" },
            },
            rules: [
              {
                match: { prefix: "/" },
                requires: { requires_any: { requirements: [{ provider_name: "issuer" }, { allow_missing: {} }] } },
              },
            ],
          },
        });
      },
    });
  });
  after(() => envoy?.stop());

  async function send(bearer: string | null): Promise<number> {
    requests++;
    const headers: Record<string, string> = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
    return (await fetch(`http://127.0.0.1:${envoy.ports.get("ingress")!}/items?q=${SQL}`, { headers })).status;
  }

  it("names the caller by its issuer and subject", async () => {
    assert.equal(await send(token({ sub: "analyst-7", name: "A", roles: ["x", "y"], n: 1 })), 200);
    assert.deepEqual(await verdictOf(envoy, requests), {
      outcome: "allowed",
      identity: `${ISSUER}/analyst-7`,
      exception: "analysts",
    });
    assert.equal(await send(token({ sub: "guest" })), 403);
    assert.deepEqual(await verdictOf(envoy, requests), {
      outcome: "denied",
      identity: `${ISSUER}/guest`,
      exception: undefined,
    });
  });

  it("without a subject names nobody, and the address is taken", async () => {
    assert.equal(await send(token({ role: "analyst-7" })), 403);
    assert.equal((await verdictOf(envoy, requests)).identity, "127.0.0.1");
  });

  it("that nobody verified is not believed", async () => {
    assert.equal(await send(null), 403);
    assert.equal((await verdictOf(envoy, requests)).identity, "127.0.0.1");
    // Envoy refuses a token with another signature before the module sees the request.
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    assert.equal(await send(token({ sub: "analyst-7" }, other)), 401);
  });

  it("with a subject that is too long is cut, and written as JSON", async () => {
    const hostile = `"}\n\u0001é${"x".repeat(400)}`;
    assert.equal(await send(token({ sub: hostile })), 403);
    const { identity } = await verdictOf(envoy, requests);
    assert.ok(identity!.startsWith(`${ISSUER}/"}\n\u0001éxxx`) && Buffer.byteLength(identity!) <= 160, identity!);
  });
});

describe("trusted hops", () => {
  it("say how much of X-Forwarded-For counts, also for exceptions", async () => {
    const envoy = await launch({
      compiled: compile({
        mode: "block",
        identity: { trustedHops: 1 },
        exceptions: [{ id: "office", class: "sqli", identity: "10.7.*", why: "test" }],
      }),
      upstream: service.url,
    });
    try {
      let requests = 0;
      for (const [forwarded, status, identity] of [
        ["10.7.0.1", 200, "10.7.0.1"],
        ["10.7.0.1, 10.8.0.1", 403, "10.8.0.1"],
        ["10.8.0.1, 10.7.0.1", 200, "10.7.0.1"],
        ["10.70.0.1", 403, "10.70.0.1"],
        ["not an address", 403, "127.0.0.1"],
        ["2001:db8::7", 403, "2001:db8::7"],
      ] as const) {
        const answer = await fetch(`http://127.0.0.1:${envoy.ports.get("ingress")!}/items?q=${SQL}`, {
          headers: { "x-forwarded-for": forwarded },
        });
        assert.equal(answer.status, status, forwarded);
        assert.equal((await verdictOf(envoy, ++requests)).identity, identity);
      }
    } finally {
      await envoy.stop();
    }
  });
});
