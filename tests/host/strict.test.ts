// In strict mode each mistake of a module is a HostError that names the call and what was wrong.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError, createEnvoyProcess } from "../../scripts/host/index.ts";
import { guestFrom, scripted } from "./guest.ts";

const POST = { method: "POST", path: "/a", headers: [["host", "x"]] } as const;

/** Mistakes by the script that makes them, and what the error says. */
const MISTAKES: readonly [id: string, script: string, message: RegExp][] = [
  ["log outside of memory", "request_headers: wild_log", /^proxy_log: 1 bytes at \d+ are outside of memory/],
  [
    "out-parameter outside of memory",
    "request_headers: wild_out",
    /^proxy_get_header_map_size: 4 bytes at \d+ are outside/,
  ],
  [
    "body outside of memory",
    "request_headers: wild_local",
    /^proxy_send_local_response: 64 bytes at 4294967280 are outside/,
  ],
  ["log level", "request_headers: log 9 x", /^proxy_log: level 9 does not exist/],
  ["header map number", "request_headers: header 8 a", /header map 8 does not exist/],
  ["request headers after Continue", "request_body: header 0 a", /the request headers cannot be read in this phase/],
  [
    "request headers as pairs after Continue",
    "request_body: pairs 0",
    /the request headers cannot be read in this phase/,
  ],
  [
    "request headers changed after Continue",
    "request_body: add 0 a b",
    /the request headers cannot be read in this phase/,
  ],
  ["request trailers without any", "request_headers: header 1 a", /the request trailers cannot be read in this phase/],
  [
    "response headers in the request",
    "request_headers: header 2 a",
    /the response headers cannot be read in this phase/,
  ],
  ["call response without a call", "request_headers: header 6 a", /the HTTP call response headers cannot be read/],
  ["headers changed in the log", "log: add 0 a b", /headers cannot be changed in proxy_on_log/],
  ["headers in the root context", "configure: header 0 a", /the request headers cannot be read in this phase/],
  ["torn pairs", "request_headers: torn_pairs 0 a b", /the headers are not well-formed pairs/],
  ["buffer number", "request_headers: body 9 0 1", /buffer 9 does not exist/],
  ["body before it came", "request_headers: body 0 0 1", /the request body cannot be read in this phase/],
  ["response body in the request", "request_body: body 1 0 1", /the response body cannot be read in this phase/],
  ["behind the body", "request_body: body 0 4 1", /starts at 4, behind the buffer's 3 bytes/],
  [
    "configuration after configure",
    "request_headers: body 7 0 9",
    /the plugin configuration cannot be read in this phase/,
  ],
  ["change inside the body", "request_body: set_body 0 1 1 x", /Envoy cannot change 1 bytes at 1/],
  ["change of a configuration", "configure: set_body 7 0 9 x", /the plugin configuration cannot be changed/],
  ["unknown context", "request_headers: effective 99", /context 99 does not exist/],
  ["direction", "request_headers: continue 2", /2 is not a direction of an HTTP stream/],
  ["close of a direction", "request_headers: close 3", /3 is not a direction of an HTTP stream/],
  ["continue without a pause", "request_body: continue 0", /that direction of stream 2 is not paused/],
  ["continue without a stream", "configure: continue 0", /there is no stream/],
  ["local response without a stream", "configure: local 403 d no", /proxy_send_local_response: there is no stream/],
  ["local response twice", "request_headers: local 403 d no; local 403 d no", /stream 2 has a local response already/],
  [
    "local response to a local response",
    "request_headers: local 403 d no\nresponse_headers: local 401 d no",
    /already/,
  ],
  ["local response in the log", "log: local 403 d no", /stream 2 has ended/],
  ["local response status", "request_headers: local 99 d no", /99 is not a response status/],
  ["filter state without a stream", "configure: set_property k v", /proxy_set_property: there is no stream/],
  ["metric type", "configure: metric 3 x", /proxy_define_metric: type 3 does not exist/],
  ["metric id", "request_headers: increment 4 1", /metric 4 was not defined in this VM/],
  ["metric id to record", "request_headers: record 6 1", /metric 6 was not defined in this VM/],
  ["counter downwards", "request_headers: metric 0 c; increment 4 -1", /a counter cannot change by -1/],
  ["histogram incremented", "request_headers: metric 2 h; increment 6 1", /metric 6 is not a counter or gauge/],
  ["histogram read", "request_headers: metric 2 h; value 6", /metric 6 is not a counter or gauge/],
  ["done that nobody waits for", "configure: finish", /proxy_on_done did not ask to wait/],
  ["HTTP call without headers", "configure: http c b", /the headers lack :method, :path or :authority/],
  ["headers action", "request_headers: return 2", /a headers callback returned 2, which is no action/],
  ["body action", "request_body: return 4", /a body callback returned 4, which is no action/],
  ["trailers action", "request_trailers: return 2", /a trailers callback returned 2, which is no action/],
];

for (const [id, script, message] of MISTAKES) {
  test(`refused: ${id}`, async () => {
    await assert.rejects(
      async () => {
        const { plugin } = await scripted(script);
        plugin.exchange(POST, { body: "one", trailers: [["t", "1"]], response: { body: "r" } });
      },
      (error: unknown) => error instanceof HostError && message.test(error.message),
    );
  });
}

/** Modules that the host, as Envoy, does not load. */
const UNLOADABLE: readonly [id: string, source: string, message: RegExp][] = [
  [
    "unknown import",
    `@external("env", "abort") declare function stop(): void;
     export function proxy_on_tick(id: u32): void { stop(); }`,
    /imports env\.abort \(function\), which the host does not offer/,
  ],
  [
    "import of the wrong type",
    `@external("env", "proxy_log") declare function log(level: i32, at: usize): u32;
     export function proxy_on_tick(id: u32): void { log(1, 2); }`,
    /imports env\.proxy_log as \(ii:i\), the ABI has \(iii:i\)/,
  ],
  [
    "export of the wrong type",
    "export function proxy_on_request_headers(id: u32): u32 { return 0; }",
    /exports proxy_on_request_headers as \(i:i\), the ABI has \(iii:i\)/,
  ],
  [
    "export that the ABI does not know",
    "export function proxy_on_request_header(id: u32, count: u32, end: u32): u32 { return 0; }",
    /exports proxy_on_request_header, which ABI 0\.2\.1 does not know/,
  ],
];

for (const [id, source, message] of UNLOADABLE) {
  test(`not loaded: ${id}`, async () => {
    const module = await guestFrom(source);
    await assert.rejects(
      createEnvoyProcess().addPlugin({ name: "p", module }),
      (error: unknown) => error instanceof HostError && message.test(error.message),
    );
  });
}

test("not loaded: no version mark, no allocator, no Wasm", async () => {
  const envoy = createEnvoyProcess();
  const load = (module: Uint8Array): Promise<unknown> => envoy.addPlugin({ name: "p", module });
  const allocator = "export function proxy_on_memory_allocate(size: usize): usize { return size; }";
  await assert.rejects(load(await guestFrom("", allocator)), /does not export proxy_abi_version_0_2_1/);
  await assert.rejects(
    load(await guestFrom("", "export function proxy_abi_version_0_2_1(): void {}")),
    /neither proxy_on_memory_allocate nor malloc/,
  );
  await assert.rejects(load(Buffer.from("not wasm")), /the module does not compile/);
});

test("a module without any callback lets everything pass", async () => {
  const plugin = await createEnvoyProcess().addPlugin({ name: "p", module: await guestFrom("") });
  plugin.configure("");
  const exchange = plugin.exchange(POST, { body: "one", response: { body: "two" } });
  assert.equal(exchange.outcome, "upstream");
  assert.equal(exchange.client.body.toString(), "two");
});

test("an allocator that gives memory that is not there is an error; one without room gets a status", async () => {
  const source = `
    import { proxy_get_header_map_pairs } from "@solo-io/proxy-runtime/assembly/imports";
    const OUT = memory.data(8);
    export function proxy_on_request_headers(id: u32, count: u32, end: u32): u32 {
      proxy_get_header_map_pairs(0, OUT, OUT + 4);
      return 0;
    }`.replace(
    'import { proxy_get_header_map_pairs } from "@solo-io/proxy-runtime/assembly/imports";',
    '@external("env", "proxy_get_header_map_pairs") declare function proxy_get_header_map_pairs(t: i32, a: usize, b: usize): u32;',
  );
  const allocator = (value: string): string => `
    export function proxy_abi_version_0_2_1(): void {}
    export function proxy_on_memory_allocate(size: usize): usize { return ${value}; }`;
  const run = async (value: string): Promise<string> => {
    const module = await guestFrom(source, allocator(value));
    const plugin = await createEnvoyProcess().addPlugin({ name: "p", module });
    plugin.configure("");
    return plugin.exchange(POST).outcome;
  };
  await assert.rejects(
    run("(<usize>memory.size() << 16) - 1"),
    /proxy_on_memory_allocate\(\d+\) gave \d+, which memory/,
  );
  assert.equal(await run("0"), "upstream");
});

test("a call from the module's start function is outside of any callback", async () => {
  const source = `
    @external("env", "proxy_clear_route_cache") declare function call(): u32;
    export const status: u32 = call();`;
  const plugin = await createEnvoyProcess().addPlugin({ name: "p", module: await guestFrom(source) });
  assert.throws(() => plugin.configure(""), /proxy_clear_route_cache was called outside of any callback/);
});

test("the driver is held to the order of a stream as well", async () => {
  const { plugin } = await scripted("");
  const stream = plugin.openStream({ request: POST });
  assert.throws(() => stream.sendBody("x", false), /out of order/);
  stream.sendHeaders(false);
  assert.throws(() => stream.sendHeaders(false), /sent already/);
  stream.sendBody("x", true);
  assert.throws(() => stream.sendBody("y", true), /out of order/);
  assert.throws(() => stream.sendTrailers([]), /out of order/);
  assert.throws(() => plugin.openStream({ request: POST, worker: 1 }), /there is no worker 1/);
});
