// The short form of `npm run bench:istio`: few proxies and services, whose times are not looked at.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { noTools } from "../tools/build.ts";
import { measurePush, REFERENCE, type PushRow } from "./push.ts";

describe("a push of a changed policy", { skip: noTools }, () => {
  it("comes to every proxy, its own and no other, and brings a proxy little but the policy", async () => {
    const rows = await measurePush({ proxies: 12, services: 60, rounds: 1 });
    const by = new Map(rows.map((row) => [row.what, row]));
    for (const { what, milliseconds, cpu_seconds, extension_bytes, bytes } of rows) {
      assert.ok(milliseconds > 0 && cpu_seconds > 0 && bytes > extension_bytes, what);
    }
    const [none, other, smallest] = ["no filter", REFERENCE, "the smallest policy"].map((what) => by.get(what)!);
    assert.equal(none!.extension_bytes, 0);
    // What is beside the extension configuration is the same with any filter; without one it is less, by what names it in the listeners.
    const besides = ({ bytes, extension_bytes }: PushRow): number => bytes - extension_bytes;
    assert.ok(
      Math.abs(besides(smallest!) - besides(other!)) < 2_000,
      `${besides(smallest!)} against ${besides(other!)}`,
    );
    const filter = besides(smallest!) - besides(none!);
    assert.ok(filter > 0 && filter < 20_000, `${filter} bytes of listeners`);
    const [whole, own] = [by.get("a mode for each service")!, by.get("modes, routes, exceptions by namespace")!];
    assert.ok(own.extension_bytes < whole.extension_bytes, `${own.extension_bytes} of ${whole.extension_bytes}`);
  });
});
