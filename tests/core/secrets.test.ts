/** SHA-256, HMAC and SipHash against published vectors, and against twins on inputs of any length. */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { buildProbe } from "../probe/build.ts";

const probe = await buildProbe<{
  out(): number;
  sha256(start: number, end: number): number;
  hmac(key: number, keyEnd: number, start: number, end: number): number;
  sipHash(key: number, start: number, end: number): number;
  sameSecret(a: number, b: number, size: number): number;
}>("secrets");

const hex = (end: number): string => Buffer.from(probe.bytes(probe.exports.out(), end)).toString("hex");
const bytes = (text: string): Uint8Array => Buffer.from(text, "hex");
const sha256 = (value: Uint8Array | string): string => hex(probe.exports.sha256(...probe.write(value)));
const hmac = (key: Uint8Array | string, value: Uint8Array | string): string =>
  hex(probe.exports.hmac(...probe.write(key), ...probe.write(value)));
const sip = (key: Uint8Array, value: Uint8Array): string =>
  hex(probe.exports.sipHash(probe.write(key)[0], ...probe.write(value)));

// https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values and the byte-oriented vectors of CAVP.
const DIGESTS: [value: Uint8Array | string, digest: string][] = [
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  [
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  ],
  [bytes("d3"), "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"],
  ["a".repeat(1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
];

test("SHA-256 gives the digests of NIST", () => {
  for (const [value, digest] of DIGESTS) assert.equal(sha256(value), digest);
});

// https://www.rfc-editor.org/rfc/rfc4231#section-4, cases 1 to 4, 6 and 7.
const SIGNATURES: [key: Uint8Array | string, value: Uint8Array | string, signature: string][] = [
  [bytes("0b".repeat(20)), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
  ["Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"],
  [bytes("aa".repeat(20)), bytes("dd".repeat(50)), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
  [
    bytes("0102030405060708090a0b0c0d0e0f10111213141516171819"),
    bytes("cd".repeat(50)),
    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
  ],
  [
    bytes("aa".repeat(131)),
    "Test Using Larger Than Block-Size Key - Hash Key First",
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  ],
  [
    bytes("aa".repeat(131)),
    "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
  ],
];

test("HMAC gives the signatures of RFC 4231", () => {
  for (const [key, value, signature] of SIGNATURES) assert.equal(hmac(key, value), signature);
});

test("SHA-256 and HMAC are those of node:crypto, whatever the lengths", () => {
  const run = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(run, run, (key, value) => {
      assert.equal(sha256(value), createHash("sha256").update(value).digest("hex"));
      assert.equal(hmac(key, value), createHmac("sha256", key).update(value).digest("hex"));
    }),
    { numRuns: 1000 },
  );
});

// The paper's appendix A, and the first of the reference's vectors_sip64.
test("SipHash-2-4 gives the published hashes", () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i);
  const of = (length: number): string =>
    sip(
      key,
      Uint8Array.from({ length }, (_, i) => i),
    );
  assert.equal(of(0), "310e0edd47db6f72");
  assert.equal(of(1), "fd67dc93c539f874");
  assert.equal(of(2), "5a4fa9d909806c0d");
  assert.equal(of(15), "e545be4961ca29a1");
});

const MASK = (1n << 64n) - 1n;
const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & MASK;

/** SipHash-2-4 as the paper draws it. */
function slowSip(key: Uint8Array, value: Uint8Array): string {
  const k = Buffer.from(key);
  const [k0, k1] = [k.readBigUInt64LE(0), k.readBigUInt64LE(8)];
  const v = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ] as [bigint, bigint, bigint, bigint];
  const half = (a: 0 | 2, b: 1 | 3, s: bigint, turn: boolean): void => {
    v[a] = (v[a] + v[b]) & MASK;
    v[b] = rotate(v[b], s) ^ v[a];
    if (turn) v[a] = rotate(v[a], 32n);
  };
  const round = (): void => {
    half(0, 1, 13n, true);
    half(2, 3, 16n, false);
    half(0, 3, 21n, false);
    half(2, 1, 17n, true);
  };
  const padded = Buffer.concat([value, Buffer.alloc(8 - (value.length % 8))]);
  padded[padded.length - 1] = value.length & 255;
  for (let at = 0; at < padded.length; at += 8) {
    const word = padded.readBigUInt64LE(at);
    v[3] ^= word;
    round();
    round();
    v[0] ^= word;
  }
  v[2] ^= 0xffn;
  for (let i = 0; i < 4; i++) round();
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(v[0] ^ v[1] ^ v[2] ^ v[3]);
  return out.toString("hex");
}

test("SipHash-2-4 is the paper's, whatever the key and the length, and whatever stands behind", () => {
  const keys = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(keys, fc.uint8Array({ maxLength: 300 }), (key, value) => {
      assert.equal(sip(key, value), slowSip(key, value));
    }),
    { numRuns: 1000 },
  );
});

test("secrets are the same only where every byte is", () => {
  const secret = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
  const [a] = probe.write(secret);
  assert.equal(probe.exports.sameSecret(a, probe.write(secret)[0], 32), 1);
  for (let i = 0; i < 32; i++) {
    const other = Uint8Array.from(secret);
    other[i]! ^= 1 << (i % 8);
    assert.equal(probe.exports.sameSecret(a, probe.write(other)[0], 32), 0, `byte ${i}`);
  }
});
