/** The XML parser: vectors and any markup at every cut, windows of long values, hostile bodies. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { call, run, runCutEverywhere, seenValue, span, type Parser, type Seen } from "./chunks.ts";

const EVENTS = ["NeedMore", "Text", "Raw", "Attribute", "Tag", "Declaration", "Done", "Malformed"];
const state = call("state");

const xml: Parser = {
  open: () => call("openXml", state),
  feed: (start, end, last) => call("feedXml", state, start, end, Number(last)),
  next() {
    const event = EVENTS[call("nextXml", state)] ?? "unknown";
    if (event === "NeedMore") return undefined;
    if (event === "Done") return { event };
    if (event === "Malformed") return { event, rest: call("xmlRest", state) };
    return { event, value: seenValue().value, name: span(call("xmlName", state), call("xmlNameEnd", state)) };
  },
  ends: (event) => event === "Done" || event === "Malformed",
};

/** One event in the short form of the vectors. */
function short({ event, value, name, rest }: Seen): string {
  if (rest !== undefined) return `${event} at ${rest}`;
  return value === undefined ? event : `${event} ${name === "" ? "(root)" : name} ${JSON.stringify(value)}`;
}

suite("parse xml", () => {
  const file = new URL("../vectors/parse/xml.yaml", import.meta.url);
  const { vectors } = parse(readFileSync(file, "utf8")) as {
    vectors: { id: string; in: string; events: string[] }[];
  };
  for (const { id, in: body, events } of vectors) {
    test(id, () => assert.deepEqual(runCutEverywhere(xml, body).map(short), events));
  }

  test("any markup gives the same wherever it is cut", () => {
    const piece = fc.constantFrom(
      ..."<>/!-?[]=&;'\"ab \n",
      "<a>",
      "</a>",
      "<b c='d'>",
      "<e/>",
      "<!--",
      "-->",
      "<![CDATA[",
      "]]>",
      "<?",
      "?>",
      "<!DOCTYPE a [",
      "&lt;",
      "\xe9",
    );
    const body = fc.array(piece, { maxLength: 24 }).map((pieces) => `<r>${pieces.join("")}`);
    fc.assert(
      fc.property(body, (text) => {
        assert.ok(runCutEverywhere(xml, text).length > 0);
      }),
      { numRuns: 600 },
    );
  });

  test("text is what a writer of XML put there", () => {
    const escape = (text: string) => text.replace(/[<&]/g, (mark) => (mark === "<" ? "&#60;" : "&amp;"));
    const chars = fc.constantFrom(..."ab<&'\"]->; ");
    const text = fc.string({ unit: chars, minLength: 1, maxLength: 30 }).filter((value) => /^\S/.test(value));
    fc.assert(
      fc.property(text, (value) => {
        const events = run(xml, `<a>${escape(value)}</a>`, []);
        assert.deepEqual(events[1], { event: "Text", value, name: "/a" });
      }),
    );
  });

  test("an attack is whole in a window of a long value", () => {
    const attack = "' or 1=1 -- ";
    for (const length of [16_383, 16_384, 16_385, 40_000]) {
      const long = "x".repeat(length - attack.length) + attack;
      for (const body of [`<a>${long}</a><b/>`, `<a b="${long}">t</a><b/>`, `<!DOCTYPE a "${long}"><b/>`]) {
        for (const cuts of [[], [1000], [16_384, 20_000].filter((cut) => cut < body.length)]) {
          const events = run(xml, body, cuts);
          assert.ok(events.some(({ value }) => value?.includes(attack)));
          assert.deepEqual(events.at(-2)?.value, "<b/>");
          assert.equal(events.at(-1)?.event, "Done");
        }
      }
    }
  });

  test("hostile bodies stay linear", () => {
    for (const body of [
      "<a>".repeat(100_000),
      `<a>${"<!--".repeat(100_000)}`,
      `<a>${"<![CDATA[".repeat(40_000)}`,
      `<a>${"<?".repeat(100_000)}`,
      `<a>${"<!-- --><![CDATA[".repeat(20_000)}`,
      "<".repeat(300_000),
      `<a>${"&".repeat(300_000)}`,
      `<a ${"b='".repeat(100_000)}`,
      `<a ${"b ".repeat(150_000)}>`,
      `<!DOCTYPE a [${"<!ENTITY b 'c'>".repeat(20_000)}`,
      "</a>".repeat(80_000),
    ]) {
      const begun = performance.now();
      assert.ok(run(xml, body, [body.length >> 1]).length > 0);
      const milliseconds = performance.now() - begun;
      assert.ok(milliseconds < 10_000, `${body.slice(0, 16)}… took ${milliseconds.toFixed(0)} ms`);
    }
  });
});
