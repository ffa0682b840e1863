/** `x-meshward-taint` as assembly/observe/hop-header.ts describes it, written with node:crypto; and what hashes values. */
import { createHmac } from "node:crypto";

export const HEADER = "x-meshward-taint";

export interface HeaderParts {
  secret: string;
  /** Since the epoch. */
  seconds: number;
  /** 32 hex digits, or none. */
  trace?: string;
  entries: readonly { hash: bigint; hops: readonly string[] }[];
  /** Default: as it is with that trace, or without one. */
  form?: number;
}

const derive = (secret: string, label: string): Buffer => createHmac("sha256", secret).update(label).digest();

/** What a secret is known by in a header. */
export const secretId = (secret: string): Buffer => derive(secret, "meshward id").subarray(0, 4);
/** The key of the hash of values. */
export const hashingKey = (secret: string): Buffer => derive(secret, "meshward hash").subarray(0, 16);

export function writeHeader({
  secret,
  seconds,
  trace,
  entries,
  form = trace === undefined ? 2 : 1,
}: HeaderParts): string {
  const head = Buffer.alloc(9);
  head[0] = form;
  secretId(secret).copy(head, 1);
  head.writeUInt32LE(seconds, 5);
  const parts = entries.flatMap(({ hash, hops }) => {
    const text = Buffer.from(hops.join("\n"));
    const entry = Buffer.alloc(9);
    entry.writeBigUInt64LE(hash);
    entry[8] = text.length;
    return [entry, text];
  });
  return signContent(Buffer.concat([head, ...parts]), secret, trace);
}

/** A header of any content. */
export function signContent(content: Uint8Array, secret: string, trace?: string): string {
  const signed = Buffer.concat([content, trace === undefined ? Buffer.alloc(32) : Buffer.from(trace)]);
  return Buffer.concat([content, createHmac("sha256", secret).update(signed).digest()]).toString("base64url");
}

/** The entries of a header whose signature holds; throws where it does not. */
export function readHeader(text: string, secret: string, trace?: string): { seconds: number; hops: string[][] } {
  const raw = Buffer.from(text, "base64url");
  const content = raw.subarray(0, -32);
  const signed = Buffer.concat([content, trace === undefined ? Buffer.alloc(32) : Buffer.from(trace)]);
  if (!createHmac("sha256", secret).update(signed).digest().equals(raw.subarray(-32))) throw new Error("it is forged");
  const hops: string[][] = [];
  for (let at = 9; at < content.length;) {
    const end = at + 9 + content[at + 8]!;
    hops.push(
      content
        .subarray(at + 9, end)
        .toString()
        .split("\n"),
    );
    at = end;
  }
  return { seconds: content.readUInt32LE(5), hops };
}
