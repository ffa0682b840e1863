/** What judging a body costs: the same units whatever it is cut into, none for ordinary traffic, and a bound for the rest. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { createEnvoyProcess, VERDICT_KEY, type EnvoyProcess, type Plugin } from "../../scripts/host/index.ts";
import { modulePath } from "../../scripts/package.ts";
import { parseVerdict } from "../../scripts/scan/verdict.ts";
import { field, frame } from "../protobuf/encode.ts";
import { compile } from "./push.ts";

const module = await readFile(modulePath("release"));

async function plugin(work: number | string, mode: "block" | "detect" = "block"): Promise<Plugin> {
  const made = await createEnvoyProcess({ seed: 1 }).addPlugin({
    name: "meshward",
    rootId: "meshward",
    vmId: "meshward",
    module,
  });
  const policy = { mode, limits: { work, holdMillis: 60_000 } };
  assert.ok(made.configure(JSON.stringify(compile(policy))).accepted);
  return made;
}

function met(process: EnvoyProcess): number {
  process.advance(1000);
  return (process.metrics().get("wasmcustom.meshward.what=.=work;.;overflow_total") as number | undefined) ?? 0;
}

interface Judged {
  outcome: unknown;
  rule: unknown;
  met: boolean;
}

interface Body {
  type: string;
  headers?: [string, string][];
  bytes: Buffer;
}

/** What was decided, and whether the budget was met. */
function judged(target: Plugin, { type, headers = [], bytes }: Body, sizes: readonly number[] = []): Judged {
  const before = met(target.process);
  const named: [string, string][] = [["host", "shop"], ["content-type", type], ...headers];
  const stream = target.openStream({ request: { method: "POST", path: "/", headers: named } });
  stream.sendHeaders(false);
  let at = 0;
  for (const size of sizes) {
    if (!stream.finished && stream.local === null) stream.sendBody(bytes.subarray(at, at + size), false);
    at += size;
  }
  if (!stream.finished && stream.local === null) stream.sendBody(bytes.subarray(at), true);
  const { outcome, rule } = parseVerdict(stream.filterState.get(VERDICT_KEY)!.toString()) as Record<string, unknown>;
  stream.end();
  return { outcome, rule: rule ?? null, met: met(target.process) !== before };
}

/** A value that is read far more than four times: strings in JSON in base64, each in several layers. */
const dear = (times: number): string =>
  Buffer.from(JSON.stringify({ a: "%2525&amp;amp;&#37;\\u0025 ".repeat(times) })).toString("base64");
const json = (value: unknown): Body => ({ type: "application/json", bytes: Buffer.from(JSON.stringify(value)) });

/** Units that a body costs: the least budget that it does not meet. */
async function unitsOf(body: Body): Promise<number> {
  let [least, most] = [0, 1 << 18];
  const target = await plugin(0, "detect");
  while (least < most) {
    const middle = (least + most) >> 1;
    allow(target, middle);
    if (judged(target, body).met) least = middle + 1;
    else most = middle;
  }
  return least;
}

function allow(target: Plugin, work: number): void {
  assert.ok(target.configure(JSON.stringify(compile({ mode: "detect", limits: { work } }))).accepted);
}

