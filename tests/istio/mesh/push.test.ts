// The short form of `npm run bench:istio`: few proxies and services, whose times are not looked at.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { noTools } from "../tools/build.ts";
import { measurePush } from "./push.ts";

describe("a push of a changed policy", { skip: noTools }, () => {
  it("comes to every proxy, and brings a proxy little but the policy", async () => {
    const rows = await measurePush({ proxies: 12, services: 60, rounds: 1 });
    const by = new Map(rows.map((row) => [row.what, row]));
    for (const { what, milliseconds, cpu_seconds, extension_bytes, bytes } of rows) {
      assert.ok(milliseconds > 0 && cpu_seconds > 0 && extension_bytes > 0 && bytes >= extension_bytes, what);
    }
    const other = by.get("another filter")!;
    const smallest = by.get("the smallest policy")!;
    // What is beside the extension configuration is the same with any filter.
    const besides = (row: typeof other): number => row.bytes - row.extension_bytes;
    assert.ok(Math.abs(besides(smallest) - besides(other)) < 2_000, `${besides(smallest)} against ${besides(other)}`);
    const [whole, own] = [by.get("a mode for each service")!, by.get("modes, routes, exceptions by namespace")!];
    assert.ok(own.extension_bytes < whole.extension_bytes, `${own.extension_bytes} of ${whole.extension_bytes}`);
  });
});
