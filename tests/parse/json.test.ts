/** The JSON parser: vectors, a recursive twin, every cut, windows of long values, and hostile bodies. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { escape } from "../decode/twins.ts";
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

const EVENTS = [
  "NeedMore",
  "Key",
  "String",
  "Number",
  "Literal",
  "ObjectOpen",
  "ObjectClose",
  "ArrayOpen",
  "ArrayClose",
  "Done",
  "Malformed",
  "TooDeep",
];
const state = call("state");

/** `passing`: what is short and plain is passed over. */
function json(depth = 64, passing = false): Parser {
  return {
    open: () => call("jsonOpen", state, depth),
    feed: (start, end, last) => call("jsonFeed", state, start, end, Number(last)),
    next() {
      if (passing) call("jsonPass", state);
      const event = EVENTS[call("jsonNext", state)] ?? "unknown";
      switch (event) {
        case "NeedMore":
          return undefined;
        case "Key":
        case "String":
        case "Number":
        case "Literal": {
          const { value, windowed } = seenValue();
          const pointer = call("jsonPointer", state);
          return { event, value, windowed, name: span(pointer, call("jsonPointerEnd", state)) };
        }
        case "Malformed":
        case "TooDeep":
          return { event, rest: call("jsonRest", state) };
        default:
          return { event };
      }
    },
    ends: (event) => ["Done", "Malformed", "TooDeep"].includes(event),
  };
}

class Stop extends Error {
  readonly event: string;
  readonly rest: number;
  constructor(event: string, rest: number) {
    super(event);
    this.event = event;
    this.rest = rest;
  }
}

/** The grammar of json.ts by recursive descent over the whole text. */
function slowJson(text: string, limit = 64): Seen[] {
  const seen: Seen[] = [];
  let at = 0;

  const blanks = () => {
    while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  };
  const next = () => {
    blanks();
    if (at === text.length) throw new Stop("Malformed", at);
    return text.charAt(at);
  };
  const token = (event: string, raw: string, pointer: string) => {
    for (const { value, windowed } of windowsOf(raw)) {
      const decoded = event === "Key" || event === "String" ? escape(value) : value;
      seen.push({ event, value: decoded, windowed, name: cutName(pointer) });
    }
  };
  const string = (): string => {
    if (next() !== '"') throw new Stop("Malformed", at);
    const start = ++at;
    while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === "\\" ? 2 : 1;
    at = Math.min(at, text.length);
    return text.slice(start, at++);
  };
  const closed = () => {
    if (at > text.length) throw new Stop("Malformed", text.length);
  };
  const value = (pointer: string, depth: number): void => {
    const first = next();
    if (first === '"') {
      token("String", string(), pointer);
      closed();
    } else if (first === "{" || first === "[") {
      if (depth === limit) throw new Stop("TooDeep", at);
      at++;
      container(first === "{", pointer, depth + 1);
    } else {
      const word = /^[A-Za-z0-9_.+-]+/.exec(text.slice(at))?.[0];
      if (word === undefined) throw new Stop("Malformed", at);
      at += word.length;
      token(/^[0-9-]/.test(word) ? "Number" : "Literal", word, pointer);
    }
  };
  const container = (isObject: boolean, pointer: string, depth: number): void => {
    seen.push({ event: isObject ? "ObjectOpen" : "ArrayOpen" });
    const close = isObject ? "}" : "]";
    for (let index = 0; ; index++) {
      if (index === 0 && next() === close) break;
      if (isObject) {
        const raw = string();
        const key = escape(windowsOf(raw)[0]?.value ?? "");
        const member = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
        token("Key", raw, member);
        closed();
        if (next() !== ":") throw new Stop("Malformed", at);
        at++;
        value(member, depth);
      } else {
        value(`${pointer}/${index}`, depth);
      }
      const mark = next();
      if (mark === close) break;
      if (mark !== ",") throw new Stop("Malformed", at);
      at++;
      next();
    }
    at++;
    seen.push({ event: isObject ? "ObjectClose" : "ArrayClose" });
  };

  try {
    for (;;) {
      while (at < text.length && /[\x00-\x20\xef\xbb\xbf]/.test(text.charAt(at))) at++;
      if (at === text.length) return [...seen, { event: "Done" }];
      value("", 0);
    }
  } catch (stop) {
    if (!(stop instanceof Stop)) throw stop;
    return [...seen, { event: stop.event, rest: stop.rest }];
  }
}

/** One event in the short form of the vectors. */
function short({ event, value, windowed, name, rest }: Seen): string {
  if (rest !== undefined) return `${event} at ${rest}`;
  if (value === undefined) return event;
  return `${event} ${name === "" ? "(root)" : name} ${JSON.stringify(value)}${windowed ? " windowed" : ""}`;
}

