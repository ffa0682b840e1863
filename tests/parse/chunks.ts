/** Runs the incremental parsers of the probe over a body that arrives in pieces, with other streams in between. */
import assert from "node:assert/strict";
import { buildProbe } from "../probe/build.ts";
import { toBinary, toBytes } from "../decode/twins.ts";

export const probe = await buildProbe("parse");

/** An export of the probe. */
export function call(name: string, ...values: number[]): number {
  const exported = probe.exports[name];
  assert.ok(exported, `the probe exports ${name}`);
  return exported(...values) >>> 0;
}

/** Binary text that the module has at `start..end`. */
export function span(start: number, end: number): string {
  return toBinary(probe.bytes(start, end));
}

export interface Seen {
  event: string;
  value?: string;
  windowed?: boolean;
  /** JSON Pointer, or the name of a form field. */
  name?: string;
  /** Offset in the body where the parser stopped. */
  rest?: number;
}

/** What the windows of a value are: bytes 0–16383, 15360–31743, … */
export function windowsOf(raw: string): { value: string; windowed: boolean }[] {
  const windows = [];
  for (let at = 0; ; at += 15_360) {
    windows.push({ value: raw.slice(at, at + 16_384), windowed: raw.length > 16_384 });
    if (at + 16_384 >= raw.length) return windows;
  }
}

/** A name or pointer as findings give it: whole within 125 bytes, else cut behind a whole character, and "…". */
export function cutName(name: string): string {
  if (name.length <= 125) return name;
  const kept = name.slice(0, 125);
  const halved = /[\x80-\xbf]/.test(name.charAt(125));
  const whole = halved ? kept.replace(/(?:[^\x80-\xbf][\x80-\xbf]{0,2}|[\x80-\xbf]{3})$/, "") : kept;
  return `${whole}\xe2\x80\xa6`;
}

export interface Parser {
  open(): void;
  feed(start: number, end: number, last: boolean): void;
  /** The next event, or undefined where the chunk is used up. */
  next(): Seen | undefined;
  /** Whether nothing comes after this event. */
  ends(event: string): boolean;
}

const NOISE = toBytes("'; DROP TABLE noise -- ".repeat(800));

/** All events of a body whose pieces are the text between the offsets `cuts`. */
export function run(parser: Parser, body: string, cuts: number[]): Seen[] {
  const seen: Seen[] = [];
  const slot = call("slot");
  const state = call("state");
  parser.open();
  const offsets = [0, ...cuts, body.length];
  for (let piece = 0; piece + 1 < offsets.length; piece++) {
    const from = offsets[piece] ?? 0;
    const [start, end] = probe.write(toBytes(body.slice(from, offsets[piece + 1])));
    if (piece > 0) {
      assert.ok(call("unfinished") <= 16_384, "an unfinished value fits its slot");
      call("keepValue", state, slot);
      call("scribble", ...probe.write(NOISE));
      call("resumeValue", state, slot);
    }
    parser.feed(start, end, piece + 2 === offsets.length);
    for (let event = parser.next(); event; event = parser.next()) {
      if (event.rest !== undefined) event.rest += from - start;
      seen.push(event);
      if (parser.ends(event.event)) return seen;
    }
  }
  assert.fail("the parser asked for more behind the last chunk");
}

/** Asserts that each way to cut the body gives the same events, and returns them. */
export function runCutEverywhere(parser: Parser, body: string): Seen[] {
  const whole = run(parser, body, []);
  for (let cut = 0; cut <= body.length; cut++) {
    assert.deepEqual(run(parser, body, [cut]), whole, `cut at ${cut}`);
  }
  assert.deepEqual(
    run(
      parser,
      body,
      Array.from(body, (_, at) => at),
    ),
    whole,
    "byte by byte",
  );
  return whole;
}

/** The value of the last event. */
export function seenValue(): { value: string; windowed: boolean } {
  return { value: span(call("start"), call("end")), windowed: call("windowed") !== 0 };
}