describe("the budget of work", () => {
  const bodies: [name: string, body: Body][] = [
    ["JSON", json({ a: dear(20), b: { c: ["plain", dear(200), 7], d: dear(3) } })],
    ["a form", { type: "application/x-www-form-urlencoded", bytes: Buffer.from(`a=1&b=${dear(40)}&c=${dear(200)}`) }],
    ["text", { type: "text/plain", bytes: Buffer.from(dear(600)) }],
    ["XML", { type: "application/xml", bytes: Buffer.from(`<a b="${dear(9)}"><c>${dear(200)}</c></a>`) }],
    ["a call", { type: "application/grpc", bytes: frame(field(1, dear(50))) }],
    [
      "a compressed body",
      {
        type: "application/json",
        headers: [["content-encoding", "gzip"]],
        bytes: gzipSync(JSON.stringify([dear(20), dear(200)])),
      },
    ],
    ["compressed messages", { type: "application/grpc", bytes: frame(gzipSync(field(1, dear(50))), 1) }],
  ];
  for (const [name, body] of bodies) {
    it(`is the same for ${name}, whatever its chunks are`, async () => {
      const units = await unitsOf(body);
      assert.ok(units > 0 && units < 1 << 18, `it costs ${units}`);
      const target = await plugin(0, "detect");
      const { length } = body.bytes;
      const cuts = [7, 1000, 16_384].map((size) => Array<number>(Math.ceil(length / size)).fill(size));
      for (let at = 1; at < length; at += Math.ceil(length / 20)) cuts.push([at]);
      for (const [work, met] of [
        [units, false],
        [units - 1, true],
      ] as const) {
        allow(target, work);
        for (const sizes of cuts) assert.equal(judged(target, body, sizes).met, met, `${sizes.length} × ${sizes[0]}`);
      }
    });
  }

  it("ends what is judged at the same value wherever it is cut", async () => {
    const target = await plugin(2000, "detect");
    const value = fc.oneof(
      fc.constantFrom(...[1, 3, 10].map(dear), "plain words", "$(id)"),
      fc.string({ maxLength: 20 }),
    );
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 8 }),
        fc.array(fc.nat(300), { maxLength: 5 }),
        fc.constantFrom("json", "form", "call"),
        (values, sizes, kind) => {
          const body: Body =
            kind === "json"
              ? json(values)
              : kind === "form"
                ? {
                    type: "application/x-www-form-urlencoded",
                    bytes: Buffer.from(values.map((text, i) => `a${i}=${encodeURIComponent(text)}`).join("&")),
                  }
                : {
                    type: "application/grpc",
                    bytes: Buffer.concat(values.map((text) => frame(field(1, Buffer.from(text))))),
                  };
          const whole = judged(target, body);
          seen.add(JSON.stringify(whole));
          assert.deepEqual(judged(target, body, sizes), whole);
        },
      ),
      { numRuns: 300 },
    );
    assert.ok(seen.size >= 4, [...seen].join());
  });

  it("has nothing to do with what ordinary bodies of 10 MiB cost", async () => {
    const target = await plugin(0, "detect");
    const lines = (line: (i: number) => unknown, size: number): Buffer => {
      const parts: string[] = [];
      for (let i = 0, length = 0; length < size; i++) {
        parts.push(JSON.stringify(line(i)));
        length += parts.at(-1)!.length + 1;
      }
      return Buffer.from(parts.join("\n"));
    };
    const order = (i: number): unknown => ({
      id: i,
      name: `O'Brien & sons, no. ${i}`,
      link: `https://shop.example/p/${i}?a=b%20c&d=e`,
      note: 'line one\nline two, "quoted", 100% more – süß',
      tags: ["a", "b"],
      log: JSON.stringify({ path: "C:\\x\\y", text: 'he said "no"\n' }),
    });
    const bytes = lines(order, 10 << 20);
    const sizes = Array<number>(Math.floor(bytes.length / 65_536)).fill(65_536);
    const body = { type: "application/json", bytes };
    assert.deepEqual(judged(target, body, sizes), { outcome: "allowed", rule: null, met: false });
  });

  it("is a body's own: headers cost nothing of it, remembered or not", async () => {
    const target = await plugin(0);
    const body = json({ a: "plain" });
    for (let i = 0; i < 3; i++) {
      const seen = judged(target, { ...body, headers: [["x-a", dear(30)]] });
      assert.equal(seen.met, false);
    }
    assert.equal(judged(target, json({ a: dear(30) })).met, true);
    assert.equal(judged(target, body).met, false);
  });

  it("ends a body that is nothing but dear values", async () => {
    const target = await plugin("2MiB");
    const value = dear(240);
    const bytes = Buffer.from(JSON.stringify(Array<string>(Math.ceil((2 << 20) / value.length)).fill(value)));
    const sizes = Array<number>(Math.floor(bytes.length / 65_536)).fill(65_536);
    const body = { type: "application/json", bytes };
    assert.deepEqual(judged(target, body, sizes), { outcome: "partial", rule: null, met: true });
  });
});
