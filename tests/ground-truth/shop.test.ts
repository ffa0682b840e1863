/**
 * The ground truth about the ground truth: with no filter anywhere, each planted flaw shows as its entry says, with a
 * witness where something happened behind the answer, and each look-alike does not.
 */
import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { loadManifest } from "./manifest.ts";
import type { Entry, Shows } from "./manifest.ts";
import { startShop } from "./shop.ts";
import type { Shop } from "./shop.ts";
import { planEntry, sendPlanned } from "./traffic.ts";
import type { Sent } from "./traffic.ts";
import { verifyJwt } from "./ground/people.ts";
import type { Witness } from "./ground/witness.ts";

const manifest = loadManifest();

function check({ response }: Sent, shows: Shows, witnesses: readonly Witness[]): void {
  const body = response.body.toString("latin1");
  const text = response.body.toString("utf8");
  // What a token says is part of what the answer shows.
  const tokens = [...text.matchAll(/eyJ[\w-]+/g)].map(([part]) => Buffer.from(part, "base64url").toString());
  const has = (wanted: string): boolean => [text, body, ...tokens].some((shown) => shown.includes(wanted));
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

/** Whether a number's last digit is the check digit of a card's (Luhn). */
function isCard(digits: string): boolean {
  const sum = [...digits].reverse().reduce((all, digit, at) => {
    const twice = Number(digit) * 2;
    return all + (at % 2 === 0 ? Number(digit) : twice > 9 ? twice - 9 : twice);
  }, 0);
  return /^[3-6]\d{12,18}$/.test(digits) && sum % 10 === 0;
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

  /** The body of the answer to an entry's last drive. */
  async function bodyOf(id: string): Promise<string> {
    const entry = manifest.find((one) => one.id === id)!;
    const sent = await sendPlanned(planEntry(entry).at(-1)!, shop.addresses);
    return sent.response.body.toString("utf8");
  }

  it("signs one partner's token with a word that anybody guesses, and the other's not", async () => {
    const tokenOf = async (id: string): Promise<string> => (JSON.parse(await bodyOf(id)) as { token: string }).token;
    assert.notEqual(verifyJwt(await tokenOf("auth-weak-secret"), "secret"), null);
    const strong = await tokenOf("auth-strong-secret");
    for (const word of ["secret", "password", "changeme", ""]) assert.equal(verifyJwt(strong, word), null);
  });

  it("signs the kiosk's cookie with the words of an example, and the terminal's not", async () => {
    const tokenOf = async (id: string): Promise<string> => {
      const sent = await sendPlanned(planEntry(manifest.find((one) => one.id === id)!).at(-1)!, shop.addresses);
      const [, value] = sent.response.headers.find(([name]) => name === "set-cookie")!;
      return /=([^;]+)/.exec(value)![1]!;
    };
    assert.notEqual(verifyJwt(await tokenOf("kiosk-example-secret"), "your-256-bit-secret"), null);
    const strong = await tokenOf("terminal-secret");
    for (const word of ["your-256-bit-secret", "secret", ""]) assert.equal(verifyJwt(strong, word), null);
  });

  it("shows a card's whole number, and otherwise numbers that are no card's", async () => {
    const numbers = async (id: string): Promise<string[]> => (await bodyOf(id)).match(/\d{13,}/g) ?? [];
    assert.deepEqual((await numbers("leak-card")).map(isCard), [true]);
    assert.deepEqual((await numbers("leak-card-masked")).map(isCard), [false, false]);
    assert.deepEqual((await numbers("test-cards")).map(isCard), [true, true]);
  });

  it("gives away a private key that works", async () => {
    assert.equal(createPrivateKey(await bodyOf("leak-private-key")).asymmetricKeyType, "ec");
    assert.throws(() => createPrivateKey("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
  });

  it("reaches nothing but its own neighbours, files and tame programs", async () => {
    const urls = [
      `http://127.0.0.1:1/`,
      shop.addresses.orders,
      "http://localhost/",
      "file:///etc/passwd",
      "http://[::1]/",
    ];
    for (const url of urls) {
      shop.witnesses();
      const answer = await fetch(`${shop.addresses.edge}/preview?url=${encodeURIComponent(url)}`);
      assert.equal(answer.status, 500, url);
    }
    const asked = `${shop.addresses.catalogue}/images/file?name=`;
    for (const name of ["../../../../../../../etc/shadow", "../../../proc/self/environ"]) {
      assert.equal((await fetch(asked + encodeURIComponent(name))).status, 404, name);
    }
    const line = encodeURIComponent('x" /etc/passwd; env; echo "');
    assert.equal((await fetch(`${shop.addresses.orders}/shipping/zone?to=${line}`)).status, 422);
  });

  it("passes the trace on where it says so, and not elsewhere", async () => {
    const heard: (string | undefined)[] = [];
    const listener = createServer((request, response) => {
      heard.push(request.headers.traceparent as string | undefined);
      response.writeHead(200, { "content-type": "text/plain" }).end("[]");
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const { port } = listener.address() as AddressInfo;
    shop.connect({ catalogueUrl: `http://127.0.0.1:${port}` });
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for (const path of ["/labels/new?text=a", "/manuals?name=a"])
      await fetch(shop.addresses.edge + path, { headers: { traceparent } });
    shop.connect({ catalogueUrl: shop.addresses.catalogue });
    await new Promise((resolve) => listener.close(resolve));
    assert.deepEqual(heard, [traceparent, undefined]);
  });

  for (const entry of manifest) it(`${entry.kind} ${entry.id}`, () => prove(entry));
});
