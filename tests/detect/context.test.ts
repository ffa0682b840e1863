/** Values in their places: pairs of requests judged as a whole by the release module. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { parseRecord } from "../../scripts/bench/record.ts";
import { readModule } from "../../scripts/package.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import { createEngine } from "../../scripts/scan/engine.ts";
import { exchangeOf } from "../../scripts/scan/exchange-line.ts";

/** A body of JSON as it stands, an uploaded file, or a named value. */
type Place = { json: string } | { file: string; content: string } | { where: string; name: string; value: string };

interface Pair {
  id: string;
  why: string;
  attack: Place;
  lookalike: Place;
}

const file = new URL("../vectors/detect/context.yaml", import.meta.url);
const { pairs } = parse(readFileSync(file, "utf8")) as { pairs: Pair[] };
const engine = await createEngine(policyFrom({}), readModule());

/** Whether the request that carries the value of `place` is refused. */
async function isRefused(place: Place): Promise<boolean> {
  const record =
    "json" in place
      ? { where: "body-json", full: true, value: place.json }
      : "file" in place
        ? { where: "body-multipart", name: "file", filename: place.file, value: place.content }
        : place;
  const { request } = parseRecord(Buffer.from(JSON.stringify({ label: "benign", ...record })));
  return (await engine.judge(exchangeOf({ request }))).verdict === "deny";
}

test("ids are unique", () => {
  assert.equal(new Set(pairs.map(({ id }) => id)).size, pairs.length);
});
for (const { id, attack, lookalike } of pairs) {
  test(`${id} is refused`, async () => {
    assert.ok(await isRefused(attack), JSON.stringify(attack));
  });
  test(`${id} passes`, async () => {
    assert.ok(!(await isRefused(lookalike)), JSON.stringify(lookalike));
  });
}