suite("parse json", () => {
  const file = new URL("../vectors/parse/json.yaml", import.meta.url);
  const { vectors } = parse(readFileSync(file, "utf8")) as {
    vectors: { id: string; in: string; depth?: number; events: string[] }[];
  };
  for (const { id, in: body, depth, events } of vectors) {
    test(id, () => {
      assert.deepEqual(runCutEverywhere(json(depth), body).map(short), events);
      assert.deepEqual(slowJson(body, depth).map(short), events, "the twin agrees");
    });
  }

  const pieces = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    " ",
    "\n",
    "a",
    "/",
    "~",
    "0",
    "-1.5e3",
    "true",
    "null",
    "NaN",
    '"a"',
    '"k":',
    '"\\u0027"',
    '"\\ud83d\\ude00"',
    '\\"',
    '{"a":[',
    "]}",
    "\0",
    "\xef\xbb\xbf",
    "\xe9",
    "'",
    "\\u00",
    "x".repeat(20),
    '"' + "y".repeat(40) + '"',
    '{"' + "key".repeat(50) + '":',
    "[[[[",
  ];
  const soup = fc
    .array(
      fc.oneof(
        fc.constantFrom(...pieces),
        fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      ),
      { maxLength: 30 },
    )
    .map((parts) => parts.join(""));
  const binary = (text: string) => Buffer.from(text, "utf8").toString("latin1");
  const documents = fc
    .tuple(
      fc.jsonValue({ maxDepth: 5 }),
      fc.constantFrom(0, 2),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(...pieces)), { maxLength: 2 }),
    )
    .map(([document, indent, changes]) =>
      changes.reduce(
        (text, [at, piece]) => {
          const cut = at % (text.length + 1);
          return text.slice(0, cut) + piece + text.slice(cut);
        },
        binary(JSON.stringify(document, null, indent)),
      ),
    );

  /** Whether `jsonPass` may pass over a name or a value. */
  function isPlain({ event, value = "" }: Seen): boolean {
    if (value.length > 15 || /^p[a-z0-9]{8}$/i.test(value)) return false;
    if (event === "Number" || event === "Literal") return /^[A-Za-z0-9]*$|^-?[0-9]+([.][0-9]+)?$/.test(value);
    return /^[A-Za-z0-9]*$|^(?!-)(?!.*[_-]{2})(?!.*0x)[A-Za-z0-9_-]*$/i.test(value);
  }
  /** What is left where plain tokens are passed over that stand in a container whose pointer holds no "$". */
  const passed = (seen: Seen[], every: Seen[]): void => {
    const left = [...every];
    for (const event of seen) {
      while (left.length > 0 && JSON.stringify(left[0]) !== JSON.stringify(event)) {
        const skipped = left.shift()!;
        assert.ok(isPlain(skipped), `passed over ${short(skipped)}`);
        assert.doesNotMatch(skipped.name!.replace(/\/[^/]*$/, ""), /[$]/, `passed over ${short(skipped)}`);
      }
      assert.ok(left.shift() !== undefined, `${short(event)} is no event`);
    }
    assert.deepEqual(left, []);
  };
  const plain = [
    '"a":1,"b-c":"x_y",',
    '"price":{"net":12.5,"tax":-0.19,"on":true,"off":null},',
    '"tags":["a","b", 3 ,"word-1"], ',
    '"proto":"prototype","a0x2f":"0x2f-1","__a":"a--b","-a":"-b",',
    '"$ne":{"a":"b"},"c":[{"$in":["x"]}],',
    '"long":"a longer text that is not passed over at all",',
    '"v":"1 or 1","w":1.2.3,"x":-,"y":1.,"z":"",',
  ];

  test("passes over what is short and plain, and over nothing else", () => {
    const members = fc
      .array(fc.constantFrom(...plain), { maxLength: 8 })
      .map((parts) => `{${parts.join("")}"end":[{}]}${" ".repeat(70)}`);
    let fewer = 0;
    fc.assert(
      fc.property(fc.oneof(members, documents, soup), fc.array(fc.nat(), { maxLength: 3 }), (body, numbers) => {
        const every = run(json(), body, []);
        const cuts = numbers.map((number) => number % (body.length + 1)).sort((left, right) => left - right);
        const seen = run(json(64, true), body, cuts);
        passed(seen, every);
        if (seen.length < every.length) fewer++;
      }),
      { numRuns: 5_000 },
    );
    assert.ok(fewer > 500, `only ${fewer} documents had anything to pass over`);
  });

  test("passes over every member of a document of words and numbers", () => {
    const body = `{${'"name":"value","price":{"net":12.5,"tags":["a-1",true,null]},'.repeat(20)}"x":0}${" ".repeat(70)}`;
    const events = run(json(64, true), body, []).map(({ event }) => event);
    assert.deepEqual([...new Set(events)].sort(), ["ArrayClose", "ArrayOpen", "Done", "ObjectClose", "ObjectOpen"]);
  });

  test("does what the recursive twin does, whole and in pieces", () => {
    fc.assert(
      fc.property(
        fc.oneof(soup, documents),
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.integer({ min: 0, max: 6 }),
        (body, points, depth) => {
          const expected = slowJson(body, depth);
          assert.deepEqual(run(json(depth), body, []), expected);
          const cuts = points.map((point) => point % (body.length + 1)).sort((a, b) => a - b);
          assert.deepEqual(run(json(depth), body, cuts), expected);
        },
      ),
      { numRuns: 4000 },
    );
  });

  test("reads the strings that JSON.stringify wrote", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4, stringUnit: "grapheme" }), (document) => {
        const strings: string[] = [];
        JSON.stringify(document, (_key, value: unknown) => {
          if (typeof value === "string") strings.push(binary(value));
          return value;
        });
        const events = run(json(), binary(JSON.stringify(document)), []);
        assert.equal(events.at(-1)?.event, "Done");
        const read = events.filter(({ event }) => event === "String").map(({ value }) => value);
        assert.deepEqual(read, strings);
      }),
    );
  });

  test("gives windows of long values by their own offsets, wherever chunks end", () => {
    const attack = "\\u0027 or 1=1 --";
    for (const length of [16_383, 16_384, 16_385, 31_744, 31_745, 100_000]) {
      const value = "x".repeat(length - attack.length) + attack;
      const body = `{"${value}":["${value}",${"9".repeat(length)}]}`;
      const expected = slowJson(body);
      assert.deepEqual(run(json(), body, []), expected);
      for (const size of [1000, 4096, 16_384, 65_536]) {
        const cuts = Array.from({ length: Math.floor(body.length / size) }, (_, n) => (n + 1) * size);
        assert.deepEqual(run(json(), body, cuts), expected, `${length} bytes in chunks of ${size}`);
      }
      assert.ok(
        expected.filter(({ value }) => value?.includes("' or 1=1 --")).length >= 2,
        "the attack is whole in a window",
      );
    }
  });

  test("stays bounded on hostile bodies", () => {
    const deep = run(json(), "[".repeat(20_000), [10_000]);
    assert.deepEqual(deep.at(-1), { event: "TooDeep", rest: 64 });
    assert.equal(deep.length, 65);
    const objects = run(json(), '{"a":'.repeat(20_000), [7]);
    assert.deepEqual(objects.at(-1), { event: "TooDeep", rest: 64 * 5 });
    const keys = Array.from({ length: 40_000 }, (_, n) => `"k${n}":${n}`);
    const wide = run(json(), `{${keys.join()}}`, [100_000, 300_000]);
    assert.equal(wide.length, 80_000 + 3);
    assert.equal(wide[80_000]?.name, "/k39999");
    const elements = run(json(), `[${"0,".repeat(99_999)}0]`, [7]);
    assert.equal(elements.at(-3)?.name, "/99999");
    for (const body of [
      "\\".repeat(500_000),
      `"${"\\".repeat(500_000)}`,
      `"${"\\u0000".repeat(80_000)}"`,
      " ".repeat(900_000),
      "1".repeat(900_000),
      `"${"a".repeat(900_000)}`,
      "[]".repeat(200_000),
      `[${'"",'.repeat(200_000)}`,
    ]) {
      const begun = performance.now();
      const last = run(json(), body, [1, body.length >> 1]).at(-1);
      const milliseconds = performance.now() - begun;
      assert.ok(last);
      assert.ok(milliseconds < 30_000, `${body.slice(0, 8)}… took ${milliseconds.toFixed(0)} ms`);
    }
  });

  test("says the same again after it has stopped", () => {
    call("jsonOpen", state, 64);
    const [start, end] = probe.write('{"a":]');
    call("jsonFeed", state, start, end, 0);
    const names = Array.from({ length: 6 }, () => EVENTS[call("jsonNext", state)]);
    assert.deepEqual(names, ["ObjectOpen", "Key", "Malformed", "Malformed", "Malformed", "Malformed"]);
    assert.equal(call("jsonRest", state), start + 5);
    assert.equal(call("jsonDepth", state), 1);
  });
});
