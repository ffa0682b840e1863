/** Messages that are compressed each for itself, of sockets and calls: they say what plain ones say, whatever they are cut into. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { createEnvoyProcess, VERDICT_KEY, type Plugin, type Stream } from "../../scripts/host/index.ts";
import { modulePath } from "../../scripts/package.ts";
import type { PolicySource } from "../../scripts/policy/schema.ts";
import { parseVerdict } from "../../scripts/scan/verdict.ts";
import { field, frame as messageFrame, message } from "../protobuf/encode.ts";
import { deflated, frame } from "../websocket/encode.ts";
import { compile } from "./push.ts";

const module = await readFile(modulePath("checked"));
const INFLATERS = 256;
const WINDOWS = 2048;
const SOCKET: [string, string][] = [
  ["host", "shop"],
  ["connection", "Upgrade"],
  ["upgrade", "websocket"],
  ["sec-websocket-version", "13"],
  ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
  ["sec-websocket-extensions", "permessage-deflate"],
];
const CALL: [string, string][] = [
  ["host", "shop"],
  ["content-type", "application/grpc"],
  ["grpc-encoding", "gzip"],
  ["te", "trailers"],
];

async function plugin(policy: PolicySource): Promise<Plugin> {
  const made = await createEnvoyProcess({ seed: 1 }).addPlugin({
    name: "meshward",
    rootId: "meshward",
    vmId: "meshward",
    module,
  });
  assert.ok(made.configure(JSON.stringify(compile(policy))).accepted);
  return made;
}

interface Seen {
  outcome: string;
  findings: string[];
  overflow: string[];
}

function begin(target: Plugin, headers: [string, string][]): Stream {
  const method = headers.includes(SOCKET[1]!) ? "GET" : "POST";
  const stream = target.openStream({ request: { method, path: "/a", headers } });
  stream.sendHeaders(false);
  return stream;
}

/** Sends a body in pieces of these sizes, the rest as one more, and tells what was said of it. */
function judged(target: Plugin, headers: [string, string][], body: Buffer, sizes: readonly number[]): Seen {
  target.process.advance(1000);
  const before = new Map(target.process.metrics());
  const stream = begin(target, headers);
  let at = 0;
  for (const size of [...sizes, body.length]) {
    if (!stream.finished && at < body.length) stream.sendBody(body.subarray(at, at + size), false);
    at += size;
  }
  if (!stream.finished && stream.local === null) stream.sendBody("", true);
  const told = stream.filterState.get(VERDICT_KEY)?.toString() ?? "null";
  stream.end();
  const verdict = parseVerdict(told) as {
    outcome: string;
    findings?: { rule: string; where: { part: string; name: string }; evidence: string }[];
  };
  target.process.advance(1000);
  const overflow = [...target.process.metrics()].flatMap(([name, value]) => {
    const what = /what=\.=(\w+);\.;overflow_total$/.exec(name)?.[1];
    return what === undefined || value === (before.get(name) ?? 0) ? [] : [what];
  });
  const findings = (verdict.findings ?? []).map(
    ({ rule, where, evidence }) => `${rule} ${where.part} ${where.name} ${evidence}`,
  );
  return { outcome: verdict.outcome, findings, overflow: overflow.sort() };
}

const detecting = await plugin({ mode: "detect", sensitivity: "high" });

const long = Array.from({ length: 9000 }, (_, i) => `line ${(i * 7919) % 10_007}`).join(", ");
const TEXTS = [
  "",
  "a",
  "plain words",
  "$(id)",
  '{"text":"plain words","n":[1,2]}',
  '{"text":"1 UNION SELECT name, password FROM users--"}',
  "<img src=x onerror=alert(1)>",
  "\0\x01\x02$(id)",
  `${long.slice(0, 16_384)}`,
  `${long.slice(0, 16_383)};$(id)`,
  `{"a":"${long}","q":"$(id)"}`,
];
const anyText = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ maxLength: 60 }));
const anySizes = fc.array(fc.oneof(fc.nat(40), fc.nat(40_000)), { maxLength: 6 });

