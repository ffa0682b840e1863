/**
 * The ground truth about the ground truth: with no filter anywhere, each planted flaw shows as its entry says, with a
 * witness where something happened behind the answer, and each look-alike does not.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { loadManifest } from "./manifest.ts";
import type { Entry, Shows } from "./manifest.ts";
import { startShop } from "./shop.ts";
import type { Shop } from "./shop.ts";
import { planEntry, sendPlanned } from "./traffic.ts";
import type { Sent } from "./traffic.ts";
import type { Witness } from "./ground/witness.ts";

const manifest = loadManifest();

function check({ response }: Sent, shows: Shows, witnesses: readonly Witness[]): void {
  const body = response.body.toString("latin1");
  const text = response.body.toString("utf8");
  const has = (wanted: string): boolean => text.includes(wanted) || body.includes(wanted);
  const answer = `${response.status} ${JSON.stringify(response.headers)}\n${text.slice(0, 3_000)}`;
  if (shows.status !== undefined) assert.equal(response.status, shows.status, answer);
  for (const wanted of shows.contains ?? []) assert.ok(has(wanted), `not in the answer: ${wanted}\n${answer}`);
  for (const unwanted of shows.lacks ?? []) assert.ok(!has(unwanted), `in the answer: ${unwanted}\n${answer}`);
  for (const [name, wanted] of Object.entries(shows.headers ?? {})) {
    const values = response.headers.filter(([other]) => other === name).map(([, value]) => value);
    if (wanted === null) assert.deepEqual(values, [], `${name} is there\n${answer}`);
    else if (wanted.startsWith("!"))
      assert.ok(!values.some((value) => value.includes(wanted.slice(1))), `${name}: ${wanted}\n${answer}`);
    else
      assert.ok(
        values.some((value) => value.includes(wanted)),
        `${name} without ${wanted}\n${answer}`,
      );
  }
  const happened = witnesses.map(({ kind, text: what }) => `${kind} ${what}`);
  for (const wanted of shows.witness ?? []) {
    const [kind = "", ...rest] = wanted.split(" ");
    const part = rest.join(" ");
    assert.ok(
      happened.some((one) => one.startsWith(`${kind} `) && one.includes(part)),
      `nobody saw: ${wanted}\n${happened.join("\n")}\n${answer}`,
    );
  }
  for (const kind of shows.unwitnessed ?? []) {
    assert.ok(!happened.some((one) => one.startsWith(`${kind} `)), `happened: ${happened.join("\n")}\n${answer}`);
  }
}

describe("the shop of the ground truth", () => {
  let shop: Shop;
  before(async () => {
    shop = await startShop();
  });
  after(() => shop.stop());

  async function prove(entry: Entry): Promise<void> {
    for (const planned of planEntry(entry)) {
      shop.witnesses();
      const sent = await sendPlanned(planned, shop.addresses);
      const drive = entry.drives[Number(/#(\d+)$/.exec(planned.id)?.[1]) - 1];
      if (drive?.shows !== undefined) check(sent, drive.shows, shop.witnesses());
    }
  }

  for (const entry of manifest) it(`${entry.kind} ${entry.id}`, () => prove(entry));
});
