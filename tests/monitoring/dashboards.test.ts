import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import { DASHBOARDS } from "../../scripts/monitoring/dashboards.ts";

// Their form is held by the types of Grafana's SDK, their queries by tests/envoy/monitoring.test.ts, their files by rules.test.ts.

for (const [name, { panels = [], uid, templating }] of Object.entries(DASHBOARDS)) {
  describe(`the dashboard ${name}`, () => {
    it("has panels with a title and a word on what they show, side by side within the grid", () => {
      assert.equal(uid, `meshward-${name}`);
      const taken = new Set<string>();
      for (const { title, description, gridPos } of panels as Panel[]) {
        assert.match(description ?? "", /\.$/, title);
        const { x, y, w, h } = gridPos!;
        assert.ok(x + w <= 24, title);
        for (let column = x; column < x + w; column++) {
          for (let row = y; row < y + h; row++) {
            assert.ok(!taken.has(`${column},${row}`), title);
            taken.add(`${column},${row}`);
          }
        }
      }
      const titles = (panels as Panel[]).map(({ title }) => title);
      assert.equal(new Set(titles).size, titles.length);
    });

    it("asks the data source that was chosen, and by variables that it has", () => {
      const known = new Set(["__rate_interval", "__all", ...(templating?.list ?? []).map((variable) => variable.name)]);
      const used = [...JSON.stringify([panels, templating]).matchAll(/\$\{?(\w+)/g)].map(([, variable]) => variable!);
      assert.ok(used.includes("datasource"));
      // "$1" would be a group of label_replace.
      assert.deepEqual(
        used.filter((variable) => !known.has(variable)),
        [],
      );
    });
  });
}