/** One message in frames whose payloads have these sizes, with a ping behind each. */
function frames(content: Buffer, sizes: readonly number[], compressed: boolean): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  sizes.forEach((size, i) => {
    const part = content.subarray(at, at + size);
    parts.push(frame(part, { opcode: i === 0 ? 1 : 0, compressed: compressed && i === 0, final: false, mask: size }));
    parts.push(frame(Buffer.from("p"), { opcode: 9 }));
    at += size;
  });
  const first = sizes.length === 0;
  return Buffer.concat([
    ...parts,
    frame(content.subarray(at), { opcode: first ? 1 : 0, compressed: compressed && first }),
  ]);
}

describe("compressed messages of a socket", () => {
  it("say what plain ones say", () => {
    const one = fc.record({ text: anyText, sizes: fc.array(fc.nat(30), { maxLength: 3 }), plain: fc.boolean() });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 5 }), fc.boolean(), anySizes, (all, takeover, cuts) => {
        const contents = all.map(({ text }) => Buffer.from(text));
        const plain = Buffer.concat(contents.map((content) => frame(content)));
        const copied = deflated(
          contents.filter((_, i) => !all[i]!.plain),
          takeover,
        );
        const body = Buffer.concat(
          all.map(({ plain, sizes }, i) =>
            plain ? frames(contents[i]!, sizes, false) : frames(copied.shift()!, sizes, true),
          ),
        );
        const expected = judged(detecting, SOCKET, plain, []);
        assert.deepEqual(judged(detecting, SOCKET, body, cuts), expected);
      }),
      { numRuns: 200 },
    );
  });

  it("cut at any byte say the same", () => {
    const contents = ['{"text":"some plain words"}', "", '{"text":"some plain words","q":"$(id)"}', "some plain words"];
    const body = Buffer.concat(
      deflated(contents.map((text) => Buffer.from(text))).map((one) => frame(one, { compressed: true })),
    );
    for (const type of [null, "image/png", "text/plain", "multipart/form-data; boundary=b", "application/grpc"]) {
      const headers = type === null ? SOCKET : [...SOCKET, ["content-type", type] as [string, string]];
      const expected = judged(detecting, headers, body, []);
      assert.ok(expected.findings.some((finding) => finding.startsWith("cmdi-substitution json /q")));
      for (let cut = 1; cut < body.length; cut++) assert.deepEqual(judged(detecting, headers, body, [cut]), expected);
      assert.deepEqual(judged(detecting, headers, body, Array<number>(body.length).fill(1)), expected);
    }
  });

  it("that break off inside of a block are a finding, and go on with the next one as in the service", () => {
    const whole = deflated([Buffer.from('{"text":"plain","q":"$(id)"}')])[0]!;
    const halves = [whole.subarray(0, 12), whole.subarray(12)];
    const body = Buffer.concat(halves.map((half) => frame(half, { compressed: true })));
    const { findings, overflow } = judged(detecting, SOCKET, body, []);
    assert.match(findings.join(), /^protocol-coding body/);
    assert.deepEqual(overflow, ["encoded"]);
    for (let cut = 1; cut < body.length; cut++)
      assert.deepEqual(judged(detecting, SOCKET, body, [cut]).findings, findings);
  });

  it("copy from no more than what was there", () => {
    const body = frame(deflated([Buffer.from("some plain words"), Buffer.from("some plain words: $(id)")])[1]!, {
      compressed: true,
    });
    assert.match(judged(detecting, SOCKET, body, []).findings.join(), /^protocol-coding body/);
  });

  it("may be the same document again and again", () => {
    const text = `{"text":"${long.slice(0, 20_000)}"}`;
    const messages = deflated(Array.from({ length: 200 }, (_, i) => Buffer.from(`${text.slice(0, -1)},"n":${i}}`)));
    const body = Buffer.concat(messages.map((one) => frame(one, { compressed: true })));
    assert.deepEqual(judged(detecting, SOCKET, body, []).overflow, []);
  });

  it("of many sockets each have a window of their own", () => {
    const sockets = Array.from({ length: 40 }, (_, i) => {
      const texts = [`{"name":"socket ${i}","q":"plain"}`, `{"name":"socket ${i}","q":"$(id ${i})"}`];
      const [first, second] = deflated(texts.map((text) => Buffer.from(text))) as [Buffer, Buffer];
      return { stream: begin(detecting, SOCKET), first, second };
    });
    for (const { stream, first } of sockets) stream.sendBody(frame(first, { compressed: true }), false);
    for (const { stream, second } of sockets.reverse()) {
      stream.sendBody(frame(second, { compressed: true }), false);
      stream.sendBody("", true);
      assert.match(stream.filterState.get(VERDICT_KEY)?.toString() ?? "", /"rule":"cmdi-substitution"/);
      stream.end();
    }
  });
});

