/** Query, cookie, form and text: vectors, slow twins, every cut, and windows. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { percent, toBytes } from "../decode/twins.ts";
import {
  call,
  cutName,
  probe,
  run,
  runCutEverywhere,
  seenValue,
  span,
  windowsOf,
  type Parser,
  type Seen,
} from "./chunks.ts";

const state = call("state");

/** Vectors of `tests/vectors/parse/NAME.yaml`. */
function vectors(name: string): { id: string; in: string; out: [string, string][] }[] {
  const file = new URL(`../vectors/parse/${name}.yaml`, import.meta.url);
  return (parse(readFileSync(file, "utf8")) as { vectors: { id: string; in: string; out: [string, string][] }[] })
    .vectors;
}

/** All windows of a span, decoded as the module does it. */
function decoded(start: number, end: number, coding: "None" | "Percent" | "Form"): string[] {
  call("openSpan", start, end, ["None", "Percent", "Form"].indexOf(coding));
  const found = [];
  while (call("nextWindow") !== 0) found.push(seenValue().value);
  return found;
}

/** Raw pairs that the module finds in a query or a Cookie header. */
function pairs(kind: "query" | "cookie", text: string): [string, string][] {
  call(kind === "query" ? "openQuery" : "openCookies", ...probe.write(toBytes(text)));
  const found: [string, string][] = [];
  const at = (n: number) => call(`${kind}At`, n);
  while (call(kind === "query" ? "nextQuery" : "nextCookie") !== 0)
    found.push([span(at(0), at(1)), span(at(2), at(3))]);
  return found;
}

function slowQuery(text: string): [string, string][] {
  const split = (pair: string): [string, string] => {
    const equals = pair.indexOf("=");
    return equals < 0 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)];
  };
  return text
    .split("&")
    .filter((pair) => pair !== "")
    .map(split);
}

function slowCookies(text: string): [string, string][] {
  const trim = (part: string) => part.replace(/^[ \t]+|[ \t]+$/g, "");
  return text
    .split(";")
    .map((pair): [string, string] => {
      const equals = pair.indexOf("=");
      const name = equals < 0 ? "" : trim(pair.slice(0, equals));
      const value = trim(pair.slice(equals + 1));
      return [name, /^"[^]*"$/.test(value) ? value.slice(1, -1) : value];
    })
    .filter(([name, value]) => name !== "" || value !== "");
}

const soup = (pieces: string[]) =>
  fc
    .array(
      fc.oneof(
        fc.constantFrom(...pieces),
        fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      ),
      { maxLength: 40 },
    )
    .map((parts) => parts.join(""));

suite("parse query", () => {
  for (const { id, in: text, out } of vectors("query")) {
    test(id, () => {
      assert.deepEqual(pairs("query", text), out);
      assert.deepEqual(slowQuery(text), out, "the twin agrees");
    });
  }
  test("does what the slow twin does", () => {
    fc.assert(
      fc.property(soup(["&", "=", "a", "%26", "+", ";", "name", "&&", "=="]), (text) => {
        assert.deepEqual(pairs("query", text), slowQuery(text));
      }),
      { numRuns: 3000 },
    );
  });
});

suite("parse cookie", () => {
  for (const { id, in: text, out } of vectors("cookie")) {
    test(id, () => {
      assert.deepEqual(pairs("cookie", text), out);
      assert.deepEqual(slowCookies(text), out, "the twin agrees");
    });
  }
  test("does what the slow twin does", () => {
    fc.assert(
      fc.property(soup([";", "=", " ", "\t", '"', "; ", "a", "name=", '="x"', "%3B"]), (text) => {
        assert.deepEqual(pairs("cookie", text), slowCookies(text));
      }),
      { numRuns: 3000 },
    );
  });
});

const FORM_EVENTS = ["NeedMore", "Name", "Value", "Done"];
const form: Parser = {
  open: () => call("openForm", state),
  feed: (start, end, last) => call("feedForm", state, start, end, Number(last)),
  next() {
    const event = FORM_EVENTS[call("nextForm", state)] ?? "unknown";
    if (event === "NeedMore") return undefined;
    if (event === "Done") return { event };
    return { event, ...seenValue(), name: span(call("formName", state), call("formNameEnd", state)) };
  },
  ends: (event) => event === "Done",
};

function slowForm(text: string): Seen[] {
  const seen: Seen[] = [];
  const windows = (event: string, raw: string, name: string) => {
    if (raw === "") return;
    for (const { value, windowed } of windowsOf(raw)) seen.push({ event, value: percent(value, true), windowed, name });
  };
  for (const pair of text.split("&")) {
    const [rawName = "", ...rest] = pair.split("=");
    const name = cutName(percent(rawName.slice(0, 16_384), true));
    windows("Name", rawName, name);
    windows("Value", rest.join("="), name);
    // The operand of an operator is a value, even an empty one.
    if (rest.join("=") === "" && rest.length > 0 && name.length > 2 && name.slice(-16).includes("$")) {
      seen.push({ event: "Value", value: "", windowed: false, name });
    }
  }
  return [...seen, { event: "Done" }];
}

/** Chunks of one size. */
const every = (size: number, length: number) =>
  Array.from({ length: Math.floor(length / size) }, (_, n) => (n + 1) * size);

