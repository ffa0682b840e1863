/**
 * `meshward import`: logs of other tools → lines for `scan` and `tune`. Holds one record at a time; a record that cannot be used
 * is told with its place and left out.
 */
import { counted } from "../counted.ts";
import { BadLine, oneLine } from "../scan/exchange-line.ts";
import { LINE_TOO_LONG, MAX_LINE_BYTES, lineBatches } from "../scan/lines.ts";
import { lineOf } from "./exchange.ts";
import type { Imported, ImportSummary } from "./exchange.ts";
import { fromAuditJson, fromAuditParts, fromEnvoyAccess, fromHar } from "./formats.ts";

export const FORMATS = ["har", "modsec-audit", "coraza", "envoy-access"] as const;
export type Format = (typeof FORMATS)[number];

/** A record, or why there is none; `place` is where it begins, as it follows the file's name. */
type Found = { place: string; record: Imported } | { place: string; error: string };

type Chunks = AsyncIterable<Uint8Array>;

const attempt = (place: string, make: () => Imported): Found => {
  try {
    return { place, record: make() };
  } catch (error) {
    return { place, error: oneLine((error as Error).message) };
  }
};

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadLine(`not JSON: ${(error as Error).message}`);
  }
}

/** The lines that are not blank; null for one that is too long. */
async function* textLines(chunks: Chunks): AsyncGenerator<{ number: number; text: string | null }> {
  for await (const lines of lineBatches(chunks)) {
    for (const { number, bytes } of lines) yield { number, text: bytes === null ? null : bytes.toString("utf8") };
  }
}

async function* perLine(chunks: Chunks, make: (text: string) => Imported): AsyncGenerator<Found> {
  for await (const { number, text } of textLines(chunks)) {
    if (text?.trim() === "") continue;
    yield attempt(`:${number}`, () => {
      if (text === null) throw new BadLine(LINE_TOO_LONG);
      return make(text);
    });
  }
}

/** ModSecurity's audit log: JSON, a transaction a line, or parts between boundaries `--ID-LETTER--`. */
async function* modsecurity(chunks: Chunks): AsyncGenerator<Found> {
  let parts: Map<string, string> | null = null;
  let start = 0;
  let letter = "";
  let size = 0;
  for await (const { number, text } of textLines(chunks)) {
    const boundary = /^--[0-9A-Za-z]+-([A-Z])--$/.exec(text ?? "");
    if (boundary !== null) {
      letter = boundary[1]!;
      if (letter === "A") {
        if (parts !== null) yield { place: `:${start}`, error: "the transaction has no end (part Z)" };
        parts = new Map();
        start = number;
        size = 0;
      } else if (letter === "Z" && parts !== null) {
        const whole: Map<string, string> = parts;
        yield attempt(`:${start}`, () => {
          if (size > MAX_LINE_BYTES) throw new BadLine(LINE_TOO_LONG);
          return fromAuditParts(whole);
        });
        parts = null;
      }
    } else if (parts !== null) {
      size += (text?.length ?? MAX_LINE_BYTES) + 1;
      const before = parts.get(letter);
      if (size <= MAX_LINE_BYTES) parts.set(letter, before === undefined ? text! : `${before}\n${text}`);
    } else if (text !== "") {
      yield attempt(`:${number}`, () => {
        if (text === null) throw new BadLine(LINE_TOO_LONG);
        return fromAuditJson(jsonOf(text));
      });
    }
  }
  if (parts !== null) yield { place: `:${start}`, error: "the transaction has no end (part Z)" };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [BRACE, BRACE_END, BRACKET, BRACKET_END] = [0x7b, 0x7d, 0x5b, 0x5d];

/** The entries of a HAR file, cut out of its text as it comes: the objects at `log.entries[]`, three containers deep. */
async function* har(chunks: Chunks): AsyncGenerator<Found> {
  let depth = 0;
  let inString = false;
  let escaped = false;
  /** The last string at depth 2, as far as it can be "entries"; whether the array at depth 3 is that key's. */
  let key = "";
  let inEntries = false;
  let sawEntries = false;
  let entry: number[] | null = null;
  let parts: Buffer[] = [];
  let size = 0;
  let number = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let from = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
        else if (depth === 2 && key.length < 16) key += String.fromCharCode(byte);
      } else if (byte === QUOTE) {
        inString = true;
        if (depth === 2) key = "";
      } else if (byte === BRACE || byte === BRACKET) {
        depth++;
        if (byte === BRACKET && depth === 3 && key === "entries") inEntries = sawEntries = true;
        if (byte === BRACE && depth === 4 && inEntries) {
          entry = [];
          parts = [];
          size = 0;
          from = at;
          number++;
        }
      } else if (byte === BRACE_END || byte === BRACKET_END) {
        if (depth === 4 && entry !== null) {
          parts.push(Buffer.from(bytes.subarray(from, at + 1)));
          size += at + 1 - from;
          yield attempt(`: entry ${number}`, () => {
            if (size > MAX_LINE_BYTES) throw new BadLine(LINE_TOO_LONG);
            return fromHar(jsonOf(Buffer.concat(parts).toString("utf8")));
          });
          entry = null;
          parts = [];
        }
        if (depth === 3) inEntries = false;
        depth--;
      }
    }
    if (entry !== null) {
      size += bytes.length - from;
      if (size <= MAX_LINE_BYTES) parts.push(Buffer.from(bytes.subarray(from)));
      else parts = [];
    }
  }
  if (entry !== null) yield { place: `: entry ${number}`, error: "the file ends in it" };
  else if (!sawEntries) yield { place: "", error: 'no HAR: there is no list "entries" in "log"' };
}

function records(format: Format, chunks: Chunks): AsyncGenerator<Found> {
  if (format === "har") return har(chunks);
  if (format === "modsec-audit") return modsecurity(chunks);
  if (format === "coraza") return perLine(chunks, (text) => fromAuditJson(jsonOf(text)));
  return perLine(chunks, fromEnvoyAccess);
}

/** Gives `write` a line for each record, and `fault` what could not be used; resolves with the counts. */
export async function importLog(
  format: Format,
  chunks: Chunks,
  write: (line: string) => Promise<void> | void,
  fault: (place: string, error: string) => void,
): Promise<ImportSummary & { faults: number }> {
  const summary = { records: 0, masked: 0, lacking: new Map(), faults: 0 };
  for await (const found of records(format, chunks)) {
    if ("record" in found) await write(lineOf(found.record, summary.records + 1, summary));
    else {
      summary.faults++;
      fault(found.place, found.error);
    }
  }
  return summary;
}

/** The counts in words, a line each. */
export function summaryText({ records: count, masked, lacking, faults }: ImportSummary & { faults: number }): string {
  const lines = [
    `${counted(count, "request")}, ${counted(faults, "record")} that could not be used, secrets masked in ${masked}`,
  ];
  for (const [part, times] of lacking) lines.push(`${times} without ${part}: not in the log, so not judged`);
  return lines.join("\n");
}