describe("compressed messages of a call", () => {
  it("say what plain ones say", () => {
    const coded = { gzip: gzipSync, deflate: deflateSync, bare: deflateRawSync, plain: (content: Buffer) => content };
    const one = fc.record({ text: anyText, coding: fc.constantFrom("gzip", "deflate", "bare", "plain") });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 5 }), anySizes, fc.boolean(), (all, cuts, whole) => {
        const headers: [string, string][] = [...CALL.filter(([name]) => name !== "grpc-encoding")];
        headers.push(["grpc-encoding", "deflate"]);
        const contents = all.map(({ text }) => message(field(1, "ann"), field(2, message(field(3, text)))));
        const plain = Buffer.concat(contents.map((content) => messageFrame(content)));
        let body = Buffer.concat(
          all.map(({ coding }, i) =>
            messageFrame(coded[coding as keyof typeof coded](contents[i]!), coding === "plain" ? 0 : 1),
          ),
        );
        const expected = judged(detecting, headers, plain, []);
        if (whole) {
          // What it is as it stands says nothing.
          headers.push(["content-encoding", "gzip"]);
          body = gzipSync(body);
        }
        const seen = judged(detecting, headers, body, cuts);
        assert.deepEqual(seen.findings, expected.findings);
        assert.equal(seen.outcome, expected.outcome);
      }),
      { numRuns: 200 },
    );
  });

  it("cut at any byte say the same, broken ones too", () => {
    const good = gzipSync(message(field(1, "ann"), field(2, "$(id)")));
    const open = gzipSync(message(field(1, "some plain words"), field(2, "; cat /etc/passwd"))).subarray(0, -12);
    const wrong = Buffer.from(good);
    wrong[good.length - 6]! ^= 0x55;
    const body = Buffer.concat([open, good, wrong, Buffer.from("no gzip")].map((one) => messageFrame(one, 1)));
    const expected = judged(detecting, CALL, body, []);
    assert.ok(expected.findings.some((finding) => finding.startsWith("protocol-coding")));
    assert.ok(expected.findings.some((finding) => finding.startsWith("cmdi-substitution")));
    for (let cut = 1; cut < body.length; cut++) assert.deepEqual(judged(detecting, CALL, body, [cut]), expected);
    assert.deepEqual(judged(detecting, CALL, body, Array<number>(body.length).fill(1)), expected);
  });

  it("are limited in what they hold, and all together", () => {
    const dense = (size: number): Buffer => messageFrame(gzipSync(field(1, " ".repeat(size))), 1);
    const many = Buffer.concat(Array.from({ length: 20 }, () => dense(30_000)));
    for (const sizes of [[], [1000], Array<number>(many.length).fill(1)])
      assert.deepEqual(judged(detecting, CALL, many, sizes).overflow, ["inflated"]);
    assert.deepEqual(judged(detecting, CALL, dense(60_000), []).overflow, []);
    const bomb = dense(1 << 20);
    const expected = judged(detecting, CALL, bomb, []);
    assert.deepEqual(expected.overflow, ["inflated"]);
    for (const size of [1, 7, 100]) {
      const sizes = Array<number>(Math.ceil(bomb.length / size)).fill(size);
      assert.deepEqual(judged(detecting, CALL, bomb, sizes), expected);
    }
  });
});

