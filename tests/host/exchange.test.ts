// `plugin.exchange`: outcomes, cuts, and what is handed back.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createEnvoyProcess } from "../../scripts/host/index.ts";
import { readPairs, pairsSize, writePairs, HeaderMap } from "../../scripts/host/headers.ts";
import { guest, scripted } from "./guest.ts";

const POST = { method: "POST", path: "/a", headers: [["Host", "shop"]] } as const;

test("the outcomes", async () => {
  const { plugin } = await scripted(
    [
      "request_headers: header 0 x-do; return 1",
      "request_body: until_end",
      "response_headers: property response.code_details",
    ].join("\n"),
  );
  assert.equal(plugin.exchange(POST, { body: "x" }).outcome, "upstream");
  assert.equal(plugin.exchange(POST, { body: "x", response: { body: "y" } }).outcome, "upstream");
  // Held to an end that does not come.
  assert.equal(plugin.exchange(POST, { upgrade: true }).outcome, "hung");
  const denied = (await scripted("request_headers: local 403 d no a b")).plugin.exchange(POST, { body: "x" });
  assert.equal(denied.outcome, "local");
  assert.deepEqual(denied.local, {
    status: 403,
    headers: [
      [":status", "403"],
      ["a", "b"],
      ["content-length", "2"],
      ["content-type", "text/plain"],
    ],
    body: Buffer.from("no"),
    details: "d",
  });
  assert.equal((await scripted("request_headers: close 0; return 1")).plugin.exchange(POST).outcome, "reset");
  assert.equal(
    (await scripted("request_headers: return 0")).plugin.exchange(POST, { upgrade: true }).outcome,
    "upstream",
  );
});

test("a denial after a part went on says how much the upstream has seen", async () => {
  const { plugin } = await scripted("request_body: unless_end; return 0\nrequest_body: at_end; local 403 d no");
  const { outcome, upstream } = plugin.exchange(POST, { body: "abcdef", chunkSizes: [4] });
  assert.deepEqual(
    [outcome, upstream.bytes, upstream.ended, upstream.reset, upstream.received.body.toString()],
    ["local", 4, false, true, "abcd"],
  );
});

test("chunk sizes cut the body, the rest comes in one more, 0 is an empty chunk", async () => {
  const { plugin, lines } = await scripted("");
  const sizes = (chunkSizes: number[], trailers?: [string, string][]): string[] => {
    lines();
    plugin.exchange(POST, { body: "abcdef", chunkSizes, ...(trailers ? { trailers } : {}) });
    return lines()
      .filter((line) => line.startsWith("request_"))
      .map((line) => line.replace(/^request_(\w+) \d+ /, "$1 "))
      .slice(1);
  };
  assert.deepEqual(sizes([2, 2]), ["body 2 0", "body 2 0", "body 2 1"]);
  assert.deepEqual(sizes([6]), ["body 6 1"]);
  assert.deepEqual(sizes([6, 0]), ["body 6 0", "body 0 1"]);
  assert.deepEqual(sizes([0, 9]), ["body 0 0", "body 6 1"]);
  assert.deepEqual(sizes([]), ["body 6 1"]);
  assert.deepEqual(sizes([6], [["t", "1"]]), ["body 6 0", "trailers 1"]);
});

test("host becomes :authority, pseudo headers stand first, order and repeats stay, bytes stay bytes", async () => {
  const { plugin, lines } = await scripted("request_headers: pairs 0");
  plugin.exchange({
    path: Uint8Array.of(0x2f, 0xff),
    headers: [
      ["B", "1"],
      ["HOST", "shop"],
      ["a", Uint8Array.of(0, 0xff)],
      ["b", "é"],
    ],
  });
  assert.match(
    lines()[2]!,
    /:authority\\00shop\\00:path\\00\/\\ff\\00:method\\00GET\\00:scheme\\00http\\00b\\001\\00a\\00\\00\\ff\\00b\\00\\c3\\a9\\00$/,
  );
  plugin.exchange({});
  assert.match(lines()[2]!, /:authority\\00localhost\\00:path\\00\/\\00/);
});

test("the verdict is read from filter state", async () => {
  const { plugin } = await scripted('request_headers: set_property meshward~verdict {"verdict":"deny"}');
  const { verdict, filterState } = plugin.exchange(POST);
  assert.deepEqual(verdict, { verdict: "deny" });
  assert.deepEqual([...filterState.keys()], ["wasm.meshward.verdict"]);
  assert.equal((await scripted("")).plugin.exchange(POST).verdict, null);
});

test("properties that a caller gives are read with Envoy's encodings", async () => {
  const { plugin, lines } = await scripted(
    "request_headers: property connection.mtls; property connection.uri_san_peer_certificate; property source.address; property source.port; property metadata.filter_metadata.jwt~authn.payload.sub; property metadata.filter_metadata.jwt~authn.payload.n; property metadata.filter_metadata.jwt~authn.payload.none",
  );
  plugin.exchange(POST, {
    source: "[::1]:99",
    properties: {
      connection: { mtls: true, uri_san_peer_certificate: "spiffe://a/b" },
      metadata: { filter_metadata: { "jwt.authn": { payload: { sub: "me", n: 1, none: null } } } },
    },
  });
  assert.deepEqual(
    lines()
      .slice(2, 9)
      .map((line) => line.split(" = ")[1]),
    [
      "0 [1] \\01",
      "0 [12] spiffe://a/b",
      "0 [8] [::1]:99",
      "0 [8] c\\00\\00\\00\\00\\00\\00\\00",
      "0 [2] me",
      "0 [8] \\00\\00\\00\\00\\00\\00\\f0?",
      "3",
    ],
  );
});

test("pairs are read back as they were written, and nothing else is read", () => {
  const header = fc.tuple(fc.stringMatching(/^[a-z:-]{1,9}$/), fc.uint8Array({ maxLength: 9 }));
  fc.assert(
    fc.property(fc.array(header, { maxLength: 5 }), fc.nat(), fc.nat(255), (headers, at, byte) => {
      const map = HeaderMap.from(headers);
      const block = Buffer.alloc(pairsSize(map));
      writePairs(map, block, 0);
      assert.deepEqual(readPairs(block)?.toJSON(), map.toJSON());
      assert.equal(readPairs(Buffer.concat([block, Buffer.of(0)])), null);
      assert.equal(readPairs(block.subarray(0, block.length - 1)), null);
      // A changed byte gives another map or none, and never an exception.
      block[at % block.length] = byte;
      readPairs(block);
    }),
  );
});

test("many exchanges leave no context behind and the module's memory as it was", async () => {
  const envoy = createEnvoyProcess();
  const plugin = await envoy.addPlugin({ name: "floor", module: await guest("floor") });
  plugin.configure("");
  const [worker] = envoy.vms();
  const size = worker!.memory.size;
  for (let i = 0; i < 20_000; i++) plugin.exchange(POST, { body: "a=1", response: { body: "ok" } });
  assert.equal(worker!.contexts.size, 1);
  assert.equal(worker!.memory.size, size);
});
