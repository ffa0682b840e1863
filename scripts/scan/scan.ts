/**
 * `meshward scan`: JSON Lines in, one line of judgement out for each, in order. Holds one line and the answers to one
 * chunk of input; waits where the output is slow.
 */
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Engine } from "./engine.ts";
import { BadLine, oneLine, parseExchange, parseJsonLine } from "./exchange-line.ts";
import { LINE_TOO_LONG, lineBatches } from "./lines.ts";
import type { Line } from "./lines.ts";
import { idText } from "./raw-id.ts";

export interface ScanCounts {
  /** Lines that were judged. */
  judged: number;
  denied: number;
  /** Lines that could not be used. */
  bad: number;
}

/** Answers are written in pieces of about this size while a chunk of input is worked on. */
const FLUSH_CHARACTERS = 64 * 1024;

/** The answer to one line, or null for a blank one. */
async function answer({ number, bytes }: Line, engine: Engine, counts: ScanCounts): Promise<string | null> {
  try {
    if (bytes === null) throw new BadLine(LINE_TOO_LONG);
    if (isBlank(bytes)) return null;
    const { text, value } = parseJsonLine(bytes);
    const { verdict, mode, score, findings } = await engine.judge(parseExchange(value));
    counts.judged++;
    if (verdict === "deny") counts.denied++;
    const rest = JSON.stringify({ verdict, mode, score, findings }).slice(1);
    return `{"id":${idText((value as { id?: unknown }).id, text)},${rest}`;
  } catch (error) {
    counts.bad++;
    return JSON.stringify({ id: null, line: number, error: oneLine((error as Error).message) });
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}

/**
 * Scans `input` to its end. Rejects if a stream fails; `output` is not ended. `aborted` stops it between two lines.
 */
export async function scan(
  input: Readable,
  output: Writable,
  engine: Engine,
  aborted: AbortSignal = new AbortController().signal,
): Promise<ScanCounts> {
  const counts: ScanCounts = { judged: 0, denied: 0, bad: 0 };
  let pending = "";
  const flush = async (): Promise<void> => {
    if (pending === "") return;
    const isFull = !output.write(pending);
    pending = "";
    if (isFull) await once(output, "drain");
  };
  for await (const lines of lineBatches(input as AsyncIterable<Buffer>)) {
    for (const line of lines) {
      if (aborted.aborted) break;
      const text = await answer(line, engine, counts);
      if (text !== null) pending += `${text}\n`;
      if (pending.length >= FLUSH_CHARACTERS) await flush();
    }
    // The next chunk may be long in coming: whoever waits for these answers gets them now.
    await flush();
    if (aborted.aborted) break;
  }
  return counts;
}