describe("bytes that nobody would send", () => {
  for (const [name, headers] of [
    ["socket", SOCKET],
    ["call", CALL],
  ] as const) {
    it(`trap nothing in a ${name}, and a cut changes nothing`, () => {
      const edit = fc.record({ at: fc.nat(2000), byte: fc.nat(255) });
      fc.assert(
        fc.property(
          fc.array(anyText, { minLength: 1, maxLength: 4 }),
          fc.array(edit, { maxLength: 6 }),
          anySizes,
          (texts, edits, cuts) => {
            const contents = texts.map((text) => Buffer.from(text));
            const messages =
              name === "socket"
                ? deflated(contents)
                : contents.map((content, i) => (i % 2 === 0 ? gzipSync(field(1, content)) : deflateSync(content)));
            const body = Buffer.concat(
              messages.map((one) => (name === "socket" ? frame(one, { compressed: true }) : messageFrame(one, 1))),
            );
            for (const { at, byte } of edits) if (at < body.length) body[at] = byte;
            assert.deepEqual(judged(detecting, headers, body, cuts), judged(detecting, headers, body, []));
            assert.equal(detecting.process.traps, 0);
          },
        ),
        { numRuns: 300 },
      );
    });
  }
});

describe("without room for compressed messages", () => {
  const bodies = { socket: SOCKET, call: CALL };
  for (const name of ["socket", "call"] as const) {
    for (const onOverflow of ["deny", "allow"] as const) {
      it(`onOverflow ${onOverflow} decides on a ${name}`, async () => {
        const target = await plugin({ mode: "block", limits: { holdMillis: 60_000, onOverflow } });
        const content = gzipSync(field(1, "$(id)"));
        const [socket] = deflated([Buffer.from("$(id)")]) as [Buffer];
        const whole = name === "call" ? messageFrame(content, 1) : frame(socket, { compressed: true });
        const half = whole.subarray(0, 9);
        const open = Array.from({ length: INFLATERS }, () => begin(target, bodies[name]));
        for (const stream of open) stream.sendBody(half, false);
        const last = begin(target, bodies[name]);
        last.sendBody(whole, false);
        assert.equal(last.finished || last.local !== null, onOverflow === "deny");
        last.end();
        assert.deepEqual(judged(target, bodies[name], Buffer.alloc(0), []).overflow, []);
        // Those that have one are judged on, and there is room again, however they end.
        open.forEach((stream, i) => {
          if (i % 2 === 0) stream.sendBody(whole.subarray(9), false);
          if (i % 3 === 0) stream.reset();
          else stream.end();
        });
        for (let round = 0; round < 2 * INFLATERS; round++)
          assert.equal(judged(target, bodies[name], whole, []).findings.length, 1);
      });
    }
  }

  it("sockets beyond the windows meet the bound, and give them back", async () => {
    const target = await plugin({ mode: "detect" });
    const message = frame(deflated([Buffer.from("plain")])[0]!, { compressed: true });
    const open = Array.from({ length: WINDOWS }, () => begin(target, SOCKET));
    for (const stream of open) stream.sendBody(message, false);
    assert.deepEqual(judged(target, SOCKET, message, []).overflow, ["inflaters"]);
    open.forEach((stream, i) => (i % 2 === 0 ? stream.reset() : stream.end()));
    for (let round = 0; round < WINDOWS + 10; round++) {
      if (round % 500 === 0) assert.deepEqual(judged(target, SOCKET, message, []).overflow, []);
      else begin(target, SOCKET).sendBody(message, false);
      if (round % 500 === 499) target.process.advance(1000);
    }
  });
});