suite("parse form", () => {
  for (const { id, in: text, out } of vectors("form")) {
    test(id, () => {
      const seen = runCutEverywhere(form, text);
      assert.deepEqual(
        seen.slice(0, -1).map(({ event, value }) => [event, value]),
        out,
      );
      assert.deepEqual(slowForm(text), seen, "the twin agrees");
    });
  }
  test("does what the slow twin does, whole and in pieces", () => {
    const pieces = [
      "&",
      "=",
      "a",
      "%26",
      "%",
      "%2",
      "%u0027",
      "+",
      "name",
      "&&",
      "==",
      "x".repeat(30),
      "n".repeat(130),
    ];
    fc.assert(
      fc.property(soup(pieces), fc.array(fc.nat(), { maxLength: 5 }), (body, points) => {
        const expected = slowForm(body);
        assert.deepEqual(run(form, body, []), expected);
        const cuts = points.map((point) => point % (body.length + 1)).sort((a, b) => a - b);
        assert.deepEqual(run(form, body, cuts), expected);
      }),
      { numRuns: 3000 },
    );
  });
  test("gives windows of long names and values by their own offsets", () => {
    for (const length of [16_384, 16_385, 31_744, 31_745, 70_000]) {
      const body = `q=${"x".repeat(length - 10)}%27+or+1&${"n".repeat(length)}=1&z`;
      const expected = slowForm(body);
      assert.deepEqual(run(form, body, []), expected);
      for (const size of [1000, 16_384]) assert.deepEqual(run(form, body, every(size, body.length)), expected);
    }
  });
  test("no value is longer than a window where the body ends", () => {
    for (const body of ["x".repeat(16_385), "q=" + "x".repeat(16_385), "q=" + "x".repeat(31_745)]) {
      for (const size of [body.length, 1000]) {
        assert.deepEqual(run(form, body, every(size, body.length)), slowForm(body));
      }
    }
  });
  test("stays linear", () => {
    for (const piece of ["&", "=", "%", "a", "+", "a=b&"]) {
      const begun = performance.now();
      run(form, piece.repeat(900_000 / piece.length), [1]);
      const milliseconds = performance.now() - begun;
      assert.ok(milliseconds < 30_000, `${piece} took ${milliseconds.toFixed(0)} ms`);
    }
  });
});

const TEXT_EVENTS = ["NeedMore", "Text", "Done"];
const text: Parser = {
  open: () => call("openText", state),
  feed: (start, end, last) => call("feedText", state, start, end, Number(last)),
  next() {
    const event = TEXT_EVENTS[call("nextText", state)] ?? "unknown";
    if (event === "NeedMore") return undefined;
    return event === "Text" ? { event, ...seenValue() } : { event };
  },
  ends: (event) => event === "Done",
};

suite("parse text", () => {
  const body = (length: number) => Array.from({ length }, (_, at) => String.fromCharCode(35 + (at % 57))).join("");
  test("what stands between quotes is a value, in strings and outside of them, escapes as they are", () => {
    fc.assert(
      fc.property(soup(['"', "\\", '\\"', "a", "{", ": ", "'", "\n"]), (value) => {
        const runs = [...value.matchAll(/((?:[^"\\]|\\[^]?)*)(?:"|$)/g)].flatMap(([, run]) =>
          run === "" ? [] : [run!],
        );
        const expected = runs.map((value) => ({ event: "Text", value, windowed: false }));
        assert.deepEqual(runCutEverywhere(text, value), [...expected, { event: "Done" }]);
      }),
    );
  });
  test("an empty body has no window", () => assert.deepEqual(runCutEverywhere(text, ""), [{ event: "Done" }]));
  test("a short body is one value, however it is cut", () => {
    assert.deepEqual(runCutEverywhere(text, "a < b"), [
      { event: "Text", value: "a < b", windowed: false },
      { event: "Done" },
    ]);
  });
  test("a long body is windows by offset, however it is cut", () => {
    for (const length of [16_383, 16_384, 16_385, 31_744, 31_745, 100_000]) {
      const expected = [...windowsOf(body(length)).map((window) => ({ event: "Text", ...window })), { event: "Done" }];
      for (const size of [length, 1, 1000, 16_384, 16_385].filter((size) => length < 40_000 || size > 1)) {
        assert.deepEqual(run(text, body(length), every(size, length - 1)), expected, `${length} bytes by ${size}`);
      }
    }
  });
  test("what is as long as the overlap is whole in some window", () => {
    const mark = "#".repeat(1024);
    for (let before = 14_000; before < 17_000; before += 61) {
      const seen = run(text, "x".repeat(before) + mark + "x".repeat(30_000), []);
      assert.ok(
        seen.some(({ value }) => value?.includes(mark)),
        `mark at ${before}`,
      );
    }
  });
});

suite("parse spans", () => {
  test("windows of a span are those of a stream", () => {
    for (const length of [0, 1, 16_384, 16_385, 31_744, 31_745, 60_000]) {
      const value = "ab%27+".repeat(length / 6 + 1).slice(0, length);
      const [start, end] = probe.write(value);
      assert.deepEqual(
        decoded(start, end, "Form"),
        windowsOf(value).map((window) => percent(window.value, true)),
      );
      assert.deepEqual(
        decoded(start, end, "Percent"),
        windowsOf(value).map((window) => percent(window.value, false)),
      );
      assert.deepEqual(
        decoded(start, end, "None"),
        windowsOf(value).map((window) => window.value),
      );
    }
  });
});
