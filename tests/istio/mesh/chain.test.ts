// Where the module stands among what else a mesh puts into a gateway: Istio's own filters, and a second instance of the same bytes.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { before, describe, it } from "node:test";
import { attack, PASSED } from "../../filter/service.ts";
import { BLOCK, DETECT, HARMLESS, NAMESPACE, pushed, QUERY, START_MILLISECONDS, type Images } from "./front.ts";
import { guard, LABELS, withGateway } from "./gateway.ts";
import { noMesh, documents } from "./mesh.ts";

const ONLY_XSS = {
  ...BLOCK,
  detectors: { sqli: { mode: "off" }, cmdi: { mode: "off" }, traversal: { mode: "off" } },
} as const;

/** Tokens are looked at, and nobody may go to /admin. */
function security(): string {
  const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" });
  const selector = { matchLabels: LABELS };
  const apiVersion = "security.istio.io/v1";
  const jwks = JSON.stringify({ keys: [{ ...key, kid: "one", alg: "RS256", use: "sig" }] });
  return documents(
    {
      apiVersion,
      kind: "RequestAuthentication",
      metadata: { name: "tokens", namespace: NAMESPACE },
      spec: { selector, jwtRules: [{ issuer: "issuer.test", jwks }] },
    },
    {
      apiVersion,
      kind: "AuthorizationPolicy",
      metadata: { name: "nobody", namespace: NAMESPACE },
      spec: { selector, action: "DENY", rules: [{ to: [{ operation: { paths: ["/admin*"] } }] }] },
    },
  );
}

describe("a gateway with more in its chain", { skip: noMesh }, () => {
  let images: Images;
  before(async () => (images = await pushed()));

  for (const hold of ["full", "body"]) {
    it(`judges behind authentication and authorization, holding ${hold}`, async () => {
      const start = { module: await guard(BLOCK, images.compat, "--hold", hold), security: security() };
      await withGateway(images.registry, start, async ({ proxy, service }) => {
        await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
        await proxy.reports("meshward_requests_total", { outcome: "denied" }, 1);
        const found = await proxy.chains();
        const places = ["jwt_authn", "rbac", "meshward", "router"].map((name) =>
          found[0]!.findIndex((filter) => filter.includes(name)),
        );
        assert.ok(!places.includes(-1), found.join(" | "));
        assert.deepEqual(
          places,
          [...places].sort((a, b) => a - b),
          found.join(" | "),
        );
        // What is refused before is not judged.
        assert.equal(await proxy.status(QUERY, { headers: { authorization: "Bearer a.b.c" } }), 401);
        assert.equal(await proxy.status(`/admin${QUERY}`), 403);
        assert.equal(service.reached(), 0);
        assert.equal(await proxy.status(HARMLESS), 200);
        await proxy.reports("meshward_requests_total", {}, 2);
      });
    });
  }

  it("keeps two plugins of the same bytes apart, and a bad configuration of one from the other", async () => {
    const body = ["--hold", "body", "--name"];
    const outer = await guard(DETECT, images.compat, ...body, "outer");
    const inner = await guard(ONLY_XSS, images.compat, ...body, "inner");
    await withGateway(images.registry, { outer, inner }, async ({ istiod, proxy }) => {
      await proxy.answers(200, QUERY, {}, START_MILLISECONDS);
      assert.deepEqual(await attack(proxy.port), { ...PASSED, xss: 403 });
      const bad = outer.replace("mode: detect", "mode: sideways");
      assert.notEqual(bad, outer);
      await istiod.apply("outer", bad);
      await proxy.reports("meshward_config_invalid", {}, 1);
      assert.deepEqual(await attack(proxy.port), { ...PASSED, xss: 403 });
      await istiod.apply("outer", await guard(BLOCK, images.compat, ...body, "outer"));
      await proxy.reports("meshward_config_invalid", {}, 0);
      // Of two that block, one judges; without the other it is this one.
      await istiod.apply("inner", null);
      await proxy.answers(403, QUERY);
    });
  });
});
